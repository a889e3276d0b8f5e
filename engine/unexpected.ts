// SPDX-License-Identifier: MIT
/** Known failures that are none any more. Only stored cases can tell: a drawn one may miss what it was never meant to show. */
import type { Case, UnexpectedPass } from '../model/index.ts';
import type { Target } from '../targets/target.ts';
import type { Executed } from './execute.ts';

/** A stored case, and the signatures that implementations have shown on it. */
export interface RecordedCase {
  readonly case: Case;
  readonly signatures: readonly string[];
}

/**
 * Known failures of the target that no case of the run shows, though the target ran one that has shown that
 * signature before. `results`: of the first so many cases, in order.
 */
export function unexpectedPasses({ identity, stance }: Target, results: readonly Executed[], cases: readonly RecordedCase[]): UnexpectedPass[] {
  const shown = new Set(results.map((r) => r.verdict.signature));
  return stance.knownFailures.filter((k) => !shown.has(k.signature)).flatMap(({ signature, reason }) => {
    const passed = cases.filter((c, i) => c.signatures.includes(signature) && results[i]?.observation !== undefined).map((c) => c.case.id);
    return passed.length === 0 ? [] : [{ target: identity.name, signature, reason, cases: passed }];
  });
}
