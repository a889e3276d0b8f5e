// SPDX-License-Identifier: MIT
/**
 * Locks that cannot go stale: the holder listens on a socket in Linux's abstract
 * name space (unix(7)). Binding is atomic, the kernel frees the name when the
 * process ends, however it ends, and waiting is reading until the holder is gone.
 * No file is written, so locks work beside a read-only cache too. Processes in
 * another network name space do not see each other's locks; what the locks guard
 * is made by rename and stays right, merely made twice.
 */
import { createHash } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once, when another process turns out to hold the lock. */
  readonly onWait?: (() => void) | undefined;
}

/** Runs `work` while no other process of this machine holds the lock of that name. */
export async function withLock<T>(name: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const address = `\0ovbd-lock-${createHash('sha256').update(name).digest('hex').slice(0, 40)}`;
  for (let waited = false; ; waited = true) {
    options.signal?.throwIfAborted();
    const held = await tryListen(address);
    if (held !== undefined) {
      try {
        return await work();
      } finally {
        await held.release();
      }
    }
    if (!waited) options.onWait?.();
    await untilReleased(address, options.signal);
  }
}

interface Held {
  release(): Promise<void>;
}

function tryListen(address: string): Promise<Held | undefined> {
  return new Promise((resolve, reject) => {
    const waiting = new Set<Socket>();
    const server: Server = createServer((socket) => {
      waiting.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => waiting.delete(socket));
    });
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () =>
      resolve({
        release: () =>
          new Promise((done) => {
            server.close(() => done());
            for (const socket of waiting) socket.destroy();
          }),
      }),
    );
  });
}

/** Resolves when the holder lets go or dies. */
function untilReleased(address: string, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const end = (): void => void socket.destroy();
    signal?.addEventListener('abort', end, { once: true });
    // Refused: the holder left between our bind and our connect.
    socket.on('error', () => undefined);
    socket.on('data', () => undefined);
    socket.once('close', () => {
      signal?.removeEventListener('abort', end);
      // A breath, so that a holder with a full backlog is not asked in a tight loop.
      setTimeout(resolve, 5);
    });
  });
}
