// SPDX-License-Identifier: MIT
/** Devices that come and go thousands of times in one VM, and what its kernel holds meanwhile. */
import { join } from 'node:path';
import { mkdtemp } from 'node:fs/promises';
import { EngineError } from '../../model/errors.ts';
import type { Job } from '../target.ts';
import { tablesOf } from './backing.ts';
import { deployOnPatch, deployOnStock } from './deploy.ts';
import type { Launcher } from './kernel-target.ts';
import { Mailbox } from './mailbox.ts';
import { runDir } from './run-dir.ts';
import { encodeCycle, encodeReload, type Census, type Message } from './wire.ts';

/** Milliseconds for a start, and without a census; a cycle takes tens of milliseconds, many more with sanitizers on a busy machine. */
const START_MS = 60_000;
const SILENCE_MS = 60_000;
const CYCLE_MS = 3000;

/** What became of a module that was removed and inserted again: errnos, 0 where all is well. */
export interface Reloaded {
  readonly unload: number;
  readonly load: number;
}

export interface Cycled {
  /** The last one was made when all cycles were done. */
  readonly censuses: readonly Census[];
  /** Absent on the stock kernel, and where the VM did not live so long. */
  readonly reloaded?: Reloaded;
  /** How the VM ended before its time: the end of its console. */
  readonly death?: string;
}

/**
 * Runs `iterations` cycles of one job with a census after `every`, then
 * reloads `module`, where there is one. Throws `EngineError` where the VM does
 * not start or the guest refuses the command.
 */
export async function cycle(launcher: Launcher, name: 'stock' | 'patch', module: string | undefined, job: Job, iterations: number, every: number, signal: AbortSignal): Promise<Cycled> {
  const mailbox = new Mailbox(join(await mkdtemp(join(runDir(), 'cycle-')), 'mailbox'));
  const vm = launcher.start(mailbox.path);
  const abort = (): void => void vm.kill();
  signal.addEventListener('abort', abort, { once: true });
  /** The next message; null where the VM is gone. */
  const next = async (ms: number): Promise<Message | null> => {
    const event = await vm.next(ms);
    signal.throwIfAborted();
    if (event.type !== 'message') return null;
    if (event.message.type === 'error') throw new EngineError(`the guest refuses to cycle: ${event.message.text}`);
    return event.message;
  };
  const censuses: Census[] = [];
  const died = (): Cycled => ({ censuses, death: vm.console.slice(-2000) });
  try {
    if ((await vm.hello(START_MS, 1)) === undefined) throw new EngineError('the virtual machine does not start');
    const deployment = (name === 'patch' ? deployOnPatch : deployOnStock)(job);
    const placed = mailbox.place(deployment.slices);
    if (placed === undefined) throw new EngineError('the images are larger than the mailbox');
    vm.send(encodeCycle({ number: 1, devices: tablesOf(deployment, placed.starts), target: deployment.devices.length - 1, reads: [] }, iterations, every));
    do {
      const message = await next(SILENCE_MS + every * CYCLE_MS);
      if (message?.type !== 'census') return died();
      const { type: _, ...census } = message;
      censuses.push(census);
    } while (censuses.at(-1)!.done < iterations);
    if (module === undefined) return { censuses };
    vm.send(encodeReload(module));
    const message = await next(SILENCE_MS);
    if (message?.type !== 'reload') return died();
    const { type: _, ...reloaded } = message;
    return { censuses, reloaded };
  } finally {
    signal.removeEventListener('abort', abort);
    await vm.kill();
    mailbox.close();
  }
}
