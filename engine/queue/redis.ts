// SPDX-License-Identifier: MIT
/**
 * The queue on Redis, by BullMQ. Nothing else imports it. A result is not kept in its job, which
 * BullMQ copies into a stream of events, but under a key of its own that has its digest in its name.
 */
import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { Queue, QueueEvents, WaitingError, Worker, type Job } from 'bullmq';
import { EngineError } from '../../model/index.ts';
import { withoutSecrets, type RedisAddress } from './address.ts';
import { bounded, connection, isAway, optionsOf, PREFIX } from './connection.ts';
import { LIMITS, WorkFailed, type Coordinator, type Done, type Work, type WorkerSettings } from './queue.ts';

/** Times that workers try a piece of work, and milliseconds before the second one. */
const ATTEMPTS = 3;
const BACKOFF_MS = 1000;
/** Workers that may die over one piece of work before it is given up: killing workers is what people do. */
const MOST_DEATHS = 100;
/** Results that did not come back as they were sent, before the work is given up. */
const MOST_BROKEN = 3;
/** Seconds that work and results are kept for a coordinator that does not come back. */
const KEPT_S = 7 * 24 * 3600;
/** Milliseconds: between looks at work, beside the events that say when it ends; of an announcement, and between two. */
const LOOK_MS = 3000;
const ANNOUNCED = { ms: 60_000, everyMs: 15_000 } as const;
/** Milliseconds that closing may take where Redis does not answer, and that a worker has to give back what it does. */
const CLOSE_MS = 3000;
const GIVE_BACK_MS = 12_000;

interface Parcel {
  readonly sha256: string;
  readonly bytes: number;
  readonly worker: string;
}

function resultKey(queue: string, id: string, sha256: string): string {
  return `${PREFIX}:result:${queue}:${id}:${sha256}`;
}

interface Waiting {
  readonly work: Work;
  readonly resolve: (done: Done) => void;
  readonly reject: (error: unknown) => void;
  looking: boolean;
  broken: number;
}

/** Opens the queue for whoever wants work done. */
export function openCoordinator(address: RedisAddress, name: string, say: (text: string) => void): Coordinator {
  const client = connection(address, say);
  const options = { connection: optionsOf(address), prefix: PREFIX } as const;
  const queue = new Queue(name, { ...options, streams: { events: { maxLen: 1000 } } });
  const events = new QueueEvents(name, options);
  // Our own connection tells what there is to tell of it.
  queue.on('error', () => undefined);
  events.on('error', () => undefined);
  const waiting = new Map<string, Waiting>();
  const announced = new Map<string, NodeJS.Timeout>();

  const put = async ({ id, payload }: Work): Promise<void> => {
    await queue.add('work', { payload }, {
      jobId: id, attempts: ATTEMPTS, backoff: { type: 'exponential', delay: BACKOFF_MS },
      removeOnComplete: { age: KEPT_S }, removeOnFail: { age: KEPT_S }, stackTraceLimit: 0,
    });
  };
  const remove = async (id: string): Promise<void> => {
    const job = await queue.getJob(id);
    const parcel = job && parcelOf(job.returnvalue);
    if (parcel) await client.unlink(resultKey(name, id, parcel.sha256));
    // One that runs somewhere cannot be removed; what comes of it expires.
    await job?.remove().catch(() => undefined);
  };
  const end = (id: string, how: (one: Waiting) => void): void => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (one) how(one);
  };
  const look = async (id: string): Promise<void> => {
    const one = waiting.get(id);
    if (one === undefined || one.looking) return;
    one.looking = true;
    try {
      const state = await queue.getJobState(id);
      if (state === 'unknown') await put(one.work);
      else if (state === 'failed') {
        const why = (await queue.getJob(id))?.failedReason ?? 'it does not say why';
        end(id, ({ reject }) => reject(new WorkFailed(withoutSecrets(address, why))));
      } else if (state === 'completed') {
        const done = await fetch(id);
        if (done !== undefined) end(id, ({ resolve }) => resolve(done));
        else {
          await remove(id);
          if (++one.broken < MOST_BROKEN) await put(one.work);
          else end(id, ({ reject }) => reject(new WorkFailed('what workers sent of it was not what they said')));
        }
      }
    } catch (error) {
      // Redis is away, and a later look finds it again; anything else is for whoever waits.
      if (!isAway(error)) end(id, ({ reject }) => reject(error));
    } finally {
      one.looking = false;
    }
  };
  /** Undefined where it is not there, or not what the job says. */
  const fetch = async (id: string): Promise<Done | undefined> => {
    const parcel = parcelOf((await queue.getJob(id))?.returnvalue);
    if (parcel === undefined) return undefined;
    const key = resultKey(name, id, parcel.sha256);
    if ((await client.strlen(key)) !== parcel.bytes) return undefined;
    const bytes = await client.getBuffer(key);
    return bytes !== null && bytes.length === parcel.bytes && digestOf(bytes) === parcel.sha256 ? { bytes, worker: parcel.worker } : undefined;
  };
  events.on('completed', ({ jobId }) => void look(jobId));
  events.on('failed', ({ jobId }) => void look(jobId));
  const timer = setInterval(() => {
    for (const id of waiting.keys()) void look(id);
  }, LOOK_MS);

  return {
    async result(work, signal) {
      if (!/^[A-Za-z0-9-]{1,100}$/.test(work.id)) throw new EngineError(`"${work.id}" is no name of a piece of work`);
      const bytes = Buffer.byteLength(work.payload);
      if (bytes > LIMITS.payload) throw new EngineError(`${work.id} is ${bytes} bytes of work where workers take at most ${LIMITS.payload}`);
      signal.throwIfAborted();
      // As many of them as there are pieces of work at once.
      setMaxListeners(0, signal);
      let onAbort: (() => void) | undefined;
      const done = new Promise<Done>((resolve, reject) => {
        waiting.set(work.id, { work, resolve, reject, looking: true, broken: 0 });
        onAbort = () => end(work.id, (one) => one.reject(signal.reason));
        signal.addEventListener('abort', onAbort, { once: true });
      });
      const begin = async (): Promise<void> => {
        // What failed for good before is asked for once more.
        if (await queue.getJobState(work.id) === 'failed') await remove(work.id);
        await put(work);
      };
      begin().catch((error: unknown) => {
        if (!isAway(error)) end(work.id, ({ reject }) => reject(error));
      }).finally(() => {
        const one = waiting.get(work.id);
        if (one) one.looking = false;
        void look(work.id);
      });
      try {
        return await done;
      } finally {
        signal.removeEventListener('abort', onAbort!);
      }
    },
    forget: remove,
    async sweep(isOver) {
      for (const job of await queue.getJobs(['completed', 'failed', 'waiting', 'delayed'])) {
        if (job?.id !== undefined && isOver(job.id)) await remove(job.id);
      }
    },
    announce(campaign, text) {
      if (announced.has(campaign)) return;
      const tell = (): void => void client.set(`${PREFIX}:campaign:${campaign}`, text, 'PX', ANNOUNCED.ms).catch(() => undefined);
      tell();
      announced.set(campaign, setInterval(tell, ANNOUNCED.everyMs));
    },
    workers: () => queue.getWorkersCount(),
    async close() {
      clearInterval(timer);
      for (const [campaign, one] of announced) {
        clearInterval(one);
        if (client.status === 'ready') await bounded(client.unlink(`${PREFIX}:campaign:${campaign}`), CLOSE_MS);
      }
      client.removeAllListeners('close');
      await bounded(Promise.allSettled([queue.close(), events.close()]), CLOSE_MS);
      client.disconnect();
    },
  };
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What a job says of its result; undefined where it says nothing that can be. */
function parcelOf(value: unknown): Parcel | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { sha256, bytes, worker } = value as Record<string, unknown>;
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  if (!Number.isSafeInteger(bytes) || (bytes as number) < 0 || (bytes as number) > LIMITS.result) return undefined;
  return { sha256, bytes: bytes as number, worker: typeof worker === 'string' ? worker.replace(/[^\x20-\x7e]/g, '?').slice(0, 100) : '?' };
}

/**
 * Does work until the signal aborts; what is in work then is given back. Its lock is renewed from this
 * process's event loop, which the work must not hold up. Redis may go away and come back meanwhile.
 */
export async function serve(address: RedisAddress, s: WorkerSettings): Promise<void> {
  if (s.signal.aborted) return;
  const client = connection(address, s.say);
  const worker = new Worker(s.queue, async (job: Job, token?: string): Promise<Parcel> => {
    const { payload } = job.data as { payload?: unknown };
    if (typeof payload !== 'string' || payload.length > LIMITS.payload || job.id === undefined) throw new Error('this is no work of ours');
    const bytes = await s.work({ id: job.id, payload }, s.signal);
    if (bytes === undefined) {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    if (bytes.length > LIMITS.result) throw new Error(`it gave ${bytes.length} bytes where at most ${LIMITS.result} are sent`);
    const sha256 = digestOf(bytes);
    await client.set(resultKey(s.queue, job.id, sha256), bytes, 'EX', KEPT_S);
    return { sha256, bytes: bytes.length, worker: s.name };
  }, {
    connection: optionsOf(address), prefix: PREFIX, name: s.name, concurrency: s.jobs, lockDuration: s.lockMs, stalledInterval: s.lockMs,
    maxStalledCount: MOST_DEATHS, runRetryDelay: 2000, removeOnComplete: { age: KEPT_S }, removeOnFail: { age: KEPT_S },
  });
  worker.on('error', (error) => {
    if (isAway(error) || s.signal.aborted) return;
    const why = withoutSecrets(address, error.message);
    // Where others have it by now, or Redis has lost it: the result is not wanted.
    s.say(/lock|missing key|not in the active state/i.test(why) ? `what was done is given to others: this worker's hold on it was lost (${why})` : why);
  });
  worker.on('failed', (job, error) => s.say(`${job?.id ?? 'work'} failed: ${withoutSecrets(address, error.message)}`));
  await new Promise<void>((resolve) => s.signal.addEventListener('abort', () => resolve(), { once: true }));
  await bounded(worker.close(), GIVE_BACK_MS);
  client.removeAllListeners('close');
  client.disconnect();
}
