// SPDX-License-Identifier: MIT
/** A target that is a program, in whole runs: found right where it is, charged where it is not, and replayed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtinTarget } from '../engine/builtin-targets.ts';
import { execute } from '../engine/execute.ts';
import { prepare } from '../engine/prepare.ts';
import { runSuite } from '../engine/run.ts';
import { drawCase } from '../generators/draw.ts';
import { isFindingKind, type Event, type FindingEvent } from '../model/index.ts';
import { canaryTarget } from '../targets/fakes/index.ts';
import { openProcessTarget } from '../targets/process/index.ts';

const PROGRAM = resolve(import.meta.dirname, '../cli/ovbd.mjs');
const FAKE = resolve(import.meta.dirname, '../targets/fakes/process/fake.mjs');

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'ovbd-process-')); });
afterEach(() => rmSync(folder, { recursive: true }));

function ovbd(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { cwd: folder, encoding: 'utf8', timeout: 500_000 });
  return { code: status, stdout, stderr };
}

function events(): Event[] {
  return readFileSync(join(folder, 'out/run.jsonl'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Event);
}

const run = (cases: number, ...targets: string[]): ReturnType<typeof ovbd> =>
  ovbd('run', '--no-vm', '--quiet', '--jobs', '2', '--cases', String(cases), '--out', 'out', ...targets.flatMap((t) => ['--target', t]));

describe('a program as a target', () => {
  it('that reads right gives no finding, beside a canary that gives some', async () => {
    const target = await openProcessTarget({ name: 'fake', command: process.execPath, args: [FAKE] });
    const seen: Event[] = [];
    try {
      const footer = await runSuite({
        suite: 'test', seed: 1, cases: 75, targets: [target, builtinTarget('canary')!], skipped: [], shrinkExecutions: 0, jobs: 2,
        signal: new AbortController().signal, saveFinding: () => Promise.resolve({ folder: '', replay: '' }),
      }, (event) => seen.push(event));
      const { pass = 0, unsupported = 0, ...other } = footer.verdicts['fake']!;
      expect(other).toEqual({});
      expect(pass + unsupported).toBe(75);
      expect(pass).toBeGreaterThan(60);
      expect(footer.exitCode).toBe(0);
      expect(new Set(seen.filter((e): e is FindingEvent => e.type === 'finding').map((e) => e.target))).toEqual(new Set(['canary']));
    } finally {
      await target.close();
    }
  }, 600_000);

  it('that ends in the middle of its second case is charged with the sequence, which replays', () => {
    const { code } = run(3, `process:${process.execPath} ${FAKE} exits --case 2`);
    expect(code).toBe(1);
    const [found, ...others] = events().filter((e): e is FindingEvent => e.type === 'finding');
    expect(others).toEqual([]);
    expect(found).toMatchObject({ signature: 'crash: exit code 0 in open', kind: 'crash', confirmation: { blame: 'sequence' } });
    const [stored] = readdirSync(join(folder, 'out/findings'));
    const again = ovbd('replay', join('out/findings', stored!));
    expect([again.code, again.stdout]).toEqual([1, expect.stringContaining('shown again: 1 of 1')]);
  }, 600_000);

  it('of which every answer is changed fails in every case', async () => {
    const target = canaryTarget(await openProcessTarget({ name: 'fake', command: process.execPath, args: [FAKE] }));
    const session = await target.open();
    try {
      const results = await execute(target, session, Array.from({ length: 20 }, (_, i) => prepare(drawCase(5, i))));
      const tried = results.filter((r) => r.observation !== undefined);
      expect(tried.length).toBeGreaterThan(10);
      // Of a case without a byte there is nothing to change.
      const bytes = tried.filter((r) => r.observation!.open !== 'opened' || r.observation!.reads.some((read) => read.result > 0));
      expect(bytes.filter((r) => !isFindingKind(r.verdict.kind)).map((r) => r.verdict)).toEqual([]);
    } finally {
      await session.close();
      await target.close();
    }
  }, 600_000);

  it.each([
    ['process:no-such-program', 2, /no-such-program: there is no such program/], ['process:', 2, /there is no target/], ['process:"a', 2, /a quote \("\) does not end/], ['process:true', 3, /does not describe itself: it ended \(exit code 0\)/],
  ])('%s is none', (target, expected, says) => {
    const { code, stderr } = run(1, target);
    expect([code, stderr]).toEqual([expected, expect.stringMatching(says)]);
  });
});
