// SPDX-License-Identifier: MIT
/** `ovbd fuzz` as a user calls it, without virtual machines. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const PROGRAM = resolve(import.meta.dirname, '../cli/ovbd.mjs');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-fuzz-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function ovbd(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { cwd: folder, encoding: 'utf8', timeout: 200_000 });
  expect(stderr, 'no bare stack trace').not.toMatch(/\n\s+at /);
  return { code: status, stdout, stderr };
}

const fuzz = (target: string, out: string, ...more: string[]): ReturnType<typeof ovbd> =>
  ovbd('fuzz', '--no-vm', '--target', target, '--target', 'canary', '--batch-cases', '25', '--batches', '2', '--shrink', '6', '--out', out, '--quiet', ...more);

/** A reader that takes the layers in the wrong order. */
const DEFECT = 'fake-reader:stack-reversed';

test('a campaign finds, tells, goes on, is compared, and its batches replay', () => {
  const first = fuzz(DEFECT, 'a');
  expect(first).toMatchObject({ code: 1, stdout: expect.stringContaining('distinct findings over time') });
  expect(readdirSync(join(folder, 'a')).sort()).toEqual(['batches', 'campaign.json', 'campaign.jsonl', 'findings', 'report.json', 'report.txt', 'run.jsonl']);
  const report = JSON.parse(readFileSync(join(folder, 'a/report.json'), 'utf8')) as { findings: { signature: string }[]; overTime: { total: number }[]; batches: number };
  expect(report.batches).toBe(2);
  expect(report.overTime.at(-1)!.total).toBe(report.findings.length);
  expect(new Set(report.findings.map((f) => f.signature)).size).toBe(report.findings.length);
  expect(fuzz(DEFECT, 'a').stdout).toContain('goes on: 2 batches of 50 cases are recorded');
  expect(ovbd('fuzz', '--replay-batch', 'a#1')).toMatchObject({ code: 0, stdout: expect.stringContaining('batch 1 again: the same 25 cases') });

  const sound = fuzz('fake-reader', 'sound', '--after', 'a');
  expect(sound).toMatchObject({ code: 0, stdout: expect.stringContaining('gone') });
  expect(ovbd('diff', 'sound', 'a', '--column', `fake-reader=${DEFECT}`)).toMatchObject({ code: 1, stdout: expect.stringContaining(`${report.findings.length} new`) });

  // With all of them known it is no failure; without one it is.
  const entries = report.findings.map(({ signature }) => ({ signature, reason: 'reported' }));
  const known = (list: typeof entries): string => {
    writeFileSync(join(folder, 'known.json'), JSON.stringify({ schema: 'ovbd-known/1', known: list }));
    return 'known.json';
  };
  expect(fuzz(DEFECT, 'a', '--known', known(entries))).toMatchObject({ code: 0, stdout: expect.stringContaining(`0 new findings, ${entries.length} known`) });
  expect(fuzz(DEFECT, 'a', '--known', known(entries.slice(1))).code).toBe(1);
}, 120_000);

test.each([
  [['--target', 'canary', '--no-vm']], [['--replay-batch', 'x#1']], [['--after', 'x']],
])('fuzz %j is wrong usage', (args) => {
  expect(ovbd('fuzz', ...args).code).toBe(2);
});

test('a disk that is really full ends it with exit code 3 and one message; with room it goes on', ({ skip }) => {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24k', 'tmpfs', disk]).status !== 0) skip('no file system can be mounted here');
  try {
    const full = fuzz(DEFECT, 'disk');
    expect(full.code).toBe(3);
    expect(full.stderr).toMatch(/^ovbd: .*the disk is full \(ENOSPC.*it goes on\n$/);
    expect(spawnSync('mount', ['-o', 'remount,size=20m', disk]).status).toBe(0);
    expect(fuzz(DEFECT, 'disk').code).toBe(1);
    expect(fuzz(DEFECT, 'whole').code).toBe(1);
    expect(readdirSync(join(disk, 'findings'))).toEqual(readdirSync(join(folder, 'whole/findings')));
    expect(readdirSync(disk).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  } finally {
    spawnSync('umount', [disk]);
  }
}, 120_000);
