// SPDX-License-Identifier: MIT
/** Blame is not given by the clock: a signature is charged to a case only when that case alone shows it in a fresh instance. */
import { EngineError, type Confirmation } from '../model/index.ts';
import type { RunOptions, Session, Target } from '../targets/target.ts';
import { execute, type Executed, type Judged } from './execute.ts';
import { shortest } from './sequence.ts';

/** A suspicious case and the cases that ran in the same instance before it, oldest first. */
export interface Suspect<C extends Judged = Judged> {
  readonly subject: C;
  /** Made when they are needed: cases are large, and few suspects need their history. */
  readonly before: () => readonly C[];
}

export interface Confirmed<C extends Judged = Judged> {
  readonly suspect: Suspect<C>;
  /** The cases that must run before it, oldest first: empty where it shows alone, the shortest sequence found where that shows. */
  readonly before: readonly C[];
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

/** Times that a case is tried, each in a fresh instance: what races with the clock is not the same in the next run. A hang that shows has waited long enough. */
export const TRIES = 3;

/** Times that a case is tried in instances of each other number of processors, before it is called unreliable: what shows one time in three is seen then. */
export const RACE_TRIES = 6;

/** Executions in search of a shorter sequence; each is a batch of cases. */
const SEQUENCE_EXECUTIONS = 40;

/** How often a signature showed. */
interface Tally {
  readonly shown: number;
  readonly tried: number;
  /** The last run that showed it, else the last one. */
  readonly run: Executed;
}

export async function confirm<C extends Judged>(
  target: Target, session: Session, signature: string, suspects: readonly Suspect<C>[], signal: AbortSignal,
): Promise<Confirming<C>> {
  const shows = (run: Executed | undefined): boolean => run?.verdict.signature === signature;
  const once = async (cases: readonly C[], more: RunOptions = {}): Promise<Executed | undefined> =>
    (await execute(target, session, cases, { patience: PATIENCE, signal, ...more }))[cases.length - 1];
  const repeat = async (cases: readonly C[], tries: number, more: RunOptions = {}): Promise<Tally | undefined> => {
    let tally: Tally | undefined;
    for (let tried = 1; tried <= tries; tried++) {
      const run = await once(cases, more);
      if (!run) return undefined;
      tally = { shown: (tally?.shown ?? 0) + (shows(run) ? 1 : 0), tried, run: shows(run) || !tally?.shown ? run : tally.run };
      if (shows(run) && run.verdict.kind === 'hang') break;
    }
    return tally;
  };
  const result = (suspect: Suspect<C>, blame: Confirmation['blame'], { shown, tried, run }: Tally, more: { before?: readonly C[]; processors?: number } = {}): Confirmed<C> => ({
    suspect, before: more.before ?? [], shown: run,
    confirmation: { shown, tried, blame, ...(more.processors === undefined ? {} : { processors: more.processors }) },
  });

  const others: { suspect: Suspect<C>; shown: Executed }[] = [];
  let best: { suspect: Suspect<C>; tally: Tally } | undefined;
  let tried = 0;
  for (const suspect of suspects.slice(0, SUSPECTS_TRIED)) {
    const alone = await repeat([suspect.subject], TRIES);
    if (!alone) return { result: null, others };
    tried++;
    if (alone.shown > (best?.tally.shown ?? 0)) best = { suspect, tally: alone };
    if (alone.shown === alone.tried) break;
    if (alone.shown === 0 && alone.run.verdict.signature !== undefined) others.push({ suspect, shown: alone.run });
  }
  // Once is enough to say that it takes nothing else; how often is told.
  if (best) return { others, result: result(best.suspect, 'alone', best.tally) };
  const [first] = suspects;
  // A signature whose suspects all show another one alone is that other one, seen through damaged memory.
  if (!first || others.length === tried) return { result: null, others };

  let before = first.before();
  const sequence = await repeat([...before, first.subject], TRIES);
  if (!sequence) return { result: null, others };
  if (sequence.shown > 0) {
    // Of one that shows rarely, a run without it says nothing.
    if (sequence.shown === sequence.tried) {
      before = await shortest(before, async (part) => shows(await once([...part, first.subject])), sequence.run.verdict.kind === 'hang' ? SEQUENCE_EXECUTIONS / 4 : SEQUENCE_EXECUTIONS);
    }
    const again = await repeat([...before, first.subject], TRIES);
    if (!again) return { result: null, others };
    return { others, result: again.shown > 0 ? result(first, 'sequence', again, { before }) : result(first, 'sequence', sequence, { before: first.before() }) };
  }
  const unreliable = result(first, 'unreliable', sequence, { before });
  const races = racersOf(suspects, others.map(({ suspect }) => suspect)).map((suspect) => ({ suspect, before: [] as readonly C[], tries: RACE_TRIES, blame: 'alone' as const }));
  const inOrder = before.length > 0 ? [{ suspect: first, before, tries: TRIES, blame: 'sequence' as const }] : [];
  for (const processors of target.processors ?? []) {
    for (const { suspect, before, tries, blame } of [...races, ...inOrder]) {
      const race = await repeat([...before, suspect.subject], tries, { processors }).catch((error: unknown) => {
        if (error instanceof EngineError) return null;
        throw error;
      });
      // A lab that cannot start such an instance has said all it can without it.
      if (race === null) return { others, result: unreliable };
      if (!race) return { result: null, others };
      if (race.shown > 0) return { others, result: result(suspect, blame, race, { before, processors }) };
    }
  }
  return { others, result: unreliable };
}

/** Suspects that may race, those first in which many read at the same time; not those that showed something else alone. */
function racersOf<C extends Judged>(suspects: readonly Suspect<C>[], others: readonly Suspect<C>[]): Suspect<C>[] {
  const alone = ({ subject }: Suspect<C>): number => (subject.case.access.crowd === undefined ? 1 : 0);
  return suspects.slice(0, SUSPECTS_TRIED).filter((suspect) => !others.includes(suspect)).sort((a, b) => alone(a) - alone(b));
}

/** Positions in a chunk of the cases that ran in the same instance before position `i`, oldest first. */
export function historyOf(ran: readonly Executed[], i: number): number[] {
  const count = ran[i]?.observation?.history ?? 0;
  const positions: number[] = [];
  for (let k = i - 1; k >= 0 && positions.length < count; k--) if (ran[k]!.observation) positions.unshift(k);
  return positions;
}
