// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Level, Swarm } from '../model/index.ts';
import { caseRecipe } from './arbitraries.ts';
import { build, drawCase, swarmCases } from './draw.ts';
import type { CaseRecipe } from './recipe.ts';
import { COSTLY_FEATURES, FEATURES, weightsOf } from './weights.ts';

function swarm(features: Record<string, Level>, mutators: readonly number[] = []): Swarm {
  return { features, mutators, from: null };
}

function recipes(of: Swarm, many = 300): CaseRecipe[] {
  const draw = swarmCases(1, 4, of);
  return Array.from({ length: many }, (_, i) => draw(i).recipe);
}

const off = (pattern: RegExp): Record<string, Level> => Object.fromEntries(FEATURES.filter((f) => pattern.test(f)).map((f) => [f, 'off']));

describe('cases without a swarm', () => {
  it('are what they were before there were swarms', () => {
    const hash = createHash('sha256');
    for (const seed of [1, 7]) for (let i = 0; i < 300; i++) hash.update(JSON.stringify(drawCase(seed, i).recipe));
    // Where the generators are meant to draw other cases this changes; where only weights are worked on it may not.
    expect(hash.digest('hex')).toBe('75cc31069ab160bf26663eec65bf4dd8c6a387af41a04a782ace87edb8ff802b');
  });
});

describe('a swarm', () => {
  it('is all that its cases depend on, with seed, batch and number', () => {
    const one = swarm({ 'shape.zfile': 'high', 'damage.one': 'off', crowd: 'low' }, [1, 5, 9]);
    const json = (number: number): string[] => [0, 1, 50].map((i) => JSON.stringify(swarmCases(3, number, JSON.parse(JSON.stringify(one)) as Swarm)(i).recipe));
    expect(json(2)).toEqual(json(2));
    expect(json(2)).not.toEqual(json(3));
    expect(swarmCases(3, 2, one)(7).id).toBe('s3-b2-c7');
    expect(build(swarmCases(3, 2, one)(7)).case.layers).toEqual(build(swarmCases(3, 2, one)(7)).case.layers);
  });

  it('can name every feature that the generators ask for, and no other', () => {
    const asked = new Set<string>();
    caseRecipe({ features: new Proxy({}, { get: (_, name) => void asked.add(String(name)) }), mutators: [] });
    expect([...asked].sort()).toEqual([...FEATURES].sort());
  });

  it('draws nothing that is off', () => {
    const drawn = recipes(swarm({ ...off(/^shape\.(?!zfile)/), ...off(/^damage\.(?!none)/), ...off(/^(table|crowd|trouble)$/), ...off(/^read\.(past|mmap|huge|fine)/) }));
    expect(drawn.every((r) => r.shape.device === 'zfile' && r.damage.length === 0 && r.table === null && r.crowd === null && r.trouble === null)).toBe(true);
    const reads = drawn.flatMap((r) => r.reads);
    expect(reads.length).toBeGreaterThan(300);
    expect(reads.some((r) => r.kind === 'past' || r.mode === 'mmap' || r.huge || r.fine > 0)).toBe(false);
  });

  it('draws more of what is high', () => {
    const crowds = (level: Level): number => recipes(swarm({ crowd: level })).filter((r) => r.crowd !== null).length;
    expect(crowds('off')).toBe(0);
    expect(crowds('low')).toBeLessThan(crowds('normal'));
    expect(crowds('normal')).toBeLessThan(crowds('high'));
  });

  it('of which all choices are off is as usual there', () => {
    const drawn = recipes(swarm(off(/^(shape|damage|slack)\./)));
    expect(new Set(drawn.map((r) => r.shape.device))).toEqual(new Set(['zfile', 'lsmt']));
    expect(new Set(drawn.map((r) => r.slack))).toEqual(new Set(['page', 'exact', 'garbage']));
  });

  it('damages by its mutators only', () => {
    const used = new Set(recipes(swarm({ 'damage.none': 'off' }, [3, 77, 400])).flatMap((r) => r.damage.map((d) => d.mutator)));
    expect([...used].sort((a, b) => a - b)).toEqual([3, 77, 400]);
  });

  it('makes what is costly no more often than usual, whatever else is off', () => {
    const large = (of: Swarm): number => recipes(of, 3000).filter((r) => r.shape.device === 'lsmt' && r.shape.layers.some((l) => (l.many?.count ?? 0) > 1000)).length;
    const usual = large(swarm({}));
    const costly = Object.fromEntries(COSTLY_FEATURES.map((f) => [f, 'high' as const]));
    expect(large(swarm({ ...off(/^shape\.(?!tall|index|form)/), ...costly }))).toBeLessThan(2 * usual + 20);
  });
});

describe('weights without a swarm', () => {
  it('leave mutators alone', () => expect(weightsOf().mutators).toBeUndefined());
});
