// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { commitLayer } from '../../generators/commit.ts';
import { drawWriterInput, inputText } from '../../generators/writer-inputs.ts';
import { writeZFile, PLAIN_ZFILE } from '../../generators/zfile-writer.ts';
import { compareLines } from '../../reports/index.ts';
import { compareWriters, ownWriter, readsRight, type Writer } from './writers.ts';

const NEVER = new AbortController().signal;

function altered(name: string, change: Writer['write']): Writer {
  return { ...ownWriter('lsmt'), name, write: change };
}

const compare = (makes: 'lsmt' | 'zfile', writers: readonly Writer[], inputs = 12) =>
  compareWriters({ suite: 'test', makes, seed: 1, inputs, writers, skipped: [], jobs: 3, signal: NEVER });

describe('writers', () => {
  it.each(['lsmt', 'zfile'] as const)('our own %s images read as their inputs, and are the same every time', async (makes) => {
    const { rows, counts, complete } = await compare(makes, [ownWriter(makes), { ...ownWriter(makes), name: 'again' }], 20);
    expect([rows, complete]).toEqual([[], true]);
    expect(counts).toEqual({ ours: { made: 20, identical: 20, readsRight: 20, failed: 0 }, again: { made: 20, identical: 20, readsRight: 20, failed: 0 } });
  });

  it('inputs differ from each other, and are the same for one seed', () => {
    const texts = Array.from({ length: 20 }, (_, i) => inputText(drawWriterInput('lsmt', 1, i)));
    expect(new Set(texts).size).toBeGreaterThan(10);
    expect(texts).toEqual(Array.from({ length: 20 }, (_, i) => inputText(drawWriterInput('lsmt', 1, i))));
  });

  it('the first difference is told by its field, with what each has', async () => {
    const other = altered('other', (input) => Promise.resolve(input.makes === 'lsmt' ? commitLayer(input.layer, { ...input.options, userTag: 'else' }) : { why: '' }));
    const { rows, counts } = await compare('lsmt', [ownWriter('lsmt'), other]);
    expect(rows.map((r) => [r.what, r.cells])).toEqual([['LSMT header: user_tag', { other: 12 }]]);
    const { smallest } = rows[0]!;
    expect(smallest.at).toBe(134);
    expect(smallest.places.map((p) => p.place.field)).toEqual(['user_tag', 'user_tag']);
    expect(smallest.fields.some((f) => f.includes('LSMT trailer: user_tag') && f.endsWith('/ "else"'))).toBe(true);
    expect(counts['other']).toEqual({ made: 12, identical: 0, readsRight: 12, failed: 0 });
  });

  it('an index that is not padded, an image that is wrong, one that is missing, and a writer that has not the algorithm', async () => {
    const unpadded = altered('cut', (input) => {
      if (input.makes !== 'lsmt') return Promise.resolve({ why: '' });
      const image = commitLayer(input.layer, input.options);
      return Promise.resolve(image.subarray(0, image.length - 16));
    });
    const failing = altered('failing', () => Promise.resolve({ why: 'exit code 1' }));
    const { rows, counts } = await compare('lsmt', [ownWriter('lsmt'), unpadded, failing], 6);
    expect(counts['cut']).toMatchObject({ identical: 0, readsRight: 0 });
    expect(counts['failing']).toMatchObject({ made: 0, failed: 6 });
    expect(rows.find((r) => r.what === 'no image')).toMatchObject({ cells: { failing: 6 }, smallest: { images: [{ writer: 'ours' }, { writer: 'cut' }, { writer: 'failing', why: 'exit code 1' }] } });
    const { counts: zfile } = await compare('zfile', [ownWriter('zfile'), { ...ownWriter('zfile'), name: 'lz4', algorithms: ['lz4'] }], 12);
    expect(zfile['lz4']!.made).toBeLessThan(12);
    expect(zfile['lz4']!.made).toBe(zfile['lz4']!.identical);
  });

  it('a ZFile with another compressor is the same but for its blocks', async () => {
    const literals: Writer = {
      ...ownWriter('zfile'), name: 'literals', algorithms: ['lz4'],
      write: (input) => Promise.resolve(input.makes === 'zfile' ? writeZFile(input.content, { ...PLAIN_ZFILE, blockSize: input.blockSize, encoder: 'literals' }) : { why: '' }),
    };
    const document = await compare('zfile', [ownWriter('zfile'), literals]);
    expect(document.counts['literals']!.readsRight).toBe(document.counts['literals']!.made);
    expect(document.rows.map((r) => r.what)).toContain('a stored block');
    expect(compareLines(document).join('\n')).toMatch(/in a's: +byte \d+, byte \d+ of block \d+/);
  });

  it('what does not read as its input is seen', () => {
    const input = drawWriterInput('lsmt', 1, 3);
    if (input.makes !== 'lsmt') throw new Error('no layer');
    const image = commitLayer(input.layer, input.options);
    expect(readsRight(input, image)).toBe(true);
    expect(readsRight(input, image.subarray(1))).toBe(false);
  });
});
