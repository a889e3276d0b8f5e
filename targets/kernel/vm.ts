// SPDX-License-Identifier: MIT
/** One virtual machine: a QEMU process, its ports, its console, its end. */
import { readFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { CappedText } from './capped-text.ts';
import { FD, qemuArguments, type Machine, type Memory } from './qemu-args.ts';
import { Monitor } from './qmp.ts';
import { spawnSupervised } from './supervised.ts';
import { MessageDecoder, WireError, encodePing, encodeRescue, type Message } from './wire.ts';

/** Characters of console kept; an oops is about 4000. */
const CONSOLE_LIMIT = 256 << 10;
/** Milliseconds that a key needs from the serial port to its effect, and of silence after which a dump has ended. */
const KEY_MS = 50;
const QUIET_MS = 400;
/** Messages waiting for us; a guest that sends more without being asked is broken. */
const MAX_WAITING = 65536;
/** Deadlines of silence after which a guest that only talks on its console is as silent as one that says nothing. */
const TALK = 3;

export interface VmOptions {
  readonly qemu: string;
  readonly machine: Machine;
  readonly memory: Memory;
  /** Open file with the state of the devices, for `memory.kind` `restore`. */
  readonly stateFd?: number;
  readonly mailbox: string;
  /** Aborted, it ends the machine: whoever waits for the machine then hears that it ended. */
  readonly signal?: AbortSignal | undefined;
}

/** How a VM ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What QEMU itself said on stderr. */
  readonly stderr: string;
}

export type Event =
  | { readonly type: 'message'; readonly message: Message }
  | { readonly type: 'ended'; readonly ended: Ended }
  | { readonly type: 'broken'; readonly why: string }
  /** Nothing came from the guest in the time given, or for long nothing but console output. */
  | { readonly type: 'silence' };

export type Hello = Extract<Message, { type: 'hello' }>;

export class Vm {
  readonly #child: ChildProcess;
  readonly #agent: Duplex;
  readonly #serial: Duplex;
  readonly #rescue: Duplex;
  readonly #console = new CappedText(CONSOLE_LIMIT);
  readonly #stderr = new CappedText(16 << 10);
  readonly #waiting: Event[] = [];
  #wake: (() => void) | undefined;
  #ended: Ended | undefined;
  #broken = false;
  /** performance.now() when bytes last came from the guest's agent or console. */
  #lastSign = performance.now();
  readonly exited: Promise<Ended>;
  readonly monitor: Monitor;

  constructor(options: VmOptions) {
    const stdio: ('ignore' | 'pipe' | number)[] = ['ignore', 'ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'];
    if (options.stateFd !== undefined) stdio[FD.state] = options.stateFd;
    this.#child = spawnSupervised(options.qemu, qemuArguments(options.machine, options.memory, options.mailbox), stdio);
    const stream = (fd: number): Duplex => this.#child.stdio[fd] as unknown as Duplex;
    for (const fd of [FD.console, FD.agent, FD.rescue, FD.monitor]) stream(fd).on('error', () => undefined);
    (this.#child.stdio[2] as Readable).on('data', (chunk: Buffer) => this.#stderr.add(chunk.toString('latin1')));
    this.#serial = stream(FD.console);
    this.#serial.on('data', (chunk: Buffer) => {
      this.#lastSign = performance.now();
      this.#console.add(chunk.toString('latin1'));
    });
    this.#agent = stream(FD.agent);
    this.#rescue = stream(FD.rescue);
    this.#listen();
    this.monitor = new Monitor(stream(FD.monitor));
    const abort = (): void => void this.#child.kill('SIGKILL');
    if (options.signal?.aborted === true) abort();
    else options.signal?.addEventListener('abort', abort, { once: true });
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        if (this.#ended !== undefined) return;
        options.signal?.removeEventListener('abort', abort);
        this.#ended = { code, signal, stderr: this.#stderr.toString().trim() };
        this.#push({ type: 'ended', ended: this.#ended });
        resolve(this.#ended);
      };
      // 'close': all streams have been read to their end, the console too.
      this.#child.once('close', end);
      this.#child.once('error', (error) => {
        this.#stderr.add(error.message);
        end(null, null);
      });
    });
  }

  #listen(): void {
    const decoder = new MessageDecoder();
    this.#agent.on('data', (chunk: Buffer) => {
      this.#lastSign = performance.now();
      if (this.#broken) return;
      try {
        for (const message of decoder.push(chunk)) this.#push({ type: 'message', message });
        if (this.#waiting.length > MAX_WAITING) throw new WireError('flood of messages');
      } catch (error) {
        this.#broken = true;
        this.#push({ type: 'broken', why: error instanceof Error ? error.message : String(error) });
      }
    });
  }

  #push(event: Event): void {
    this.#waiting.push(event);
    this.#wake?.();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What the guest wrote to its serial port so far. */
  get console(): string {
    return this.#console.toString().replaceAll('\r', '');
  }

  /** Bytes for the agent's port; QEMU takes them when the guest reads. */
  send(frame: Buffer): void {
    if (this.#ended === undefined) this.#agent.write(frame);
  }

  /** True where `next` would answer at once. */
  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Starts counting silence anew. */
  forgive(): void {
    this.#lastSign = performance.now();
  }

  /**
   * The next thing that happens; `silence` when the guest gave no sign of life for
   * `milliseconds`, or nothing has happened for `atMost` whatever it wrote meanwhile. A
   * kernel that reports something is given the time to end its report; one that
   * complains for ever of what hangs is not alive for that.
   */
  async next(milliseconds: number, atMost = TALK * milliseconds): Promise<Event> {
    const from = performance.now();
    for (;;) {
      const event = this.#waiting.shift();
      if (event !== undefined) return event;
      const left = Math.min(Math.max(from, this.#lastSign) + milliseconds, from + atMost) - performance.now();
      if (left <= 0) return { type: 'silence' };
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(1, left));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
  }

  /** Milliseconds of processor time that QEMU has used; undefined where that is not known. */
  cpuTime(): number | undefined {
    try {
      const text = readFileSync(`/proc/${this.pid}/stat`, 'latin1');
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      // Fields 14 and 15 of proc(5), in ticks of 1/100 s on every Linux that Node runs on.
      return (Number(fields[11]) + Number(fields[12])) * 10;
    } catch {
      return undefined;
    }
  }

  /**
   * The agent's greeting: the one after boot, or with `nonce` the answer to a
   * ping. Undefined when it does not come in `milliseconds` altogether.
   */
  async hello(milliseconds: number, nonce?: number): Promise<Hello | undefined> {
    if (nonce !== undefined) this.send(encodePing(nonce));
    const until = performance.now() + milliseconds;
    for (;;) {
      const left = until - performance.now();
      if (left <= 0) return undefined;
      const event = await this.next(left, left);
      if (event.type === 'silence') continue;
      if (event.type !== 'message') return undefined;
      if (event.message.type === 'hello' && event.message.nonce === (nonce ?? 0)) return event.message;
    }
  }

  /** Asks the guest's second process for the log and the stacks; undefined where it does not answer in time. */
  rescueLog(milliseconds: number): Promise<string | undefined> {
    if (this.#ended !== undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const decoder = new MessageDecoder();
      const timer = setTimeout(() => finish(undefined), milliseconds);
      const finish = (log: string | undefined): void => {
        clearTimeout(timer);
        this.#rescue.removeAllListeners('data');
        resolve(log);
      };
      this.#rescue.on('data', (chunk: Buffer) => {
        try {
          for (const message of decoder.push(chunk)) if (message.type === 'rescue') finish(message.log);
        } catch {
          finish(undefined);
        }
      });
      void this.exited.then(() => finish(undefined));
      this.#rescue.write(encodeRescue());
    });
  }

  /**
   * Asks a kernel that runs none of our processes, but takes interrupts, for all
   * stacks: by the break signal of its serial port, which is its SysRq key
   * (Documentation/admin-guide/sysrq.rst). Gives what the console then said, after
   * `milliseconds` or when it has been silent for `QUIET_MS`; empty where nothing came.
   */
  async dumpTasks(milliseconds: number): Promise<string> {
    const before = this.console.length;
    // 7: show messages of all levels, which are otherwise kept from the slow port; t: tasks and workqueues.
    for (const key of '7t') {
      await this.monitor.command('chardev-send-break', { id: 'console' }).catch(() => undefined);
      this.#serial.write(key);
      await pause(KEY_MS);
    }
    const until = performance.now() + milliseconds;
    while (this.#ended === undefined && performance.now() < until) {
      const quiet = performance.now() - this.#lastSign;
      if (quiet > QUIET_MS) break;
      await pause(QUIET_MS - quiet + 1);
    }
    return this.console.slice(before);
  }

  /** Makes a kernel that answers nobody panic, so that its console says where it is. */
  async nmi(milliseconds: number): Promise<void> {
    const answer = this.monitor.command('inject-nmi').catch(() => undefined);
    await Promise.race([answer.then(() => this.exited), new Promise((resolve) => setTimeout(resolve, milliseconds).unref())]);
  }

  /** Ends the process and waits until it has gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
