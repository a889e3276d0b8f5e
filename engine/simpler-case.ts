// SPDX-License-Identifier: MIT
/** Smaller variants of a case of which nothing but its bytes is known: its parts one by one, then stretches of bytes. */
import type { AccessPlan, Case, Layer, ReadPlan } from '../model/index.ts';
import { SECTOR } from '../spec/index.ts';

/** Stretches of a file that are tried as zeros, halved each time until they are so short, in bytes. */
const SHORTEST = 64;
const PAGE = 4096;

/** Each is smaller or plainer by one thing; the boldest first. */
export function* simplerCases(c: Case): Generator<Case> {
  for (const access of plainerPlans(c.access)) yield { ...c, access };
  yield* fewerLayers(c);
  for (const access of fewerReads(c.access)) yield { ...c, access };
  yield* emptierFiles(c);
}

function* plainerPlans(access: AccessPlan): Generator<AccessPlan> {
  for (const key of ['table', 'fault', 'attempts', 'shared', 'crowd', 'replaces', 'failsAfter'] as const) {
    if (access[key] === undefined) continue;
    const { [key]: _, ...rest } = access;
    yield rest;
  }
  if (access.slack !== 'page') yield { ...access, slack: 'page' };
}

function* fewerLayers(c: Case): Generator<Case> {
  const { table, fault, replaces, ...access } = c.access;
  for (let i = 0; c.device === 'lsmt' && c.layers.length > 1 && i < c.layers.length; i++) {
    // What names a layer would name another one then.
    if ((table && 'layer' in table) || fault || replaces !== undefined) break;
    yield { ...c, layers: c.layers.toSpliced(i, 1), access: { ...access, ...(table && { table }) } };
  }
}

function* fewerReads(access: AccessPlan): Generator<AccessPlan> {
  const { reads } = access;
  if (reads.length > 1) for (const read of reads) yield { ...access, reads: [read] };
  for (let i = 0; reads.length > 2 && i < reads.length; i++) yield { ...access, reads: reads.toSpliced(i, 1) };
  for (const [i, read] of reads.entries()) {
    for (const plainer of plainerReads(read)) yield { ...access, reads: reads.with(i, plainer) };
  }
}

function* plainerReads(read: ReadPlan): Generator<ReadPlan> {
  const { pieces, huge, ...one } = read;
  if (pieces || huge) yield one;
  if (read.mode !== 'direct' && [read.offset, read.length, read.bufferOffset].every((n) => n % SECTOR === 0)) yield { ...one, mode: 'direct' };
  if (read.bufferOffset !== 0) yield { ...one, bufferOffset: 0 };
  for (const length of [SECTOR, PAGE]) if (read.length > length) yield { ...one, length };
}

function* emptierFiles(c: Case): Generator<Case> {
  for (const [i, layer] of c.layers.entries()) {
    for (const bytes of emptier(layer.bytes)) yield { ...c, layers: c.layers.with(i, { ...layer, bytes } satisfies Layer) };
  }
}

function* emptier(bytes: Uint8Array): Generator<Uint8Array> {
  for (let size = 1 << Math.floor(Math.log2(Math.max(SHORTEST, bytes.length / 2))); size >= SHORTEST; size /= 4) {
    for (let at = 0; at < bytes.length; at += size) {
      if (bytes.subarray(at, at + size).every((b) => b === 0)) continue;
      yield bytes.slice().fill(0, at, at + size);
    }
  }
}
