// SPDX-License-Identifier: MIT
/** A process of a worker that runs batches, one at a time: `ovbd worker --slot`, started by the worker and spoken to over its channel. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runBatch } from '../engine/campaign/batch.ts';
import { EXIT, UsageError, type BatchPlan } from '../model/index.ts';
import { packBatch, saveFinding } from '../reports/index.ts';
import { planCheck } from '../reports/campaign-check.ts';
import { Mismatch } from '../reports/check.ts';
import { Cache, Steps } from '../targets/kernel/lab/index.ts';
import type { Target } from '../targets/target.ts';
import { identityOf, type BatchIdentity } from './batch-identity.ts';
import { replayCommand } from './out-folder.ts';
import { openTargets, type TargetRequest } from './targets.ts';
import { suiteVersion } from './version.ts';

export type ToSlot =
  | { readonly type: 'open'; readonly request: TargetRequest }
  | { readonly type: 'run'; readonly plan: string }
  | { readonly type: 'stop' };

export type FromSlot =
  | { readonly type: 'ready'; readonly identity: BatchIdentity; readonly skipped: readonly string[] }
  | { readonly type: 'cannot'; readonly usage: boolean; readonly message: string }
  /** The archive lies in the slot's folder as `RESULT`. */
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'stopped' };

export const RESULT = 'result';

/** Serves until the worker's process is gone, however it went. */
export async function runSlot(folder: string, stopped: AbortSignal): Promise<number> {
  if (process.send === undefined) throw new UsageError('--slot is for a worker\'s own processes');
  const send = (message: FromSlot): void => void process.send!(message, () => undefined);
  const gone = new AbortController();
  process.on('disconnect', () => gone.abort(new Error('the worker is gone')));
  const signal = AbortSignal.any([stopped, gone.signal]);
  let targets: readonly Target[] = [];
  let batch: AbortController | undefined;
  const handle = async (message: ToSlot): Promise<void> => {
    if (message.type === 'stop') batch?.abort(new Error('stopped'));
    else if (message.type === 'open') {
      try {
        const opened = await openTargets(message.request, { cache: new Cache(), steps: new Steps(), signal });
        targets = opened.targets;
        send({ type: 'ready', identity: identityOf(targets), skipped: opened.skipped.map(({ target, reason }) => `${target}: ${reason}`) });
      } catch (error) {
        send({ type: 'cannot', usage: error instanceof UsageError, message: error instanceof Error ? error.message : String(error) });
      }
    } else {
      batch = new AbortController();
      try {
        send(await runPlan(message.plan, folder, targets, AbortSignal.any([signal, batch.signal])) ? { type: 'done' } : { type: 'stopped' });
      } catch (error) {
        send(batch.signal.aborted ? { type: 'stopped' } : { type: 'failed', message: (error instanceof Error ? error.message : String(error)).slice(0, 2000) });
      }
    }
  };
  process.on('message', (message) => void handle(message as ToSlot));
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.allSettled(targets.map((t) => t.close()));
  return EXIT.ok;
}

/** Runs the batch and leaves its archive; false where it was stopped. */
async function runPlan(text: string, folder: string, targets: readonly Target[], signal: AbortSignal): Promise<boolean> {
  const plan = planOf(text);
  const suite = `overlaybd-conformance ${suiteVersion()}`;
  if (plan.suite !== suite) throw new UsageError(`the batch is for ${plan.suite}, this is ${suite}`);
  const missing = Object.keys(plan.shares).find((name) => !targets.some((t) => t.identity.name === name));
  if (missing !== undefined) throw new UsageError(`the batch is for ${missing} too, which this worker does not have`);
  rmSync(join(folder, 'findings'), { recursive: true, force: true });
  const record = await runBatch(plan, { targets, jobs: 1, signal, saveFinding: async (finding, identity) => saveFinding(folder, finding, identity, replayCommand) });
  if (record === undefined) return false;
  writeFileSync(join(folder, RESULT), packBatch(record, folder));
  return true;
}

function planOf(text: string): BatchPlan {
  try {
    return planCheck(JSON.parse(text), '');
  } catch (error) {
    if (error instanceof Mismatch || error instanceof SyntaxError) throw new UsageError(`this is no plan of a batch: ${error.message}`);
    throw error;
  }
}
