// SPDX-License-Identifier: MIT
/** Makes a case smaller while it keeps its signature, within a budget of executions on the real target. */
import type { FindingKind } from '../model/index.ts';
import type { RunOptions, Session, Target } from '../targets/target.ts';
import { imageBytes, isLarger } from './case-size.ts';
import { PATIENCE } from './confirm.ts';
import { execute, type Executed } from './execute.ts';
import { declaredFlags, prepare, storedOrigin, type Prepared } from './prepare.ts';
import { byteEdits } from './smaller-bytes.ts';

export interface Shrunk {
  readonly smallest: Prepared;
  /** The run of the smallest case, alone in a fresh instance. */
  readonly shown: Executed;
  readonly executions: number;
}

/**
 * Executions for one finding, by what one of them costs: a read of wrong bytes
 * costs milliseconds, a crash a new VM, a hang its whole deadline.
 */
export function shrinkBudget(kind: FindingKind, base: number): number {
  if (kind === 'hang') return Math.ceil(base / 12);
  if (kind === 'crash') return Math.ceil(base / 2);
  return base;
}

/** Candidates that share one instance; where the first one dies, the next gets a new one anyway. */
const BATCH = 12;
/** A case of so many bytes more costs as much as one execution more: making and judging it is what takes the time then. */
const BYTES_OF_AN_EXECUTION = 1 << 20;
/** Smaller cases that were taken, kept to fall back to. */
const FALLBACKS = 3;

/** What a stage has come to. */
interface Stage {
  readonly current: Prepared;
  /** Cases that were taken on the way, the last one last. */
  readonly taken: readonly Prepared[];
  readonly executions: number;
}

/** What both stages need. */
interface Search {
  readonly target: Target;
  readonly session: Session;
  readonly start: Prepared;
  readonly kind: FindingKind;
  readonly options: RunOptions;
  readonly signal: AbortSignal;
  readonly declared: ReadonlySet<string>;
  readonly batchSize: number;
  /** Whether a run of a candidate shows the same failure of the same cause, as far as can be told. */
  readonly isHit: (r: Executed, candidate: Prepared, current: Prepared) => boolean;
}

/**
 * Shrinks `start`, whose signature was confirmed by `shown`, in instances of so many processors: first its recipe, then,
 * unless `recipeOnly`, with half of that budget more, its bytes. Never gives a case that does not show it alone, nor one that is larger than
 * `start` (`isLarger`).
 */
export async function shrink(
  target: Target, session: Session, start: Prepared, shown: Executed, budget: number, signal: AbortSignal, processors?: number, recipeOnly = false,
): Promise<Shrunk> {
  const options: RunOptions = { signal, ...(processors === undefined ? {} : { processors }) };
  const signature = shown.verdict.signature!;
  const kind = shown.verdict.kind as FindingKind;
  const search: Search = {
    target, session, start, kind, options, signal, declared: declaredFlags([target]), batchSize: kind === 'hang' ? 1 : BATCH,
    // Signatures of what was refused name what the image leans on, not where the target failed.
    isHit: (r, candidate, current) => r.verdict.signature === signature && (kind !== 'refuses-valid' || smallerFeatures(candidate, current)),
  };
  const structure = await shrinkRecipe(search, budget);
  const bytes = await shrinkBytes(search, structure.current, recipeOnly ? 0 : Math.ceil(budget / 2));
  let executions = structure.executions + bytes.executions;
  const last = ({ taken }: Stage): Prepared[] => taken.filter((one) => !isLarger(one, start)).slice(-FALLBACKS).reverse();
  for (const candidate of [...last(bytes), ...last(structure)]) {
    const [alone] = await execute(target, session, [candidate], { ...options, patience: PATIENCE });
    executions++;
    if (alone?.verdict.signature === signature) return { smallest: candidate, shown: alone, executions };
  }
  return { smallest: start, shown, executions };
}

/** The first stage: simpler recipes, one after the other, until none shows it or the budget is used. */
async function shrinkRecipe({ target, session, start, options, signal, declared, batchSize, isHit }: Search, budget: number): Promise<Stage> {
  const seen = new Set<string>([start.digest]);
  const taken: Prepared[] = [];
  let executions = 0;
  let spent = 0;
  let current = start;
  let candidates = smaller(current, seen, declared);
  while (spent < budget && !signal.aborted) {
    const batch = takeSome(candidates, Math.min(batchSize, budget - spent));
    if (batch.length === 0) break;
    const hits = (r: Executed, i: number): boolean => isHit(r, batch[i]!, current);
    const results = await execute(target, session, batch, options, hits);
    results.forEach((r, i) => {
      if (!r.observation) return;
      executions++;
      spent += costOf(batch[i]!);
    });
    const hit = results.findIndex(hits);
    if (hit < 0) continue;
    current = batch[hit]!;
    taken.push(current);
    candidates = smaller(current, seen, declared);
  }
  return { current, taken, executions };
}

/** The second stage: each edit of the bytes once, in order; what shows the failure is kept, and the next edit is of that. */
async function shrinkBytes({ target, session, start, kind, options, signal, declared, batchSize, isHit }: Search, from: Prepared, budget: number): Promise<Stage> {
  const taken: Prepared[] = [];
  const edits = lazily(byteEdits(from.case));
  let next = 0;
  let executions = 0;
  let spent = 0;
  let looked = 0;
  let current = from;
  while (spent < budget && !signal.aborted) {
    const batch: { readonly candidate: Prepared; readonly edit: number }[] = [];
    for (let cost = 0, edit; cost < Math.min(batchSize, budget - spent) && looked < budget * LOOKS && (edit = edits(next)); next++) {
      const changed = edit.apply(current.case);
      if (changed === null) continue;
      const candidate = prepare(storedOrigin(changed, start.drawn.index), declared);
      looked += costOf(candidate);
      if (!mayShow(candidate, current, kind)) continue;
      batch.push({ candidate, edit: next });
      cost += costOf(candidate);
    }
    if (batch.length === 0) break;
    const hits = (r: Executed, i: number): boolean => isHit(r, batch[i]!.candidate, current);
    const results = await execute(target, session, batch.map((b) => b.candidate), options, hits);
    results.forEach((r, i) => {
      if (!r.observation) return;
      executions++;
      spent += costOf(batch[i]!.candidate);
    });
    const hit = results.findIndex(hits);
    if (hit < 0) continue;
    current = batch[hit]!.candidate;
    taken.push(current);
    next = batch[hit]!.edit + (edits(batch[hit]!.edit)!.again ? 0 : 1);
  }
  return { current, taken, executions };
}

/** The items by their number, made when they are first asked for. */
function lazily<T>(items: Iterator<T>): (i: number) => T | undefined {
  const made: T[] = [];
  return (i) => {
    for (let next; made.length <= i && !(next = items.next()).done;) made.push(next.value);
    return made[i];
  };
}

/** Candidates of the second stage that are made for each execution: those that cannot show the failure cost none. */
const LOOKS = 4;

/** False where what is expected of the candidate leaves no room for a failure of that kind. */
function mayShow(candidate: Prepared, current: Prepared, kind: FindingKind): boolean {
  const of = candidate.expectation.strict;
  const was = current.expectation.strict;
  if (kind === 'corruption' || kind === 'refuses-valid') return of.outcome === was.outcome;
  if (kind !== 'accepts-invalid') return true;
  return of.outcome === was.outcome && (of.outcome !== 'refuse' || was.outcome !== 'refuse' || of.clause === was.clause);
}

/** A smaller case may not lean on anything its parent did not: or one fault would slip into another. */
function smallerFeatures(candidate: Prepared, current: Prepared): boolean {
  return candidate.expectation.notable.every((n) => current.expectation.notable.includes(n));
}

function* smaller(from: Prepared, seen: Set<string>, declared: ReadonlySet<string>): Iterator<Prepared> {
  for (const drawn of from.drawn.shrinks()) {
    const candidate = prepare(drawn, declared);
    if (seen.has(candidate.digest)) continue;
    seen.add(candidate.digest);
    yield candidate;
  }
}

/** The next candidates, of at most that cost; at least one, where there is one. */
function takeSome(candidates: Iterator<Prepared>, most: number): Prepared[] {
  const batch: Prepared[] = [];
  for (let cost = 0; cost < most;) {
    const { value, done } = candidates.next();
    if (done) break;
    batch.push(value);
    cost += costOf(value);
  }
  return batch;
}

/** Executions that a case counts as; of its bytes alone, so that a seed gives the same run on any machine. */
function costOf({ case: c }: Prepared): number {
  return 1 + Math.floor(imageBytes(c) / BYTES_OF_AN_EXECUTION);
}
