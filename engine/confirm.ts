// SPDX-License-Identifier: MIT
/** Blame is not given by the clock: a signature is charged to a case only when that case alone shows it in a fresh instance. */
import type { Confirmation } from '../model/index.ts';
import type { RunOptions, Session, Target } from '../targets/target.ts';
import { execute, type Executed, type Judged } from './execute.ts';

/** A suspicious case and the cases that ran in the same instance before it, oldest first. */
export interface Suspect<C extends Judged = Judged> {
  readonly subject: C;
  readonly before: readonly C[];
}

export interface Confirmed<C extends Judged = Judged> {
  readonly suspect: Suspect<C>;
  readonly confirmation: Confirmation;
  /** The run that showed it, or, where none did, the last one. */
  readonly shown: Executed;
}

export interface Confirming<C extends Judged = Judged> {
  /** Null where every suspect showed another signature alone, or the signal aborted. */
  readonly result: Confirmed<C> | null;
  /** Other signatures that suspects of this one showed alone. */
  readonly others: readonly { readonly suspect: Suspect<C>; readonly shown: Executed }[];
}

/** A confirming run waits longer, so that a busy host does not make a hang. */
export const PATIENCE = 3;

/** Suspects of one signature that are tried, in order. */
export const SUSPECTS_TRIED = 3;

export async function confirm<C extends Judged>(
  target: Target, session: Session, signature: string, suspects: readonly Suspect<C>[], signal: AbortSignal,
): Promise<Confirming<C>> {
  const options: RunOptions = { patience: PATIENCE, signal };
  const others: { suspect: Suspect<C>; shown: Executed }[] = [];
  let tried = 0;
  for (const suspect of suspects.slice(0, SUSPECTS_TRIED)) {
    const [alone] = await execute(target, session, [suspect.subject], options);
    if (!alone) return { result: null, others };
    tried++;
    if (alone.verdict.signature === signature) {
      return { others, result: { suspect, shown: alone, confirmation: { shown: 1, tried, blame: 'alone' } } };
    }
    if (alone.verdict.signature !== undefined) others.push({ suspect, shown: alone });
  }
  const [first] = suspects;
  // A signature whose suspects all show another one alone is that other one, seen through damaged memory.
  if (!first || others.length === tried) return { result: null, others };
  const sequence = await execute(target, session, [...first.before, first.subject], options);
  const last = sequence[first.before.length];
  if (!last) return { result: null, others };
  const again = last.verdict.signature === signature;
  return {
    others,
    result: {
      suspect: first, shown: last,
      confirmation: { shown: again ? 1 : 0, tried: tried + 1, blame: again ? 'sequence' : 'unreliable' },
    },
  };
}

/** Positions in a chunk of the cases that ran in the same instance before position `i`, oldest first. */
export function historyOf(ran: readonly Executed[], i: number): number[] {
  const count = ran[i]?.observation?.history ?? 0;
  const positions: number[] = [];
  for (let k = i - 1; k >= 0 && positions.length < count; k--) if (ran[k]!.observation) positions.unshift(k);
  return positions;
}
