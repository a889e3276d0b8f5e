// SPDX-License-Identifier: MIT
/** The blocks of a ZFile as its jump table tells them. Nothing is decoded. */
import type { BlockRow, ListView, MarkView, StopRow } from '../../model/index.ts';
import { JUMP_ENTRY } from '../../spec/index.ts';
import { rawCrc32c } from '../crc32c.ts';
import type { Place } from './place.ts';
import { LAST_ROWS } from './rows.ts';

/** A jump table that lies inside its file, and what its blocks need to be told. Bytes of the file, from the start of the level. */
export interface JumpTable {
  readonly offset: number;
  readonly count: number;
  readonly dataStart: number;
  /** CRC bytes behind each block: 4 or 0. */
  readonly crcBytes: number;
  readonly blockSize: number;
  readonly originalSize: bigint;
  /** Blocks that so many bytes need; infinite where the block size is 0. Not exact above 2^53, where no table reaches. */
  readonly wanted: number;
}

/** What the table comes to. */
export interface Blocks {
  readonly list: ListView<BlockRow>;
  /** Where the blocks end, bytes from the start of the level; null where not all of the table was looked at. */
  readonly end: number | null;
  /** CRC of the table; null where not all of it was looked at. */
  readonly crc: number | null;
  /** Stored bytes of the smallest and the largest block; null where there is none. */
  readonly range: { readonly smallest: number; readonly largest: number } | null;
  /** The first block at which the stored bytes of its group reach 65535; null where none do. */
  readonly fullGroup: number | null;
}

/** Entries of a table that are looked at unless all are asked for: 256 GiB of data in blocks of 4096. */
const SCANNED = 1 << 26;
/** Bytes read at once. */
const CHUNK = 1 << 16;

/** Looks at the whole table (or its first 2^26 entries) once, with memory for the rows that are shown. */
export function scanBlocks(place: Place, table: JumpTable, limit: number | null): Blocks {
  const scanned = Math.min(table.count, SCANNED);
  const shown = limit ?? 0;
  const groupBlocks = 65536 / table.blockSize;
  const rows: BlockRow[] = [];
  let withMarks = 0;
  let cut = scanned < table.count;
  let marked = 0;
  let smallest = Infinity;
  let largest = 0;
  let groupStart = table.dataStart;
  let fullGroup: number | null = null;
  const { end, crc } = walk(place, table, scanned, (i, at, stored) => {
    if (i % groupBlocks === 0) groupStart = at;
    if (at - groupStart >= 65535) fullGroup ??= i;
    if (stored < smallest) smallest = stored;
    if (stored > largest) largest = stored;
    const unusual = isUnusual(place, table, i, at, stored);
    if (unusual) marked++;
    const inMiddle = i >= shown && i < scanned - LAST_ROWS;
    if (inMiddle && (!unusual || withMarks >= shown)) {
      cut = true;
      return;
    }
    if (inMiddle) withMarks++;
    rows.push(blockRow(place, table, i, at, stored));
  });
  const whole = scanned === table.count;
  return {
    list: limit === null
      ? { total: table.count, cut: false, marked, rows: { [Symbol.iterator]: () => allBlocks(place, table) } }
      : { total: table.count, cut, marked, rows },
    end: whole ? end : null,
    crc: whole ? crc : null,
    range: scanned > 0 ? { smallest, largest } : null,
    fullGroup,
  };
}

/** Calls `visit` with number, place and stored bytes of the first `count` blocks. */
function walk(
  place: Place, table: JumpTable, count: number, visit: (i: number, at: number, stored: number) => void,
): { end: number; crc: number } {
  let at = table.dataStart;
  let crc = 0;
  for (const { first, entries, bytes } of pieces(place, table, count)) {
    crc = rawCrc32c(bytes, crc);
    for (let i = 0; i < entries.length; i++) {
      visit(first + i, at, entries[i]!);
      at += entries[i]!;
    }
  }
  return { end: at, crc };
}

function* allBlocks(place: Place, table: JumpTable): Generator<BlockRow | StopRow> {
  let at = table.dataStart;
  for (const { first, entries } of pieces(place, table, table.count)) {
    for (let i = 0; i < entries.length; i++) {
      yield blockRow(place, table, first + i, at, entries[i]!);
      at += entries[i]!;
    }
  }
}

/** The first `count` entries, a bounded number at a time. */
function* pieces(place: Place, table: JumpTable, count: number): Generator<{ first: number; bytes: Uint8Array; entries: Uint32Array }> {
  for (let first = 0; first < count; first += CHUNK / JUMP_ENTRY) {
    const length = Math.min(CHUNK / JUMP_ENTRY, count - first);
    const bytes = place.source.read(table.offset + first * JUMP_ENTRY, length * JUMP_ENTRY);
    const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const entries = new Uint32Array(length);
    for (let i = 0; i < length; i++) entries[i] = v.getUint32(i * JUMP_ENTRY, true);
    yield { first, bytes, entries };
  }
}

/** Bytes that block `i` must decode to; 0 for a block that the file's size has no use for. */
function decodedBytes(table: JumpTable, i: number): number {
  if (i >= table.wanted) return 0;
  const rest = table.originalSize - BigInt(i) * BigInt(table.blockSize);
  return rest < BigInt(table.blockSize) ? Number(rest) : table.blockSize;
}

/** Whether the row would have marks: the same questions as below, without making it. */
function isUnusual(place: Place, table: JumpTable, i: number, at: number, stored: number): boolean {
  return stored <= table.crcBytes || at + stored > place.source.size || i >= table.wanted;
}

function blockRow(place: Place, table: JumpTable, i: number, at: number, stored: number): BlockRow {
  const { source, base } = place;
  const { crcBytes } = table;
  const decoded = decodedBytes(table, i);
  const marks: MarkView[] = [];
  const entryAt = base + table.offset + i * JUMP_ENTRY;
  if (stored <= crcBytes) {
    marks.push({ clause: 'ZF-IDX-04', at: entryAt, note: `stored in ${stored} bytes, ${crcBytes} of them for the CRC` });
  }
  if (at + stored > source.size) {
    marks.push({ clause: 'ZF-BLK-04', at: entryAt, note: `ends at byte ${base + at + stored}, the file at ${base + source.size}` });
  }
  if (i >= table.wanted) {
    marks.push({ clause: 'ZF-IDX-05', at: entryAt, note: `more blocks than ${table.originalSize} bytes need` });
  }
  const crcAt = at + stored - crcBytes;
  const hasCrc = crcBytes > 0 && stored >= crcBytes && crcAt + crcBytes <= source.size;
  return { number: i, at: base + at, stored, decoded, crc: hasCrc ? crcOf(source.read(crcAt, crcBytes)) : null, marks };
}

function crcOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
}
