// SPDX-License-Identifier: MIT
/** Cases that come a second time without memory. */
import { describe, expect, it } from 'vitest';
import { drawCase } from '../generators/draw.ts';
import { execute } from './execute.ts';
import { oracleTarget } from './builtin-targets.ts';
import { allocationOf, withAllocations } from './allocations.ts';
import { jobOrWhy, prepare } from './prepare.ts';

const SEED = 7;

describe('a case without memory', () => {
  it('follows the drawn one and differs from it in nothing else', () => {
    for (let i = 0; i < 12; i += 2) {
      const [with_, without] = [prepare(withAllocations(SEED, 3, i)), prepare(withAllocations(SEED, 3, i + 1))];
      expect(with_.digest).toBe(prepare(drawCase(SEED, 3 + i / 2)).digest);
      const { failsAfter, ...access } = without.case.access;
      expect(failsAfter).toBe(allocationOf(SEED, 3 + i / 2));
      expect({ ...without.case, access, id: with_.case.id }).toEqual(with_.case);
      expect(without.case.id).toBe(`${with_.case.id}-a${failsAfter}`);
      expect([with_.drawn.index, without.drawn.index]).toEqual([i, i + 1]);
    }
  });

  it('fails early and late', () => {
    const all = new Set(Array.from({ length: 400 }, (_, i) => allocationOf(SEED, i)));
    for (let n = 0; n < 8; n++) expect(all).toContain(n);
    expect([...all].some((n) => n > 40)).toBe(true);
    expect(Math.max(...all)).toBeLessThan(128);
  });

  it('shrinks to the case with memory first, and then to fewer allocations', () => {
    const late = Array.from({ length: 100 }, (_, i) => 2 * i + 1).find((i) => allocationOf(SEED, i >> 1) > 4)!;
    const origin = withAllocations(SEED, 0, late);
    const told: (number | undefined)[] = [];
    for (const one of origin.shrinks()) {
      told.push(prepare(one).case.access.failsAfter);
      if (told.length === 5) break;
    }
    const n = allocationOf(SEED, late >> 1);
    expect(told).toEqual([undefined, 0, n >> 1, n - 1, n]);
  });

  it('is for no target whose allocations cannot be made to fail, and may be refused by one whose can', async () => {
    const sound = Array.from({ length: 60 }, (_, i) => prepare(withAllocations(SEED, 0, 2 * i + 1))).find((p) => p.expectation.class === 'valid' && !p.case.access.fault && p.case.access.reads.length > 0)!;
    const oracle = oracleTarget();
    expect(jobOrWhy(sound, oracle)).toBe('its allocations cannot be made to fail');
    const { supports } = oracle.stance;
    const refusing = {
      ...oracle, stance: { ...oracle.stance, supports: { ...supports, allocations: true as const } },
      open: () => Promise.resolve({
        run: (jobs: readonly unknown[], done: (i: number, o: never) => void) => {
          jobs.forEach((_, i) => done(i, { open: 'refused', refusal: 'ENOMEM', reads: [], complaints: [], log: '', history: 0 } as never));
          return Promise.resolve();
        },
        close: () => Promise.resolve(),
      }),
    };
    const plain = prepare(withAllocations(SEED, 0, sound.drawn.index - 1));
    const verdicts = (await execute(refusing, await refusing.open(), [plain, sound])).map((e) => e.verdict.kind);
    expect(verdicts).toEqual(['refuses-valid', 'pass']);
  });
});
