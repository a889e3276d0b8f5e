// SPDX-License-Identifier: MIT
/** Makes a case smaller while it keeps its signature, within a budget of executions on the real target. */
import type { FindingKind } from '../model/index.ts';
import type { RunOptions, Session, Target } from '../targets/target.ts';
import { PATIENCE } from './confirm.ts';
import { execute, type Executed } from './execute.ts';
import { declaredFlags, prepare, type Prepared } from './prepare.ts';

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

/** Shrinks `start`, whose signature was confirmed by `shown`, in instances of so many processors. Never gives a case that does not show it alone. */
export async function shrink(
  target: Target, session: Session, start: Prepared, shown: Executed, budget: number, signal: AbortSignal, processors?: number,
): Promise<Shrunk> {
  const options: RunOptions = { signal, ...(processors === undefined ? {} : { processors }) };
  const signature = shown.verdict.signature!;
  // Their signatures name what the image leans on, not where the target failed.
  const namedByFeatures = shown.verdict.kind === 'refuses-valid';
  const batchSize = shown.verdict.kind === 'hang' ? 1 : BATCH;
  const declared = declaredFlags([target]);
  const seen = new Set<string>([start.digest]);
  const taken: Prepared[] = [];
  let executions = 0;
  let spent = 0;
  let current = start;

  let candidates = smaller(current, seen, declared);
  while (spent < budget && !signal.aborted) {
    const batch = takeSome(candidates, Math.min(batchSize, budget - spent));
    if (batch.length === 0) break;
    const isHit = (r: Executed, i: number): boolean =>
      r.verdict.signature === signature && (!namedByFeatures || smallerFeatures(batch[i]!, current));
    const results = await execute(target, session, batch, options, isHit);
    results.forEach((r, i) => {
      if (!r.observation) return;
      executions++;
      spent += costOf(batch[i]!);
    });
    const hit = results.findIndex(isHit);
    if (hit < 0) continue;
    current = batch[hit]!;
    taken.push(current);
    candidates = smaller(current, seen, declared);
  }

  for (const candidate of taken.reverse().slice(0, FALLBACKS)) {
    const [alone] = await execute(target, session, [candidate], { ...options, patience: PATIENCE });
    executions++;
    if (alone?.verdict.signature === signature) return { smallest: candidate, shown: alone, executions };
  }
  return { smallest: start, shown, executions };
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
  const bytes = c.layers.reduce((sum, l) => sum + l.bytes.length + (l.index?.length ?? 0) + (l.remote?.length ?? 0), 0);
  return 1 + Math.floor(bytes / BYTES_OF_AN_EXECUTION);
}
