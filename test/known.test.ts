// SPDX-License-Identifier: MIT
/** Known failures, as a user calls it: a new finding fails a run, a known one does not. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { KnownEntry } from '../model/index.ts';

const PROGRAM = resolve(import.meta.dirname, '../cli/ovbd.mjs');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-known-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function ovbd(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { cwd: folder, encoding: 'utf8', timeout: 100_000 });
  expect(stderr, 'no bare stack trace').not.toMatch(/\n\s+at /);
  return { code: status, stdout, stderr };
}

const RUN = ['run', '--cases', '30', '--target', 'fake-reader:stack-reversed', '--quiet', '--out'];

test('from a run that fails to one whose failures are known, and back', () => {
  expect(ovbd(...RUN, 'a').code).toBe(1);
  const proposed = ovbd('triage', 'a', '-o', 'known.json');
  expect(proposed).toMatchObject({ code: 0, stdout: '' });
  // Nobody has said why yet.
  const refused = ovbd(...RUN, 'b', '--known', 'known.json');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('have no reason yet');

  rmSync(join(folder, 'known.json'));
  expect(ovbd('triage', 'a', '-o', 'known.json', '--reason', 'the order of layers is being worked on', '--link', 'https://lists.example/7').code).toBe(0);
  const known = ovbd(...RUN, 'c', '--known', 'known.json');
  expect(known.code).toBe(0);
  expect(known.stdout).toContain('known: the order of layers is being worked on (https://lists.example/7)');
  expect(known.stdout).toMatch(/\d+ findings?, all known in 30 cases/);
  expect(readFileSync(join(folder, 'c/junit.xml'), 'utf8')).not.toContain('<failure');

  const file = JSON.parse(readFileSync(join(folder, 'known.json'), 'utf8')) as { known: KnownEntry[] };
  const [gone, ...rest] = file.known;
  writeFileSync(join(folder, 'fewer.json'), JSON.stringify({ ...file, known: rest }));
  expect(ovbd(...RUN, 'd', '--known', 'fewer.json').code).toBe(1);
  // Merged again, the one entry comes back and the others are as they were.
  expect(ovbd('triage', 'd', '-o', 'fewer.json').stderr).toContain('1 new entry');
  const merged = JSON.parse(readFileSync(join(folder, 'fewer.json'), 'utf8')) as { known: KnownEntry[] };
  expect(merged.known.slice(0, -1)).toEqual(rest);
  expect(merged.known.at(-1)!.signature).toBe(gone!.signature);
});

test('an entry of another target is none of this one', () => {
  ovbd(...RUN, 'a');
  ovbd('triage', 'a', '-o', 'known.json', '--reason', 'known');
  const file = readFileSync(join(folder, 'known.json'), 'utf8').replaceAll('fake-reader:stack-reversed', 'patch');
  writeFileSync(join(folder, 'known.json'), file);
  expect(ovbd(...RUN, 'b', '--known', 'known.json').code).toBe(1);
});
