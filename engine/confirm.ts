// SPDX-License-Identifier: MIT
/** Blame is not given by the clock: a signature is charged to a case only when that case alone shows it in a fresh instance. */
import type { Confirmation } from '../model/index.ts';
import type { RunOptions, Session, Target } from '../targets/target.ts';
import { execute, type Executed, type Judged } from './execute.ts';

/** A suspicious case and the cases that ran in the same instance before it, oldest first. */
export interface Suspect<C extends Judged = Judged> {
  readonly subject: C;
  /** Made when they are needed: cases are large, and few suspects need their history. */
  readonly before: () => readonly C[];
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

/** Times in a row that a signature must show itself: what races with the clock is not the same in the next run. A hang has waited long enough. */
export const TIMES = 2;

export async function confirm<C extends Judged>(
  target: Target, session: Session, signature: string, suspects: readonly Suspect<C>[], signal: AbortSignal,
): Promise<Confirming<C>> {
  const options: RunOptions = { patience: PATIENCE, signal };
  const others: { suspect: Suspect<C>; shown: Executed }[] = [];
  const repeat = async (cases: readonly C[]): Promise<{ shown: number; tried: number; last: Executed | undefined }> => {
    let last: Executed | undefined;
    for (let tried = 1; ; tried++) {
      last = (await execute(target, session, cases, options))[cases.length - 1];
      if (last?.verdict.signature !== signature) return { shown: tried - 1, tried, last };
      if (tried === TIMES || last.verdict.kind === 'hang') return { shown: tried, tried, last };
    }
  };

  let tried = 0;
  for (const suspect of suspects.slice(0, SUSPECTS_TRIED)) {
    const alone = await repeat([suspect.subject]);
    if (!alone.last) return { result: null, others };
    tried++;
    if (alone.shown === alone.tried) {
      return { others, result: { suspect, shown: alone.last, confirmation: { shown: alone.shown, tried: alone.tried, blame: 'alone' } } };
    }
    if (alone.shown === 0 && alone.last.verdict.signature !== undefined) others.push({ suspect, shown: alone.last });
  }
  const [first] = suspects;
  // A signature whose suspects all show another one alone is that other one, seen through damaged memory.
  if (!first || others.length === tried) return { result: null, others };
  const sequence = await repeat([...first.before(), first.subject]);
  if (!sequence.last) return { result: null, others };
  const blame = sequence.shown === sequence.tried ? 'sequence' : 'unreliable';
  return { others, result: { suspect: first, shown: sequence.last, confirmation: { shown: sequence.shown, tried: sequence.tried, blame } } };
}

/** Positions in a chunk of the cases that ran in the same instance before position `i`, oldest first. */
export function historyOf(ran: readonly Executed[], i: number): number[] {
  const count = ran[i]?.observation?.history ?? 0;
  const positions: number[] = [];
  for (let k = i - 1; k >= 0 && positions.length < count; k--) if (ran[k]!.observation) positions.unshift(k);
  return positions;
}
