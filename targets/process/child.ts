// SPDX-License-Identifier: MIT
/** One command, run under limits; it and all it started end when we say so. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { UsageError } from '../../model/errors.ts';
import { CappedText } from '../kernel/capped-text.ts';
import { findCommand } from '../kernel/lab/child.ts';
import { spawnSupervised } from '../kernel/supervised.ts';
import { Family, PAGE_BYTES } from './family.ts';
import { DEFAULT_LIMITS, ulimits, type ChildLimits } from './limits.ts';

export interface CommandLine {
  /** A path, or a name that is looked for on the user's PATH. */
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the user's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly limits?: Partial<ChildLimits>;
}

/** Which limit a child was killed for. */
export type Overrun = 'memory' | 'processes' | 'errors';

/** How a child ended. */
export interface ChildEnd {
  /** Exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** True where we sent the signal. */
  readonly killed: boolean;
  readonly overrun?: Overrun;
  /** Processes that it left behind, which were killed. */
  readonly left: number;
}

/** Characters of standard error that are kept. */
const KEPT_ERRORS = 256 << 10;
/** Milliseconds between looks at its processes, at least and at most; between them a look takes a fiftieth of the time. */
const LOOK_MS = 100;
const LOOK_MS_MOST = 500;
const LOOK_SHARE = 50;
/** Milliseconds for the rest of its output once it and all it started are dead. */
const DRAIN_MS = 2_000;

/** What sanitizers are asked for where the user says nothing: names in stacks, and no report about a large allocation that fails. */
const SANITIZER_DEFAULTS = {
  ASAN_OPTIONS: 'allocator_may_return_null=1:detect_stack_use_after_return=1', UBSAN_OPTIONS: 'print_stacktrace=1',
} as const;

let children = 0;

/** The full path of a command, or `UsageError` with what is wrong with it. */
export function commandPath(command: string, cwd = process.cwd()): string {
  const path = command.includes('/') ? resolve(cwd, command) : findCommand(command);
  if (path === undefined || !existsSync(path)) throw new UsageError(`${command}: there is no such program`);
  const stat = statSync(path);
  if (!stat.isFile() || (stat.mode & 0o111) === 0) throw new UsageError(`${path}: it cannot be run: ${stat.isFile() ? 'no permission to (chmod +x)' : 'it is no file'}`);
  return path;
}

/** A running child. Standard output is the caller's to read; standard error is kept, its beginning and its end. */
export class Child {
  /** How it ended, once it and all it started are dead and their output is here. Never rejects. */
  readonly ended: Promise<ChildEnd>;
  readonly #process: ChildProcess;
  readonly #family: Family;
  readonly #limits: ChildLimits;
  #errors = new CappedText(KEPT_ERRORS);
  #errorBytes = 0;
  #killed = false;
  #overrun: Overrun | undefined;
  #looker: NodeJS.Timeout | undefined;
  /** Milliseconds until the next look. */
  #pace = LOOK_MS;

  /** Starts it. Throws `UsageError` where there is no such program. */
  constructor({ command, args, env, cwd, limits }: CommandLine, onOutput: (bytes: Buffer) => void) {
    const path = commandPath(command, cwd);
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    const token = `OVBD_CHILD=${process.pid}.${Date.now()}.${++children}`;
    const inherited = Object.fromEntries(Object.entries(process.env).filter((e): e is [string, string] => e[1] !== undefined));
    this.#process = spawnSupervised(path, args, ['pipe', 'pipe', 'pipe'], {
      env: { ...SANITIZER_DEFAULTS, ...inherited, LC_ALL: 'C', ...env, OVBD_CHILD: token.slice(token.indexOf('=') + 1) },
      ...(cwd === undefined ? {} : { cwd }),
      before: ulimits(this.#limits),
    });
    this.#family = new Family(this.#process.pid ?? 0, token);
    this.#process.stdin!.on('error', () => undefined);
    this.#process.stdout!.on('data', onOutput);
    const decoder = new StringDecoder('utf8');
    this.#process.stderr!.on('data', (bytes: Buffer) => this.#takeErrors(decoder.write(bytes), bytes.length));
    this.#look();
    this.ended = this.#end();
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Writes to its standard input; what it does not read is lost with it. */
  write(text: string): void {
    this.#process.stdin!.write(text);
  }

  /** Ends its standard input. */
  closeInput(): void {
    this.#process.stdin!.end();
  }

  /** Standard error since the last call: beginning and end of it where it is long. */
  takeErrors(): string {
    const text = this.#errors.toString();
    this.#errors = new CappedText(KEPT_ERRORS);
    this.#errorBytes = 0;
    return text;
  }

  /** Processor time in milliseconds that its living processes have had, and whether one of them wants more right now. */
  effort(): { readonly milliseconds: number; readonly eager: boolean } {
    const members = this.#family.members(false);
    return { milliseconds: members.reduce((sum, m) => sum + m.ticks * 10, 0), eager: members.some((m) => m.eager) };
  }

  /** Kills it and all it started. */
  kill(overrun?: Overrun): Promise<ChildEnd> {
    if (!this.#killed) {
      this.#killed = true;
      this.#overrun = overrun;
      this.#family.kill();
    }
    return this.ended;
  }

  #takeErrors(text: string, bytes: number): void {
    this.#errors.add(text);
    this.#errorBytes += bytes;
    if (this.#errorBytes > this.#limits.errorBytes) void this.kill('errors');
  }

  /** Looks at its processes, and again in a while. */
  #look(): void {
    this.#looker = setTimeout(() => {
      const began = performance.now();
      const members = this.#family.members(false);
      this.#pace = Math.min(LOOK_MS_MOST, Math.max(LOOK_MS, (performance.now() - began) * LOOK_SHARE));
      const bytes = members.reduce((sum, m) => sum + m.pages * PAGE_BYTES, 0);
      if (bytes > this.#limits.memoryBytes) void this.kill('memory');
      else if (members.length > this.#limits.processes) void this.kill('processes');
      else this.#look();
    }, this.#pace);
    this.#looker.unref();
  }

  async #end(): Promise<ChildEnd> {
    const { stdout, stderr, stdin } = this.#process;
    const closed = new Promise<void>((done) => this.#process.once('close', () => done()));
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((done) => {
      this.#process.once('exit', (c, s) => done([c, s]));
      this.#process.once('error', () => done([127, null]));
    });
    clearTimeout(this.#looker);
    const wasKilled = this.#killed;
    // Whoever it left behind may hold the ends of its pipes.
    const left = this.#family.kill();
    this.#killed = true;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([closed, new Promise<void>((done) => { timer = setTimeout(done, DRAIN_MS); })]);
    clearTimeout(timer);
    for (const stream of [stdin, stdout, stderr]) stream?.destroy();
    return { code, signal, killed: wasKilled, ...(this.#overrun === undefined ? {} : { overrun: this.#overrun }), left: wasKilled ? 0 : left };
  }
}
