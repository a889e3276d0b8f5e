// SPDX-License-Identifier: MIT
/**
 * The reader apart from the oracle as a process that speaks the target
 * protocol, right or with one of the faults that processes have. A fault shows
 * in every case, or with `--case N` in the N-th of a process only.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Observation } from '../../../model/index.ts';
import type { CaseMessage } from '../../process/messages.ts';
import { FAULTS, isFault, type Fault } from './faults.ts';
import { ASAN, GO, LSAN, UBSAN } from './reports.ts';

const CAPABILITIES = { wrappings: ['zfile', 'tar'], forms: ['pair', 'sparse', 'warp'], algorithms: ['lz4', 'zstd'], maxLayers: 255, access: ['table', 'fault'] };

/** Milliseconds for which it sleeps where it is to be late but in time. */
const LATE_MS = 1_000;
const FOR_EVER = 2 ** 30;

let fault: Fault | undefined;
/** The case of the process in which it shows; 0: each. */
let only = 0;
let before: Uint8Array | undefined;

const has = (one: Fault, id: number): boolean => fault === one && (only === 0 || only === id);

/** Speaks until `bye`. Arguments: a fault, and `--case N`. */
export async function main(args: readonly string[]): Promise<void> {
  const [name, option, value] = args;
  if (name !== undefined && !isFault(name)) throw new Error(`there is no fault ${name}; there are ${Object.keys(FAULTS).join(', ')}`);
  fault = name;
  if (option === '--case') only = Number(value);
  for await (const line of createInterface({ input: process.stdin })) {
    const message = JSON.parse(line) as { type: string };
    if (message.type === 'describe') await describe();
    else if (message.type === 'case') await answer(message as CaseMessage);
    else break;
  }
  if (fault === 'hangs-at-bye') await sleep(FOR_EVER);
  if (fault === 'reports-leak') {
    writeSync(2, LSAN);
    process.exit(23);
  }
  process.exit(0);
}

/** Writes all of a text at once, whatever waits. */
function say(message: object | string, end = '\n'): void {
  writeAll(1, (typeof message === 'string' ? message : JSON.stringify(message)) + end);
}

function writeAll(to: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(to, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

async function describe(): Promise<void> {
  if (fault === 'mute') await sleep(FOR_EVER);
  say({ type: 'describe', id: 0, protocol: 1, name: fault === undefined ? 'fake' : `fake that ${fault}`, version: '1', capabilities: fault === 'describes-nonsense' ? { devices: ['disk'] } : CAPABILITIES });
}

async function answer(message: CaseMessage): Promise<void> {
  const { id } = message;
  await atOpen(message);
  // What is dead before it reads need not load a reader.
  const { observe } = await import('../reader/target.ts');
  const { caseOf } = await import('./case.ts');
  // Without wanted digests the reader gives its bytes.
  const seen = observe({ case: caseOf(message), wanted: message.reads.map(() => null) }, () => false);
  if (seen.open === 'refused') say({ type: 'refused', id, reason: seen.refusal ?? '' });
  else {
    say({ type: 'opened', id, size: seen.size });
    await atRead(id);
    if (!has('wrong-order', id)) reads(message, seen);
  }
  if (has('reports-ubsan', id)) writeSync(2, UBSAN);
  const done = `${JSON.stringify({ type: 'done', id })}\n`;
  say(has('answers-twice', id) ? done + done : done, '');
}

function reads(message: CaseMessage, seen: Observation): void {
  const { id } = message;
  for (const [i, { result, bytes }] of seen.reads.entries()) {
    if (result < 0) {
      say({ type: 'read', id, read: i, result });
      continue;
    }
    const { want, output } = message.reads[i]!;
    const given = changed(id, bytes ?? new Uint8Array(0), i === seen.reads.length - 1);
    const sha256 = has('no-output', id) ? '0'.repeat(64) : has('repeats-want', id) && want !== null ? want : createHash('sha256').update(given).digest('hex');
    const silent = has('no-output', id) || sha256 === want;
    if (!silent) writeFileSync(output, has('output-too-short', id) ? given.subarray(0, given.length - 1) : given);
    say({ type: 'read', id, read: i, result: given.length, sha256 });
  }
}

/** The bytes of a read as it gives them. */
function changed(id: number, bytes: Uint8Array, last: boolean): Uint8Array {
  const copy = Uint8Array.from(bytes);
  if ((has('wrong-bytes', id) || has('repeats-want', id)) && copy.length > 0) copy[copy.length >> 1]! ^= 1;
  if (has('stale-bytes', id) && before && last) for (const i of copy.keys()) copy[i] = before[i % Math.max(1, before.length)] ?? 0;
  if (last) before = Uint8Array.from(bytes);
  return copy;
}

async function atOpen({ id }: CaseMessage): Promise<void> {
  if (has('hangs', id)) await sleep(FOR_EVER);
  if (has('spins', id)) for (;;);
  if (has('ignores-signals', id)) {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGPIPE'] as const) process.on(signal, () => undefined);
    process.stdin.destroy();
    await sleep(FOR_EVER);
  }
  if (has('sleeps', id)) await sleep(LATE_MS);
  if (has('segfaults', id)) await dieOf('SIGSEGV');
  if (has('is-killed', id)) await dieOf('SIGKILL');
  if (has('exits', id)) process.exit(0);
  if (has('half-a-message', id) || has('half-and-hangs', id)) {
    say('{"type":"opened","id":', '');
    if (has('half-a-message', id)) process.exit(1);
    await sleep(FOR_EVER);
  }
  if (has('wrong-id', id)) say({ type: 'opened', id: id + 1, size: 512 });
  if (has('no-json', id)) say('opened the image');
  if (has('floods-stdout', id)) for (;;) writeAll(1, 'x'.repeat(65536));
  if (has('floods-lines', id)) for (;;) say({ type: 'opened', id, size: 512 });
  if (has('floods-stderr', id)) for (;;) writeAll(2, `${'x'.repeat(99)}\n`.repeat(655));
  if (has('much-stderr', id)) writeAll(2, `${'x'.repeat(1023)}\n`.repeat(8192));
  if (has('eats-memory', id)) await eat();
  if (has('forks', id)) {
    // Enough for any limit, and not for any machine.
    for (let i = 0; i < 500; i++) {
      spawn('sleep', ['1000'], { stdio: 'ignore' });
      await sleep(2);
    }
    await sleep(FOR_EVER);
  }
  if (has('leaves-a-child', id) || has('leaves-a-stranger', id)) {
    spawn('sleep', ['1000'], { stdio: 'inherit', detached: has('leaves-a-stranger', id) });
    if (has('leaves-a-child', id)) process.exit(0);
    await sleep(FOR_EVER);
  }
  if (has('reports-asan', id)) endWith(ASAN, 1);
  if (has('panics-go', id)) endWith(GO, 2);
  if (has('reader-crashed', id)) {
    say({ type: 'crashed', id, title: 'SIGSEGV', log: 'reading\nthe reader was killed\n' });
    await sleep(FOR_EVER);
  }
}

async function atRead(id: number): Promise<void> {
  if (has('hangs-reading', id)) await sleep(FOR_EVER);
  if (has('aborts', id)) await dieOf('SIGABRT');
  if (has('exits-with-3', id)) process.exit(3);
}

async function dieOf(signal: NodeJS.Signals): Promise<void> {
  process.kill(process.pid, signal);
  await sleep(FOR_EVER);
}

function endWith(text: string, code: number): never {
  writeAll(2, text);
  process.exit(code);
}

async function eat(): Promise<void> {
  const eaten: Buffer[] = [];
  // Enough for any limit, and not for any machine; nor faster than anyone can look.
  while (eaten.length < 100) {
    eaten.push(Buffer.alloc(1 << 24, 1));
    await sleep(20);
  }
  await sleep(FOR_EVER);
}
