// SPDX-License-Identifier: MIT
/** Runs the steps of an entry in a folder of their own. */
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Child, runCommand, type ChildLimits, type CommandLine, type CommandResult } from '../process/index.ts';
import type { EntryLimits, MadeFile, Rule, Serve, Step } from './entry.ts';
import { meaningOf, type Judged } from './ends.ts';
import { expandCommand, expandFile, expandShell, fill, type Values } from './expand.ts';
import { readMade } from './files.ts';

/** What an entry runs with. */
export interface Place {
  /** Folder of the commands, theirs alone. */
  readonly dir: string;
  /** Full path of {program}. */
  readonly program: string;
  /** Folder of the file that the entry stands in. */
  readonly here: string;
  readonly limits: EntryLimits;
  readonly rules: readonly Rule[];
  /** Factor of all times. */
  readonly patience: number;
  readonly signal?: AbortSignal;
}

const SECONDS = 10;
/** Bytes of standard output that are kept where it is not {out}. */
const OUTPUT_BYTES = 1 << 16;
/** Milliseconds between two looks whether a server is ready, and those that it has to end after SIGTERM. */
const READY_MS = 20;
const END_MS = 2_000;

const OVBD = fileURLToPath(new URL('../../cli/ovbd.mjs', import.meta.url));

/** Values that every command has. */
export function commonValues({ dir, program, here }: Place, files: readonly MadeFile[] = []): Values {
  return {
    one: {
      dir, program, here, node: process.execPath, socket: join(dir, 'socket'), log: join(dir, 'log'),
      ...Object.fromEntries(files.map((f) => [`file:${f.name}`, join(dir, f.name)])),
    },
    many: { ovbd: [process.execPath, OVBD] },
    layers: [],
  };
}

/** Makes the entry's files. */
export function makeFiles({ dir }: Place, files: readonly MadeFile[], values: Values): void {
  for (const file of files) writeFileSync(join(dir, file.name), expandFile(file, values), { flag: 'wx', mode: 0o600 });
}

export interface StepsDone extends Judged {
  /** Standard output of the last command. */
  readonly output: string;
  readonly log: string;
}

/** Runs steps until one of them does not end well. `out`: what {out} stands for in them. */
export async function runSteps(steps: readonly Step[], place: Place, values: Values, phase: string, out?: string): Promise<StepsDone> {
  let log = '';
  let last: Judged = { meaning: 'ok', complaints: [], why: '' };
  let output = '';
  const all = out === undefined ? values : { ...values, one: { ...values.one, out } };
  const complaints: Judged['complaints'][number][] = [];
  for (const step of steps) {
    const result = await runStep(step, place, all);
    if (step.stdout === 'out' && out !== undefined) writeFileSync(out, result.output, { mode: 0o600 });
    else output = result.output.toString('utf8');
    log += result.errors;
    last = meaningOf({ ...result, errors: result.errors + logOf(place) }, place.rules, phase);
    complaints.push(...last.complaints);
    if (last.meaning !== 'ok' || place.signal?.aborted) break;
  }
  return { ...last, complaints, output, log };
}

async function runStep(step: Step, place: Place, values: Values): Promise<CommandResult> {
  return runCommand(lineOf(step, place, values), {
    milliseconds: (place.limits.seconds ?? SECONDS) * 1000 * place.patience,
    outputBytes: step.stdout === 'out' ? (place.limits.fileMiB ?? 512) * 2 ** 20 : OUTPUT_BYTES,
    ...(step.input === undefined ? {} : { input: fill(step.input, values.one) }),
    ...(place.signal && { signal: place.signal }),
  });
}

function lineOf(step: Step, { dir, here, limits }: Place, values: Values): CommandLine {
  const [command, ...args] = step.shell ? ['/bin/sh', '-c', expandShell(step.command as string, values)] : expandCommand(step.command as Exclude<Step['command'], string>, values);
  const { memoryMiB, addressSpaceMiB, fileMiB = 512, processes } = limits;
  const bounds: Partial<ChildLimits> = {
    fileBytes: fileMiB * 2 ** 20,
    ...(memoryMiB === undefined ? {} : { memoryBytes: memoryMiB * 2 ** 20 }),
    ...(addressSpaceMiB === undefined ? {} : { addressSpaceBytes: addressSpaceMiB * 2 ** 20 }),
    ...(processes === undefined ? {} : { processes }),
  };
  const env = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, text]) => [name, fill(text, values.one)]));
  // A path with a slash counts from the entry's file; the command runs in its own folder.
  const program = command!.startsWith('./') || command!.startsWith('../') ? resolve(here, command!) : command!;
  return { command: program, args, cwd: dir, env, limits: bounds };
}

/** Bytes of a log that are looked at. */
const LOG_BYTES = 1 << 20;

/** What a program wrote to {log}, where that is a plain file of a bearable size. */
function logOf({ dir }: Place): string {
  return Buffer.from(readMade(join(dir, 'log'), 0, LOG_BYTES)?.bytes ?? []).toString('utf8');
}

/** A server that runs while the steps do. */
export interface Server {
  /** Null while it runs; how it ended otherwise. */
  ended(): Judged | null;
  /** Ends it: by its own steps, SIGTERM, and at last by force. Gives what is wrong with how it ended, and its log. */
  stop(): Promise<{ readonly judged: Judged | null; readonly log: string }>;
}

/** Starts a server and waits until it is ready; where it ends before or is not ready in time, what that means. */
export async function startServer(serve: Serve, place: Place, values: Values): Promise<Server | StepsDone> {
  const child = new Child(lineOf(serve, place, values), () => undefined);
  if (serve.input !== undefined) child.write(fill(serve.input, values.one));
  child.closeInput();
  let end: Awaited<Child['ended']> | null = null;
  const over = child.ended.then((e) => { end = e; });
  const judged = (stopped?: 'time'): Judged => meaningOf({ end: end!, ...(stopped && { stopped }), output: Buffer.alloc(0), errors: child.takeErrors() + logOf(place) }, place.rules, 'open');
  const deadline = performance.now() + (place.limits.seconds ?? SECONDS) * 1000 * place.patience;
  for (;;) {
    if (end !== null) {
      const one = judged();
      // A server that ends well before it is ready has not served.
      return { ...one, meaning: one.meaning === 'ok' ? 'refused' : one.meaning, output: '', log: '' };
    }
    if (await isReady(serve, place, values)) break;
    if (performance.now() > deadline || place.signal?.aborted) {
      await child.kill();
      await over;
      return { ...judged('time'), output: '', log: '' };
    }
    await Promise.race([sleep(READY_MS), over]);
  }
  return {
    ended: () => (end === null ? null : judged()),
    async stop() {
      for (const step of serve.end ?? []) if (end === null) await runStep(step, place, values);
      if (end === null) {
        try {
          process.kill(child.pid, 'SIGTERM');
        } catch {
          // It has just ended.
        }
        await Promise.race([over, sleep(END_MS)]);
      }
      const byItself = end !== null;
      await child.kill();
      await over;
      const log = child.takeErrors();
      const { signal, code } = end!;
      if (!byItself || signal === 'SIGTERM' || code === 0) return { judged: null, log };
      return { judged: meaningOf({ end: end!, output: Buffer.alloc(0), errors: log }, place.rules, 'close'), log };
    },
  };
}

async function isReady({ ready }: Serve, place: Place, values: Values): Promise<boolean> {
  if ('exists' in ready) return existsSync(fill(ready.exists, values.one));
  const { end } = await runStep({ command: ready.command }, place, values);
  return end.code === 0;
}
