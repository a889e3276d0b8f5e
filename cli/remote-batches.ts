// SPDX-License-Identifier: MIT
/** The batches of a campaign, run by workers on other machines: `ovbd fuzz --redis`. */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import type { BatchMeans } from '../engine/campaign/batch.ts';
import { takeReceived } from '../engine/campaign/received.ts';
import { redisAddress } from '../engine/queue/address.ts';
import { WorkFailed } from '../engine/queue/queue.ts';
import { EngineError, UsageError, type BatchPlan, type BatchRecord, type CampaignHeader } from '../model/index.ts';
import { temporaryName, unpackBatch } from '../reports/index.ts';
import type { Target } from '../targets/target.ts';
import { identityOf, queueOf } from './batch-identity.ts';

/** Batches that are in the queue at a time, where `--jobs` does not say: enough for a few workers. */
export const REMOTE_JOBS = 16;
/** Results that are no results, before a batch counts as failed. */
const MOST_REFUSED = 3;
/** Milliseconds between two looks for workers where there is none. */
const LOOK_MS = 10_000;

export interface RemoteBatches {
  /** As `runBatch`: what the plan has shares for is run elsewhere. */
  run(plan: BatchPlan, means: BatchMeans): Promise<BatchRecord | undefined>;
  /** The record is kept: the queue need not have it any more. */
  recorded(plan: BatchPlan): void;
  close(): Promise<void>;
}

/** Opens the queue of these targets. `out` is the campaign's folder. Throws `EngineError` where there is no Redis. */
export async function remoteBatches(url: string, header: CampaignHeader, targets: readonly Target[], out: string, isRecorded: (number: number) => boolean, say: (text: string) => void): Promise<RemoteBatches> {
  const address = redisAddress(url);
  const { checkRedis } = await import('../engine/queue/connection.ts');
  const { openCoordinator } = await import('../engine/queue/redis.ts');
  await checkRedis(address);
  const identity = identityOf(targets);
  const campaign = campaignName(header);
  const queue = openCoordinator(address, queueOf(identity), say);
  queue.announce(campaign, JSON.stringify({ queue: queueOf(identity), identity }));
  await queue.sweep((id) => id.startsWith(`${campaign}-`) && isRecorded(Number(id.split('-')[1])));
  let told = false;
  const look = async (): Promise<void> => {
    if (told || (await queue.workers()) > 0) return;
    told = true;
    say(`no worker listens yet at ${address.name}: on any machine with the same suite and targets, ovbd worker --redis ADDRESS with the same --patch, --kernel and --target (docs/workers.md)`);
  };
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_MS);
  void look().catch(() => undefined);
  const late: Promise<unknown>[] = [];
  return {
    async run(plan, { signal, saveFinding }) {
      const id = workName(campaign, plan);
      for (let refused = 1; ; refused++) {
        const folder = temporaryName(out, 'batch');
        try {
          const { bytes, worker } = await queue.result({ id, payload: JSON.stringify(plan) }, signal);
          mkdirSync(folder);
          try {
            return await takeReceived(plan, await unpackBatch(bytes, folder), targets, saveFinding);
          } catch (error) {
            if (!(error instanceof UsageError)) throw error;
            await queue.forget(id);
            const why = `what ${worker} sent as batch ${plan.number} is not taken: ${error.message.replaceAll(`${folder}/`, '')}`;
            if (refused >= MOST_REFUSED) throw new EngineError(why);
            say(`${why}; it is given out again`);
          }
        } catch (error) {
          if (signal.aborted) return undefined;
          if (error instanceof WorkFailed) throw new EngineError(`workers could not run it: ${error.message}`);
          throw error;
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      }
    },
    recorded: (plan) => void late.push(queue.forget(workName(campaign, plan)).catch(() => undefined)),
    async close() {
      clearInterval(timer);
      await Promise.race([Promise.all(late), new Promise((resolve) => setTimeout(resolve, 3000).unref())]);
      await queue.close();
    },
  };
}

function campaignName(header: CampaignHeader): string {
  const { suite, seed, feedback, batchCases, shares, shrinkExecutions } = header;
  return createHash('sha256').update(JSON.stringify([suite, seed, feedback, batchCases, shares, shrinkExecutions])).digest('hex').slice(0, 16);
}

/** The same for the same plan, whoever asks for it when: a batch that was asked for is not asked for again. */
function workName(campaign: string, plan: BatchPlan): string {
  return `${campaign}-${plan.number}-${createHash('sha256').update(JSON.stringify(plan, sorted)).digest('hex').slice(0, 16)}`;
}

/** For JSON that is the same however an object came about: a plan is made, or read back from the campaign's folder. */
function sorted(_: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
}
