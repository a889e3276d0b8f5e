// SPDX-License-Identifier: MIT
/** The blocks of an open ZFile under a made-up index: which bytes of the file are read, and what is said of each block. */
import { describe, expect, it } from 'vitest';
import { BLOCK_CRC_SEED } from '../spec/index.ts';
import { refusal } from '../test/oracle-images.ts';
import type { BlockTable } from './block-table.ts';
import { rawCrc32c } from './crc32c.ts';
import type { ByteSource } from './source.ts';
import { collecting, STRICT, Violation } from './violation.ts';
import { zfileReader, type BlockLayout, type ZFileReader } from './zfile-reader.ts';

const MIB = 1 << 20;

/** Blocks one after the other from byte `start`, their stored lengths given. */
function tableOf(stored: readonly number[], start = 0): BlockTable {
  const ends: number[] = [];
  for (const n of stored) ends.push((ends.at(-1) ?? start) + n);
  const startOf = (i: number): number => (i === 0 ? start : ends[i - 1]!);
  return { count: stored.length, end: ends.at(-1) ?? start, startOf, endOf: (i) => ends[i]! };
}

/** A file that is zeros but for `bytes` at its end, and that notes which ranges are read. */
function sourceOf(size: number, bytes: readonly number[], log: [number, number][] = []): ByteSource {
  const zeros = size - bytes.length;
  return {
    size,
    read(offset, length) {
      log.push([offset, length]);
      const out = new Uint8Array(length);
      bytes.forEach((b, i) => {
        const at = zeros + i - offset;
        if (at >= 0 && at < length) out[at] = b;
      });
      return out;
    },
  };
}

/** Blocks of 8 bytes, each stored as a token and its 8 literals. */
const literals = (blocks: number): number[] => (
  Array.from({ length: blocks }, (_, i) => [0x80, ...Array.from({ length: 8 }, (_, k) => i * 8 + k)]).flat()
);
const content = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

function reader(parts: Partial<BlockLayout> & Pick<BlockLayout, 'source' | 'table'>): ZFileReader {
  return zfileReader({
    size: 8 * parts.table.count, blockSize: 8, algo: 'lz4', crcBytes: 0, headerMode: false, dictBytes: 0, indexOffset: 1000, lenient: STRICT,
    undecodable: null, ...parts,
  });
}

function small(blocks: number, parts: Partial<BlockLayout> = {}): { z: ZFileReader; log: [number, number][] } {
  const log: [number, number][] = [];
  const bytes = literals(blocks);
  return { z: reader({ source: sourceOf(bytes.length, bytes, log), table: tableOf(bytes.length === 0 ? [] : new Array<number>(blocks).fill(9)), ...parts }), log };
}

/** What `verify` tells of, and what it yields. */
function verified(parts: Partial<BlockLayout> & Pick<BlockLayout, 'source' | 'table'>): { told: unknown[]; steps: number[] } {
  const told: unknown[] = [];
  const steps = [...reader({ lenient: collecting((v) => told.push([v.clause, v.at])), ...parts }).verify()];
  return { told, steps };
}

describe('which bytes are read', () => {
  it('a window of the read’s own length at a time', () => {
    const { z, log } = small(4);
    expect([...z.read(0, 24)]).toEqual(content(0, 24));
    expect(log).toEqual([[0, 24], [18, 18]]);
  });

  it('a block of which only a part is wanted, once', () => {
    const { z, log } = small(3);
    for (const at of [9, 10, 15]) expect([...z.read(at, 1)]).toEqual([at]);
    expect(log).toEqual([[9, 9]]);
    expect([...z.read(4, 16)]).toEqual(content(4, 20));
    expect(log).toEqual([[9, 9], [0, 9], [9, 16], [18, 9]]);
    expect([...z.read(20, 1)], 'the one at hand').toEqual([20]);
    expect(log).toHaveLength(4);
  });

  it('nothing for nothing', () => {
    const { z, log } = small(1);
    expect(z.read(8, 0)).toHaveLength(0);
    expect(log).toEqual([]);
  });

  it('a block that does not decode leaves none at hand', () => {
    const bytes = literals(2);
    // Four bytes are decoded before the match whose offset is 0.
    bytes.splice(9, 9, 0x40, 91, 92, 93, 94, 0, 0, 0, 0);
    const z = reader({ source: sourceOf(bytes.length, bytes), table: tableOf([9, 9]) });
    expect([...z.read(0, 4)]).toEqual(content(0, 4));
    for (const again of [1, 1, 2]) expect(refusal(() => z.read(8, again))).toEqual(['ZF-LZ4-01', 14, 'a match offset is 0']);
    expect([...z.read(0, 4)]).toEqual(content(0, 4));
    expect(refusal(() => z.read(8, 1))?.[0]).toBe('ZF-LZ4-01');
  });
});

describe('what a decoder is given', () => {
  /** One block of `length` stored bytes, all zeros, with its CRC behind it. */
  const zeros = (length: number, sum: number, log: [number, number][] = []): ZFileReader => reader({
    source: sourceOf(length + 4, [sum & 255, sum >>> 8 & 255, sum >>> 16 & 255, sum >>> 24], log), table: tableOf([length + 4]), crcBytes: 4,
  });
  const sumOf = (length: number): number => rawCrc32c(new Uint8Array(length), BLOCK_CRC_SEED);
  const noOffset = ['ZF-LZ4-01', 1, 'a match offset is 0'];

  it('a block of 16 MiB whole, with its CRC', () => {
    const log: [number, number][] = [];
    expect(refusal(() => zeros(16 * MIB, sumOf(16 * MIB), log).read(0, 8))).toEqual(noOffset);
    expect(log).toEqual([[0, 16 * MIB + 4]]);
  });

  it('the first 16 MiB of a longer one, whose CRC is summed in pieces', () => {
    const log: [number, number][] = [];
    const length = 16 * MIB + 1;
    const sum = sumOf(length);
    expect(refusal(() => zeros(length, sum, log).read(0, 8))).toEqual(noOffset);
    expect(log).toEqual([[0, 16 * MIB], ...Array.from({ length: 16 }, (_, i) => [i * MIB, MIB]), [16 * MIB, 1], [length, 4]]);
    const wrong = (sum ^ 1) >>> 0;
    expect(refusal(() => zeros(length, wrong).read(0, 8)))
      .toEqual(['ZF-BLK-03', 0, `the CRC of block 0 is 0x${wrong.toString(16)}, its bytes give 0x${sum.toString(16)}`]);
  });
});

describe('blocks that cannot be', () => {
  it.each([[0, 0, 0], [4, 4, 4], [4, 1, 1]])('CRC of %i bytes, entry of %i', (crcBytes, stored, entry) => {
    const z = reader({ source: sourceOf(100, []), table: tableOf([9, stored, 9], 10), crcBytes });
    expect(refusal(() => z.read(8, 8))).toEqual(['ZF-IDX-04', 1004, `the entry of block 1 is ${entry}, not above ${crcBytes}`]);
  });

  it('one that ends with the file, and one a byte behind it', () => {
    const bytes = literals(1);
    expect([...reader({ source: sourceOf(9, bytes), table: tableOf([9]) }).read(0, 8)]).toEqual(content(0, 8));
    expect(refusal(() => reader({ source: sourceOf(9, bytes), table: tableOf([10]) }).read(0, 8)))
      .toEqual(['ZF-BLK-04', 0, 'block 0 ends at byte 10, the file at byte 9']);
  });

  it('none decodes where opening found out why', () => {
    const undecodable = new Violation('ZF-OPT-02', 76, 'the algorithm is 9, neither 1 nor 2');
    const { z, log } = small(2, { undecodable });
    for (const length of [0, 1, 16]) expect(refusal(() => z.read(0, length))).toEqual(['ZF-OPT-02', 76, undecodable.message]);
    expect(log).toEqual([]);
  });
});

describe('verify', () => {
  it('yields every 1024 blocks', () => {
    const bytes = literals(2050);
    expect(verified({ source: sourceOf(bytes.length, bytes), table: tableOf(new Array<number>(2050).fill(9)) })).toEqual({ told: [], steps: [1024 * 9, 2048 * 9] });
  });

  it('yields every 8 MiB of the file', () => {
    // All zeros: each block starts with a match whose offset is 0.
    const stored = [5, 5, 5, 3, 8, 1].map((n) => n * MIB);
    const { told, steps } = verified({ source: sourceOf(27 * MIB, []), table: tableOf(stored) });
    expect(steps).toEqual([10 * MIB, 18 * MIB, 26 * MIB]);
    expect(told).toEqual([0, 5, 10, 15, 18, 26].map((n) => ['ZF-LZ4-01', n * MIB + 1]));
  });

  it('tells again of nothing that opening has told', () => {
    const bytes = literals(3);
    const source = sourceOf(bytes.length, bytes);
    expect(verified({ source, table: tableOf([9, 0, 9, 9]), size: 32 }).told).toEqual([]);
    const undecodable = new Violation('ZF-OPT-02', 76, 'the algorithm is 9');
    expect(verified({ source, table: tableOf([9, 9, 9]), undecodable, blockSize: 2 ** 31 }).told).toEqual([]);
    expect(verified({ source, table: tableOf([9, 9, 9]), undecodable, crcBytes: 4 }).told).toEqual([['ZF-BLK-03', 0], ['ZF-BLK-03', 9], ['ZF-BLK-03', 18]]);
  });

  it('decodes no block that the size does not have', () => {
    const bytes = literals(4);
    const source = sourceOf(bytes.length, bytes);
    const table = tableOf([9, 9, 9, 9]);
    expect(verified({ source, table, size: 16 }).told).toEqual([]);
    expect(verified({ source, table, size: 15 }).told).toEqual([['ZF-LZ4-04', 10]]);
  });

  it('passes on what is no violation', () => {
    const source: ByteSource = { size: 9, read: () => { throw new RangeError('ours'); } };
    expect(() => verified({ source, table: tableOf([9]) })).toThrow(RangeError);
  });
});
