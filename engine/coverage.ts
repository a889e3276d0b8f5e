// SPDX-License-Identifier: MIT
/**
 * Clause coverage, counted by running the generators: which clauses sound
 * cases exercise, and which the damaged ones violate by the oracle's own word.
 */
import { setImmediate } from 'node:timers/promises';
import { drawCase } from '../generators/draw.ts';
import { CLAUSES, type Clause } from '../spec/index.ts';
import { DEFECTS } from '../targets/fakes/reader/defects.ts';
import { coversOf } from './covers.ts';
import { prepare, type Prepared } from './prepare.ts';

export interface ClauseCases {
  /** Sound cases that touch the clause. */
  readonly exercised: number;
  /** Ids of the first of them. */
  readonly exercisedBy: readonly string[];
  /** Cases of which the oracle says, under some side of the contested points, that they break it. */
  readonly violated: number;
  readonly violatedBy: readonly string[];
}

/** Cases that are named of each kind. */
const NAMED = 3;

interface Entry {
  exercised: number;
  readonly exercisedBy: string[];
  violated: number;
  readonly violatedBy: string[];
}

export interface Coverage {
  readonly cases: number;
  /** Every clause of the specification, in its order. */
  readonly clauses: ReadonlyMap<string, ClauseCases>;
  /** Cases whose first violation is not the one that the generator meant, and no alternative's either; and sound cases that the oracle does not read so. */
  readonly surprises: readonly string[];
}

export interface CoverageOptions {
  /** Ends the count; asked now and then. */
  readonly enough?: (c: Coverage) => boolean;
  /** Called with the number of cases done, now and then. */
  readonly progress?: (done: number) => void;
  readonly signal?: AbortSignal;
}

/** Cases between two questions whether it is enough. */
const STRIDE = 64;

/** Draws cases of one seed and counts; at most `cases`. Throws the signal's reason where it aborts. */
export async function clauseCoverage(seed: number, cases: number, options: CoverageOptions = {}): Promise<Coverage> {
  const counts = new Map<string, Entry>(CLAUSES.map((c) => [c.id, { exercised: 0, exercisedBy: [], violated: 0, violatedBy: [] }]));
  const surprises: string[] = [];
  const coverage = { cases: 0, clauses: counts, surprises };
  for (let i = 0; i < cases; i++) {
    const prepared = prepare(drawCase(seed, i));
    count(prepared, counts, surprises);
    coverage.cases++;
    if (i % STRIDE !== STRIDE - 1) continue;
    options.progress?.(coverage.cases);
    if (options.enough?.(coverage)) break;
    await setImmediate();
    options.signal?.throwIfAborted();
  }
  return coverage;
}

/**
 * Clauses that no drawn case can violate, and what does instead. A pair of more
 * than 128,000,000 entries has 2 GB: its bytes are worked out as they are read.
 */
export const VIOLATED_ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['LS-RW-05', 'an index file whose bytes are worked out as they are read (oracles/hostile.test.ts)'],
]);

/**
 * What breaks the clause: for one that only a reader can break, the defects of
 * the fake reader that do; else the first cases.
 */
export function violators(c: Clause, { clauses }: Coverage): readonly string[] {
  const elsewhere = VIOLATED_ELSEWHERE.get(c.id);
  const defects = DEFECTS.filter((d) => d.clause === c.id).map((d) => `defect ${d.name}`);
  return [...clauses.get(c.id)!.violatedBy, ...(elsewhere === undefined ? [] : [elsewhere]), ...defects];
}

/**
 * Whether every clause whose id starts with `prefix` has a sound case that
 * touches it, and is broken: by a case, or by a defect where only a reader can.
 */
export function isCovered(coverage: Coverage, prefix = ''): boolean {
  return CLAUSES.filter((c) => c.id.startsWith(prefix)).every((c) => gapOf(c, coverage) === null);
}

/** What a clause lacks; null where it lacks nothing. */
export function gapOf(c: Clause, coverage: Coverage): string | null {
  const { exercised, violated } = coverage.clauses.get(c.id)!;
  if (exercised === 0) return 'no sound case touches it';
  if (c.binds === 'reader') return violators(c, coverage).length > 0 ? null : 'no defect of a reader breaks it';
  return violated > 0 || VIOLATED_ELSEWHERE.has(c.id) ? null : 'no case breaks it';
}

function count(
  prepared: Prepared, counts: Map<string, Entry>, surprises: string[],
): void {
  const { case: c, disagreement } = prepared;
  if (disagreement !== undefined) surprises.push(`${c.id}: ${disagreement}`);
  const { exercises, violates } = coversOf(prepared);
  for (const id of exercises) exercise(counts.get(id)!, c.id);
  for (const id of violates) {
    const entry = counts.get(id)!;
    entry.violated++;
    if (entry.violatedBy.length < NAMED) entry.violatedBy.push(c.id);
  }
  const [meant] = c.clauses.violates;
  if (meant !== undefined && !violates.includes(meant)) surprises.push(`${c.id}: meant ${meant}, broken ${violates.join(', ') || 'none'}`);
}

function exercise(entry: Entry, id: string): void {
  entry.exercised++;
  if (entry.exercisedBy.length < NAMED) entry.exercisedBy.push(id);
}
