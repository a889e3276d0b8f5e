// SPDX-License-Identifier: MIT
/** A Redis of a test's own, on a Unix socket in a folder of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { APT_OPTIONS, aptEnv, aptReason, aptUpdate, hasApt, isRoot, withAptLock } from '../../targets/kernel/lab/apt.ts';
import { findCommand, run } from '../../targets/kernel/lab/child.ts';

/** Why no Redis can be started here; undefined where one can. Installs it where it may. */
export async function whyNoRedis(): Promise<string | undefined> {
  if (findCommand('redis-server') !== undefined) return undefined;
  if (!hasApt() || !isRoot()) return 'redis-server is not installed, and we may not install it (apt-get install redis-server)';
  return withAptLock(async () => {
    await aptUpdate({ signal: undefined, say: () => undefined });
    const result = await run('apt-get', [...APT_OPTIONS, 'install', '-y', '--no-install-recommends', 'redis-server'], { env: aptEnv(), seconds: 600, diesWithParent: false });
    return findCommand('redis-server') !== undefined ? undefined : `redis-server cannot be installed: ${aptReason(result)}`;
  });
}

export interface TestRedis {
  readonly url: string;
  readonly folder: string;
  /** SIGKILL, and an empty one in its place. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Starts one that keeps nothing on disk; with a password where one is given, then on a port of this machine's own. */
export async function startRedis(password?: string): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'ovbd-redis-'));
  const socket = join(folder, 'redis.sock');
  const port = password === undefined ? 0 : await freePort();
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  const start = async (): Promise<void> => {
    rmSync(socket, { force: true });
    child = spawn(findCommand('redis-server')!, [
      '--port', String(port), '--bind', '127.0.0.1', '--unixsocket', socket, '--dir', folder, '--save', '', '--appendonly', 'no', '--daemonize', 'no', ...(password === undefined ? [] : ['--requirepass', password]),
    ], { stdio: 'ignore' });
    while (!existsSync(socket)) {
      if (child.exitCode !== null) throw new Error(`redis-server ended with code ${child.exitCode}`);
      await pause(20);
    }
  };
  await start();
  return {
    url: password === undefined ? `unix:${socket}` : `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}`, folder, stop, start,
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
