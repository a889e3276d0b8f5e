// SPDX-License-Identifier: MIT
/** `ovbd fuzz --replay-batch`: one recorded batch run again from its plan, and compared with its record. */
import { availableParallelism } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { runBatch } from '../../engine/campaign/batch.ts';
import { EXIT, UsageError, type BatchRecord } from '../../model/index.ts';
import { oneLine, readBatchRecord, readCampaignHeader, saveFinding } from '../../reports/index.ts';
import { makeOutFolder, replayCommand } from '../out-folder.ts';
import { statusLine } from '../status-line.ts';
import { EXIT_STOPPED } from '../stop.ts';
import { reopen, type FuzzOptions } from './fuzz.ts';

/** Exit code 0 where the batch gives what its record says, 1 where it does not. Findings are kept only where `--out` says where. */
export async function replayBatch(options: FuzzOptions, signal: AbortSignal): Promise<number> {
  const match = /^(.+)#(\d{1,9})$/.exec(options.replayBatch!);
  if (!match) throw new UsageError(`--replay-batch ${options.replayBatch}: give a campaign's folder and the number of a batch, as in reports/out/fuzz-1#7`);
  const [folder, number] = [match[1]!, Number(match[2])];
  const header = readCampaignHeader(folder);
  if (header === undefined) throw new UsageError(`${folder}: no campaign is kept there`);
  const record = readBatchRecord(folder, number);
  if (record === undefined) throw new UsageError(`${folder}: batch ${number} is not recorded`);
  const out = options.out === undefined ? undefined : makeOutFolder(options.out);
  const line = statusLine(process.stdout, options.quiet ?? false);
  const targets = await reopen(header, options, signal);
  try {
    const again = await runBatch(record.plan, {
      targets, jobs: options.jobs ?? availableParallelism(), signal,
      saveFinding: async (finding, identity) => (out === undefined ? { folder: '', replay: '' } : saveFinding(out, finding, identity, replayCommand)),
      progress: (p) => line.show(() => `batch ${number}: ${p.phase} ${p.target} ${p.done}/${p.total}`, false),
    });
    if (again === undefined) return EXIT_STOPPED;
    const differences = compareRecords(record, again);
    for (const one of differences) line.say(one);
    line.say(differences.length === 0
      ? `batch ${number} again: the same ${record.plan.cases} cases (stream ${again.stream.slice(0, 16)}…), verdicts and ${record.findings.length} findings`
      : `batch ${number} again: not as it was recorded`);
    return differences.length === 0 ? EXIT.ok : EXIT.findings;
  } finally {
    await Promise.allSettled(targets.map((t) => t.close()));
  }
}

/** What differs of what a plan decides, one line each. */
export function compareRecords(then: BatchRecord, now: BatchRecord): string[] {
  if (then.stream !== now.stream) return [`the cases are others: case stream ${now.stream}, was ${then.stream}`];
  const findings = (record: BatchRecord): string[] => record.findings.map((f) => `${f.target}: ${f.signature}, ${f.confirmation.blame}, smallest ${f.bytes} bytes`).sort();
  const only = (a: readonly string[], b: readonly string[], when: string): string[] => a.filter((one) => !b.includes(one)).map((one) => oneLine(`${when}: ${one}`));
  return [
    ...Object.entries(then.targets).flatMap(([name, before]) => {
      const after = now.targets[name];
      if (after && isDeepStrictEqual(before.verdicts, after.verdicts) && isDeepStrictEqual(before.seen, after.seen)) return [];
      return [`verdicts of ${name} were ${JSON.stringify(before.verdicts)}, and are ${JSON.stringify(after?.verdicts ?? {})}`];
    }),
    ...only(findings(then), findings(now), 'only then'), ...only(findings(now), findings(then), 'only now'),
  ];
}
