// SPDX-License-Identifier: MIT
/** A worker in a process of its own, for tests that kill it: `testing-worker.ts <address> <queue> <lock ms>`. What it does takes the milliseconds that it is told. */
import { setTimeout as pause } from 'node:timers/promises';
import { redisAddress } from './address.ts';
import { serve } from './redis.ts';

const [url, queue, lockMs] = process.argv.slice(2) as [string, string, string];
await serve(redisAddress(url), {
  queue, name: `process-${process.pid}`, jobs: 1, lockMs: Number(lockMs), signal: new AbortController().signal, say: () => undefined,
  work: async ({ payload }) => {
    process.send?.(`begun ${payload}`);
    await pause(Number(payload));
    return Buffer.from(`slept ${payload}`);
  },
});
