// SPDX-License-Identifier: MIT
/** The index of a ZFile by itself: where blocks are, what is read for that, and what it takes. */
import { describe, expect, it } from 'vitest';
import { refusal } from '../test/oracle-images.ts';
import { groupTooLong, openBlockTable, type BlockTable } from './block-table.ts';
import type { ByteSource } from './source.ts';
import { collecting, STRICT } from './violation.ts';

/** An index at byte 100 whose entry `i` is `entry(i)`, and what is read of it. */
function indexOf(count: number, entry: (i: number) => number): { source: ByteSource; log: [number, number][] } {
  const bytes = new Uint8Array(100 + count * 4);
  const v = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) v.setUint32(100 + i * 4, entry(i), true);
  const log: [number, number][] = [];
  return {
    log,
    source: {
      size: bytes.length,
      read(offset, length) {
        log.push([offset, length]);
        return bytes.subarray(offset, offset + length);
      },
    },
  };
}

const at100 = (count: number, crcBytes = 0) => ({ indexOffset: 100, count, dataStart: 512, crcBytes });

describe('an index', () => {
  it('is read once, in pieces, and again by groups of 1024 entries', () => {
    const count = 65_536 + 1030;
    const { source, log } = indexOf(count, (i) => 1 + (i % 7));
    const starts = [512];
    for (let i = 0; i < count; i++) starts.push(starts[i]! + 1 + (i % 7));
    const table = openBlockTable(source, at100(count), STRICT);
    expect([table.count, table.end]).toEqual([count, starts[count]]);
    expect(log).toEqual([[100, 262_144], [100 + 262_144, 1030 * 4]]);
    log.length = 0;
    // The second group first: none is held yet.
    for (const i of [1024, 2047, 1500]) expect([table.startOf(i), table.endOf(i)]).toEqual([starts[i], starts[i + 1]]);
    expect(log).toEqual([[100 + 4096, 4096]]);
    for (const i of [0, 1023, count - 1]) expect([table.startOf(i), table.endOf(i)]).toEqual([starts[i], starts[i + 1]]);
    expect(log).toEqual([[100 + 4096, 4096], [100, 4096], [100 + (count - 6) * 4, 24]]);
  });

  it('of nothing ends where the data starts', () => {
    const { source, log } = indexOf(0, () => 0);
    expect(openBlockTable(source, at100(0), STRICT)).toMatchObject({ count: 0, end: 512 });
    expect(log).toEqual([]);
  });

  it('takes 8 bytes a group, not an entry', () => {
    const piece = new Uint8Array(262_144).fill(1);
    const source: ByteSource = { size: 2 ** 40, read: (_offset, length) => piece.subarray(0, length) };
    expect(openBlockTable(source, at100(2 ** 22), STRICT).end).toBe(512 + 2 ** 22 * 0x0101_0101);
  });

  it('tells of every entry that holds no block', () => {
    const { source } = indexOf(4, (i) => [5, 4, 0, 9][i]!);
    const told: unknown[] = [];
    openBlockTable(source, at100(4, 4), collecting((v) => told.push([v.clause, v.at, v.message])));
    expect(told).toEqual([['ZF-IDX-04', 104, 'the entry of block 1 is 4, not above 4'], ['ZF-IDX-04', 108, 'the entry of block 2 is 0, not above 4']]);
    expect(refusal(() => openBlockTable(source, at100(4), STRICT))).toEqual(['ZF-IDX-04', 108, 'the entry of block 2 is 0, not above 0']);
  });
});

describe('a group that 16 bits cannot hold', () => {
  /** A table that minds being asked for a block that it does not have. */
  function tableOf(stored: readonly number[]): BlockTable {
    const starts = [0];
    for (const n of stored) starts.push(starts.at(-1)! + n);
    const known = (i: number): number => {
      if (i < 0 || i >= stored.length) throw new RangeError(`no block ${i}`);
      return i;
    };
    return { count: stored.length, end: starts.at(-1)!, startOf: (i) => starts[known(i)]!, endOf: (i) => starts[known(i) + 1]! };
  }

  it.each<[string, readonly number[], number, ReturnType<typeof groupTooLong>]>([
    ['no block', [], 32_768, null],
    ['one block a group', [70_000, 70_000], 65_536, null],
    ['65534 before the last', [65_534, 70_000], 32_768, null],
    ['65535 before the last', [65_535, 1], 32_768, { first: 0, last: 0, bytes: 65_535 }],
    ['in the second group', [1, 1, 65_536, 1], 32_768, { first: 2, last: 2, bytes: 65_536 }],
    ['in a last group that is not full', [1, 1, 1, 1, 40_000, 40_000, 1], 16_384, { first: 4, last: 5, bytes: 80_000 }],
    ['of two groups the first', [65_535, 1, 65_536, 1], 32_768, { first: 0, last: 0, bytes: 65_535 }],
  ])('%s', (_name, stored, blockSize, expected) => expect(groupTooLong(tableOf(stored), blockSize)).toEqual(expected));
});
