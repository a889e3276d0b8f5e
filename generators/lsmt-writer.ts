// SPDX-License-Identifier: MIT
/** Writes LSMT layers: committed, sealed, and writable pairs. Offsets and lengths of segments are sectors. */
import { INVALID_OFFSET, LSMT_FLAG, LSMT_SPACE, SECTOR, SEGMENT_ENTRY, setSegment } from '../spec/index.ts';
import { lsmtHeader } from './lsmt-header.ts';

/** One mapping to write; `content` is null for a zeroed one. */
export interface WrittenSegment {
  readonly offset: number;
  readonly length: number;
  readonly content: Uint8Array | null;
}

export interface LsmtOptions {
  /** Bytes. */
  readonly virtualSize: number;
  /** `committed`: INVALID entries up to a multiple of 256; `sealed`: zero bytes up to a whole sector. */
  readonly form: 'committed' | 'sealed';
  /** Data in the order of the segments, or last segment first. */
  readonly placement: 'packed' | 'reversed';
  /** INVALID entries to put before the entries with these indexes. */
  readonly invalidBefore: readonly number[];
}

interface Placed {
  readonly segment: WrittenSegment;
  /** Sector of the file. */
  readonly moffset: number;
}

const FIRST_DATA_SECTOR = LSMT_SPACE / SECTOR;

/** A sealed layer; segments ascend by offset and do not overlap. */
export function writeLsmt(segments: readonly WrittenSegment[], options: LsmtOptions): Uint8Array {
  const { placed, data } = place(segments, options.placement);
  const entries: Uint8Array[] = [];
  placed.forEach((p, i) => {
    for (const at of options.invalidBefore) if (at === i) entries.push(invalidEntry());
    entries.push(entry(p));
  });
  const padTo = options.form === 'committed' ? Math.ceil(entries.length / 256) * 256 : entries.length;
  while (entries.length < padTo) entries.push(invalidEntry());

  const indexOffset = LSMT_SPACE + data.length;
  const index = Buffer.concat(entries);
  const padding = new Uint8Array((SECTOR - (index.length % SECTOR)) % SECTOR);
  const headerFlags = 1 << LSMT_FLAG.header | 1 << LSMT_FLAG.dataFile | (options.form === 'committed' ? 1 << LSMT_FLAG.sealed : 0);
  const header = lsmtHeader(headerFlags, options);
  const trailer = lsmtHeader(1 << LSMT_FLAG.dataFile | 1 << LSMT_FLAG.sealed, options, indexOffset, entries.length);
  return new Uint8Array(Buffer.concat([header, data, index, padding, trailer]));
}

/** A writable layer: entries in write order, a later one hides what it covers. */
export function writePair(writes: readonly WrittenSegment[], virtualSize: number): { data: Uint8Array; index: Uint8Array } {
  const { placed, data } = place(writes, 'packed');
  return {
    data: new Uint8Array(Buffer.concat([lsmtHeader(1 << LSMT_FLAG.header | 1 << LSMT_FLAG.dataFile, { virtualSize }), data])),
    index: new Uint8Array(Buffer.concat([lsmtHeader(1 << LSMT_FLAG.header, { virtualSize }, LSMT_SPACE), ...placed.map(entry)])),
  };
}

function place(segments: readonly WrittenSegment[], placement: LsmtOptions['placement']): { placed: Placed[]; data: Uint8Array } {
  const placed: Placed[] = new Array<Placed>(segments.length);
  const pieces: Uint8Array[] = [];
  let sector = FIRST_DATA_SECTOR;
  const order = segments.map((_, i) => i);
  if (placement === 'reversed') order.reverse();
  for (const i of order) {
    const segment = segments[i]!;
    placed[i] = { segment, moffset: sector };
    if (!segment.content) continue;
    pieces.push(segment.content);
    sector += segment.length;
  }
  return { placed, data: new Uint8Array(Buffer.concat(pieces)) };
}

function entry({ segment, moffset }: Placed): Uint8Array {
  const out = new Uint8Array(SEGMENT_ENTRY);
  setSegment(out, 0, {
    offset: BigInt(segment.offset), length: segment.length, moffset: BigInt(moffset), zeroed: segment.content === null, tag: 0,
  });
  return out;
}

function invalidEntry(): Uint8Array {
  const out = new Uint8Array(SEGMENT_ENTRY);
  setSegment(out, 0, { offset: INVALID_OFFSET, length: 0, moffset: 0n, zeroed: false, tag: 0 });
  return out;
}
