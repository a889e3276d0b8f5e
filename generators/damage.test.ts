// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { disagreementOf } from '../engine/prepare.ts';
import type { Outcome } from '../model/index.ts';
import { examine, strictOutcome } from '../oracles/examine.ts';
import { CLAUSES } from '../spec/index.ts';
import { deployOnPatch } from '../targets/kernel/deploy.ts';
import { buildCase } from './build.ts';
import { randomBytes } from './content.ts';
import { drawCase } from './draw.ts';
import { mutatorsOf } from './lsmt-layer.ts';
import type { CaseRecipe, DamageRecipe, LayerRecipe } from './recipe.ts';
import { DEEP_STACKS } from './tiny-layers.ts';

const DRAWS = 2500;

/** Drawn stacks of a few layers, undamaged; each form and envelope comes up in hundreds of them. */
const stacks: readonly CaseRecipe[] = Array.from({ length: DRAWS }, (_, i) => drawCase(99, i).recipe)
  .filter(({ shape }) => shape.device === 'lsmt' && shape.tiny === 0 && shape.layers.every((l) => (l.many?.count ?? 0) < 600))
  .map((r) => ({ ...r, damage: [], table: null, reads: [], trouble: null, crowd: null, replaces: 0 }));

const layersOf = ({ shape }: CaseRecipe): readonly LayerRecipe[] => (shape.device === 'lsmt' ? shape.layers : []);

/** The clause by which strict reading refuses the case or fails a read; null where all of it is read. */
function broken(outcome: Outcome): string | null {
  if (outcome.outcome === 'refuse') return outcome.clause;
  return outcome.reads.find((r) => r.outcome === 'error')?.clause ?? null;
}

/** What is wrong with a block that no read of the device needs is not met. */
const ofBlock = (clause: string): boolean => /^ZF-(BLK-0[35]|LZ4-|ZST-)/.test(clause);

/** The damage recipe that begins at the mutator of this name in layer `layer`. */
function aimAt(r: CaseRecipe, layer: number, name: string, a: number, b: number): DamageRecipe {
  return { mutator: mutatorsOf(layersOf(r)[layer]!).find((m) => m.name === name)!.number, layer, a, b, reseal: true };
}

const kinds = new Map<string, { clause: string; where: { recipe: CaseRecipe; layer: number }[] }>();
for (const recipe of stacks) {
  layersOf(recipe).forEach((l, layer) => {
    if (l.sameAs !== null && layer > 0) return;
    for (const m of mutatorsOf(l)) {
      // Blocks: see mutators/zfile.test.ts; what no entry maps is not read.
      if (m.violates === null || ofBlock(m.violates)) continue;
      const key = `${l.form === 'committed' || l.form === 'sealed' ? 'sealed' : l.form} ${m.name}`;
      const kind = kinds.get(key) ?? { clause: m.violates, where: [] };
      kinds.set(key, kind);
      kind.where.push({ recipe, layer });
    }
  });
}

describe('damage to layers', () => {
  it('there is a mutator for every clause of layers and envelopes that an image can break', () => {
    const bound = CLAUSES.filter((c) => /^(LS|TR)-/.test(c.id) && c.binds === 'image').map((c) => c.id);
    const aimed = new Set([...kinds.values()].map((k) => k.clause));
    // 2 GiB of index: no case is that large.
    expect(bound.filter((id) => !aimed.has(id))).toEqual(['LS-RW-05']);
  });

  it.each([...kinds].map(([key, kind]) => ({ key, ...kind })))('$key breaks $clause and nothing before it', ({ key, clause, where }) => {
    let made = 0;
    for (let k = 0; k < 60 && made < 12; k++) {
      const { recipe, layer } = where[(k * 31) % where.length]!;
      const name = key.slice(key.indexOf(' ') + 1);
      const { case: c } = buildCase('aimed', { ...recipe, damage: [aimAt(recipe, layer, name, k * 7919 + 3, k * 131 + k)] });
      if (!c.clauses.violates.includes(clause)) continue;
      made++;
      const found = broken(strictOutcome(c));
      expect(found, `${key} in ${JSON.stringify(recipe)} layer ${layer}, draw ${k}`).toBe(c.clauses.violates[0]);
      if (clause !== 'ZF-BLK-04') expect(c.clauses.violates).toEqual([clause]);
    }
    expect(made).toBeGreaterThan(0);
  });

  it('of several, the first one named is the one that is found', () => {
    let made = 0;
    for (let i = 0; i < 3000; i++) {
      const n = new DataView(randomBytes(i + 5, 64).buffer);
      const recipe = stacks[n.getUint32(0) % stacks.length]!;
      // A file that stands in the stack again is damaged by the mutators of its own layer.
      const places = layersOf(recipe).flatMap((l, at) => (l.sameAs === null || at === 0 ? [at] : []));
      const damage = Array.from({ length: 2 + (i % 3 === 0 ? 1 : 0) }, (_, k): DamageRecipe => {
        const layer = places[n.getUint16(4 + k * 10) % places.length]!;
        const own = layersOf(recipe)[layer]!;
        const aimed = mutatorsOf(own).filter((m) => m.violates !== null);
        return { ...aimAt(recipe, layer, aimed[n.getUint16(6 + k * 10) % aimed.length]!.name, n.getUint16(8 + k * 10), n.getUint16(10 + k * 10)), reseal: i % 4 > 0 };
      });
      const { case: c } = buildCase('several', { ...recipe, damage });
      const { violates } = c.clauses;
      if (violates.length < 2 || violates.some(ofBlock)) continue;
      made++;
      expect(broken(strictOutcome(c)), `${i}: ${violates.join()} ${JSON.stringify({ recipe, damage })}`).toBe(violates[0]);
    }
    expect(made).toBeGreaterThan(1000);
  }, 120_000);
});

describe('stacks that are too tall', () => {
  it.each([255, 256, 257])('%i layers', (count) => {
    const shape = { device: 'lsmt', tiny: count, layers: [] } as const;
    const { case: c, readModel } = buildCase('tall', { shape, damage: [], table: null, slack: 'page', reads: [], trouble: null, crowd: null, replaces: 0 });
    const { expectation } = examine(c);
    expect(c.layers).toHaveLength(count);
    expect(c.clauses.violates).toEqual(count > 255 ? ['ST-CNT-01'] : []);
    expect(broken(expectation.strict)).toBe(count > 255 ? 'ST-CNT-01' : null);
    expect(readModel === null).toBe(count > 255);
  });
});

describe('stacks of a few layers again and again', () => {
  it.each(DEEP_STACKS.map((count, a) => [count, a] as const))('%i layers on a few devices', (count, a) => {
    const { recipe } = drawCase(1, 0);
    const shape = { device: 'lsmt', tiny: 0, layers: [] } as const;
    const read = { kind: 'run', a: 0, b: 7, bufferSector: 0, mode: 'direct', fine: 0, pieces: 0, huge: false } as const;
    const made = buildCase('deep', { ...recipe, shape, damage: [], table: null, reads: [read], trouble: { kind: 'deep', layer: 0, a, b: 2, c: 0 }, crowd: null, replaces: 0 });
    const { case: c, expectation } = examine(made.case);
    expect(c.layers).toHaveLength(count);
    expect(new Set(c.layers.map((l) => l.bytes)).size).toBe(3);
    expect(c.access.shared).toBe('device');
    expect(c.clauses.violates).toEqual(count > 255 ? ['ST-CNT-01'] : []);
    expect(broken(expectation.strict)).toBe(count > 255 ? 'ST-CNT-01' : null);
    expect(made.readModel === null).toBe(count > 255);
    if (made.readModel) expect(disagreementOf(c, expectation, made.size, made.readModel)).toBeNull();
    const { devices } = deployOnPatch({ case: c, wanted: [null] });
    expect(devices).toHaveLength(4);
    const top = devices.at(-1)!;
    expect('table' in top && top.table[0]!.params.split(' ')).toHaveLength(2 * count);
  });
});

describe('wrong tables', () => {
  it('violate what strict reading says', () => {
    let made = 0;
    for (let i = 0; i < 800; i++) {
      const { recipe } = drawCase(31, i);
      const { case: c } = buildCase('table', { ...recipe, damage: [], table: { kind: (['bytes', 'text', 'count', 'device'] as const)[i % 4]!, layer: i >>> 3, a: i >>> 2 } });
      if (!c.access.table) continue;
      made++;
      expect(broken(strictOutcome(c)) ?? undefined, `${i} ${JSON.stringify(c.access.table)} ${c.device}`).toBe(c.clauses.violates[0]);
    }
    expect(made).toBeGreaterThan(350);
  });
});
