// SPDX-License-Identifier: MIT
/** Connections to a Redis: whether there is one, what to say when it goes away, and what coordinators announce on it. */
import { Redis } from 'ioredis';
import { EngineError } from '../../model/index.ts';
import { withoutSecrets, type ClientOptions, type RedisAddress } from './address.ts';

/** Before every key of ours. */
export const PREFIX = 'ovbd';
/** Milliseconds to connect. */
const CONNECT_MS = 8000;
/** Announcements that are looked at. */
const MOST_ANNOUNCED = 100;
const ANNOUNCED_BYTES = 1 << 20;

/** Reconnects without an end, at most every five seconds. */
export function optionsOf(address: RedisAddress): ClientOptions & { maxRetriesPerRequest: null; connectTimeout: number; retryStrategy: (times: number) => number } {
  return { ...address.options, maxRetriesPerRequest: null, connectTimeout: CONNECT_MS, retryStrategy: (times: number) => Math.min(5000, 100 * 2 ** Math.min(times, 6)) };
}

/** Our own connection, which tells when Redis goes away and comes back. */
export function connection(address: RedisAddress, say: (text: string) => void): Redis {
  const client = new Redis(optionsOf(address));
  let away = false;
  let why = '';
  client.on('error', (error: Error) => void (why = reasonOf(address, error)));
  client.on('close', () => {
    if (away) return;
    away = true;
    say(`the Redis at ${address.name} has gone away${why === '' ? '' : ` (${why})`}: trying to reach it again`);
  });
  client.on('ready', () => {
    why = '';
    if (away) say(`the Redis at ${address.name} is back`);
    away = false;
  });
  return client;
}

function reasonOf(address: RedisAddress, error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  return withoutSecrets(address, (message || code) ?? String(error));
}

/** Returns where a Redis answers. Throws `EngineError` with what to do where none does. */
export async function checkRedis(address: RedisAddress): Promise<void> {
  const client = new Redis({ ...address.options, lazyConnect: true, connectTimeout: CONNECT_MS, maxRetriesPerRequest: 0, retryStrategy: () => null });
  let why: unknown;
  client.on('error', (error: Error) => void (why = error));
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    throw new EngineError(`no Redis can be used at ${address.name}: ${reasonOf(address, why ?? error)}; start one (Debian: apt-get install redis-server, then redis-server --port 6379), or give the address of another (docs/workers.md)`);
  } finally {
    client.disconnect();
  }
}

/** What coordinators say now, by name: text of strangers of bounded length. */
export async function announcements(address: RedisAddress): Promise<Map<string, string>> {
  const client = new Redis({ ...address.options, connectTimeout: CONNECT_MS, maxRetriesPerRequest: 1, retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    const found = new Map<string, string>();
    const start = `${PREFIX}:campaign:`;
    for (let cursor = '0', turns = 0; turns === 0 || (cursor !== '0' && turns < 10_000); turns++) {
      const [next, keys] = await client.scan(cursor, 'MATCH', `${start}*`, 'COUNT', 1000);
      cursor = next;
      for (const key of keys) {
        if (found.size >= MOST_ANNOUNCED || (await client.strlen(key)) > ANNOUNCED_BYTES) continue;
        const text = await client.get(key);
        if (text !== null) found.set(key.slice(start.length), text);
      }
    }
    return found;
  } finally {
    client.disconnect();
  }
}

/** A connection that is closed or closing; commands that were on their way when it broke say so too. */
export function isAway(error: unknown): boolean {
  const { message, code } = error as NodeJS.ErrnoException;
  return /Connection is closed|Stream isn't writeable|Command aborted|LOADING|max retries/i.test(message ?? '') || ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'].includes(code ?? '');
}

/** Ends in bounded time, whether Redis answers or not. */
export async function bounded(ending: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([ending.catch(() => undefined), new Promise((resolve) => void (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
