// SPDX-License-Identifier: MIT
/** Cases through a session and the judge: the one place where a verdict is made. */
import { judge } from '../judge/judge.ts';
import type { Case, Expectation, Observation, Verdict } from '../model/index.ts';
import type { Job, RunOptions, Session, Target } from '../targets/target.ts';
import { jobOrWhy } from './prepare.ts';

/** A case with what is expected of it. */
export interface Judged {
  readonly case: Case;
  readonly expectation: Expectation;
  /** Set where our own two opinions differ; then the case judges nobody. */
  readonly disagreement?: string;
}

export interface Executed {
  readonly verdict: Verdict;
  /** Absent where the case was not run at all. */
  readonly observation?: Observation;
}

/**
 * Runs the cases in order in one fresh instance; gives one result for each.
 * Where the signal aborts, or after the case for which `enough` says so, the
 * cases that did not run are missing from the end.
 */
export async function execute(
  target: Target, session: Session, cases: readonly Judged[], options: RunOptions = {}, enough?: (result: Executed, index: number) => boolean,
): Promise<Executed[]> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const results = new Array<Executed | undefined>(cases.length);
  const jobs: Job[] = [];
  const positions: number[] = [];
  cases.forEach((c, i) => {
    if (c.disagreement !== undefined) {
      results[i] = { verdict: { kind: 'engine-error', why: c.disagreement } };
      return;
    }
    const job = jobOrWhy(c, target);
    if (typeof job === 'string') {
      results[i] = { verdict: { kind: 'unsupported', why: job } };
    } else {
      jobs.push(job);
      positions.push(i);
    }
  });
  await session.run(jobs, (k, observation) => {
    const i = positions[k]!;
    const { case: c, expectation } = cases[i]!;
    const result = { verdict: judge(c, expectation, observation, target.stance, target), observation };
    results[i] = result;
    if (enough?.(result, i)) stop.abort();
  }, { ...options, signal });
  const missing = results.findIndex((r) => r === undefined);
  return (missing < 0 ? results : results.slice(0, missing)) as Executed[];
}
