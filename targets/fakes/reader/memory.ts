// SPDX-License-Identifier: MIT
/** A read into memory that was filled with a pattern before, so that what was written where can be told. Bytes. */
import { createHash } from 'node:crypto';
import type { ReadObservation, ReadPlan, Spill } from '../../../model/index.ts';
import type { Has } from './defects.ts';
import { Refused } from './source.ts';
import type { Device } from './stack.ts';

const PAGE = 4096;
const SECTOR = 512;
const EIO = 5;
/** Bytes of 256 pages, of which a request has a vector each. */
const ONE_REQUEST = 256 * PAGE;
/** What untouched memory holds, again and again. */
const PATTERN = Buffer.from(Array.from({ length: 64 }, (_, i) => (i * 167 + 91) & 0xff));

/** One read of the device as its plan says; `wanted` is a digest whose bytes need not come along. */
export function readIntoMemory(device: Device, plan: ReadPlan, wanted: string | null, has: Has): ReadObservation {
  const start = PAGE + plan.bufferOffset;
  const memory = Buffer.alloc(start + Math.ceil(plan.length / PAGE) * PAGE + PAGE, PATTERN);
  try {
    const result = readAt(device, plan, memory, start, has);
    const bytes = memory.subarray(start, start + result);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const spill = spillOf(memory, start, result);
    const untouched = firstUntouched(memory, start, result);
    return { result, sha256, ...(sha256 === wanted ? {} : { bytes }), ...(spill ? { spill } : {}), ...(untouched < 0 ? {} : { untouched }) };
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    return { result: -EIO, sha256: '' };
  }
}

/** Where in [start, start + length) a run of the pattern begins, from `start`; -1 where none of 64 bytes does. */
function firstUntouched(memory: Buffer, start: number, length: number): number {
  let at = memory.subarray(start, start + length).indexOf(phased(start));
  while (at > 0 && memory[start + at - 1] === PATTERN[(start + at - 1) % 64]) at--;
  return at;
}

/** The pattern as it begins at `at` in memory. */
function phased(at: number): Buffer {
  return Buffer.concat([PATTERN.subarray(at % 64), PATTERN.subarray(0, at % 64)]);
}

/** Reads what the device has of the plan's range; the number of bytes. */
function readAt(device: Device, plan: ReadPlan, memory: Buffer, start: number, has: Has): number {
  const { size } = device;
  const past = plan.offset + plan.length > size;
  let length = Math.max(0, Math.min(plan.length, size - plan.offset));
  if (past && has('read-past-end-error')) throw new Refused('ST-SIZE-03', 'behind the end');
  if (past && has('read-past-end-zeros')) {
    memory.fill(0, start, start + plan.length);
    if (length > 0) device.read(plan.offset, memory.subarray(start, start + length));
    return plan.length;
  }
  if (past && length % PAGE !== 0 && has('read-end-short')) length -= length % PAGE;
  if (length === 0) return 0;
  let from = plan.offset;
  if (from % PAGE !== 0 && has('read-offset-of-page')) from -= from % PAGE;
  let to = start;
  if (to % PAGE !== 0 && has('read-buffer-of-page')) to -= to % PAGE;
  const target = memory.subarray(to, to + length);
  if (length > 65536 && has('read-64-kib')) {
    target.fill(0, 65536);
    device.read(from, target.subarray(0, 65536));
  } else device.read(from, target);
  if (length % PAGE !== 0 && has('read-whole-pages')) memory.fill(0, to + length, to + length + PAGE - (length % PAGE));
  if (length > PAGE && has('read-last-sector-untouched')) memory.fill(phased(to + length - SECTOR), to + length - SECTOR, to + length);
  if (plan.mode === 'buffered' && has('read-buffered-zeros')) target.fill(0, Math.max(0, length - SECTOR));
  if (plan.mode === 'mmap' && length > PAGE && has('read-mapped-one-page')) target.copyWithin(PAGE, 0, length - PAGE);
  if (plan.pieces && plan.pieces[0]! < length && has('read-second-piece')) target.fill(0xff, plan.pieces[0]);
  if (length > ONE_REQUEST && has('read-one-request')) target.fill(0xff, ONE_REQUEST);
  return length;
}

/** Bytes that changed outside of [start, start + length); null where none did. */
function spillOf(memory: Buffer, start: number, length: number): Spill | null {
  let before = 0;
  let after = 0;
  let first: number | null = null;
  for (let i = 0; i < memory.length; i++) {
    if (i === start) i += length;
    if (i >= memory.length || memory[i] === PATTERN[i % 64]) continue;
    if (i < start) before++;
    else after++;
    first ??= i - start;
  }
  return first === null ? null : { before, after, first };
}
