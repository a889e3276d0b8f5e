// SPDX-License-Identifier: MIT
/**
 * Threads that draw, encode and examine cases ahead of the targets: on a target
 * that takes a millisecond, that is most of a run. The cases are the same as
 * without them and come in the same order; only who makes them differs.
 */
import { Worker } from 'node:worker_threads';
import { drawCase, type Drawn } from '../generators/draw.ts';
import { EngineError } from '../model/index.ts';
import type { Prepared } from './prepare.ts';

export interface PoolSettings {
  readonly seed: number;
  /** Number of the first case in the seed's stream. */
  readonly first: number;
  readonly cases: number;
  /** As `drawCase` has it. */
  readonly largeEvery: number;
  /** Flags of settled points that some target declares. */
  readonly declared: ReadonlySet<string>;
  /** Cases of a batch; the last one may have fewer. */
  readonly unit: number;
  /** Threads, at least one. */
  readonly workers: number;
}

export interface PreparePool {
  /** Batch number `batch`, once, which is forgotten here; batches are best taken in their order. Rejects where a thread fails. */
  readonly take: (batch: number) => Promise<readonly Prepared[]>;
  /** Ends the threads. */
  readonly close: () => Promise<void>;
}

/** What a thread is started with. */
export type WorkerSettings = Pick<PoolSettings, 'seed' | 'largeEvery' | 'declared'>;

/** Cases [first, first + count) of the seed's stream. */
export interface Order {
  readonly first: number;
  readonly count: number;
}

/** A case that came from another thread, where what shrinks it stayed behind. */
export type Ready = Omit<Prepared, 'drawn'>;

export type Answer = { readonly first: number } & ({ readonly ready: readonly Ready[] } | { readonly error: string });

/** Cases of one order: small enough that the threads end together. */
const ORDER = 25;
/** Batches that are made beyond the one that is waited for. */
const AHEAD = 3;

interface Waiting {
  readonly resolve: (ready: readonly Ready[]) => void;
  readonly reject: (error: Error) => void;
}

/** Starts the threads, which begin with the first batches at once. */
export function openPreparePool({ seed, first, cases, largeEvery, declared, unit, workers }: PoolSettings): PreparePool {
  const orders: Order[] = [];
  const waiting = new Map<number, Waiting>();
  const batches = new Map<number, Promise<readonly Prepared[]>>();
  const last = Math.ceil(cases / unit) - 1;
  let planned = -1;
  let failure: Error | undefined;

  const fail = (error: Error): void => {
    failure ??= error;
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  const idle: Worker[] = [];
  const handOut = (): void => {
    while (idle.length > 0 && orders.length > 0) idle.pop()!.postMessage(orders.shift()!);
  };
  const threads = Array.from({ length: workers }, () => {
    const worker = new Worker(new URL('./prepare-worker.mjs', import.meta.url), { workerData: { seed, largeEvery, declared } satisfies WorkerSettings, execArgv: [] });
    worker.on('message', (answer: Answer) => {
      idle.push(worker);
      const wait = waiting.get(answer.first);
      waiting.delete(answer.first);
      if ('error' in answer) fail(new EngineError(`a case of ${answer.first} and those after it cannot be made: ${answer.error}`));
      else wait?.resolve(answer.ready);
      handOut();
    });
    worker.on('error', (error) => fail(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', (code) => fail(new EngineError(`a thread that makes cases ended with ${code}`)));
    idle.push(worker);
    return worker;
  });

  const order = async (from: number, count: number): Promise<readonly Prepared[]> => {
    const ready = await new Promise<readonly Ready[]>((resolve, reject) => {
      if (failure) return reject(failure);
      waiting.set(from, { resolve, reject });
      orders.push({ first: from, count });
      handOut();
    });
    return ready.map((one, k) => withOrigin(one, () => drawCase(seed, from + k, largeEvery)));
  };
  const plan = (batch: number): void => {
    const from = batch * unit;
    const size = Math.min(unit, cases - from);
    const parts = Array.from({ length: Math.ceil(size / ORDER) }, (_, k) => order(first + from + k * ORDER, Math.min(ORDER, size - k * ORDER)));
    const whole = Promise.all(parts).then((all) => all.flat());
    // Where nobody comes for it, nobody hears of its failure either.
    whole.catch(() => undefined);
    batches.set(batch, whole);
  };
  const planUntil = (batch: number): void => {
    while (planned < Math.min(batch, last)) plan(++planned);
  };
  planUntil(AHEAD - 1);
  let closing: Promise<void> | undefined;

  return {
    take: (batch) => {
      planUntil(batch + AHEAD);
      const made = batches.get(batch);
      batches.delete(batch);
      return made ?? Promise.reject(new EngineError(`batch ${batch} of the prepared cases was taken before, or there is none`));
    },
    close: () => closing ??= (async () => {
      orders.length = 0;
      await Promise.all(threads.map((worker) => worker.terminate()));
    })(),
  };
}

/** The case with what it was drawn from, which is drawn again where somebody asks. */
function withOrigin(ready: Ready, draw: () => Drawn): Prepared {
  let drawn: Drawn | undefined;
  return {
    ...ready,
    get drawn() {
      return drawn ??= draw();
    },
  };
}
