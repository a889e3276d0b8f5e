// SPDX-License-Identifier: MIT
/**
 * Runs scripts of writes and discards on a writable LSMT layer and commits it, byte for byte in the layout of
 * the reference implementation (FORMAT.md section 3). Script positions are bytes; those of segments are sectors.
 */
import { INVALID_OFFSET, LSMT_FLAG, LSMT_SPACE, MAX_SEGMENT_SECTORS, SECTOR, SEGMENT_ENTRY, setSegment } from '../spec/index.ts';
import { randomBytes } from './content.ts';
import { lsmtHeader, type LayerOptions } from './lsmt-header.ts';

export type { LayerOptions };

/** One request to a writable layer. Offset and length are bytes, positive multiples of 512 (the offset may be 0). */
export type ScriptStep =
  | { readonly kind: 'write'; readonly offset: number; readonly content: Uint8Array }
  | { readonly kind: 'discard'; readonly offset: number; readonly length: number };

/** One mapping. All numbers but the tag are sectors; `moffset` counts from the start of its file. */
export interface LayerSegment {
  readonly offset: number;
  readonly length: number;
  readonly moffset: number;
  readonly zeroed: boolean;
  /** The file that holds the data: 0 = top of the stack. */
  readonly tag: number;
}

/** A writable layer after its script. */
export interface WritableLayer {
  /** The data file: header, then what was written, in write order. */
  readonly data: Uint8Array;
  /** The index file: header, then the entries. */
  readonly index: Uint8Array;
  /** The entries in write order: a later one hides what it covers. */
  readonly entries: readonly LayerSegment[];
}

/** Where the data of any layer start, sectors. */
const FIRST_DATA_SECTOR = LSMT_SPACE / SECTOR;
/** Sectors of the longest piece of one write: 4 MiB. */
const WRITE_SECTORS = (4 << 20) / SECTOR;
/** Sectors of the longest piece that a commit copies at once. */
const COPY_SECTORS = 64;
/** A committed index is padded to a multiple of this many entries. */
const INDEX_PAGE_ENTRIES = 256;
const INVALID_ENTRY = { offset: INVALID_OFFSET, length: 0, moffset: 0n, zeroed: false, tag: 0 } as const;

const bit = (...bits: number[]): number => bits.reduce((n, b) => n | (1 << b), 0);
const WRITABLE_DATA_HEADER = bit(LSMT_FLAG.header, LSMT_FLAG.dataFile);
const WRITABLE_INDEX_HEADER = bit(LSMT_FLAG.header);
const COMMITTED_HEADER = bit(LSMT_FLAG.header, LSMT_FLAG.dataFile, LSMT_FLAG.sealed);
const TRAILER = bit(LSMT_FLAG.dataFile, LSMT_FLAG.sealed);

/**
 * Reads the script language of the golden manifest: `w OFF LEN SEED` writes LEN xorshift32 bytes, `d OFF LEN`
 * discards. Throws SyntaxError for any other line.
 */
export function parseScript(lines: readonly string[]): ScriptStep[] {
  return lines.map((line) => {
    const found = /^(?:w (\d+) (\d+) (\d+)|d (\d+) (\d+))$/.exec(line);
    if (!found) throw new SyntaxError(`no step of a script: ${line}`);
    const [write, length, seed, discard, discarded] = found.slice(1).map(Number);
    return line.startsWith('w')
      ? { kind: 'write', offset: write!, content: randomBytes(seed!, length!) }
      : { kind: 'discard', offset: discard!, length: discarded! };
  });
}

/**
 * Runs a script on an empty writable layer. As in the reference, nothing keeps a step inside the virtual size.
 * Throws RangeError for a step that is empty or not in whole sectors.
 */
export function runScript(steps: readonly ScriptStep[], options: LayerOptions): WritableLayer {
  const entries: LayerSegment[] = [];
  const parts = [lsmtHeader(WRITABLE_DATA_HEADER, options)];
  let fileEnd = FIRST_DATA_SECTOR;
  for (const step of steps) {
    const zeroed = step.kind === 'discard';
    for (const piece of piecesOf(step)) {
      entries.push({ ...piece, moffset: fileEnd, zeroed, tag: 0 });
      if (!zeroed) fileEnd += piece.length;
    }
    if (step.kind === 'write') parts.push(step.content);
  }
  const index = [lsmtHeader(WRITABLE_INDEX_HEADER, options, LSMT_SPACE), indexBytes(entries, entries.length)];
  return { data: joined(parts), index: joined(index), entries };
}

/** The pieces in which a writable layer takes a step, sectors: writes of at most 4 MiB, discards of at most 16383 sectors. */
function* piecesOf(step: ScriptStep): Iterable<{ offset: number; length: number }> {
  const bytes = step.kind === 'write' ? step.content.length : step.length;
  if (bytes <= 0 || bytes % SECTOR !== 0 || step.offset < 0 || step.offset % SECTOR !== 0) {
    throw new RangeError(`a ${step.kind} of ${bytes} bytes at ${step.offset} is not in whole sectors`);
  }
  yield* cutUp(step.offset / SECTOR, bytes / SECTOR, step.kind === 'write' ? WRITE_SECTORS : MAX_SEGMENT_SECTORS);
}

function* cutUp(offset: number, length: number, most: number): Iterable<{ offset: number; length: number }> {
  for (let done = 0; done < length; done += most) yield { offset: offset + done, length: Math.min(most, length - done) };
}

/** What entries in write order leave visible, ascending; pieces are cut and never joined. */
export function liveSegments(entries: readonly LayerSegment[]): LayerSegment[] {
  const live: LayerSegment[] = [];
  for (const entry of entries) {
    if (entry.length === 0) continue;
    const end = entry.offset + entry.length;
    const first = firstEndingAfter(live, entry.offset);
    let after = first;
    while (after < live.length && live[after]!.offset < end) after++;
    const hidden = live.slice(first, after);
    const left = hidden.slice(0, 1).filter((s) => s.offset < entry.offset).map((s) => cut(s, s.offset, entry.offset));
    const right = hidden.slice(-1).filter((s) => endOf(s) > end).map((s) => cut(s, end, endOf(s)));
    live.splice(first, hidden.length, ...left, entry, ...right);
  }
  return live;
}

function firstEndingAfter(live: readonly LayerSegment[], sector: number): number {
  let low = 0;
  let high = live.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (endOf(live[middle]!) <= sector) low = middle + 1;
    else high = middle;
  }
  return low;
}

function cut(s: LayerSegment, start: number, end: number): LayerSegment {
  return { ...s, offset: start, length: end - start, moffset: s.zeroed ? s.moffset : s.moffset + (start - s.offset) };
}

/** Commits a writable layer: what is live in it, packed in the order of the device. */
export function commitLayer(layer: WritableLayer, options: LayerOptions): Uint8Array {
  return commitMerged(liveSegments(layer.entries), [layer.data], options);
}

/**
 * Commits a merged stack as one layer. `segments` are the merged ones, ascending, without overlap and not joined;
 * `files` are the layers' LSMT files, top first, so that a segment's tag is the place of its file. The tags are
 * kept on disk, as the reference's merging tool does. Throws RangeError for segments that are none of that.
 */
export function commitMerged(segments: readonly LayerSegment[], files: readonly Uint8Array[], options: LayerOptions): Uint8Array {
  checkSegments(segments, files);
  const data = segments.filter((s) => !s.zeroed).map((s) => files[s.tag]!.subarray(s.moffset * SECTOR, (s.moffset + s.length) * SECTOR));
  const indexOffset = LSMT_SPACE + data.reduce((n, d) => n + d.length, 0);
  const entries = joinNeighbours(packed(segments));
  const count = Math.ceil(entries.length / INDEX_PAGE_ENTRIES) * INDEX_PAGE_ENTRIES;
  return joined([
    lsmtHeader(COMMITTED_HEADER, options),
    ...data,
    indexBytes(entries, count),
    lsmtHeader(TRAILER, options, indexOffset, count),
  ]);
}

function checkSegments(segments: readonly LayerSegment[], files: readonly Uint8Array[]): void {
  let previousEnd = 0;
  for (const s of segments) {
    if (s.offset < previousEnd) throw new RangeError(`the segment at sector ${s.offset} starts before ${previousEnd}`);
    previousEnd = endOf(s);
    const fileBytes = files[s.tag]?.length ?? 0;
    if (!s.zeroed && (s.moffset + s.length) * SECTOR > fileBytes) {
      throw new RangeError(`the segment at sector ${s.offset} maps bytes past the ${fileBytes} of file ${s.tag}`);
    }
  }
}

/** The entries as a commit makes them at first: data in pieces of at most 64 sectors, zeroed ones at the running position. */
function packed(segments: readonly LayerSegment[]): LayerSegment[] {
  const entries: LayerSegment[] = [];
  let moffset = FIRST_DATA_SECTOR;
  for (const s of segments) {
    if (s.zeroed) {
      entries.push({ ...s, moffset });
      continue;
    }
    for (const piece of cutUp(s.offset, s.length, COPY_SECTORS)) {
      entries.push({ ...s, ...piece, moffset });
      moffset += piece.length;
    }
  }
  return entries;
}

/** Joins each entry to the one before it where both are one mapping and the sum stays below 16383 sectors. */
function joinNeighbours(entries: readonly LayerSegment[]): LayerSegment[] {
  const out: LayerSegment[] = [];
  for (const next of entries) {
    const last = out.at(-1);
    if (last && canJoin(last, next)) out[out.length - 1] = { ...last, length: last.length + next.length };
    else out.push(next);
  }
  return out;
}

function canJoin(a: LayerSegment, b: LayerSegment): boolean {
  const mappedEnd = a.zeroed ? a.moffset : a.moffset + a.length;
  return endOf(a) === b.offset && mappedEnd === b.moffset && a.zeroed === b.zeroed && a.tag === b.tag
    && a.length + b.length < MAX_SEGMENT_SECTORS;
}

function endOf(s: LayerSegment): number {
  return s.offset + s.length;
}

/** The entries, then INVALID ones up to `count`. */
function indexBytes(entries: readonly LayerSegment[], count: number): Uint8Array {
  const out = new Uint8Array(count * SEGMENT_ENTRY);
  for (let i = 0; i < count; i++) {
    const s = entries[i];
    setSegment(out, i * SEGMENT_ENTRY, s ? { ...s, offset: BigInt(s.offset), moffset: BigInt(s.moffset) } : INVALID_ENTRY);
  }
  return out;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
