// SPDX-License-Identifier: MIT
/** The strict reader of one LSMT layer. Entry units are sectors of 512 bytes. */
import {
  getBytes, getInteger, getSegment, hasFlag, INVALID_OFFSET, LSMT_FLAG, LSMT_HEADER, LSMT_MAGIC0, LSMT_MAGIC1, LSMT_SPACE, SECTOR,
  SEGMENT_ENTRY, type LsmtField,
} from '../spec/index.ts';
import { sameBytes, type ByteSource } from './source.ts';
import { violate, Violation, type Leniency } from './violation.ts';

/** One live mapping of a layer: [start, end) of the device, both in sectors. */
export interface Mapping {
  readonly start: number;
  readonly end: number;
  /** Sector of the file that holds `start`; meaningless for a zeroed mapping. */
  readonly moffset: number;
  readonly zeroed: boolean;
}

export interface LsmtLayer {
  /** Bytes; 0 defers to the layer below. */
  readonly virtualSize: number;
  /** Ascending, without overlap, none of length 0. */
  readonly mappings: readonly Mapping[];
  /** Where the mapped sectors stand. */
  readonly data: ByteSource;
  /** Entries in the table, INVALID ones included. */
  readonly entries: number;
  /** INVALID entries that are followed by a live one: more than padding. */
  readonly invalidInside: number;
}

const MAX_ENTRIES = 1_000_000n;
const MAX_VIRTUAL_SIZE = 1n << 59n;

/** Whether the file starts with LSMT's magic values. */
export function looksLikeLsmt(source: ByteSource): boolean {
  return source.size >= LSMT_SPACE && hasMagic(source.read(0, LSMT_SPACE));
}

function hasMagic(header: Uint8Array): boolean {
  return sameBytes(getBytes(header, LSMT_HEADER, 'magic0'), LSMT_MAGIC0) && sameBytes(getBytes(header, LSMT_HEADER, 'magic1'), LSMT_MAGIC1);
}

/** Opens a committed or sealed layer. Throws Violation; allocates no more than the index inside the file takes. */
export function openLsmt(source: ByteSource, lenient: Leniency): LsmtLayer {
  if (source.size < 2 * LSMT_SPACE) {
    throw new Violation('LS-HDR-01', 0, `the file has ${source.size} bytes, header and trailer take ${2 * LSMT_SPACE}`);
  }
  openHeader(source, lenient);
  const base = source.size - LSMT_SPACE;
  const trailer = source.read(base, LSMT_SPACE);
  if (!hasMagic(trailer)) throw new Violation('LS-TRL-01', base, 'the trailer lacks the magic values');
  const flags = getInteger(trailer, LSMT_HEADER, 'flags');
  if (hasFlag(flags, LSMT_FLAG.header)) throw new Violation('LS-TRL-02', base + 28, 'flag bit 0 of the trailer is 1');
  if (!hasFlag(flags, LSMT_FLAG.dataFile)) throw new Violation('LS-TRL-03', base + 28, 'flag bit 1 of the trailer is 0');
  if (!hasFlag(flags, LSMT_FLAG.sealed)) throw new Violation('LS-TRL-04', base + 28, 'flag bit 2 of the trailer is 0');
  checkSizeField(trailer, base, lenient);

  const field = (name: LsmtField): bigint => getInteger(trailer, LSMT_HEADER, name);
  const count = field('index_size');
  const indexOffset = field('index_offset');
  if (count > MAX_ENTRIES) throw new Violation('LS-IDX-01', base + 40, `the index has ${count} entries`);
  if (indexOffset + count * BigInt(SEGMENT_ENTRY) > BigInt(base)) {
    throw new Violation('LS-IDX-02', base + 32, `an index of ${count} entries at byte ${indexOffset} does not end before byte ${base}`);
  }
  if (indexOffset < BigInt(LSMT_SPACE)) violate(lenient, 'LS-IDX-08', base + 32, `the index starts at byte ${indexOffset}, inside the header`);
  const virtualSize = checkedVirtualSize(trailer, base, lenient);

  const entries = Number(count);
  const index = source.read(Number(indexOffset), entries * SEGMENT_ENTRY);
  const { live, invalidInside } = liveEntries(index, entries, Number(indexOffset));
  const limit = BigInt(Math.floor(Number(indexOffset) / SECTOR));
  for (const e of live) checkBounds(e, limit);
  return { virtualSize, mappings: live.filter((e) => e.length > 0).map(toMapping), data: source, entries, invalidInside };
}

/** Checks the header shared by sealed layers and a writable pair's data file. */
export function openHeader(source: ByteSource, lenient: Leniency): Uint8Array {
  if (source.size < LSMT_SPACE) {
    throw new Violation('LS-HDR-01', 0, `the file has ${source.size} bytes, a header takes ${LSMT_SPACE}`);
  }
  const header = source.read(0, LSMT_SPACE);
  if (!hasMagic(header)) throw new Violation('LS-HDR-02', 0, 'the header lacks the magic values');
  const flags = getInteger(header, LSMT_HEADER, 'flags');
  if (!hasFlag(flags, LSMT_FLAG.header)) throw new Violation('LS-HDR-03', 28, 'flag bit 0 of the header is 0');
  if (!hasFlag(flags, LSMT_FLAG.dataFile)) throw new Violation('LS-HDR-04', 28, 'flag bit 1 of the header is 0');
  checkSizeField(header, 0, lenient);
  return header;
}

/** Checks an index file's header and gives its virtual size and entries in write order. */
export function openIndexFile(source: ByteSource, lenient: Leniency): { virtualSize: number; entries: readonly IndexEntry[] } {
  if (source.size < LSMT_SPACE) throw new Violation('LS-RW-02', 0, `the index file has ${source.size} bytes, a header takes ${LSMT_SPACE}`);
  const header = source.read(0, LSMT_SPACE);
  const flags = getInteger(header, LSMT_HEADER, 'flags');
  if (!hasMagic(header) || !hasFlag(flags, LSMT_FLAG.header) || hasFlag(flags, LSMT_FLAG.dataFile)) {
    throw new Violation('LS-RW-02', 0, 'the index file’s header lacks the magic values or has other flags than an index file’s');
  }
  const virtualSize = checkedVirtualSize(header, 0, lenient);
  // An entry cut short by a crash of the writer was never acknowledged: whole entries only.
  const count = Math.floor((source.size - LSMT_SPACE) / SEGMENT_ENTRY);
  const bytes = source.read(LSMT_SPACE, count * SEGMENT_ENTRY);
  const entries: IndexEntry[] = [];
  for (let i = 0; i < count; i++) {
    const entry = entryAt(bytes, i, LSMT_SPACE);
    if (entry) entries.push(entry);
  }
  return { virtualSize, entries };
}

/** One live entry and where it stands, for messages. */
export interface IndexEntry {
  readonly offset: bigint;
  readonly length: number;
  readonly moffset: bigint;
  readonly zeroed: boolean;
  /** Byte position in the file. */
  readonly at: number;
}

export function toMapping(e: IndexEntry): Mapping {
  const start = Number(e.offset);
  return { start, end: start + e.length, moffset: Number(e.moffset), zeroed: e.zeroed };
}

function entryAt(index: Uint8Array, i: number, base: number): IndexEntry | null {
  const { offset, length, moffset, zeroed } = getSegment(index, i * SEGMENT_ENTRY);
  return offset === INVALID_OFFSET ? null : { offset, length, moffset, zeroed, at: base + i * SEGMENT_ENTRY };
}

function liveEntries(index: Uint8Array, count: number, base: number): { live: IndexEntry[]; invalidInside: number } {
  const live: IndexEntry[] = [];
  let invalid = 0;
  let invalidInside = 0;
  let previousEnd = 0n;
  for (let i = 0; i < count; i++) {
    const entry = entryAt(index, i, base);
    if (!entry) {
      invalid++;
      continue;
    }
    invalidInside = invalid;
    if (entry.offset < previousEnd) {
      throw new Violation('LS-IDX-04', entry.at, `entry ${i} starts at sector ${entry.offset}, the one before it ends at ${previousEnd}`);
    }
    previousEnd = entry.offset + BigInt(entry.length);
    live.push(entry);
  }
  return { live, invalidInside };
}

function checkBounds(e: IndexEntry, limit: bigint): void {
  const first = BigInt(LSMT_SPACE / SECTOR);
  if (e.zeroed) {
    if (e.moffset < first || e.moffset > limit) {
      throw new Violation('LS-IDX-06', e.at, `a zeroed entry's moffset is ${e.moffset}, not between ${first} and ${limit}`);
    }
    return;
  }
  const end = e.moffset + BigInt(e.length);
  if (e.moffset < first || e.moffset >= limit || end <= first || end > limit) {
    throw new Violation('LS-IDX-05', e.at, `an entry maps sectors ${e.moffset} to ${end}, outside ${first} to ${limit}`);
  }
}

function checkedVirtualSize(header: Uint8Array, base: number, lenient: Leniency): number {
  const size = getInteger(header, LSMT_HEADER, 'virtual_size');
  if (size > MAX_VIRTUAL_SIZE) violate(lenient, 'LS-SIZE-01', base + 48, `virtual_size is ${size}`);
  else if (size % BigInt(SECTOR) !== 0n) violate(lenient, 'LS-SIZE-01', base + 48, `virtual_size ${size} is no multiple of ${SECTOR}`);
  return Number(size);
}

function checkSizeField(header: Uint8Array, base: number, lenient: Leniency): void {
  const size = getInteger(header, LSMT_HEADER, 'size');
  if (size !== 390n) violate(lenient, 'LS-HDR-05', base + 24, `the size field is ${size}, not 390`);
}
