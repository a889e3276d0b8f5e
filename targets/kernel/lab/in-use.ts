// SPDX-License-Identifier: MIT
/**
 * Who uses a cache folder. Each process that does holds a name in Linux's abstract
 * socket name space (unix(7)), which the kernel frees when it ends, however it ends;
 * who wants to remove entries reads the names in /proc/net/unix. Between looking and
 * removing nobody new comes in, because both happen under one lock.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Cache } from './cache.ts';
import { withLock } from './lock.ts';

const held = new Set<string>();

function nameOf(root: string): string {
  return `ovbd-use-${createHash('sha256').update(root).digest('hex').slice(0, 32)}`;
}

/** Says, until this process ends, that it uses the cache; waits while somebody removes entries. */
export async function useCache(cache: Cache, signal?: AbortSignal): Promise<void> {
  if (held.has(cache.root)) return;
  held.add(cache.root);
  try {
    await withLock(`clean ${cache.root}`, () => hold(`\0${nameOf(cache.root)}-${process.pid}`), { signal });
  } catch (error) {
    held.delete(cache.root);
    throw error;
  }
}

function hold(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    // Two copies of this file in one process, as test runners make them: the name is held, which is what counts.
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve() : reject(error)));
    server.listen(address, () => {
      server.unref();
      resolve();
    });
  });
}

/** Process ids of the others that use the cache, rising. Sees only processes of this network name space. */
export function usersOf(cache: Cache): number[] {
  const name = nameOf(cache.root);
  let sockets = '';
  try {
    sockets = readFileSync('/proc/net/unix', 'latin1');
  } catch {
    // Not Linux: there is no lab either.
  }
  const pids = [...sockets.matchAll(new RegExp(`@${name}-(\\d+)`, 'g'))].map((match) => Number(match[1]));
  return [...new Set(pids)].filter((pid) => pid !== process.pid).sort((a, b) => a - b);
}

/**
 * Does the work if nobody else uses the cache, and keeps everybody out meanwhile.
 * Gives the process ids of the users where there are some: then nothing was done.
 */
export async function whileUnused(cache: Cache, work: () => Promise<void>, signal?: AbortSignal): Promise<number[]> {
  return withLock(`clean ${cache.root}`, async () => {
    const users = usersOf(cache);
    if (users.length === 0) await work();
    return users;
  }, { signal });
}
