// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { CLAUSES } from '../spec/index.ts';
import { strictOutcome } from '../oracles/examine.ts';
import { buildCase } from './build.ts';
import { drawCase } from './draw.ts';
import { NO_MARKS } from './lsmt-marks.ts';
import type { CaseRecipe, LayerRecipe, SegmentRecipe } from './recipe.ts';
import { PLAIN_LAYER } from './tiny-layers.ts';

const segment = (gap: number, length: number, zeroed = false, more: Partial<SegmentRecipe> = {}): SegmentRecipe =>
  ({ gap, length, zeroed, content: { kind: 'counter', seed: gap + length }, place: null, ...more });

const layer = (segments: readonly SegmentRecipe[], more: Partial<LayerRecipe> = {}): LayerRecipe => ({ ...PLAIN_LAYER, segments, ...more });

const stack = (layers: readonly LayerRecipe[], more: Partial<CaseRecipe> = {}): CaseRecipe =>
  ({ shape: { device: 'lsmt', tiny: 0, layers }, damage: [], table: null, slack: 'page', reads: [], trouble: null, crowd: null, replaces: 0, ...more });

function exercised(r: CaseRecipe): readonly string[] {
  const { case: c, readModel } = buildCase('x', r);
  const strict = strictOutcome(c);
  if (strict.outcome !== 'open' || !readModel) throw new Error(`not sound: ${JSON.stringify(strict)}`);
  strict.reads.forEach((read, i) => {
    const { offset } = c.access.reads[i]!;
    if (read.outcome !== 'bytes' || Buffer.compare(read.bytes, readModel(offset, read.bytes.length)) !== 0) throw new Error(`read ${i} differs`);
  });
  return c.clauses.exercises;
}

/** What the second stack exercises and the first does not. */
const more = (without: CaseRecipe, with_: CaseRecipe): string[] => {
  const before = new Set(exercised(without));
  return exercised(with_).filter((c) => !before.has(c));
};

describe('a case says what it exercises', () => {
  const base = layer([segment(0, 16)]);
  it('of merging, only what a layer really does to one below it', () => {
    expect(more(stack([base]), stack([base, layer([segment(0, 16)], { tail: 8 })]))).toEqual(['ST-SIZE-01', 'ST-MRG-01', 'ST-MRG-04']);
    const apart = stack([base, layer([segment(16, 4)])]);
    expect(exercised(apart)).not.toContain('ST-MRG-01');
    expect(exercised(apart)).toContain('ST-MRG-02');
    expect(more(apart, stack([base, layer([segment(15, 5)], {})]))).toEqual(['ST-MRG-01', 'ST-MRG-05']);
    expect(exercised(stack([base, layer([segment(16, 4, true)])]))).not.toContain('ST-MRG-03');
    expect(exercised(stack([base, layer([segment(8, 12, true)])]))).toContain('ST-MRG-03');
    // Cut by the end of the device is not cut by a layer.
    expect(exercised(stack([base, layer([], { tail: 8 })]))).not.toContain('ST-MRG-05');
    expect(exercised(stack([base, layer([], { tail: 8 })]))).toContain('ST-SIZE-02');
  });

  it('of a layer, what it leans on beyond a plain one', () => {
    const plain = stack([layer([segment(0, 4), segment(2, 4)], { form: 'sealed' })]);
    const as = (l: Partial<LayerRecipe>): CaseRecipe => stack([layer([segment(0, 4), segment(2, 4)], { form: 'sealed', ...l })]);
    expect(more(plain, as({ invalidBefore: [1] }))).toEqual(['LS-IDX-03']);
    expect(more(plain, as({ emptyBefore: [0, 1] }))).toEqual(['LS-IDX-10']);
    const nothing = { form: 'sealed', tail: 8 } as const;
    expect(more(stack([layer([], nothing)]), stack([layer([], { ...nothing, invalidBefore: [0], emptyBefore: [0, 3] })]))).toEqual(['DM-TBL-09', 'LS-IDX-09', 'LS-PAD-02', 'LS-IDX-03', 'LS-IDX-10']);
    expect(more(plain, as({ placement: 'reversed' }))).toEqual(['LS-MAP-03']);
    expect(more(plain, as({ placement: 'shared' }))).toEqual(['LS-MAP-03']);
    expect(more(plain, as({ padding: 3 }))).toEqual(['LS-PAD-01']);
    expect(more(plain, as({ marks: { ...NO_MARKS, tags: 5 } }))).toEqual(['LS-TAG-01']);
    expect(more(plain, as({ marks: { ...NO_MARKS, flags: 1, identity: 3, header: 43 } }))).toEqual(['LS-FLG-01', 'LS-RSV-01']);
    expect(more(plain, as({ tar: 'pax', tarTail: 'noise' }))).toEqual(['TR-TAR-01', 'TR-TAR-03', 'TR-TAR-02', 'TR-TAR-04']);
    expect(exercised(as({ form: 'warp', remote: 1 }))).toContain('LS-WRP-01');
    expect(exercised(as({ form: 'warp', remote: 1 }))).not.toContain('LS-WRP-02');
    expect(exercised(as({ form: 'warp', remote: -1 }))).toContain('LS-WRP-02');
    expect(exercised(as({ form: 'sparse', tail: 9 }))).toContain('LS-SPR-03');
    expect(exercised(as({ form: 'pair' }))).not.toContain('LS-RW-03');
    expect(exercised(as({ form: 'pair', segments: [segment(0, 9), segment(0, 3, false, { place: { to: 'segment', choice: 0, from: 'start+1', until: 'end-1' } })] }))).toContain('LS-RW-03');
  });

  it('of its reads, how they were made', () => {
    const read = { kind: 'sectors', a: 1, b: 0, bufferSector: 3, mode: 'buffered', fine: 0, pieces: 0, huge: false } as const;
    expect(more(stack([layer([segment(0, 16)])]), stack([layer([segment(0, 16)])], { reads: [read], slack: 'exact' })))
      .toEqual(['DM-TBL-08', 'DM-BACK-01', 'DM-RD-02', 'DM-RD-04']);
  });

  it('in the specification’s order, each clause once, and all of layers, stacks, tars and devices together', () => {
    const order = CLAUSES.map((c) => c.id);
    const seen = new Set<string>();
    for (let i = 0; i < 2000; i++) {
      const { recipe } = drawCase(17, i);
      const large = recipe.shape.device === 'zfile' || recipe.shape.tiny > 0 || recipe.shape.layers.some((l) => (l.many?.count ?? 0) > 1000);
      if (large && i > 400) continue;
      const { case: c, readModel } = buildCase('x', recipe);
      const { exercises } = c.clauses;
      expect([...new Set(exercises)].sort((a, b) => order.indexOf(a) - order.indexOf(b))).toEqual(exercises);
      if (readModel) exercises.forEach((id) => seen.add(id));
    }
    const wanted = CLAUSES.filter((c) => !c.id.startsWith('ZF-')).map((c) => c.id);
    // DM-TBL-03 is about images that are refused, DM-TBL-11 about tables of another length than theirs, of which the generator has no account.
    expect(wanted.filter((id) => !seen.has(id))).toEqual(['DM-TBL-03', 'DM-TBL-11']);
  });
});
