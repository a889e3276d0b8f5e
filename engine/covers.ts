// SPDX-License-Identifier: MIT
/** Which clauses a case exercises and which it violates, once the oracle has looked at it. */
import type { Case, Expectation, Outcome } from '../model/index.ts';
import { CLAUSES } from '../spec/index.ts';

/** The clause about what must be refused: it is such cases that touch it, not sound ones. */
const REFUSAL = 'DM-TBL-03';

/** What the generator says that a case touches counts where the oracle opens it and reads all of it. */
export function coversOf({ case: c, expectation }: { readonly case: Case; readonly expectation: Expectation }): Case['clauses'] {
  const touched = new Set(isSound(expectation.strict) ? c.clauses.exercises : []);
  if (expectation.strict.outcome === 'refuse') touched.add(REFUSAL);
  const broken = brokenClauses(expectation);
  const inOrder = (ids: ReadonlySet<string>): string[] => CLAUSES.filter(({ id }) => ids.has(id)).map(({ id }) => id);
  return { exercises: inOrder(touched), violates: inOrder(broken) };
}

/** Whether all of it must succeed. */
export function isSound(outcome: Outcome): boolean {
  return outcome.outcome === 'open' && outcome.reads.every((r) => r.outcome === 'bytes');
}

/** The clause at which a strict reader stops first, at open or at a read; null where it does not. */
export function firstBroken({ strict }: Expectation): string | null {
  if (strict.outcome === 'refuse') return strict.clause;
  return strict.reads.find((r) => r.outcome === 'error')?.clause ?? null;
}

/** Clauses that the strict reading or any other allowed one stops at. */
function brokenClauses({ strict, alternatives }: Expectation): Set<string> {
  const outcomes = [strict, ...alternatives.map((a) => a.outcome)];
  return new Set(outcomes.flatMap((o) => (o.outcome === 'refuse' ? [o.clause] : o.reads.flatMap((r) => (r.outcome === 'error' ? [r.clause] : [])))));
}
