// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { build, drawCase } from '../generators/draw.ts';
import type { Case, Observation } from '../model/index.ts';
import { oracleTarget } from './builtin-targets.ts';
import type { Target } from '../targets/target.ts';
import { imageBytes, isLarger } from './case-size.ts';
import { execute } from './execute.ts';
import { prepare } from './prepare.ts';
import { shrink } from './shrink.ts';
import { byteEdits } from './smaller-bytes.ts';

/** A reader that dies of what `fatal` says of a case, and counts what it is given. */
function dying(fatal: (c: Case) => boolean): Target & { runs: number } {
  const honest = oracleTarget();
  const target = {
    ...honest, runs: 0,
    async open() {
      const session = await honest.open();
      return {
        ...session,
        run: (jobs: Parameters<typeof session.run>[0], done: Parameters<typeof session.run>[1], options: Parameters<typeof session.run>[2]) => session.run(jobs, (i, seen) => {
          target.runs++;
          const death: Partial<Observation> = fatal(jobs[i]!.case) ? { reads: [], death: { kind: 'crash', title: 'oops in fake_open', phase: 'open' } } : {};
          done(i, { ...seen, ...death });
        }, options),
      };
    },
  };
  return target;
}

const first = (c: Case): Uint8Array => c.layers[0]!.bytes;

test('edits make files shorter or emptier, and never anything else', () => {
  const small = Array.from({ length: 20 }, (_, i) => build(drawCase(1, i)).case).filter((c) => imageBytes(c) < 40_000);
  expect(small.length).toBeGreaterThan(3);
  for (const c of small) {
    let n = 0;
    for (const { apply } of byteEdits(c)) {
      if (++n > 60) break;
      const changed = apply(c);
      if (changed === null) continue;
      const [before, after] = [Buffer.concat(c.layers.map((l) => l.bytes)), Buffer.concat(changed.layers.map((l) => l.bytes))];
      expect(imageBytes(changed)).toBeLessThanOrEqual(imageBytes(c));
      if (imageBytes(changed) === imageBytes(c) && before.length === after.length) {
        expect(after.findIndex((byte, k) => byte !== before[k] && byte !== 0)).toBe(-1);
      }
      expect({ ...changed, layers: [] }).toEqual({ ...c, layers: [] });
    }
  }
});

test('what no recipe could make smaller, its bytes can: a crash that needs but the first bytes', async () => {
  const start = prepare(drawCase(1, 3));
  const target = dying((c) => first(c).length >= 700 && first(c)[0] !== 0);
  const session = await target.open();
  const [shown] = await execute(target, session, [start]);
  target.runs = 0;
  const budget = 60;
  const recipe = await shrink(target, session, start, shown!, budget, new AbortController().signal, undefined, true);
  const spent = target.runs;
  const both = await shrink(target, session, start, shown!, budget, new AbortController().signal);
  expect(imageBytes(both.smallest.case)).toBeLessThan(imageBytes(recipe.smallest.case));
  expect(imageBytes(both.smallest.case)).toBeLessThan(2048);
  expect(first(both.smallest.case).length).toBeGreaterThanOrEqual(700);
  expect(both.shown.verdict.signature).toBe(shown!.verdict.signature);
  // Half as many more, and at most three tries of what came out of each stage.
  expect(both.executions).toBeLessThanOrEqual(budget * 1.5 + 6);
  expect(target.runs - spent).toBe(both.executions);
  // The same again: everything follows from the case.
  const again = await shrink(target, session, start, shown!, budget, new AbortController().signal);
  expect(again.smallest.digest).toBe(both.smallest.digest);
});

test('what cannot be made smaller is given back as it was', async () => {
  const start = prepare(drawCase(1, 3));
  const whole = Buffer.concat(start.case.layers.map((l) => l.bytes));
  const target = dying((c) => Buffer.compare(Buffer.concat(c.layers.map((l) => l.bytes)), whole) === 0 && JSON.stringify(c.access) === JSON.stringify(start.case.access));
  const session = await target.open();
  const [shown] = await execute(target, session, [start]);
  const { smallest } = await shrink(target, session, start, shown!, 24, new AbortController().signal);
  expect(smallest.digest).toBe(start.digest);
});

test('nothing is larger than itself, and what is in fewer layers is smaller', () => {
  const cases = Array.from({ length: 12 }, (_, i) => prepare(drawCase(1, i)));
  for (const c of cases) expect(isLarger(c, c)).toBe(false);
  const [few, many] = [cases.find((c) => c.case.layers.length === 1)!, cases.find((c) => c.case.layers.length > 2)!];
  expect([isLarger(few, many), isLarger(many, few)]).toEqual([false, true]);
});
