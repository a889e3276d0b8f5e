// SPDX-License-Identifier: MIT
/**
 * The processes in which a worker runs batches. The worker itself only holds on to
 * its jobs, which takes an event loop that nothing holds up; a process that dies costs its batch.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LIMITS } from '../engine/queue/queue.ts';
import { EngineError, UsageError } from '../model/index.ts';
import type { BatchIdentity } from './batch-identity.ts';
import type { TargetRequest } from './targets.ts';
import { RESULT, type FromSlot, type ToSlot } from './worker-slot.ts';

/** Milliseconds that a process has to stop its batch, before it is killed. */
const STOP_MS = 6000;

export interface Slot {
  readonly identity: BatchIdentity;
  readonly skipped: readonly string[];
  /** False when its process is gone. */
  readonly alive: () => boolean;
  /** Runs a batch and gives its archive; undefined where the signal stopped it. Throws where it failed or the process died. */
  run(plan: string, signal: AbortSignal): Promise<Buffer | undefined>;
  close(): Promise<void>;
}

/** Starts a process, with a folder below `place`, and has it open the targets. Throws as `openTargets` does. */
export async function openSlot(request: TargetRequest, place: string, signal: AbortSignal): Promise<Slot> {
  signal.throwIfAborted();
  const folder = mkdtempSync(join(place, 'slot-'));
  const { OVBD_REDIS: _, ...env } = process.env;
  // A group of its own: Ctrl-C is for the worker, which gives back what is in work.
  const child = fork(fileURLToPath(new URL('ovbd.mjs', import.meta.url)), ['worker', '--slot', folder], { stdio: ['ignore', 2, 2, 'ipc'], detached: true, execArgv: [], env });
  let alive = true;
  const exited = new Promise<void>((resolve) => void child.once('exit', () => {
    alive = false;
    resolve();
  }));
  const close = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(timer);
    rmSync(folder, { recursive: true, force: true });
  };
  const onAbort = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const opened = await ask(child, { type: 'open', request: { ...request, jobs: 1 } });
    if (opened.type === 'cannot') throw new (opened.usage ? UsageError : EngineError)(opened.message);
    if (opened.type !== 'ready') throw new EngineError(`a process of the worker answered ${opened.type}`);
    return {
      identity: opened.identity, skipped: opened.skipped, alive: () => alive, close,
      async run(plan, stop) {
        let timer: NodeJS.Timeout | undefined;
        const onStop = (): void => {
          if (child.connected) child.send({ type: 'stop' } satisfies ToSlot, () => undefined);
          timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
        };
        stop.addEventListener('abort', onStop, { once: true });
        try {
          const answer = ask(child, { type: 'run', plan });
          if (stop.aborted) onStop();
          const { type, ...rest } = await answer;
          if (type === 'stopped') return undefined;
          if (type !== 'done') throw new EngineError('message' in rest ? rest.message : `a process of the worker answered ${type}`);
          const path = join(folder, RESULT);
          if (statSync(path).size > LIMITS.result) throw new EngineError(`its findings are ${statSync(path).size} bytes packed, where at most ${LIMITS.result} are sent`);
          return readFileSync(path);
        } catch (error) {
          if (stop.aborted) return undefined;
          throw error;
        } finally {
          clearTimeout(timer);
          stop.removeEventListener('abort', onStop);
        }
      },
    };
  } catch (error) {
    await close();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Sends a message and gives the next one that comes. Throws `EngineError` where the process ends first. */
function ask(child: ChildProcess, message: ToSlot): Promise<FromSlot> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null, signal: string | null): void => {
      child.off('message', onMessage);
      reject(new EngineError(`the process that ran it ended (${signal ?? `code ${code}`})`));
    };
    const onMessage = (answer: unknown): void => {
      child.off('exit', onExit);
      resolve(answer as FromSlot);
    };
    if (!child.connected) return onExit(child.exitCode, child.signalCode);
    child.once('exit', onExit);
    child.once('message', onMessage);
    child.send(message, () => undefined);
  });
}
