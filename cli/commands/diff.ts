// SPDX-License-Identifier: MIT
/** `ovbd diff`: what a run found that another did not, the gate for the next version of a patch. */
import { EXIT } from '../../model/index.ts';
import { diffCounts, diffJson, diffLines, diffRuns, loadRun } from '../../reports/index.ts';
import { print, printLines } from '../print.ts';

export interface DiffOptions {
  /** `A=B`: which targets are compared. */
  readonly column?: readonly string[];
  readonly json?: boolean;
}

/** Exit code 1 where the second run has a finding that the first has not. Throws `UsageError` for what is no run. */
export async function diff(a: string, b: string, options: DiffOptions, signal: AbortSignal): Promise<number> {
  const compared = diffRuns(await loadRun(a), await loadRun(b), options.column);
  if (options.json) await print([`${JSON.stringify(diffJson(compared), null, 2)}\n`], signal);
  else await printLines(diffLines(compared), signal);
  return diffCounts(compared).new > 0 ? EXIT.findings : EXIT.ok;
}
