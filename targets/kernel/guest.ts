// SPDX-License-Identifier: MIT
/** One VM for one job with which more is done than making its devices and reading them. */
import { join } from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import { EngineError } from '../../model/errors.ts';
import type { Observation } from '../../model/index.ts';
import type { Job } from '../target.ts';
import { tablesOf } from './backing.ts';
import { deployOnPatch, deployOnStock } from './deploy.ts';
import { hangTitle } from './klog-hang.ts';
import type { Launcher } from './kernel-target.ts';
import { Mailbox } from './mailbox.ts';
import { Observer, OutOfOrder } from './observe.ts';
import { postMortem } from './post-mortem.ts';
import { runDir } from './run-dir.ts';
import { readsOf } from './session.ts';
import type { Event, Vm } from './vm.ts';
import { encodeCase, type CaseCommand, type Message } from './wire.ts';

/** Milliseconds for a start, and without a sign of life, on a busy machine. */
const START_MS = 60_000;
export const SILENCE_MS = 60_000;
/** Milliseconds for what a machine that no longer answers can still say. */
const DUMP_MS = 10_000;
/** Characters of a log that are kept. */
const LOG_LIMIT = 128 << 10;

/** What is done, and where. */
export interface Errand {
  readonly launcher: Launcher;
  readonly name: 'stock' | 'patch';
  /** Name of the module under test. */
  readonly module: string | undefined;
  readonly job: Job;
  readonly signal: AbortSignal;
}

/** A machine that is up, with the job's images in its mailbox. */
export interface Guest {
  readonly command: CaseCommand;
  send(frame: Buffer): void;
  /** The next message of these types, what the machine is doing in words, and milliseconds of silence that make a hang. */
  next<T extends Message['type']>(types: readonly T[], phase: string, milliseconds: number): Promise<Extract<Message, { type: T }>>;
  /** Does the job as it is, once, which also brings what the kernel has said since the start. */
  look(): Promise<void>;
}

/** The machine is gone, or does not answer. */
class Gone extends Error {
  readonly event: Event;
  readonly phase: string;
  constructor(event: Event, phase: string) {
    super('the machine is gone');
    this.event = event;
    this.phase = phase;
  }
}

/**
 * Starts a machine, has `work` done in it, and gives what was seen: of `look`,
 * and how the machine ended where it did. Throws `EngineError` where it does
 * not start or the guest refuses a command.
 */
export async function inGuest({ launcher, name, module, job, signal }: Errand, work: (guest: Guest) => Promise<void>): Promise<Observation> {
  const folder = await mkdtemp(join(runDir(), 'guest-'));
  const mailbox = new Mailbox(join(folder, 'mailbox'));
  const vm = launcher.start(mailbox.path);
  const abort = (): void => void vm.kill();
  signal.addEventListener('abort', abort, { once: true });
  let observer = new Observer({ slices: [], devices: [] }, [], [], module);
  try {
    const hello = await vm.hello(START_MS, 1);
    signal.throwIfAborted();
    if (hello === undefined) throw new EngineError('the virtual machine does not start');
    const deployment = (name === 'patch' ? deployOnPatch : deployOnStock)(job);
    const placed = mailbox.place(deployment.slices);
    if (placed === undefined) throw new EngineError('the images are larger than the mailbox');
    const command: CaseCommand = { number: 1, reads: [], devices: tablesOf(deployment, placed.starts, hello.targets), target: deployment.devices.length - 1 };
    const next: Guest['next'] = async (types, phase, milliseconds) => {
      for (;;) {
        const event = await vm.next(milliseconds);
        signal.throwIfAborted();
        if (event.type !== 'message') throw new Gone(event, phase);
        if (event.message.type === 'error') throw new EngineError(`the guest refuses the command: ${event.message.text}`);
        const found = types.find((type) => type === event.message.type);
        if (found !== undefined) return event.message as never;
      }
    };
    const look = async (): Promise<void> => {
      const reads = readsOf(job, deployment);
      observer = new Observer(deployment, reads, job.wanted, module);
      vm.send(encodeCase({ ...command, reads }));
      while (!observer.done) observer.take(await next(['begin', 'open', 'read', 'end'], observer.phase, SILENCE_MS), hello.taint);
    };
    await work({ command, send: (frame) => vm.send(frame), next, look });
    return observer.observation(0);
  } catch (error) {
    if (error instanceof OutOfOrder) throw new EngineError(`the guest agent breaks the protocol: ${error.message}`);
    if (!(error instanceof Gone)) throw error;
    return observer.observation(0, await deathOf(vm, error, module, observer));
  } finally {
    signal.removeEventListener('abort', abort);
    await vm.kill();
    mailbox.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What became of a machine, with its last words in the observer's log. */
async function deathOf(vm: Vm, { event, phase }: Gone, module: string | undefined, observer: Observer): Promise<Parameters<Observer['observation']>[1]> {
  if (event.type === 'ended') {
    observer.addLog(vm.console.slice(-LOG_LIMIT));
    return postMortem(event.ended, vm.console, module, phase);
  }
  if (event.type === 'broken') throw new EngineError(`the guest agent breaks the protocol: ${event.why}`);
  const log = await vm.rescueLog(DUMP_MS);
  if (log === undefined) {
    await vm.dumpTasks(DUMP_MS);
    await vm.nmi(DUMP_MS);
  }
  const text = `${log ?? ''}${vm.console}`;
  observer.addLog(text.slice(-LOG_LIMIT));
  return { death: { kind: 'hang', title: text.trim() === '' ? `no output in ${phase}` : hangTitle(text, module), phase } };
}
