// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bufferSource } from '../oracles/source.ts';
import { STRICT } from '../oracles/violation.ts';
import { openZFile } from '../oracles/zfile.ts';
import { CLAUSES } from '../spec/index.ts';
import { CONTENT_KINDS, makeContent } from './content.ts';
import { contentBytes, zfileRecipe } from './zfile-arbitrary.ts';
import { craftedContent } from './zfile-block.ts';
import { PLAIN_ZFILE, plainerZFiles, type ZFileRecipe } from './zfile-recipe.ts';
import { writeZFile } from './zfile-writer.ts';

const drawn = fc.sample(fc.record({
  recipe: zfileRecipe(), bytes: contentBytes(), kind: fc.constantFrom(...CONTENT_KINDS), seed: fc.nat({ max: 999 }),
}), { seed: 5, numRuns: 1500 });

/** The clauses that writing the content tells of. */
function emitted(content: Uint8Array, recipe: ZFileRecipe): Set<string> {
  const clauses = new Set<string>();
  writeZFile(content, recipe, (clause) => clauses.add(clause));
  return clauses;
}

describe('ZFiles of every recipe', () => {
  it('read as their content', () => {
    for (const { recipe, bytes, kind, seed } of drawn.slice(0, 500)) {
      const content = craftedContent(makeContent({ kind, seed }, bytes), recipe);
      const reader = openZFile(bufferSource(writeZFile(content, recipe)), STRICT);
      expect(Buffer.compare(reader.read(0, reader.size), content), JSON.stringify({ recipe, bytes, kind, seed })).toBe(0);
    }
  });

  it('around given content leave out the crafted blocks that would change it', () => {
    for (const { recipe, bytes, kind, seed } of drawn.filter((d) => d.recipe.crafted?.length).slice(0, 100)) {
      const content = makeContent({ kind, seed }, bytes);
      const reader = openZFile(bufferSource(writeZFile(content, recipe)), STRICT);
      expect(Buffer.compare(reader.read(0, reader.size), content)).toBe(0);
    }
  });

  it('show every clause that a sound ZFile can show', () => {
    const shown = new Set<string>();
    for (const { recipe, bytes, kind, seed } of drawn) emitted(craftedContent(makeContent({ kind, seed }, bytes), recipe), recipe).forEach((c) => shown.add(c));
    const unknown = [...shown].filter((id) => !CLAUSES.some((c) => c.id === id));
    const missing = CLAUSES.filter((c) => c.id.startsWith('ZF-') && !shown.has(c.id)).map((c) => c.id);
    expect(unknown).toEqual([]);
    // That reads end with the file is shown by a read, not by the file.
    expect(missing).toEqual(['ZF-SIZE-01']);
  });
});

describe('clauses are told of where the file shows them', () => {
  const text = makeContent({ kind: 'text', seed: 1 }, 8192);
  const noise = makeContent({ kind: 'random', seed: 1 }, 66_560);
  const cases: readonly (readonly [clause: string, with_: Set<string>, without: Set<string>])[] = [
    ['ZF-TRL-06', emitted(text, { ...PLAIN_ZFILE, headerMode: true }), emitted(text, PLAIN_ZFILE)],
    ['ZF-TRL-05', emitted(text, PLAIN_ZFILE), emitted(text, { ...PLAIN_ZFILE, headerMode: true })],
    ['ZF-HDR-04', emitted(text, PLAIN_ZFILE), emitted(text, { ...PLAIN_ZFILE, digest: false })],
    ['ZF-CRC-02', emitted(text, PLAIN_ZFILE), emitted(text, { ...PLAIN_ZFILE, verify: false })],
    ['ZF-BLK-02', emitted(text.subarray(1), PLAIN_ZFILE), emitted(text, PLAIN_ZFILE)],
    ['ZF-BLK-06', emitted(text, { ...PLAIN_ZFILE, blockSize: 512 }), emitted(text, PLAIN_ZFILE)],
    ['ZF-BLK-07', emitted(noise, PLAIN_ZFILE), emitted(text, PLAIN_ZFILE)],
    ['ZF-IDX-07', emitted(noise, { ...PLAIN_ZFILE, blockSize: 512 }), emitted(noise, { ...PLAIN_ZFILE, blockSize: 1024 })],
    ['ZF-OPT-04', emitted(text, { ...PLAIN_ZFILE, dictBytes: 1 }), emitted(text, PLAIN_ZFILE)],
    ['ZF-RSV-01', emitted(text, { ...PLAIN_ZFILE, reserved: 1 }), emitted(text, PLAIN_ZFILE)],
    ['ZF-LZ4-01', emitted(text, PLAIN_ZFILE), emitted(text, { ...PLAIN_ZFILE, encoder: 'literals' })],
    ['ZF-LZ4-07', emitted(text, PLAIN_ZFILE), emitted(text.subarray(0, 14), PLAIN_ZFILE)],
    ['ZF-LZ4-08', emitted(new Uint8Array(512), PLAIN_ZFILE), emitted(noise, PLAIN_ZFILE)],
    ['ZF-BLK-01', emitted(text, PLAIN_ZFILE), emitted(new Uint8Array(0), PLAIN_ZFILE)],
    ['ZF-ZST-02', emitted(noise, { ...PLAIN_ZFILE, algo: 'zstd' }), emitted(text, { ...PLAIN_ZFILE, algo: 'zstd' })],
  ];

  it.each(cases)('%s', (clause, shown, plain) => {
    expect(shown).toContain(clause);
    expect(plain).not.toContain(clause);
  });
});

describe('plainer recipes', () => {
  it('come to an end, and to the plainest', () => {
    for (const { recipe } of drawn.slice(0, 200)) {
      let current = recipe;
      for (let steps = 0; ; steps++) {
        expect(steps).toBeLessThan(40);
        const next: ZFileRecipe | undefined = [...plainerZFiles(current)].at(-1);
        if (!next) break;
        current = next;
      }
      const { verifyByte = 1, dictBytes = 0, reserved = 0, crafted = [], frame = null, ...plain } = current;
      expect({ plain, verifyByte, dictBytes, reserved, crafted, frame }).toEqual({ plain: PLAIN_ZFILE, verifyByte: 1, dictBytes: 0, reserved: 0, crafted: [], frame: null });
    }
  });

  it('keep one crafted block where that is what matters', () => {
    const recipe: ZFileRecipe = { ...PLAIN_ZFILE, blockSize: 512, reserved: 4, crafted: [{ block: 7, form: 3 }, { block: 2, form: 9 }] };
    expect([...plainerZFiles(recipe)]).toContainEqual({ ...PLAIN_ZFILE, crafted: [{ block: 0, form: 9 }] });
  });
});
