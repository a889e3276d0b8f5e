// SPDX-License-Identifier: MIT
/** Runs jobs in one VM after another: many a VM while all is well, a new one after each death or complaint. */
import { join } from 'node:path';
import { EngineError, readProblem, type Death, type Observation } from '../../model/index.ts';
import type { Job, RunOptions, Session } from '../target.ts';
import { actionsOf, tablesOf } from './backing.ts';
import type { Collector, MachineCounters } from './coverage/collector.ts';
import { CannotDeploy, type Deployment } from './deploy.ts';
import { hangTitle } from './klog-hang.ts';
import { Mailbox, type Region } from './mailbox.ts';
import { Observer, OutOfOrder, notRun } from './observe.ts';
import { postMortem } from './post-mortem.ts';
import { runDir } from './run-dir.ts';
import type { Hello, Vm } from './vm.ts';
import { MAX_COMMAND_BYTES, MAX_READ_BYTES, encodeCase, encodePing, type ReadCommand } from './wire.ts';

/** Jobs that the guest has before it while it works on one, so that it never waits for us. */
const WINDOW = 8;
/** Milliseconds without a sign of life that make a hang, on a machine that starts a VM in `NORMAL_START_MS`. */
const SILENCE_MS = 4000;
const NORMAL_START_MS = 150;
/** Milliseconds more for each device, and for each MiB that is read. */
const DEVICE_MS = 30;
const MIB_MS = 100;
/** Times that silence is forgiven a VM that was given no processor time. */
const MAX_EXTENSIONS = 10;
const START_MS = 15_000;
const START_TRIES = 3;
/** VMs lost in a row before we stop: somebody is killing them, or the machine is out of memory. */
const MAX_LOST = 10;
/** Characters of console or stacks that go into an observation: the stacks of all tasks are 30 to 90 thousand. */
const LOG_LIMIT = 128 << 10;

export interface SessionParts {
  /** A VM that answers a ping when it is up. */
  readonly start: (mailbox: string, processors: number | undefined, signal: AbortSignal | undefined) => Promise<Vm>;
  readonly deploy: (job: Job) => Deployment;
  /** Name of the module under test. */
  readonly module: string | undefined;
  /** Present where the lines that the module runs are counted. */
  readonly coverage?: Collector;
  /** For our own tests: frames sent before a job's case. */
  readonly before?: (job: Job) => Buffer[];
}

interface InFlight {
  readonly index: number;
  readonly number: number;
  readonly observer: Observer;
  readonly region: Region | undefined;
  /** Where a changed image is looked for, of a case that tries to change it. */
  readonly watched: { readonly deployment: Deployment; readonly starts: readonly number[] } | undefined;
  /** Set where the job was not sent. */
  readonly preset: Observation | undefined;
  /** Milliseconds it may be silent, on a normal machine. */
  readonly silence: number;
}

/** Where a batch stopped: the next job to run. */
interface BatchEnd {
  readonly next: number;
  readonly lost: boolean;
}

let sessions = 0;

export class KernelSession implements Session {
  readonly #parts: SessionParts;
  readonly #mailbox = new Mailbox(join(runDir(), `mailbox-${sessions++}`));
  #vm: Vm | undefined;
  #closed = false;
  #number = 0;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** Stops without an error, and without calling `done` for the rest, when `options.signal` is aborted. */
  async run(jobs: readonly Job[], done: (index: number, observation: Observation) => void, options: RunOptions = {}): Promise<void> {
    let lost = 0;
    for (let next = 0; next < jobs.length && !this.#stopped(options); ) {
      const end = await this.#batch(jobs, next, done, options);
      lost = end.lost ? lost + 1 : 0;
      if (lost >= MAX_LOST) throw new EngineError(`${lost} virtual machines in a row were killed from outside`);
      next = end.next;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#vm?.kill();
    this.#mailbox.close();
  }

  #stopped(options: RunOptions): boolean {
    return this.#closed || options.signal?.aborted === true;
  }

  async #batch(jobs: readonly Job[], first: number, done: (index: number, observation: Observation) => void, options: RunOptions): Promise<BatchEnd> {
    const { vm, hello, startMs } = await this.#start(options);
    if (vm === undefined) return { next: first, lost: false };
    const counters = this.#parts.coverage?.begin(options.processors ?? 1);
    if (counters !== undefined) vm.send(counters.first);
    this.#mailbox.releaseAll();
    const slow = Math.min(10, Math.max(1, startMs / NORMAL_START_MS)) * (options.patience ?? 1);
    const queue: InFlight[] = [];
    let sent = first;
    let history = 0;
    let extensions = 0;
    let ended = false;
    let cpu = vm.cpuTime() ?? 0;
    let since = performance.now();
    /** The last job's observation waits until the guest has shown that it survived it. */
    let held: { index: number; observation: Observation; nonce: number } | undefined;
    const finish = (index: number, observation: Observation): void => {
      done(index, observation);
      history++;
    };
    /** Takes a death into account and says where to go on. */
    const died = (what: Parameters<Observer['observation']>[1], log: string, lostVm = false): BatchEnd => {
      ended = true;
      const current = queue[0];
      if (current === undefined) {
        const last = held!;
        held = undefined;
        done(last.index, { ...last.observation, ...what, complaints: [...last.observation.complaints, ...(what?.complaints ?? [])], log: clip(last.observation.log + log) });
        return { next: last.index + 1, lost: lostVm };
      }
      current.observer.addLog(clip(log));
      done(current.index, current.observer.observation(history, what));
      return { next: current.index + 1, lost: lostVm };
    };

    try {
      for (;;) {
        while (queue.length < WINDOW && sent < jobs.length) {
          const entry = this.#send(vm, hello, jobs[sent]!, sent, counters);
          if (entry === undefined) break;
          queue.push(entry);
          sent++;
        }
        while (queue[0]?.preset !== undefined) {
          const entry = queue.shift()!;
          done(entry.index, entry.preset!);
        }
        const current = queue[0];
        if (current === undefined && held === undefined) {
          if (sent >= jobs.length) return { next: sent, lost: false };
          continue;
        }
        const silence = (current?.silence ?? SILENCE_MS) * slow;
        const event = await vm.next(silence);
        if (this.#stopped(options)) return { next: jobs.length, lost: false };
        const phase = current?.observer.phase ?? 'close';
        if (event.type === 'ended') {
          const found = postMortem(event.ended, vm.console, this.#parts.module, phase);
          return died(found, vm.console, found.death?.kind === 'lost');
        }
        if (event.type === 'broken') {
          return died(garbage(event.why, phase), vm.console);
        }
        if (event.type === 'silence') {
          const used = (vm.cpuTime() ?? cpu) - cpu;
          const log = await vm.rescueLog(Math.min(silence, 3000 * slow));
          if (vm.waiting) continue;
          // A guest that answers has a stuck agent; one that neither answers nor was let run is only slow.
          if (log === undefined && used < (performance.now() - since) / 3 && extensions++ < MAX_EXTENSIONS) {
            vm.forgive();
            continue;
          }
          if (log === undefined) {
            await vm.dumpTasks(3000 * slow);
            // What it is doing itself, which tells more than where the others wait.
            await vm.nmi(1000 * slow);
          }
          const text = `${log ?? ''}${vm.console}`;
          const title = text.trim() === '' ? `no output in ${phase.split(' ')[0]!}` : hangTitle(text, this.#parts.module);
          return died({ death: { kind: 'hang', title, phase } }, text);
        }
        const { message } = event;
        extensions = 0;
        cpu = vm.cpuTime() ?? cpu;
        since = performance.now();
        if (message.type === 'coverage' && counters !== undefined) {
          counters.take(message);
          continue;
        }
        if (message.type === 'hello' && held !== undefined && message.nonce === held.nonce) {
          finish(held.index, held.observation);
          held = undefined;
          continue;
        }
        try {
          if (current === undefined || ('case' in message && message.case !== current.number)) throw new OutOfOrder('a message of no case that runs');
          current.observer.take(message, hello.taint);
        } catch (error) {
          if (!(error instanceof OutOfOrder)) throw error;
          return died(garbage(error.message, phase), vm.console);
        }
        if (!current.observer.done) continue;
        queue.shift();
        const observation = { ...current.observer.observation(history), ...this.#changeIn(current) };
        if (current.region !== undefined) this.#mailbox.release(current.region);
        if (current.observer.dirty) {
          finish(current.index, observation);
          await lastCounters(vm, counters, silence);
          return { next: current.index + 1, lost: false };
        }
        if (queue.length === 0 && sent >= jobs.length) {
          held = { index: current.index, observation, nonce: this.#number + 1 };
          vm.send(encodePing(held.nonce));
        } else {
          finish(current.index, observation);
        }
      }
    } finally {
      counters?.end(ended);
      await vm.kill();
      this.#vm = undefined;
    }
  }

  /** Puts a job's images into the mailbox and its command onto the port; undefined while there is no room. */
  #send(vm: Vm, { targets }: Hello, job: Job, index: number, counters: MachineCounters | undefined): InFlight | undefined {
    const entry = { index, number: 0, observer: new Observer({ slices: [], devices: [] }, [], [], undefined), region: undefined, watched: undefined, silence: 0 };
    let deployment: Deployment;
    let reads: ReadCommand[];
    try {
      deployment = this.#parts.deploy(job);
      if (Mailbox.tooLarge(deployment.slices)) throw new CannotDeploy('the images are larger than the mailbox');
      reads = readsOf(job, deployment);
    } catch (error) {
      if (!(error instanceof CannotDeploy)) throw error;
      return { ...entry, preset: notRun(error.message) };
    }
    const placed = this.#mailbox.place(deployment.slices);
    if (placed === undefined) return undefined;
    const number = ++this.#number;
    const { crowd } = job.case.access;
    let frame: Buffer;
    const actions = actionsOf(deployment, placed.starts, targets);
    try {
      frame = encodeCase({ number, devices: tablesOf(deployment, placed.starts, targets), target: deployment.devices.length - 1, reads, actions, ...(crowd && { crowd }) });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#mailbox.release(placed.region);
      return { ...entry, preset: notRun(`the case does not fit a command of ${MAX_COMMAND_BYTES} bytes: ${error.message}`) };
    }
    for (const extra of this.#parts.before?.(job) ?? []) vm.send(extra);
    vm.send(frame);
    // After every case: a machine that dies takes with it what came after its last answer.
    if (counters !== undefined) vm.send(counters.request());
    const bytes = reads.reduce((sum, read) => sum + read.length, 0) * (1 + (crowd ? crowd.readers * crowd.rounds : 0)) + deployment.slices.reduce((sum, slice) => sum + slice.deviceBytes, 0);
    const silence = SILENCE_MS + deployment.devices.length * DEVICE_MS + (bytes / (1 << 20)) * MIB_MS;
    return {
      index, number, observer: new Observer(deployment, reads, job.wanted, this.#parts.module, actions, crowd?.readers), region: placed.region,
      watched: deployment.attempts && { deployment, starts: placed.starts }, preset: undefined, silence,
    };
  }

  /** The first byte under an image that the case changed, for its observation. */
  #changeIn({ watched }: InFlight): Pick<Observation, 'changed'> {
    if (watched === undefined) return {};
    const { deployment, starts } = watched;
    for (const device of deployment.devices) {
      if (!('slice' in device)) continue;
      const at = this.#mailbox.firstChange(deployment.slices[device.slice]!, starts[device.slice]!);
      if (at !== undefined) return { changed: { layer: device.layer, at } };
    }
    return {};
  }

  async #start(options: RunOptions): Promise<{ vm: Vm; hello: Hello; startMs: number } | { vm: undefined; hello: undefined; startMs: 0 }> {
    for (let tried = 1; ; tried++) {
      const began = performance.now();
      let vm: Vm;
      try {
        vm = await this.#parts.start(this.#mailbox.path, options.processors, options.signal);
      } catch (error) {
        if (this.#stopped(options)) return { vm: undefined, hello: undefined, startMs: 0 };
        throw error;
      }
      this.#vm = vm;
      const hello = this.#stopped(options) ? undefined : await vm.hello(START_MS, ++this.#number);
      if (hello !== undefined && !this.#stopped(options)) return { vm, hello, startMs: performance.now() - began };
      await vm.kill();
      this.#vm = undefined;
      if (this.#stopped(options)) return { vm: undefined, hello: undefined, startMs: 0 };
      if (tried === START_TRIES) {
        const { stderr, signal, code } = await vm.exited;
        throw new EngineError(`the virtual machine does not start: QEMU ended (${signal ?? `code ${code}`})${stderr === '' ? '' : `: ${stderr.slice(0, 300)}`}`);
      }
    }
  }
}

/**
 * Takes what a machine that is given up has counted to its last case. The cases that were
 * sent ahead run on and are not waited for, but that the first answer is.
 */
async function lastCounters(vm: Vm, counters: MachineCounters | undefined, milliseconds: number): Promise<void> {
  const until = performance.now() + milliseconds;
  for (const answers = counters?.answers ?? 0; counters !== undefined && counters.answers === answers && performance.now() < until;) {
    const event = await vm.next(until - performance.now());
    if (event.type !== 'message') return;
    if (event.message.type === 'coverage') counters.take(event.message);
  }
}

/** Messages that break the protocol: memory that the target damaged, or our own mistake. Until it is known which, ours. */
function garbage(why: string, phase: string): { death: Death } {
  return { death: { kind: 'lost', title: `lost connection: the guest agent breaks the protocol: ${why}`, phase } };
}

/** The reads of a job's case. Throws `CannotDeploy` for one that cannot be done. */
export function readsOf(job: Job, { devices, twin }: Deployment): ReadCommand[] {
  return job.case.access.reads.map((read, index) => {
    const problem = readProblem(read) ?? (read.length > MAX_READ_BYTES ? `a length of ${read.length} bytes` : null);
    if (problem !== null) throw new CannotDeploy(`read ${index} cannot be done: ${problem}`);
    return { device: devices.length - (twin && index % 2 === 1 ? 2 : 1), ...read };
  });
}

function clip(text: string): string {
  return text.length <= LOG_LIMIT ? text : `${text.slice(0, LOG_LIMIT / 2)}\n... left out\n${text.slice(-LOG_LIMIT / 2)}`;
}
