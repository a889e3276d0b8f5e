// SPDX-License-Identifier: MIT
/** `ovbd worker`: runs batches of campaigns that others coordinate, until it is stopped. */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { redisAddress, type RedisAddress } from '../../engine/queue/address.ts';
import { map, record, text } from '../../reports/check.ts';
import { statusLine, type StatusLine } from '../status-line.ts';
import { mismatch, queueOf, type BatchIdentity } from '../batch-identity.ts';
import { EXIT_STOPPED } from '../stop.ts';
import { redisOf } from '../redis-option.ts';
import { targetNames } from '../targets.ts';
import { openSlot, type Slot } from '../worker-slots.ts';
import { requestOf, type FuzzOptions } from './fuzz.ts';

/** As commander hands them over. */
export interface WorkerOptions extends Omit<FuzzOptions, 'redis'> {
  readonly redis?: string;
  /** Milliseconds. */
  readonly lock: number;
  readonly slot?: string;
}

/** Milliseconds between two looks for campaigns. */
const LOOK_MS = 10_000;

/** Runs batches until it is stopped: exit code 130. Throws `EngineError` where there is no Redis, and as `openTargets` does. */
export async function worker(options: WorkerOptions, signal: AbortSignal): Promise<number> {
  if (options.slot !== undefined) return (await import('../worker-slot.ts')).runSlot(options.slot, signal);
  const address = redisAddress(redisOf(options.redis));
  const request = requestOf(options);
  targetNames(request);
  const { checkRedis } = await import('../../engine/queue/connection.ts');
  const { serve } = await import('../../engine/queue/redis.ts');
  await checkRedis(address);
  const line = statusLine(process.stdout, options.quiet ?? false);
  const jobs = options.jobs ?? availableParallelism();
  const place = mkdtempSync(join(tmpdir(), 'ovbd-worker-'));
  const slots: Slot[] = [];
  try {
    const first = await openSlot(request, place, signal);
    slots.push(first);
    const free = [first];
    for (const skipped of first.skipped) line.say(`skipped ${skipped}`);
    const name = `${hostname().replace(/[^A-Za-z0-9.-]/g, '-').slice(0, 60)}-${process.pid}`;
    line.say(`worker ${name}: ${Object.keys(first.identity.targets).join(', ')}; ${jobs} ${jobs === 1 ? 'batch' : 'batches'} at a time, from ${address.name}; Ctrl-C gives back what it has`);
    const stopWatching = watchCampaigns(address, first.identity, line);
    let done = 0;
    try {
      await serve(address, {
        queue: queueOf(first.identity), name, jobs, lockMs: options.lock, signal, say: (said) => line.say(said),
        async work({ id, payload }, stop) {
          let slot = free.pop();
          while (slot !== undefined && !slot.alive()) slot = free.pop();
          if (slot === undefined) slots.push(slot = await openSlot(request, place, stop));
          try {
            line.say(`batch ${numberOf(id)}: begun`);
            const bytes = await slot.run(payload, stop);
            line.say(bytes === undefined ? `batch ${numberOf(id)}: given back` : `batch ${numberOf(id)}: done, ${bytes.length} bytes; ${++done} until now`);
            return bytes;
          } finally {
            if (slot.alive()) free.push(slot);
          }
        },
      });
    } finally {
      stopWatching();
    }
    return EXIT_STOPPED;
  } catch (error) {
    if (signal.aborted) return EXIT_STOPPED;
    throw error;
  } finally {
    await Promise.allSettled(slots.map((slot) => slot.close()));
    rmSync(place, { recursive: true, force: true });
  }
}

function numberOf(id: string): string {
  return id.split('-')[1] ?? id;
}

const announcement = record({ queue: text(100), identity: record({ suite: text(200), targets: map(256, map(256, text(65_536))) }) });

/** Says of each campaign, once, whether this worker takes its batches, and why not. */
function watchCampaigns(address: RedisAddress, identity: BatchIdentity, line: StatusLine): () => void {
  const told = new Set<string>();
  const look = async (): Promise<void> => {
    const { announcements } = await import('../../engine/queue/connection.ts');
    for (const [campaign, said] of await announcements(address)) {
      if (told.has(campaign)) continue;
      told.add(campaign);
      const short = campaign.slice(0, 16);
      try {
        const theirs = announcement(JSON.parse(said), '');
        const why = theirs.queue === queueOf(identity) ? undefined : mismatch(theirs.identity, identity) ?? 'it is of another queue';
        line.say(why === undefined ? `takes batches of campaign ${short}` : `leaves the batches of campaign ${short} to others: ${why}`);
      } catch {
        line.say(`a campaign announces itself by what cannot be read: ${short}`);
      }
    }
  };
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_MS);
  void look().catch(() => undefined);
  return () => clearInterval(timer);
}
