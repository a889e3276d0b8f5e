// SPDX-License-Identifier: MIT
/** Runs a stored case again, from its bytes. */
import type { Case, Confirmation, Explanation, Observation, Verdict } from '../model/index.ts';
import { examine } from '../oracles/examine.ts';
import type { Target } from '../targets/target.ts';
import { declaredFlags } from './prepare.ts';
import { PATIENCE } from './confirm.ts';
import { execute, type Judged } from './execute.ts';

/** What a stored finding must hold for a replay. */
export interface Replayable {
  readonly signature: string;
  readonly smallest: Case;
  /** Cases that run in the same instance before it. */
  readonly before: readonly Case[];
  /** Tells how many processors it takes. */
  readonly confirmation?: Pick<Confirmation, 'processors'>;
}

export interface Replayed {
  /** Times the signature was seen again, of `tried`. */
  readonly shown: number;
  readonly tried: number;
  /** Of the last run. */
  readonly verdict: Verdict;
  readonly observation: Observation | null;
}

/** Replays the case (after those before it) in a fresh instance, up to `times` times or until it shows. */
export async function replayFinding(finding: Replayable, target: Target, options: { times?: number; signal: AbortSignal }): Promise<Replayed> {
  const cases: Judged[] = [...finding.before, finding.smallest].map((c) => examine(c, declaredFlags([target])));
  const processors = finding.confirmation?.processors;
  const session = await target.open();
  try {
    let last: Replayed = { shown: 0, tried: 0, verdict: { kind: 'engine-error', why: 'not run' }, observation: null };
    for (let tried = 1; tried <= (options.times ?? 1) && !options.signal.aborted; tried++) {
      const results = await execute(target, session, cases, { patience: PATIENCE, signal: options.signal, ...(processors === undefined ? {} : { processors }) });
      const result = results[cases.length - 1];
      if (!result) break;
      const shown = result.verdict.signature === finding.signature ? 1 : 0;
      last = { shown, tried, verdict: result.verdict, observation: result.observation ?? null };
      if (shown) break;
    }
    return last;
  } finally {
    await session.close();
  }
}

/** What the target makes of its log where a death or a complaint gave the signature; undefined for what no log named. */
export async function explainFinding(target: Target, signature: string, { death, complaints, log }: Observation): Promise<Explanation | undefined> {
  const titles = [...(death ? [death.title] : []), ...complaints.map((c) => c.title)];
  // The judge leaves out the first word of a hang's title, which its kind says already.
  const title = titles.find((one) => signature.endsWith(one.replace(/^hang /, ''))) ?? titles[0];
  return title === undefined ? undefined : target.explain?.(log, title);
}
