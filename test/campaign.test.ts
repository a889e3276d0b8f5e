// SPDX-License-Identifier: MIT
/** A short campaign on the command line, as a night has it: found, replayed, gone on with, known, and no longer known. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Event, FindingEvent, FooterEvent } from '../model/index.ts';
import { loadFinding } from '../reports/index.ts';
import { ensurePackages } from '../targets/kernel/lab/packages.ts';
import { Steps } from '../targets/kernel/lab/index.ts';
import { shared } from './shared.ts';

const PROGRAM = resolve(import.meta.dirname, '../cli/ovbd.mjs');
const LONG = 900_000;

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'ovbd-campaign-')); });
afterAll(() => rmSync(folder, { recursive: true }));

function ovbd(...args: string[]): { code: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { cwd: folder, encoding: 'utf8', timeout: LONG });
  expect(stderr, 'no bare stack trace').not.toMatch(/\n\s+at /);
  return { code: status, text: stdout + stderr };
}

interface Campaign {
  readonly code: number | null;
  readonly text: string;
  readonly findings: readonly FindingEvent[];
  readonly footer: FooterEvent;
}

function campaign(out: string, ...more: string[]): Campaign {
  const { code, text } = ovbd('fuzz', '--seed', '1', '--batches', '2', '--no-feedback', '--shrink', '20', '--quiet', '--out', out, ...more);
  const events = readFileSync(join(folder, out, 'run.jsonl'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Event);
  return { code, text, findings: events.filter((e) => e.type === 'finding'), footer: events.at(-1) as FooterEvent };
}

const signatures = (c: Campaign): string[] => c.findings.filter((f) => f.target !== 'canary').map((f) => f.signature).sort();

function check(...target: string[]): void {
  const subject = [...target, '--target', 'canary'];
  const first = campaign('first', ...subject);
  expect(first.code, first.text).toBe(1);
  expect(first.footer.verdicts['canary']?.corruption).toBeGreaterThan(0);
  expect(new Set(signatures(first)).size).toBe(signatures(first).length);
  const stored = readdirSync(join(folder, 'first/findings')).filter((name) => !name.startsWith('canary'));
  expect(stored.map((name) => loadFinding(join(folder, 'first/findings', name)).signature).sort()).toEqual(signatures(first));
  expect(ovbd('replay', join('first/findings', stored[0]!)).code).toBe(1);

  // Its budget is used up: there is nothing to go on with, and nothing is forgotten.
  const again = campaign('first', ...subject);
  expect([again.code, signatures(again), again.footer.cases]).toEqual([1, signatures(first), first.footer.cases]);

  expect(ovbd('triage', 'first', '--reason', 'a test', '-o', 'known.json').code).toBe(0);
  const known = JSON.parse(readFileSync(join(folder, 'known.json'), 'utf8')) as { known: { signature: string }[] };
  expect(known.known.map((k) => k.signature).sort()).toEqual(signatures(first));
  const second = campaign('second', ...subject, '--known', 'known.json');
  expect(second.code, second.text).toBe(0);
  expect(second.footer.cases).toBe(first.footer.cases);

  const [gone, ...left] = known.known;
  writeFileSync(join(folder, 'fewer.json'), JSON.stringify({ ...known, known: left }));
  const third = campaign('third', ...subject, '--known', 'fewer.json');
  expect(third.code, third.text).toBe(1);
  expect(third.text).toContain(gone!.signature);

  // The folder is a run for whatever reads runs.
  expect(ovbd('report', 'third', '--format', 'summary').text).toMatch(new RegExp(`^## OverlayBD conformance: ${third.findings.length} findings? in ${third.footer.cases} cases`));
}

const patch = shared('seeds', '002_23dae1f7da201814.txt');
const why = patch === null ? 'no patch' : await ensurePackages('build', new Steps()).then(() => '', (error: Error) => error.message);

test('of a reader with a mistake', () => check('--no-vm', '--batch-cases', '30', '--target', 'fake-reader:stack-reversed'), LONG);

test.skipIf(why !== '')(`of the kernel patch's code in userspace${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  rmSync(folder, { recursive: true });
  folder = mkdtempSync(join(tmpdir(), 'ovbd-campaign-'));
  check('--fast', '--patch', patch!, '--target', 'userspace', '--batch-cases', '15');
}, LONG);
