// SPDX-License-Identifier: MIT
/** Writes layers of every form. Offsets and lengths of segments are sectors, those of files bytes. */
import type { Extent } from '../model/index.ts';
import { INVALID_OFFSET, LSMT_FLAG, LSMT_SPACE, MAX_SEGMENT_SECTORS, SECTOR, SEGMENT_BITS, SEGMENT_ENTRY, setSegment } from '../spec/index.ts';
import { randomBytes } from './content.ts';
import { lsmtHeader } from './lsmt-header.ts';
import { mark, markedTag, markSizes, NO_MARKS } from './lsmt-marks.ts';
import type { MarksRecipe } from './recipe.ts';

/** One mapping to write; `content` is null for a zeroed one. */
export interface WrittenSegment {
  readonly offset: number;
  readonly length: number;
  readonly content: Uint8Array | null;
  /** Its data are those of segment `of` from that one's sector `skip` on, and not written again. */
  readonly shares?: { readonly of: number; readonly skip: number };
  /** Its data stand in the remote file of a warp layer. */
  readonly remote?: boolean;
}

interface IndexOptions {
  /** INVALID entries to put before the entries with these indexes. */
  readonly invalidBefore: readonly number[];
  /** Entries of length 0 to put before the entries with these indexes. */
  readonly emptyBefore?: readonly number[];
  /** INVALID entries behind the last one. */
  readonly invalidBehind?: number;
  readonly marks?: MarksRecipe;
}

export interface LsmtOptions extends IndexOptions {
  /** Bytes. */
  readonly virtualSize: number;
  /** `committed`: INVALID entries up to a multiple of 256; `sealed`: bytes up to a whole sector. */
  readonly form: 'committed' | 'sealed';
  /** Data in the order of the segments, or last segment first. */
  readonly placement: 'packed' | 'reversed';
  /** Seed of the bytes between index and trailer; 0: zeros. */
  readonly padding?: number;
}

const FIRST_DATA_SECTOR = LSMT_SPACE / SECTOR;
/** Entries of a page of the index. */
const INDEX_PAGE_ENTRIES = 256;
/** Sectors of noise at both ends of a remote file. */
const REMOTE_MARGIN = 3;

/** A sealed layer; segments ascend by offset and do not overlap. */
export function writeLsmt(segments: readonly WrittenSegment[], options: LsmtOptions): Uint8Array {
  const { moffsets, data } = place(segments, options.placement, (s) => s.content !== null, FIRST_DATA_SECTOR);
  const limit = FIRST_DATA_SECTOR + data.length / SECTOR;
  return sealed(data, indexOf(segments, moffsets, options, limit, (_, i) => markedTag(options.marks ?? NO_MARKS, i)), options);
}

/** A warp layer: as a sealed one, its tags saying which of two files an entry maps. `remote` need not be whole sectors. */
export function writeWarp(segments: readonly WrittenSegment[], options: LsmtOptions): { bytes: Uint8Array; remote: Uint8Array } {
  const own = place(segments, options.placement, (s) => s.content !== null && s.remote !== true, FIRST_DATA_SECTOR);
  const seed = segments.length + 1;
  const far = place(segments, 'reversed', (s) => s.content !== null && s.remote === true, (seed % 2) * REMOTE_MARGIN);
  const moffsets = own.moffsets.map((moffset, i) => (segments[i]!.content && segments[i]!.remote ? far.moffsets[i]! : moffset));
  const limit = FIRST_DATA_SECTOR + own.data.length / SECTOR;
  const noise = randomBytes(seed, 2 * REMOTE_MARGIN * SECTOR);
  return {
    bytes: sealed(own.data, indexOf(segments, moffsets, options, limit, (s) => (s.remote ? 1 : 0)), options),
    remote: joined([noise.subarray(0, (seed % 2) * REMOTE_MARGIN * SECTOR), far.data, noise.subarray(0, (seed % 5) * 300)]),
  };
}

/** A writable layer: entries in write order, a later one hides what it covers. `torn`: bytes of an entry cut short behind them. */
export function writePair(
  writes: readonly WrittenSegment[], virtualSize: number, options: IndexOptions & { readonly torn?: number } = { invalidBefore: [] },
): { data: Uint8Array; index: Uint8Array } {
  const marks = options.marks ?? NO_MARKS;
  const { moffsets, data } = place(writes, 'packed', (s) => s.content !== null, FIRST_DATA_SECTOR);
  const header = lsmtHeader(1 << LSMT_FLAG.header | 1 << LSMT_FLAG.dataFile, { virtualSize });
  const indexHeader = lsmtHeader(1 << LSMT_FLAG.header, { virtualSize }, LSMT_SPACE);
  mark(header, marks);
  mark(indexHeader, marks);
  markSizes(header, marks);
  const index = indexOf(writes, moffsets, options, FIRST_DATA_SECTOR + data.length / SECTOR, (_, i) => markedTag(marks, i));
  return {
    data: joined([header, data]),
    index: joined([indexHeader, index, randomBytes(options.torn ?? 0, options.torn ?? 0)]),
  };
}

/** A sparse layer: its file has the device's bytes behind the header, and holes. Segments are whole pages inside the virtual size. */
export function writeSparse(
  segments: readonly WrittenSegment[], virtualSize: number, marks: MarksRecipe = NO_MARKS,
): { bytes: Uint8Array; extents: readonly Extent[] } {
  const bytes = new Uint8Array(LSMT_SPACE + virtualSize);
  const header = lsmtHeader(1 << LSMT_FLAG.header | 1 << LSMT_FLAG.dataFile | 1 << LSMT_FLAG.sparse, { virtualSize });
  mark(header, marks);
  bytes.set(header);
  const extents: Extent[] = [{ from: 0, to: LSMT_SPACE }];
  for (const s of segments) {
    const from = LSMT_SPACE + s.offset * SECTOR;
    const to = from + s.length * SECTOR;
    bytes.set(s.content!, from);
    const last = extents.at(-1)!;
    if (last.to === from) extents[extents.length - 1] = { from: last.from, to };
    else extents.push({ from, to });
  }
  return { bytes, extents };
}

/** Header, data, index, what pads it, trailer. */
function sealed(data: Uint8Array, entries: Uint8Array, options: LsmtOptions): Uint8Array {
  const marks = options.marks ?? NO_MARKS;
  const index = options.form === 'committed' ? withInvalid(entries) : entries;
  const padding = randomBytes(options.padding ?? 0, (SECTOR - (index.length % SECTOR)) % SECTOR);
  if (!options.padding) padding.fill(0);
  const headerFlags = 1 << LSMT_FLAG.header | 1 << LSMT_FLAG.dataFile | (options.form === 'committed' ? 1 << LSMT_FLAG.sealed : 0);
  const header = lsmtHeader(headerFlags, options);
  const trailer = lsmtHeader(1 << LSMT_FLAG.dataFile | 1 << LSMT_FLAG.sealed, options, LSMT_SPACE + data.length, index.length / SEGMENT_ENTRY);
  mark(header, marks);
  mark(trailer, marks);
  markSizes(header, marks);
  return joined([header, data, index, padding, trailer]);
}

/** The parts in a row, in bytes of their own. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Data of the segments that `own` names, from sector `first` of their file on, and for each segment the sector of the file that has its data. */
function place(
  segments: readonly WrittenSegment[], placement: LsmtOptions['placement'], own: (s: WrittenSegment) => boolean, first: number,
): { moffsets: Float64Array; data: Uint8Array } {
  const moffsets = new Float64Array(segments.length);
  const pieces: Uint8Array[] = [];
  let sector = first;
  const put = (i: number): void => {
    const segment = segments[i]!;
    moffsets[i] = sector;
    if (!own(segment) || segment.shares) return;
    pieces.push(segment.content!);
    sector += segment.length;
  };
  if (placement === 'reversed') for (let i = segments.length - 1; i >= 0; i--) put(i);
  else for (let i = 0; i < segments.length; i++) put(i);
  segments.forEach(({ shares }, i) => {
    if (shares) moffsets[i] = moffsets[shares.of]! + shares.skip;
  });
  return { moffsets, data: Buffer.concat(pieces) };
}

const NOTHING: WrittenSegment = { offset: 0, length: 0, content: null };

/** The entries with INVALID and empty ones between them. `limit`: one past the file's last mapped sector. */
function indexOf(
  segments: readonly WrittenSegment[], moffsets: Float64Array, o: IndexOptions, limit: number, tagOf: (s: WrittenSegment, i: number) => number,
): Uint8Array {
  const empties = o.emptyBefore ?? [];
  const before = o.invalidBefore.length + empties.length;
  const out = new Uint8Array((segments.length + before + (o.invalidBehind ?? 0)) * SEGMENT_ENTRY);
  const v = new DataView(out.buffer);
  const where = zeroedPlace(o.marks ?? NO_MARKS, limit);
  let at = 0;
  const next = (): number => (at += SEGMENT_ENTRY) - SEGMENT_ENTRY;
  const puts = new Map<number, (() => void)[]>();
  // Where there are no segments they are all that there is.
  const put = (i: number, write: (before: WrittenSegment) => void): void => {
    if (segments.length === 0) return write(NOTHING);
    const at = i % segments.length;
    puts.set(at, [...(puts.get(at) ?? []), () => write(segments[at]!)]);
  };
  for (const [k, i] of o.invalidBefore.entries()) put(i, () => putInvalid(out, next(), k % 2 === 1));
  for (const [k, i] of empties.entries()) put(i, (segment) => putEmpty(out, next(), segment, limit, k));
  segments.forEach((s, i) => {
    if (before > 0) for (const write of puts.get(i) ?? []) write();
    const moffset = moffsets[i]!;
    putEntry(v, next(), s, s.content === null ? where(moffset) : moffset, tagOf(s, i));
  });
  fillInvalid(out, at);
  return out;
}

/** Bits of the upper 32-bit word of each of an entry's two words. */
const HIGH = 2 ** 32;
const LENGTH_UNIT = 2 ** (SEGMENT_BITS.length.shift - 32);
const ZEROED_UNIT = 2 ** (SEGMENT_BITS.zeroed.shift - 32);
const TAG_UNIT = 2 ** (SEGMENT_BITS.tag.shift - 32);

/** As `setSegment`, without big integers: an index may have a million entries. */
function putEntry(v: DataView, at: number, { offset, length, content }: WrittenSegment, moffset: number, tag: number): void {
  v.setUint32(at, offset % HIGH, true);
  v.setUint32(at + 4, Math.floor(offset / HIGH) + length * LENGTH_UNIT, true);
  v.setUint32(at + 8, moffset % HIGH, true);
  v.setUint32(at + 12, Math.floor(moffset / HIGH) + (content === null ? ZEROED_UNIT : 0) + tag * TAG_UNIT, true);
}

/** Zeroed entries map nothing, but their moffset has bounds: either of them, or the running place as writers have it. */
function zeroedPlace({ zeroed }: MarksRecipe, limit: number): (running: number) => number {
  return (running) => (zeroed % 3 === 0 ? Math.min(running, limit) : zeroed % 3 === 1 ? FIRST_DATA_SECTOR : limit);
}

/** An entry of length 0 where `before` begins: a data one where the file itself has a sector that it may name, else a zeroed one. */
function putEmpty(out: Uint8Array, at: number, before: WrittenSegment, limit: number, k: number): void {
  const zeroed = k % 2 === 1 || before.remote === true || limit < FIRST_DATA_SECTOR + 2;
  setSegment(out, at, { offset: BigInt(before.offset), length: 0, moffset: BigInt(zeroed ? limit : limit - 1), zeroed, tag: before.remote ? 1 : 0 });
}

/** Of an INVALID entry only the offset has a meaning: with `noise` the rest is the largest there is. */
function putInvalid(out: Uint8Array, at: number, noise = false): void {
  const rest = noise ? { length: MAX_SEGMENT_SECTORS, moffset: (1n << 55n) - 1n, zeroed: true, tag: 255 } : { length: 0, moffset: 0n, zeroed: false, tag: 0 };
  setSegment(out, at, { offset: INVALID_OFFSET, ...rest });
}

function withInvalid(entries: Uint8Array): Uint8Array {
  const page = INDEX_PAGE_ENTRIES * SEGMENT_ENTRY;
  if (entries.length % page === 0) return entries;
  const out = new Uint8Array(Math.ceil(entries.length / page) * page);
  out.set(entries);
  fillInvalid(out, entries.length);
  return out;
}

/** INVALID entries from byte `from` to the end. */
function fillInvalid(out: Uint8Array, from: number): void {
  if (from >= out.length) return;
  putInvalid(out, from);
  // What is there is doubled until the end is reached.
  for (let done = SEGMENT_ENTRY; from + done < out.length; done *= 2) out.copyWithin(from + done, from, Math.min(from + done, out.length - done));
}
