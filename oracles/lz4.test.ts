// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { makeContent, randomBytes } from '../generators/content.ts';
import { encodeLz4Block } from '../generators/lz4-block.ts';
import { decodeLz4Block, decodeLz4Into } from './lz4.ts';
import { RecordedLeniency, STRICT, Violation } from './violation.ts';

/** Clause that stops the decoder, or null where it decodes. */
function clauseOf(block: readonly number[], length: number, flags: readonly string[] = []): string | null {
  try {
    decodeLz4Block(Uint8Array.from(block), length, 0, new RecordedLeniency(flags));
    return null;
  } catch (e) {
    if (e instanceof Violation) return e.clause;
    throw e;
  }
}

const A = 0x41;
const fiveLiterals = [0x50, A, A, A, A, A];

describe('LZ4 block decoder', () => {
  it('decodes what two encoders write, for every kind of content', () => {
    for (const kind of ['zeros', 'counter', 'text', 'mixed', 'random'] as const) {
      for (const length of [1, 4, 5, 12, 13, 14, 15, 16, 269, 270, 271, 4096, 65536]) {
        const content = makeContent({ kind, seed: length }, length);
        for (const encoder of ['library', 'literals'] as const) {
          expect(Buffer.compare(decodeLz4Block(encodeLz4Block(content, encoder), length, 0, STRICT), content)).toBe(0);
        }
      }
    }
  });

  it('copies overlapping matches byte by byte', () => {
    // "ABC", then 9 more from 3 back, then five literals.
    const block = [0x35, 0x41, 0x42, 0x43, 3, 0, ...fiveLiterals];
    const out = decodeLz4Block(Uint8Array.from(block), 3 + 9 + 5, 0, STRICT);
    expect(Buffer.from(out).toString()).toBe('ABCABCABCABCAAAAA');
  });

  it.each([
    ['offset 0', [0x10, A, 0, 0, ...fiveLiterals], 20, 'ZF-LZ4-01'],
    ['offset before the start', [0x10, A, 2, 0, ...fiveLiterals], 20, 'ZF-LZ4-02'],
    ['an empty block', [], 1, 'ZF-LZ4-03'],
    ['literals past the input', [0x50, A, A], 5, 'ZF-LZ4-03'],
    ['a length past the input', [0xf0, 255], 600, 'ZF-LZ4-03'],
    ['half an offset', [0x10, A, 1], 20, 'ZF-LZ4-03'],
    ['no last literals, output short', [0x1f, A, 1, 0, 0], 21, 'ZF-LZ4-03'],
    ['no last literals', [0x1f, A, 1, 0, 0], 20, 'ZF-LZ4-05'],
    ['literals past the output', [0x50, A, A, A, A, A], 4, 'ZF-LZ4-04'],
    ['a match past the output', [0x1f, A, 1, 0, 200, ...fiveLiterals], 60, 'ZF-LZ4-04'],
    ['output short by 1', [0x50, A, A, A, A, A], 6, 'ZF-BLK-05'],
    ['four last literals', [0x18, A, 1, 0, 0x40, A, A, A, A], 1 + 12 + 4, 'ZF-LZ4-05'],
    ['a last match 11 bytes before the end', [0x12, A, 1, 0, ...fiveLiterals], 1 + 6 + 5, 'ZF-LZ4-05'],
  ])('refuses %s', (_name, block, length, clause) => {
    expect(clauseOf(block, length)).toBe(clause);
  });

  /** What stops the decoder of a block that stands at byte 100 of its file. */
  function stop(block: readonly number[], length: number): readonly [string, number, string] | null {
    try {
      decodeLz4Block(Uint8Array.from(block), length, 100, STRICT);
      return null;
    } catch (e) {
      if (e instanceof Violation) return [e.clause, e.at, e.message];
      throw e;
    }
  }
  const endless = 'a length runs past the end of the stored block';
  const noToken = 'the stored block ends where a token is expected';

  it.each<[string, readonly number[], number, readonly [string, number, string]]>([
    ['nothing', [], 1, ['ZF-LZ4-03', 100, noToken]],
    ['nothing for nothing', [], 0, ['ZF-LZ4-03', 100, noToken]],
    ['5 literals of 2', [0x50, A, A], 5, ['ZF-LZ4-03', 101, '5 literals, but 2 stored bytes are left']],
    ['9 literals of 1, later', [0x14, A, 1, 0, 0x90, A], 30, ['ZF-LZ4-03', 105, '9 literals, but 1 stored bytes are left']],
    ['15 literals and no more length', [0xf0], 600, ['ZF-LZ4-03', 101, endless]],
    ['a literal length without end', [0xf0, 255], 600, ['ZF-LZ4-03', 102, endless]],
    ['a match of 19 and no more length', [0x1f, A, 1, 0], 600, ['ZF-LZ4-03', 104, endless]],
    ['a match length without end', [0x1f, A, 1, 0, 255], 600, ['ZF-LZ4-03', 105, endless]],
    ['half an offset', [0x10, A, 1], 20, ['ZF-LZ4-03', 102, 'a match offset runs past the end of the stored block']],
    ['offset 0', [0x10, A, 0, 0, ...fiveLiterals], 20, ['ZF-LZ4-01', 102, 'a match offset is 0']],
    ['an offset before the start', [0x10, A, 2, 0, ...fiveLiterals], 20, ['ZF-LZ4-02', 102, 'a match starts 2 bytes back, but only 1 are decoded']],
    ['an offset far before the start', [0x10, A, 1, 2, ...fiveLiterals], 20, ['ZF-LZ4-02', 102, 'a match starts 513 bytes back, but only 1 are decoded']],
    ['5 literals for 4', fiveLiterals, 4, ['ZF-LZ4-04', 101, '5 literals, but the block has room for 4']],
    ['9 literals for 3, later', [0x14, A, 1, 0, 0x90, A, A, A, A, A, A, A, A, A], 12, ['ZF-LZ4-04', 105, '9 literals, but the block has room for 3']],
    ['a match of 219 for 59', [0x1f, A, 1, 0, 200, ...fiveLiterals], 60, ['ZF-LZ4-04', 105, 'a match of 219 bytes, but the block has room for 59']],
    ['a match of 8 for 7', [0x14, A, 1, 0, ...fiveLiterals], 8, ['ZF-LZ4-04', 104, 'a match of 8 bytes, but the block has room for 7']],
    ['a match at the end, output short', [0x1f, A, 1, 0, 0], 21, ['ZF-LZ4-03', 105, noToken]],
    ['a match at the end', [0x1f, A, 1, 0, 0], 20, ['ZF-LZ4-05', 105, 'the block ends with a match, not with literals']],
    ['a match at the end, its offset the last bytes', [0x10, A, 1, 0], 5, ['ZF-LZ4-05', 104, 'the block ends with a match, not with literals']],
    ['four last literals', [0x18, A, 1, 0, 0x40, A, A, A, A], 17, ['ZF-LZ4-05', 109, 'the block ends with 4 literals, fewer than 5']],
    ['a last match 11 bytes before the end', [0x12, A, 1, 0, ...fiveLiterals], 12, ['ZF-LZ4-05', 110, 'the last match starts 11 bytes before the end, closer than 12']],
    ['5 bytes for 6', fiveLiterals, 6, ['ZF-BLK-05', 100, 'the block decodes to 5 bytes, not 6']],
  ])('says where and why: %s', (_name, block, length, expected) => expect(stop(block, length)).toEqual(expected));

  it.each([[31, 31], [32, 32], [40, 40], [41, 40], [39, 40], [32, 40], [1, 40], [258, 31], [300, 44]])(
    'copies a match %i bytes back, %i long', (offset, length) => {
      const literals = makeContent({ kind: 'random', seed: offset }, 300);
      const head = [0xff, 255, 300 - 270, ...literals, offset & 255, offset >> 8, length - 19];
      const out = decodeLz4Block(Uint8Array.from([...head, 0x80, 1, 2, 3, 4, 5, 6, 7, 8]), 300 + length + 8, 0, STRICT);
      const wanted = [...literals];
      for (let i = 0; i < length; i++) wanted.push(wanted[300 + i - offset]!);
      expect([...out]).toEqual([...wanted, 1, 2, 3, 4, 5, 6, 7, 8]);
    });

  it.each<[string, readonly number[], number]>([
    ['literals', fiveLiterals, 5],
    ['many literals', [0xf0, 20, ...new Array<number>(35).fill(A)], 35],
    ['a match', [0x14, A, 1, 0], 9],
    ['a long match', [0xff, 30, ...new Array<number>(45).fill(A), 45, 0, 20], 45 + 39],
  ])('writes no byte behind the block: %s', (_name, block, length) => {
    const out = new Uint8Array(length + 60).fill(0xee);
    // Something stands behind the stored block, as in a file: a copy of one too many would find it.
    const stored = Uint8Array.from([...block, 7]).subarray(0, block.length);
    decodeLz4Into(stored, out, length, 0, new RecordedLeniency(['zf.lz4-end-rules']));
    expect([...out]).toEqual([...new Array<number>(length).fill(A), ...new Array<number>(60).fill(0xee)]);
  });

  it('takes a block that only breaks the end rules, where that is declared', () => {
    expect(clauseOf([0x12, A, 1, 0, ...fiveLiterals], 12, ['zf.lz4-end-rules'])).toBeNull();
    expect(clauseOf([0x13, A, 1, 0, ...fiveLiterals], 13)).toBeNull();
  });

  it('ends on every input: random bytes decode or name a clause', () => {
    for (let seed = 1; seed < 3000; seed++) {
      const block = randomBytes(seed, seed % 97);
      try {
        expect(decodeLz4Block(block, 4096, 0, STRICT)).toHaveLength(4096);
      } catch (e) {
        expect((e as Violation).clause).toMatch(/^ZF-/);
      }
    }
  });
});
