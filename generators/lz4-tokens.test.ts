// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeLz4Block } from '../oracles/lz4.ts';
import { STRICT, Violation } from '../oracles/violation.ts';
import { makeContent } from './content.ts';
import { encodeLz4Block } from './lz4-block.ts';
import { LZ4_FORMS } from './lz4-forms.ts';
import { greedySequences } from './lz4-greedy.ts';
import { ILLEGAL_LZ4 } from './lz4-illegal.ts';
import { copyMatches, decodedBytes, decodesTo, encodeSequences, parseSequences } from './lz4-tokens.ts';

const LENGTHS = [1, 2, 5, 12, 13, 14, 17, 18, 40, 300, 511, 512, 513, 560, 1024, 4096, 8192, 65535, 65536];

/** The clause by which the reader refuses the block; null where it decodes. */
function refusal(block: Uint8Array, length: number): string | null {
  try {
    decodeLz4Block(block, length, 0, STRICT);
    return null;
  } catch (e) {
    if (e instanceof Violation) return e.clause;
    throw e;
  }
}

describe('legal forms of an LZ4 block', () => {
  it.each(LZ4_FORMS)('$name decodes to the content that it defines', (form) => {
    let made = 0;
    for (const length of LENGTHS) {
      const sequences = form.plan(length);
      if (!sequences) continue;
      made++;
      expect(decodedBytes(sequences)).toBe(length);
      const content = makeContent({ kind: 'random', seed: length }, length);
      copyMatches(sequences, content);
      expect(decodesTo(sequences, content)).toBe(true);
      const block = encodeSequences(sequences, content);
      expect(parseSequences(block)).toEqual(sequences);
      expect(Buffer.compare(decodeLz4Block(block, length, 0, STRICT), content)).toBe(0);
    }
    expect(made).toBeGreaterThan(0);
  });

  it('reach as far back as the end rules let a block of 64 KiB', () => {
    const offsets = LZ4_FORMS.flatMap((f) => f.plan(65536) ?? []).map((s) => s.match?.offset ?? 0);
    expect(Math.max(...offsets)).toBe(65524);
  });

  it('a match of other bytes does not decode to the content', () => {
    const content = makeContent({ kind: 'random', seed: 4 }, 512);
    expect(LZ4_FORMS.filter((f) => decodesTo(f.plan(512) ?? [], content)).map((f) => f.name)).toEqual(['literals only']);
  });
});

describe('our own compressor', () => {
  it('decodes to its content and is no longer than literals', () => {
    for (const kind of ['zeros', 'counter', 'text', 'mixed', 'random'] as const) {
      for (const length of LENGTHS) {
        const content = makeContent({ kind, seed: length }, length);
        const block = encodeSequences(greedySequences(content), content);
        expect(Buffer.compare(decodeLz4Block(block, length, 0, STRICT), content), `${kind} ${length}`).toBe(0);
        expect(block.length).toBeLessThanOrEqual(encodeLz4Block(content, 'literals').length);
      }
    }
  });
});

describe('illegal forms of an LZ4 block', () => {
  it.each(ILLEGAL_LZ4)('$name breaks $clause first, in blocks of every size that has room for it', (form) => {
    let made = 0;
    for (const length of LENGTHS) {
      for (const kind of ['zeros', 'counter', 'mixed', 'random'] as const) {
        const content = makeContent({ kind, seed: length }, length);
        const stored = encodeLz4Block(content, 'library').length;
        for (const size of [stored - 1, stored, stored + 1, 1, 2, 3]) {
          for (let n = 0; n < 12; n += 1) {
            const block = size < 1 ? null : form.make(size, length, n * 7);
            if (!block) continue;
            made++;
            expect(block).toHaveLength(size);
            expect(refusal(block, length), `${size} stored bytes, ${length} decoded, ${n * 7}`).toBe(form.clause);
          }
        }
      }
    }
    expect(made).toBeGreaterThan(20);
  });
});
