// SPDX-License-Identifier: MIT
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { redisAddress } from './address.ts';
import { announcements, checkRedis } from './connection.ts';
import { WorkFailed, type Coordinator, type Work, type WorkerSettings } from './queue.ts';
import { openCoordinator, serve } from './redis.ts';
import { startRedis, whyNoRedis, type TestRedis } from './testing.ts';

const why = await whyNoRedis();
if (why !== undefined) console.warn(`skipped: the queue, ${why}`);
const test = it.skipIf(why !== undefined);

let redis: TestRedis;
beforeAll(async () => {
  if (why === undefined) redis = await startRedis();
}, 60_000);
afterAll(() => redis?.close());

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});
let queues = 0;

interface Begun {
  readonly stop: () => Promise<void>;
  readonly said: string[];
}

function worker(queue: string, work: WorkerSettings['work'], more: Partial<WorkerSettings> = {}): Begun {
  const stop = new AbortController();
  const said: string[] = [];
  const served = serve(redisAddress(redis.url), { queue, name: 'w', jobs: 1, lockMs: 1000, work, say: (text) => void said.push(text), signal: stop.signal, ...more });
  const begun = {
    said,
    stop: async () => {
      stop.abort(new Error('stopped'));
      await served;
    },
  };
  open.push(begun.stop);
  return begun;
}

function coordinator(queue = `q${++queues}`): { readonly queue: string; readonly c: Coordinator; readonly said: string[] } {
  const said: string[] = [];
  const c = openCoordinator(redisAddress(redis.url), queue, (text) => void said.push(text));
  open.push(() => c.close());
  return { queue, c, said };
}

const never = new AbortController().signal;
const echo = async ({ id, payload }: Work): Promise<Buffer> => Buffer.from(`${id} ${payload}`);

test('work is done once by one of the workers, and its result comes back as it was', async () => {
  const { queue, c } = coordinator();
  const done: string[] = [];
  for (let i = 0; i < 3; i++) {
    worker(queue, async (work) => {
      done.push(work.id);
      await pause(5);
      return echo(work);
    });
  }
  const results = await Promise.all(Array.from({ length: 40 }, (_, i) => c.result({ id: `w-${i}`, payload: `p\u0000ü${i}` }, never)));
  expect(results.map((r) => r.bytes.toString())).toEqual(Array.from({ length: 40 }, (_, i) => `w-${i} p\u0000ü${i}`));
  expect(done.toSorted()).toEqual(Array.from({ length: 40 }, (_, i) => `w-${i}`).toSorted());
  expect(await c.workers()).toBe(3);
});

test('a coordinator that comes after one that is gone gets what was done, and asks for nothing twice', async () => {
  const { queue, c } = coordinator();
  const stopped = new AbortController();
  const asked = c.result({ id: 'a', payload: '1' }, stopped.signal);
  await pause(100);
  stopped.abort(new Error('the coordinator dies'));
  await expect(asked).rejects.toThrow('the coordinator dies');
  await c.close();
  let times = 0;
  worker(queue, async (work) => {
    times++;
    return echo(work);
  });
  const { c: next } = coordinator(queue);
  expect((await next.result({ id: 'a', payload: '1' }, never)).bytes.toString()).toBe('a 1');
  const { c: third } = coordinator(queue);
  expect((await third.result({ id: 'a', payload: '1' }, never)).bytes.toString()).toBe('a 1');
  expect(times).toBe(1);
  await third.sweep((id) => id === 'a');
  expect((await third.result({ id: 'a', payload: '1' }, never)).bytes.toString()).toBe('a 1');
  expect(times).toBe(2);
});

test('work that fails is tried again, fails for good after three tries, and is done when it is asked for again', async () => {
  const { queue, c } = coordinator();
  let times = 0;
  worker(queue, async (work) => {
    if (++times <= 3) throw new Error(`try ${times} fails`);
    return echo(work);
  });
  const failure = await c.result({ id: 'f', payload: '' }, never).catch((e: unknown) => e);
  expect(failure).toBeInstanceOf(WorkFailed);
  expect((failure as Error).message).toBe('try 3 fails');
  expect((await c.result({ id: 'f', payload: '' }, never)).bytes.toString()).toBe('f ');
  expect(times).toBe(4);
}, 30_000);

test('a worker that is stopped gives back what it does, and another one does it', async () => {
  const { queue, c } = coordinator();
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => void (begin = resolve));
  const first = worker(queue, async (_, signal) => {
    begin();
    await once(signal, 'abort');
    return undefined;
  });
  const result = c.result({ id: 'g', payload: 'x' }, never);
  await begun;
  await first.stop();
  worker(queue, echo, { name: 'second' });
  expect(await result).toMatchObject({ worker: 'second' });
});

test('a worker that is killed costs what it did, which another one does', async () => {
  const { queue, c } = coordinator();
  const begin = () => fork(join(import.meta.dirname, 'testing-worker.ts'), [redis.url, queue, '1000'], { execArgv: ['--import', 'tsx'] });
  const first = begin();
  open.push(async () => first.kill('SIGKILL'));
  const long = c.result({ id: 'long', payload: '1500' }, never);
  await once(first, 'message');
  first.kill('SIGKILL');
  const second = begin();
  open.push(async () => second.kill('SIGKILL'));
  // It takes longer than the lock holds: it is renewed meanwhile.
  expect(await long).toMatchObject({ worker: `process-${second.pid}` });
  expect((await long).bytes.toString()).toBe('slept 1500');
}, 60_000);

test('a Redis that goes away and comes back empty is waited for, and work that it lost is put there again', async () => {
  const { queue, c, said } = coordinator();
  const result = c.result({ id: 'r', payload: 'x' }, never);
  await pause(200);
  const { said: worked } = worker('another', echo);
  await redis.stop();
  await pause(500);
  await redis.start();
  worker(queue, echo);
  expect((await result).bytes.toString()).toBe('r x');
  for (const lines of [said, worked]) {
    expect(lines.some((line) => /has gone away/.test(line))).toBe(true);
    expect(lines.some((line) => /is back/.test(line))).toBe(true);
    expect(lines).toHaveLength(2);
  }
}, 60_000);

test('a result that is not what the worker said is done again', async () => {
  const { queue, c } = coordinator();
  let times = 0;
  worker(queue, async (work) => {
    times++;
    return echo(work);
  });
  expect((await c.result({ id: 'h', payload: 'x' }, never)).bytes.toString()).toBe('h x');
  const client = new Redis(redis.url.replace('unix:', ''));
  open.push(async () => client.disconnect());
  const keys = await client.keys(`ovbd:result:${queue}:*`);
  expect(keys).toHaveLength(1);
  await client.set(keys[0]!, 'h y');
  expect((await c.result({ id: 'h', payload: 'x' }, never)).bytes.toString()).toBe('h x');
  expect(times).toBe(2);
  await c.forget('h');
  expect(await client.keys(`ovbd:*${queue}*:h*`)).toEqual([]);
});

test('what is too much, or has no proper name, is not sent', async () => {
  const { c, queue } = coordinator();
  await expect(c.result({ id: 'a:b', payload: '' }, never)).rejects.toThrow('no name');
  await expect(c.result({ id: 'a', payload: 'x'.repeat((16 << 20) + 1) }, never)).rejects.toThrow('at most');
  worker(queue, async () => Buffer.alloc((128 << 20) + 1));
  await expect(c.result({ id: 'b', payload: '' }, never)).rejects.toThrow('at most');
}, 60_000);

test('coordinators announce themselves until they are closed', async () => {
  const { c } = coordinator();
  c.announce('one', 'what it is about');
  await expect.poll(() => announcements(redisAddress(redis.url))).toEqual(new Map([['one', 'what it is about']]));
  await c.close();
  expect(await announcements(redisAddress(redis.url))).toEqual(new Map());
});

test('a password connects, and is not in what is said', async () => {
  const locked = await startRedis('hunter2%&');
  try {
    await checkRedis(redisAddress(locked.url));
    const wrong = redisAddress(locked.url.replace('hunter2', 'wrong-one'));
    await expect(checkRedis(wrong)).rejects.toThrow(/no Redis can be used at redis:\/\/127\.0\.0\.1:\d+: .*redis-server/);
    await expect(checkRedis(wrong)).rejects.not.toThrow('wrong-one');
  } finally {
    await locked.close();
  }
});

it('without a Redis it is said at once what to do', async () => {
  await expect(checkRedis(redisAddress('unix:/nowhere/redis.sock'))).rejects.toThrow(/^no Redis can be used at unix:\/nowhere\/redis\.sock: .*apt-get install redis-server/);
});
