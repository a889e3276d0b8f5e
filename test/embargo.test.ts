// SPDX-License-Identifier: MIT
/** A run under embargo: nothing public holds a piece of an image, or what it could be made from again. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Event } from '../model/index.ts';

const PROGRAM = resolve(import.meta.dirname, '../cli/ovbd.mjs');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-embargo-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Bytes that are looked for. */
const PIECE = 16;

function filesIn(path: string): string[] {
  return readdirSync(path, { recursive: true }).map((name) => join(path, String(name))).filter((name) => statSync(name).isFile());
}

function* pieces(bytes: Buffer): Generator<string> {
  for (let at = 0; at + PIECE <= bytes.length; at++) yield bytes.toString('latin1', at, at + PIECE);
}

/** Everything that a text holds, as bytes: as it is, and what is hexadecimal or base64 in it, wherever that begins. */
function* readings(bytes: Buffer): Generator<Buffer> {
  yield bytes;
  const text = bytes.toString('latin1');
  for (const [run] of text.matchAll(/[0-9a-f]{32,}/gi)) for (const skip of [0, 1]) yield Buffer.from(run.slice(skip), 'hex');
  for (const [run] of text.matchAll(/[A-Za-z0-9+/_-]{22,}/g)) for (const skip of [0, 1, 2, 3]) yield Buffer.from(run.slice(skip), 'base64');
}

function leaks(bytes: Buffer, secret: ReadonlySet<string>): boolean {
  for (const reading of readings(bytes)) for (const piece of pieces(reading)) if (secret.has(piece)) return true;
  return false;
}

test('the search sees what it looks for', () => {
  const secret = Buffer.from(Array.from({ length: 40 }, (_, i) => (i * 37 + 11) % 256));
  const known = new Set(pieces(secret));
  for (const text of [secret.toString('hex'), `x${secret.subarray(7).toString('hex')}`, secret.toString('base64'), `"ab${secret.subarray(3).toString('base64url')}"`, secret.toString('latin1')]) {
    expect(leaks(Buffer.from(`{"a":"${text}"}`, 'latin1'), known), text).toBe(true);
  }
  expect(leaks(Buffer.from('{"a":"0123456789abcdef0123456789abcdef"}'), known)).toBe(false);
});

test('report and output hold no piece of an image, no seed, no name of a case, no replay; the private folder has all', () => {
  const args = ['run', '--seed', '77123', '--cases', '25', '--target', 'fake-reader:stack-reversed', '--quiet', '--out', 'public', '--embargo', 'private'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { cwd: folder, encoding: 'utf8', timeout: 200_000 });
  expect(status).toBe(1);
  expect(readdirSync(join(folder, 'public')).sort()).toEqual(['junit.xml', 'run.jsonl']);
  const images = filesIn(join(folder, 'private')).filter((name) => /\.(img|index|remote|bin)$/.test(name));
  expect(images.length).toBeGreaterThan(0);
  const secret = new Set(images.flatMap((name) => [...pieces(readFileSync(name))]));
  const shown = [...filesIn(join(folder, 'public')).map((name) => readFileSync(name)), Buffer.from(stdout), Buffer.from(stderr)];
  for (const bytes of shown) {
    expect(leaks(bytes, secret)).toBe(false);
    for (const word of ['77123', 's77123-c', 'ovbd.mjs replay', 'private/']) expect(bytes.toString()).not.toContain(word);
  }
  const events = (where: string): Event[] => readFileSync(join(folder, where), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Event);
  const [open, hidden] = [events('public/run.jsonl'), events('private/public/run.jsonl')];
  expect(open.map((e) => e.type)).toEqual(hidden.map((e) => e.type));
  const signatures = (all: Event[]): string[] => all.flatMap((e) => (e.type === 'finding' ? [e.signature] : []));
  expect(signatures(open)).toEqual(signatures(hidden));
  expect(hidden[0]).toMatchObject({ seed: 77123 });
  expect(hidden.find((e) => e.type === 'finding')!.replay).toContain('replay');

  const inside = spawnSync(process.execPath, [PROGRAM, ...args.slice(0, -3), 'p2', '--embargo', 'p2/private'], { cwd: folder, encoding: 'utf8', timeout: 100_000 });
  expect(inside.status).toBe(2);
  expect(inside.stderr).toContain('which is public');
});
