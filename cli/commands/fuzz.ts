// SPDX-License-Identifier: MIT
/** `ovbd fuzz`: a campaign, batch after batch, kept in a folder from which it goes on. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { knowing } from '../../engine/known.ts';
import { CANARY } from '../../engine/campaign/batch.ts';
import { campaignExit, runCampaign } from '../../engine/campaign/campaign.ts';
import { CHUNK } from '../../engine/screen.ts';
import { redisAddress } from '../../engine/queue/address.ts';
import { CAMPAIGN_SCHEMA, EngineError, EXIT, isUserspace, UsageError, type CampaignHeader, type CampaignView } from '../../model/index.ts';
import {
  batchLine, CAMPAIGN_FILE, campaignEvents, campaignJson, campaignLines, campaignProgress, campaignStore, confirmFinding, folderStore, loadAllKnown, readBatchRecord, saveFinding, writeAtomically,
} from '../../reports/index.ts';
import { Cache, Steps } from '../../targets/kernel/lab/index.ts';
import type { Target } from '../../targets/target.ts';
import { subjectOf } from '../columns.ts';
import { findingsAfter, findingsOf } from '../earlier-findings.ts';
import { makeOutFolder, replayCommand } from '../out-folder.ts';
import { redisOf } from '../redis-option.ts';
import { REMOTE_JOBS, remoteBatches } from '../remote-batches.ts';
import { statusLine } from '../status-line.ts';
import { EXIT_STOPPED } from '../stop.ts';
import { openTargets, targetNames, type TargetRequest } from '../targets.ts';
import { suiteVersion } from '../version.ts';
import type { ExecuteOptions } from './run.ts';

/** As commander hands them over. */
export interface FuzzOptions extends Omit<ExecuteOptions, 'format'> {
  readonly seed: number;
  /** Milliseconds. */
  readonly time?: number;
  readonly cases?: number;
  readonly batches?: number;
  readonly batchCases?: number;
  readonly share?: number;
  readonly shrink: number;
  readonly feedback: boolean;
  readonly fresh?: boolean;
  readonly replayBatch?: string;
  /** An address, or true: the one in OVBD_REDIS. */
  readonly redis?: string | true;
  /** Folders of campaigns and runs whose findings are tried first. */
  readonly after?: readonly string[];
  /** The folder of a failure store: what it has is tried first, what is found is kept in it. */
  readonly failures?: string;
}

/** Milliseconds of a campaign of which nothing says when it ends. */
const DEFAULT_MS = 600_000;
/** Cases of a batch where every target is a virtual machine, and where some are cheaper. */
const BATCH = { machines: 100, cheap: 250 } as const;
/** Where there are cheap targets too, machines are given one in so many of a batch's cases. */
const SHARE = 5;
/** Cases of a batch that the canary is given. */
const CANARY_CASES = 25;
/** Options by which the targets of a campaign are opened again. */
const REQUEST = ['patch', 'source', 'module', 'kernel', 'kernelBuild', 'sanitize', 'qemu', 'target', 'targetsFile', 'vm', 'fast', 'coverage'] as const;

/** Runs a campaign, or one batch of one again. Exit codes: 0 nothing new, 1 new findings, 3 our own fault or a canary that passes, 130 stopped. */
export async function fuzz(options: FuzzOptions, signal: AbortSignal): Promise<number> {
  if (options.replayBatch !== undefined) return (await import('./fuzz-replay.ts')).replayBatch(options, signal);
  const began = Date.now();
  const request = requestOf(options);
  targetNames(request);
  const known = loadAllKnown(options.known ?? []);
  const after = findingsAfter(options.after ?? []);
  const out = makeOutFolder(options.out ?? join('reports', 'out', `fuzz-${options.seed}`));
  if (!existsSync(join(out, CAMPAIGN_FILE)) && existsSync(join(out, 'run.jsonl'))) throw new UsageError(`${out} holds a run: give a campaign another folder with --out`);
  const people = options.json ? process.stderr : process.stdout;
  const line = statusLine(people, options.quiet ?? false);
  const redis = options.redis === undefined ? undefined : redisOf(options.redis === true ? undefined : options.redis);
  const jobs = options.jobs ?? (redis === undefined ? availableParallelism() : REMOTE_JOBS);
  // Before anything is built or booted in vain.
  if (redis !== undefined) await (await import('../../engine/queue/connection.ts')).checkRedis(redisAddress(redis));
  const unlock = (await import('../folder-lock.ts')).lockFolder(out);
  const { targets: opened, missed, skipped } = await openTargets(request, { cache: new Cache(), steps: new Steps(), signal }).catch((error: unknown) => {
    unlock();
    throw error;
  });
  const targets = opened.map((target) => knowing(target, known));
  try {
    for (const { target, reason } of skipped) line.say(`skipped ${target}: ${reason}`);
    for (const { identity } of targets) line.say(`${identity.name}: ${identity.description}`);
    const failures = options.failures === undefined ? undefined : folderStore(options.failures, (text) => line.say(text));
    const header = headerOf(options, targets);
    const deadline = deadlineOf(options, began);
    line.say(`seed ${options.seed}, batches of ${header.batchCases} cases (${Object.entries(header.shares).map(([name, n]) => `${name} ${n}`).join(', ')}), ${jobs} at a time; kept in ${out}: started again with the same options it goes on`);
    const store = campaignStore(out);
    const remote = redis === undefined ? undefined : await remoteBatches(redis, header, targets, out, (n) => readBatchRecord(out, n) !== undefined, (text) => line.say(text));
    const told = { view: undefined as CampaignView | undefined };
    const finish = (view: CampaignView, exitCode: number): void => report(out, view, exitCode, signal, people, options);
    try {
      const view = await runCampaign({
        header, targets, jobs, store, signal, ...(remote && { runBatch: remote.run }), ...(options.fresh && { fresh: true }),
        budget: { ...(deadline !== undefined && { deadline }), ...(options.cases !== undefined && { cases: options.cases }), ...(options.batches !== undefined && { batches: options.batches }) },
        earlier: [...after, ...(failures ? findingsOf(failures) : [])],
        saveFinding: async (finding, identity) => {
          if (finding.confirmation.blame !== 'unreliable') failures?.save(finding, identity);
          return saveFinding(out, finding, identity, replayCommand);
        },
        confirmFinding: (folder) => confirmFinding(out, folder),
        say: (text) => line.say(text),
        progress: (p) => {
          told.view = p.view;
          if (p.ended) remote?.recorded(p.ended.plan);
          if (p.ended && !options.quiet) line.say(batchLine(p.view));
          line.show(() => campaignProgress(p, deadline === undefined ? undefined : (deadline - Date.now()) / 1000), p.ended !== undefined && people.isTTY);
        },
      });
      const exit = campaignExit(view);
      const exitCode = signal.aborted ? EXIT_STOPPED : exit === EXIT.ok && missed && (options.target !== undefined || subjectOf(options).length > 0) ? EXIT.engine : exit;
      finish(view, exitCode);
      return exitCode;
    } catch (error) {
      // What is recorded is told of even so, where there is room for it.
      if (told.view !== undefined) try { finish(told.view, EXIT.engine); } catch { /* the error itself says more */ }
      throw error;
    } finally {
      await remote?.close();
    }
  } finally {
    await Promise.allSettled(targets.map((t) => t.close()));
    unlock();
  }
}

function report(out: string, view: CampaignView, exitCode: number, signal: AbortSignal, people: NodeJS.WriteStream, { json }: FuzzOptions): void {
  const text = campaignLines(view).map((one) => `${one}\n`).join('');
  people.write(`\n${text}`);
  const document = campaignJson(view, exitCode);
  writeAtomically(join(out, 'report.txt'), text);
  writeAtomically(join(out, 'report.json'), document);
  writeAtomically(join(out, 'run.jsonl'), campaignEvents(view, exitCode, !signal.aborted).map((event) => `${JSON.stringify(event)}\n`).join(''));
  if (json) process.stdout.write(document);
  people.write(`report in ${out}: report.txt, report.json, run.jsonl, batches/${view.findings.length > 0 ? ', findings/' : ''}; exit code ${exitCode}\n`);
}

function deadlineOf({ time, cases, batches }: FuzzOptions, began: number): number | undefined {
  if (time !== undefined) return began + time;
  return cases === undefined && batches === undefined ? began + DEFAULT_MS : undefined;
}

/** The targets that a campaign is of: with a patch its code in userspace and in a machine, and always the canary. */
export function requestOf(options: Pick<FuzzOptions, (typeof REQUEST)[number] | 'jobs'>): TargetRequest {
  const given = subjectOf(options);
  const usual = given.length === 0 ? ['oracle', 'stock'] : options.fast ? ['userspace'] : given.includes('module') ? ['patch'] : ['userspace', 'patch'];
  const names = options.target ?? [...usual, CANARY];
  return { ...options, names };
}

/** What decides the results. */
function headerOf(options: FuzzOptions, targets: readonly Target[]): CampaignHeader {
  const real = targets.filter((t) => t.identity.name !== CANARY);
  if (real.length === 0) throw new UsageError('a campaign needs a target besides the canary');
  const machines = real.filter(isMachine);
  const batchCases = options.batchCases ?? (machines.length === real.length ? BATCH.machines : BATCH.cheap);
  const share = options.share ?? (machines.length === real.length ? 1 : SHARE);
  const sharesOf = (target: Target): number => {
    if (target.identity.name === CANARY) return Math.min(batchCases, CANARY_CASES);
    // Whole instances.
    return isMachine(target) ? Math.min(batchCases, CHUNK * Math.ceil(batchCases / share / CHUNK)) : batchCases;
  };
  return {
    schema: CAMPAIGN_SCHEMA, suite: `overlaybd-conformance ${suiteVersion()}`, seed: options.seed, feedback: options.feedback, batchCases,
    shares: Object.fromEntries(targets.map((t) => [t.identity.name, sharesOf(t)])), shrinkExecutions: options.shrink,
    targets: targets.map(({ identity: { name, description, parts, remake } }) => ({ name, description, parts, remake })),
    request: Object.fromEntries(REQUEST.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]] as const]))),
  };
}

/** A virtual machine, for which a case costs tens of milliseconds and a crash seconds. */
function isMachine({ identity }: Target): boolean {
  return identity.parts['kernel'] !== undefined && !isUserspace(identity);
}

/** The targets of a campaign opened again. Throws where they cannot all be had. */
export async function reopen(header: CampaignHeader, options: FuzzOptions, signal: AbortSignal): Promise<readonly Target[]> {
  const given = subjectOf(options).length > 0;
  const request = requestOf({ ...(header.request as Pick<FuzzOptions, (typeof REQUEST)[number]>), ...(given && options), ...(options.jobs !== undefined && { jobs: options.jobs }) });
  const { targets, skipped } = await openTargets(request, { cache: new Cache(), steps: new Steps(), signal });
  const missing = header.targets.find(({ name }) => !targets.some((t) => t.identity.name === name));
  if (missing === undefined) return targets;
  await Promise.allSettled(targets.map((t) => t.close()));
  throw new EngineError(`the campaign's target ${missing.name} cannot be had: ${skipped.find((s) => s.target === missing.name)?.reason ?? 'what it was made from is another now'}`);
}
