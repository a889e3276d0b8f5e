// SPDX-License-Identifier: MIT
/** `ovbd retain`: room for the next nights. */
import { EXIT, UsageError } from '../../model/index.ts';
import { count, oneLine, retain as retainRuns } from '../../reports/index.ts';

export interface RetainOptions {
  readonly keep?: number;
  readonly maxBytes?: number;
  readonly days?: number;
  readonly dryRun?: boolean;
}

/** Removes the oldest runs from a folder of runs. Throws `UsageError` where no limit is given. */
export function retain(folder: string, { keep, maxBytes, days, dryRun }: RetainOptions): number {
  if ((keep ?? maxBytes ?? days) === undefined) throw new UsageError('give --keep, --max-bytes or --days');
  const limits = { now: Date.now(), ...(keep !== undefined && { keep }), ...(maxBytes !== undefined && { maxBytes }), ...(days !== undefined && { olderMs: days * 86_400_000 }) };
  const { removed, kept, bytes, inUse, others } = retainRuns(folder, limits, dryRun);
  const say = (text: string): void => void process.stdout.write(`${oneLine(text)}\n`);
  for (const run of removed) say(`${dryRun ? 'would go' : 'removed '}  ${run.name}  ${count(run.bytes, 'byte')}`);
  for (const name of inUse) say(`in use    ${name}`);
  for (const name of others) say(`not ours  ${name}`);
  say(`${folder}: ${removed.length} ${dryRun ? 'would go' : 'removed'}, ${kept} kept, ${count(bytes, 'byte')}`);
  return EXIT.ok;
}
