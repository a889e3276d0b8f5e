// SPDX-License-Identifier: MIT
/** The index of a ZFile: where each block is stored. Kept as one number a group of blocks; entries are read again where they are asked for. */
import { JUMP_ENTRY } from '../spec/index.ts';
import { piecesOf, type ByteSource } from './source.ts';
import { Violation, type Leniency } from './violation.ts';

/** Blocks whose entries are held at a time. */
const GROUP = 1024;
/** Bytes of the index that are read at a time: whole groups. */
const PIECE = 64 * GROUP * JUMP_ENTRY;

export interface BlockTable {
  /** Number of blocks. */
  readonly count: number;
  /** Byte where the last block ends. Sums stay exact below 2^53; above, the block is outside any file anyway. */
  readonly end: number;
  /** Byte where block `i` starts, and where it ends, its CRC included. */
  startOf(i: number): number;
  endOf(i: number): number;
}

export interface TableOptions {
  /** Where the index starts, bytes. */
  readonly indexOffset: number;
  readonly count: number;
  /** Where the first block starts, bytes. */
  readonly dataStart: number;
  /** Bytes of each entry that are no block: 4 where blocks carry a CRC. */
  readonly crcBytes: number;
}

/** Reads all entries once. Violation ZF-IDX-04 for each that holds no block. Allocates 8 bytes a 1024 entries. */
export function openBlockTable(source: ByteSource, options: TableOptions, lenient: Leniency): BlockTable {
  const { indexOffset, count, dataStart, crcBytes } = options;
  const groupStarts = new Float64Array(Math.ceil(count / GROUP) + 1);
  let end = dataStart;
  let i = 0;
  for (const { bytes } of piecesOf(source, indexOffset, count * JUMP_ENTRY, PIECE)) {
    const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.length; at += JUMP_ENTRY, i++) {
      if (i % GROUP === 0) groupStarts[i / GROUP] = end;
      const stored = v.getUint32(at, true);
      if (stored <= crcBytes) lenient.found(emptyBlock(i, indexOffset, stored, crcBytes));
      end += stored;
    }
  }

  const held = new Float64Array(GROUP + 1);
  let heldGroup = -1;
  const hold = (i: number): number => {
    const group = Math.floor(i / GROUP);
    if (group !== heldGroup) {
      const first = group * GROUP;
      const entries = Math.min(GROUP, count - first);
      const bytes = source.read(indexOffset + first * JUMP_ENTRY, entries * JUMP_ENTRY);
      const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      let at = groupStarts[group]!;
      for (let k = 0; k < entries; k++) {
        held[k] = at;
        at += v.getUint32(k * JUMP_ENTRY, true);
      }
      held[entries] = at;
      heldGroup = group;
    }
    return i - heldGroup * GROUP;
  };
  return { count, end, startOf: (i) => held[hold(i)]!, endOf: (i) => held[hold(i) + 1]! };
}

/** What is wrong with an entry that leaves nothing for its block. */
export function emptyBlock(i: number, indexOffset: number, stored: number, crcBytes: number): Violation {
  return new Violation('ZF-IDX-04', indexOffset + i * JUMP_ENTRY, `the entry of block ${i} is ${stored}, not above ${crcBytes}`);
}

/**
 * The first group of 65536 / `blockSize` blocks that the reference's 16-bit
 * partial sums cannot hold: all but the last of its blocks take 65535 stored
 * bytes or more. Null where there is none.
 */
export function groupTooLong(table: BlockTable, blockSize: number): { first: number; last: number; bytes: number } | null {
  const group = 65536 / blockSize;
  for (let first = 0; first < table.count; first += group) {
    const last = Math.min(first + group, table.count) - 1;
    const bytes = table.startOf(last) - table.startOf(first);
    if (bytes >= 65535) return { first, last: last - 1, bytes };
  }
  return null;
}
