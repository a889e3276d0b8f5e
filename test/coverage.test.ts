// SPDX-License-Identifier: MIT
/** Every clause of the specification has its cases: counted by running the generators. */
import { beforeAll, describe, expect, it } from 'vitest';
import { clauseCoverage, gapOf, isCovered, type Coverage } from '../engine/coverage.ts';
import { CLAUSES } from '../spec/index.ts';

const SEED = 1;
/** Cases drawn at the least, for the meaning of damage, and at the most, for the rarest clause. */
const LEAST = 1500;
const MOST = 6000;

describe('clause coverage', () => {
  let coverage: Coverage;
  beforeAll(async () => {
    coverage = await clauseCoverage(SEED, MOST, { enough: (c) => c.cases >= LEAST && isCovered(c) });
    const rows = CLAUSES.map((c) => {
      const { exercised, violated } = coverage.clauses.get(c.id)!;
      return `${c.id.padEnd(11)} ${c.level.padEnd(6)} ${c.binds.padEnd(6)} exercised ${String(exercised).padStart(5)}, violated ${String(violated).padStart(4)}`;
    });
    console.log(`${coverage.cases} cases of seed ${SEED}:\n${rows.join('\n')}`);
  }, 600_000);

  it.each(CLAUSES.map((c) => c.id))('%s is exercised and violated', (id) => {
    expect(gapOf(CLAUSES.find((c) => c.id === id)!, coverage)).toBeNull();
  });

  it('damage that is meant to break a clause breaks it, by the oracle’s word', () => {
    expect(coverage.surprises).toEqual([]);
  });
});
