// SPDX-License-Identifier: MIT
/** The failure store, as a user calls it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FailureSummary } from '../model/index.ts';

const PROGRAM = resolve(import.meta.dirname, '../cli/ovbd.mjs');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-failures-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function ovbd(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { cwd: folder, encoding: 'utf8', timeout: 100_000 });
  expect(stderr, 'no bare stack trace').not.toMatch(/\n\s+at /);
  return { code: status, stdout, stderr };
}

test('what one night finds, the next one tries first; a repaired reader passes', () => {
  expect(ovbd('run', '--cases', '25', '--target', 'fake-reader:stack-reversed', '--quiet', '--out', 'a', '--store', 'kept').code).toBe(1);
  const list = JSON.parse(ovbd('failures', 'list', '--store', 'kept', '--json').stdout) as FailureSummary[];
  expect(list.length).toBeGreaterThan(0);
  expect(new Set(list.map((f) => f.family))).toEqual(new Set(['fake-reader:stack-reversed']));
  // Saved again from its folder, it is the same one.
  expect(ovbd('failures', 'save', 'a', '--store', 'kept').stderr).toContain(`0 new, 0 smaller than before, ${list.length} seen again`);

  expect(ovbd('failures', 'export', '--store', 'kept', '-o', 'kept.tar.gz').code).toBe(0);
  const fetched = ovbd('failures', 'fetch', '--from', 'kept.tar.gz', list[0]!.key.slice(0, 10));
  expect(fetched.stdout).toContain(`new      ${list[0]!.key}`);
  expect(readdirSync(join(folder, 'reports/failures/entries'))).toEqual([`${list[0]!.key}.1`]);

  const again = ovbd('failures', 'replay', '--target', 'fake-reader:stack-reversed', '--out', 'b');
  expect(again.code).toBe(1);
  expect(again.stdout).toContain(list[0]!.signature);
  expect(ovbd('failures', 'replay', '--target', 'fake-reader', '--out', 'c').code).toBe(0);

  expect(ovbd('failures', 'expire', '--days', '1').stdout).toContain('0 removed, 1 kept');
  expect(ovbd('failures', 'expire', '--max-bytes', '0').stdout).toContain('1 removed, 0 kept');
  expect(ovbd('failures', 'replay', '--target', 'fake-reader').code).toBe(2);
});

test('wrong usage is said', () => {
  writeFileSync(join(folder, 'bad.tar.gz'), 'no tar');
  expect(ovbd('failures', 'fetch', '--from', 'bad.tar.gz')).toMatchObject({ code: 2, stderr: expect.stringContaining('bad.tar.gz') as string });
  expect(ovbd('failures', 'expire').code).toBe(2);
  expect(ovbd('failures', 'save', '.').code).toBe(2);
});
