// SPDX-License-Identifier: MIT
/** How a run's cases stand to the clauses: how many touch and break each, and on which of them each target was as expected. */
import type { VerdictKind } from './verdict.ts';

/** Cases, and the id of the first of them. */
export type Shown = readonly [cases: number, first: string];

/** Clauses that are absent have no such case. */
export interface ClauseTally {
  /** Cases that lean on the clause without breaking it, and that break it. */
  readonly exercised: Readonly<Record<string, number>>;
  readonly violated: Readonly<Record<string, number>>;
  /** target → clause → those of the cases above that it passed. */
  readonly passedExercising: Readonly<Record<string, Readonly<Record<string, Shown>>>>;
  readonly passedViolating: Readonly<Record<string, Readonly<Record<string, Shown>>>>;
}

/** As `Case` has them. */
export interface CaseClauses {
  readonly exercises: readonly string[];
  readonly violates: readonly string[];
}

type Passed = Map<string, Map<string, [number, string]>>;

/** Counts cases as they come. */
export class ClauseCounter {
  readonly #exercised = new Map<string, number>();
  readonly #violated = new Map<string, number>();
  readonly #passedExercising: Passed = new Map();
  readonly #passedViolating: Passed = new Map();

  /** One case of the run, once. A clause that it breaks it does not exercise. */
  case({ exercises, violates }: CaseClauses): void {
    for (const id of new Set(violates)) this.#violated.set(id, (this.#violated.get(id) ?? 0) + 1);
    for (const id of new Set(exercises)) if (!violates.includes(id)) this.#exercised.set(id, (this.#exercised.get(id) ?? 0) + 1);
  }

  /** What one target made of a case. */
  result(target: string, id: string, { exercises, violates }: CaseClauses, kind: VerdictKind): void {
    if (kind !== 'pass') return;
    add(this.#passedViolating, target, violates, id);
    add(this.#passedExercising, target, exercises.filter((c) => !violates.includes(c)), id);
  }

  tally(): ClauseTally {
    return {
      exercised: Object.fromEntries(this.#exercised), violated: Object.fromEntries(this.#violated),
      passedExercising: plain(this.#passedExercising), passedViolating: plain(this.#passedViolating),
    };
  }
}

function add(to: Passed, target: string, clauses: readonly string[], id: string): void {
  const row = to.get(target) ?? to.set(target, new Map()).get(target)!;
  for (const clause of new Set(clauses)) {
    const cell = row.get(clause);
    if (cell === undefined) row.set(clause, [1, id]);
    else cell[0]++;
  }
}

function plain(passed: Passed): ClauseTally['passedViolating'] {
  return Object.fromEntries([...passed].map(([target, row]) => [target, Object.fromEntries(row)]));
}
