// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { makeContent, randomBytes } from '../generators/content.ts';
import { encodeLz4Block } from '../generators/lz4-block.ts';
import { decodeLz4Block } from './lz4.ts';
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
