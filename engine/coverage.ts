// SPDX-License-Identifier: MIT
/**
 * Clause coverage, counted by running the generators: which clauses sound
 * cases exercise, and which the damaged ones violate by the oracle's own word.
 */
import { drawCase } from '../generators/draw.ts';
import type { Expectation, Outcome } from '../model/index.ts';
import { CLAUSES } from '../spec/index.ts';
import { prepare, type Prepared } from './prepare.ts';

export interface ClauseCases {
  /** Sound cases that touch the clause. */
  readonly exercised: number;
  /** Id of the first of them. */
  readonly exercisedBy?: string;
  /** Cases of which the oracle says, under some side of the contested points, that they break it. */
  readonly violated: number;
  readonly violatedBy?: string;
}

export interface Coverage {
  readonly cases: number;
  /** Every clause of the specification, in its order. */
  readonly clauses: ReadonlyMap<string, ClauseCases>;
  /** Cases whose first violation is not the one that the generator meant, and no alternative's either. */
  readonly surprises: readonly string[];
}

/**
 * Draws cases of one seed and counts. Ends after `cases`, or as soon as `enough`
 * says so. `progress` is called with the number of cases done.
 */
export function clauseCoverage(
  seed: number, cases: number, options: { enough?: (c: Coverage) => boolean; progress?: (done: number) => void } = {},
): Coverage {
  const counts = new Map<string, { -readonly [K in keyof ClauseCases]: ClauseCases[K] }>(CLAUSES.map((c) => [c.id, { exercised: 0, violated: 0 }]));
  const surprises: string[] = [];
  const coverage = { cases: 0, clauses: counts, surprises };
  for (let i = 0; i < cases; i++) {
    const prepared = prepare(drawCase(seed, i));
    count(prepared, counts, surprises);
    coverage.cases++;
    options.progress?.(coverage.cases);
    if (i % 64 === 63 && options.enough?.(coverage)) break;
  }
  return coverage;
}

/** Whether every clause has all the cases that it can have from images and tables. */
export function isCovered({ clauses }: Coverage): boolean {
  return CLAUSES.every((c) => clauses.get(c.id)!.exercised > 0 && (c.binds === 'reader' || clauses.get(c.id)!.violated > 0));
}

function count(
  { case: c, expectation, disagreement }: Prepared, counts: Map<string, { -readonly [K in keyof ClauseCases]: ClauseCases[K] }>, surprises: string[],
): void {
  if (disagreement !== undefined) throw new Error(`${c.id}: ${disagreement}`);
  const broken = brokenClauses(expectation);
  if (isSound(expectation.strict)) {
    for (const id of c.clauses.exercises) {
      const entry = counts.get(id)!;
      entry.exercised++;
      entry.exercisedBy ??= c.id;
    }
  }
  for (const id of broken) {
    const entry = counts.get(id)!;
    entry.violated++;
    entry.violatedBy ??= c.id;
  }
  const [meant] = c.clauses.violates;
  if (meant !== undefined && !broken.has(meant)) surprises.push(`${c.id}: meant ${meant}, broken ${[...broken].join(', ') || 'none'}`);
}

function isSound(outcome: Outcome): boolean {
  return outcome.outcome === 'open' && outcome.reads.every((r) => r.outcome === 'bytes');
}

/** Clauses that the strict reading or any other allowed one stops at. */
function brokenClauses({ strict, alternatives }: Expectation): Set<string> {
  const outcomes = [strict, ...alternatives.map((a) => a.outcome)];
  return new Set(outcomes.flatMap((o) => (o.outcome === 'refuse' ? [o.clause] : o.reads.flatMap((r) => (r.outcome === 'error' ? [r.clause] : [])))));
}
