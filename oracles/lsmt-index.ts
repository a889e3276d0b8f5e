// SPDX-License-Identifier: MIT
/**
 * The entries of an LSMT index. They are read in windows, and again for each
 * rule that one of them breaks: an index may be larger than memory, and each
 * rule is judged for all entries before the next. Units are sectors.
 */
import { getSegment, INVALID_OFFSET, LSMT_SPACE, SECTOR, SEGMENT_BITS, SEGMENT_ENTRY } from '../spec/index.ts';
import type { Mapping } from './layer.ts';
import { piecesOf, type ByteSource } from './source.ts';
import { mayRefuse, violate, type Leniency } from './violation.ts';

/** First sector behind a header. */
export const FIRST_DATA_SECTOR = LSMT_SPACE / SECTOR;

/** Bytes of the index that are held at a time. */
const PIECE = 1 << 20;
const INVALID = Number(INVALID_OFFSET);

/** One entry that is not INVALID. */
export interface Entry {
  /** Which one of the table, INVALID ones counted. */
  readonly i: number;
  /** Byte position in the file. */
  readonly at: number;
  readonly offset: number;
  readonly length: number;
  /** Exact below 2^53; a larger one is outside any file anyway. */
  readonly moffset: number;
  readonly zeroed: boolean;
  readonly tag: number;
}

/** A table of entries in a file. */
export interface EntryTable {
  readonly source: ByteSource;
  /** Where it starts, bytes. */
  readonly start: number;
  /** Entries, INVALID ones included. */
  readonly count: number;
}

/** The bit fields as they lie in the entry's four 32-bit words. */
const HIGH = 2 ** 32;
const highMask = (width: number): number => 2 ** (width - 32) - 1;
const OFFSET_MASK = highMask(SEGMENT_BITS.offset.width);
const LENGTH_SHIFT = SEGMENT_BITS.length.shift - 32;
const MOFFSET_MASK = highMask(SEGMENT_BITS.moffset.width);
const ZEROED_SHIFT = SEGMENT_BITS.zeroed.shift - 32;
const TAG_SHIFT = SEGMENT_BITS.tag.shift - 32;

/** The entries that are not INVALID, in their order. */
export function* liveEntries({ source, start, count }: EntryTable): Iterable<Entry> {
  for (const { at, bytes } of piecesOf(source, start, count * SEGMENT_ENTRY, PIECE)) {
    const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let k = 0; k < bytes.length; k += SEGMENT_ENTRY) {
      const high0 = v.getUint32(k + 4, true);
      const offset = (high0 & OFFSET_MASK) * HIGH + v.getUint32(k, true);
      if (offset === INVALID) continue;
      const high1 = v.getUint32(k + 12, true);
      yield {
        i: (at - start + k) / SEGMENT_ENTRY,
        at: at + k,
        offset,
        length: high0 >>> LENGTH_SHIFT,
        moffset: (high1 & MOFFSET_MASK) * HIGH + v.getUint32(k + 8, true),
        zeroed: (high1 >>> ZEROED_SHIFT & 1) === 1,
        tag: high1 >>> TAG_SHIFT,
      };
    }
  }
}

/** What one pass over a table tells: which rules none of its entries can break, so that only for others all are gone over again. */
export interface Survey {
  /** Entries that are not INVALID. */
  readonly live: number;
  /** INVALID entries that are followed by a live one. */
  readonly invalidInside: number;
  /** Which entry is the first INVALID one; the number of live ones where none stands before them. */
  readonly firstInvalid: number;
  /** Whether no entry starts before the one before it ends. */
  readonly ordered: boolean;
  /** Whether some tag is not 0. */
  readonly tagged: boolean;
  /** Between which sectors data entries start and end, and zeroed ones say that they start; low Infinity where there are none. */
  readonly starts: Bounds;
  readonly ends: Bounds;
  readonly zeroed: Bounds;
}

interface Bounds {
  low: number;
  high: number;
}

function widen(bounds: Bounds, value: number): void {
  if (value < bounds.low) bounds.low = value;
  if (value > bounds.high) bounds.high = value;
}

/** Goes over the table once. */
export function survey(table: EntryTable): Survey {
  let live = 0;
  let invalidInside = 0;
  let firstInvalid = 0;
  let ordered = true;
  let tagged = false;
  let previousEnd = 0;
  const [starts, ends, zeroed] = [1, 2, 3].map((): Bounds => ({ low: Infinity, high: -Infinity })) as [Bounds, Bounds, Bounds];
  for (const e of liveEntries(table)) {
    invalidInside = e.i - live;
    if (e.i === firstInvalid) firstInvalid++;
    live++;
    if (e.offset < previousEnd) ordered = false;
    previousEnd = e.offset + e.length;
    if (e.tag !== 0) tagged = true;
    if (e.zeroed) {
      widen(zeroed, e.moffset);
    } else {
      widen(starts, e.moffset);
      widen(ends, e.moffset + e.length);
    }
  }
  return { live, invalidInside, firstInvalid, ordered, tagged, starts, ends, zeroed };
}

/** LS-IDX-03. */
export function checkInvalid(table: EntryTable, { live, firstInvalid }: Survey, lenient: Leniency): void {
  if (live < table.count) mayRefuse(lenient, 'LS-IDX-03', table.start + firstInvalid * SEGMENT_ENTRY, `entry ${firstInvalid} is INVALID`);
}

/** LS-IDX-04: the order of a table that is no log of writes. */
export function checkOrder(table: EntryTable, { ordered }: Survey, lenient: Leniency): void {
  if (ordered) return;
  let previousEnd = 0;
  for (const e of liveEntries(table)) {
    if (e.offset < previousEnd) {
      violate(lenient, 'LS-IDX-04', e.at, `entry ${e.i} starts at sector ${e.offset}, the one before it ends at ${previousEnd}`);
    }
    previousEnd = e.offset + e.length;
  }
}

/** The first entry that starts before the one before it ends; null where all ascend without overlap. */
export function firstOutOfOrder(table: EntryTable, { ordered }: Survey): Entry | null {
  if (ordered) return null;
  let previousEnd = 0;
  for (const e of liveEntries(table)) {
    if (e.offset < previousEnd) return e;
    previousEnd = e.offset + e.length;
  }
  return null;
}

/** LS-IDX-05 or LS-RW-04: data entries map [8, `limit`) of the file. */
export function checkDataBounds(
  table: EntryTable, { starts, ends }: Survey, limit: number, clause: 'LS-IDX-05' | 'LS-RW-04', base: number, lenient: Leniency,
): void {
  if (starts.low + base >= FIRST_DATA_SECTOR && starts.high + base < limit && ends.low + base > FIRST_DATA_SECTOR && ends.high + base <= limit) return;
  for (const e of liveEntries(table)) {
    if (e.zeroed) continue;
    const first = e.moffset + base;
    const end = first + e.length;
    if (first < FIRST_DATA_SECTOR || first >= limit || end <= FIRST_DATA_SECTOR || end > limit) {
      const exact = exactMoffset(table, e) + BigInt(base);
      violate(lenient, clause, e.at, `entry ${e.i} maps sectors ${exact} to ${exact + BigInt(e.length)}, outside ${FIRST_DATA_SECTOR} to ${limit}`);
    }
  }
}

/** LS-IDX-06: a zeroed entry's moffset is a place where data could stand, or their end. */
export function checkZeroedBounds(table: EntryTable, { zeroed }: Survey, limit: number, lenient: Leniency): void {
  if (zeroed.low >= FIRST_DATA_SECTOR && zeroed.high <= limit) return;
  for (const e of liveEntries(table)) {
    if (e.zeroed && (e.moffset < FIRST_DATA_SECTOR || e.moffset > limit)) {
      violate(lenient, 'LS-IDX-06', e.at, `the moffset of zeroed entry ${e.i} is ${exactMoffset(table, e)}, not between ${FIRST_DATA_SECTOR} and ${limit}`);
    }
  }
}

/** LS-TAG-01, in a layer that is no warp file. */
export function touchTags(table: EntryTable, { tagged }: Survey, lenient: Leniency): void {
  if (!tagged) return;
  for (const e of liveEntries(table)) {
    if (e.tag === 0) continue;
    mayRefuse(lenient, 'LS-TAG-01', e.at, `the tag of entry ${e.i} is ${e.tag}, not 0`);
    return;
  }
}

/** What is added to each moffset, sectors: LS-MAP-01, which a table without data entries does not touch. */
export function mapBase({ starts }: Survey, lenient: Leniency): number {
  return starts.low < Infinity && lenient.has('ls.moffset-from-data') ? FIRST_DATA_SECTOR : 0;
}

/** An entry as a mapping of the layer; null where its length is 0. */
export function toMapping(e: Entry, base: number, file = 0): Mapping | null {
  if (e.length === 0) return null;
  return { start: e.offset, end: e.offset + e.length, moffset: e.moffset + base, zeroed: e.zeroed, file };
}

/** The mappings of a table in order. What a collecting reader has told to be out of order is left out. */
export function sortedMappings(table: EntryTable, base: number, fileOf: (e: Entry) => number = () => 0): Mapping[] {
  const mappings: Mapping[] = [];
  let end = 0;
  for (const e of liveEntries(table)) {
    const m = e.offset >= end ? toMapping(e, base, fileOf(e)) : null;
    if (!m) continue;
    mappings.push(m);
    end = m.end;
  }
  return mappings;
}

/** The moffset as it is stored, for messages. */
export function exactMoffset({ source }: EntryTable, e: Entry): bigint {
  return getSegment(source.read(e.at, SEGMENT_ENTRY), 0).moffset;
}
