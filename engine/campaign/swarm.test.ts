// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { FEATURES } from '../../generators/weights.ts';
import type { Gain } from '../../model/index.ts';
import { drawSwarm, steerSwarm, USUAL_SWARM, type Parent } from './swarm.ts';

const parent = (number: number, gain: Partial<Gain>): Parent => ({ number, swarm: drawSwarm(1, number), gain: { signatures: 0, sights: 0, points: 0, ...gain } });

describe('the swarm of a batch', () => {
  it('is a function of seed and number; the first one is the usual', () => {
    expect(drawSwarm(1, 0)).toEqual(USUAL_SWARM);
    expect(drawSwarm(1, 5)).toEqual(drawSwarm(1, 5));
    expect(drawSwarm(1, 5)).not.toEqual(drawSwarm(1, 6));
    expect(drawSwarm(1, 5)).not.toEqual(drawSwarm(2, 5));
    expect(Object.keys(drawSwarm(1, 5).features)).toEqual([...FEATURES]);
  });

  it('has every feature off in some batches and on in others', () => {
    const swarms = Array.from({ length: 60 }, (_, i) => drawSwarm(9, i + 1));
    for (const feature of FEATURES) {
      const levels = new Set(swarms.map((s) => s.features[feature]));
      expect(levels.has('off') && levels.has('normal'), feature).toBe(true);
    }
    expect(swarms.some((s) => s.mutators.length === 0) && swarms.some((s) => s.mutators.length > 3)).toBe(true);
  });

  it('follows batches that gained, and those more that gained more', () => {
    const ended = [parent(0, { signatures: 50 }), parent(1, { points: 1 }), parent(2, {}), parent(3, { signatures: 20, points: 30 })];
    const from = Array.from({ length: 200 }, (_, i) => steerSwarm(1, i + 4, ended).from);
    const times = (n: number | null): number => from.filter((f) => f === n).length;
    expect(times(0) + times(2)).toBe(0);
    expect(times(null)).toBeGreaterThan(50);
    expect(times(3)).toBeGreaterThan(50);
    expect(times(1)).toBeLessThan(times(3));
    const followed = Array.from({ length: 200 }, (_, i) => steerSwarm(1, i + 4, ended)).find((s) => s.from === 3)!;
    const kept = FEATURES.filter((f) => followed.features[f] === ended[3]!.swarm.features[f]).length;
    expect(kept).toBeGreaterThan(FEATURES.length * 0.7);
    expect(steerSwarm(1, 40, ended)).toEqual(steerSwarm(1, 40, ended));
  });

  it('is drawn anew where nothing gained', () => {
    expect(steerSwarm(1, 7, [parent(0, { signatures: 9 }), parent(1, {})])).toEqual(drawSwarm(1, 7));
  });
});
