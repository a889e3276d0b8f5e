// SPDX-License-Identifier: MIT
/**
 * The whole program against real kernels in real virtual machines: the stock
 * one, which must be without findings, and the dm-overlaybd patch of the shared
 * seeds, which is known to have many.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CaseEvent, Event, FindingEvent, FooterEvent } from '../model/index.ts';
import { labForTests } from '../targets/kernel/testing.ts';
import { shared } from './shared.ts';

const PROGRAM = path.resolve(import.meta.dirname, '../cli/ovbd.mjs');
const PATCH = shared('seeds', '002_23dae1f7da201814.txt');
const MINUTES = 60_000;
/** The issue's own number of cases for a run that must find what is wrong with the patch. */
const CASES = 500;

let folder: string;
const lab = await labForTests();
const noVm = typeof lab === 'string';
if (noVm) console.warn(`SKIPPED: runs in virtual machines: ${lab}`);

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ovbd-kernel-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number | null;
  readonly stderr: string;
  readonly out: string;
  readonly events: readonly Event[];
  readonly footer: FooterEvent;
  readonly findings: readonly FindingEvent[];
}

function arguments_(name: string, args: readonly string[]): string[] {
  return [PROGRAM, 'run', '--out', path.join(folder, name), ...args];
}

function read(name: string, code: number | null, stderr: string): Ran {
  const out = path.join(folder, name);
  const events = readFileSync(path.join(out, 'run.jsonl'), 'utf8').trimEnd().split('\n').map((l) => JSON.parse(l) as Event);
  const footer = events.at(-1)!;
  if (footer.type !== 'footer') throw new Error(`no footer in ${name}: ${stderr}`);
  return { code, stderr, out, events, footer, findings: events.filter((e) => e.type === 'finding') };
}

function run(name: string, ...args: string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, arguments_(name, args), { stdio: ['ignore', 'ignore', 'pipe'], env: environment() });
    let stderr = '';
    child.stderr.on('data', (d: Buffer) => (stderr += d.toString()));
    child.on('close', (code) => {
      try {
        resolve(read(name, code, stderr));
      } catch (e) {
        reject(e as Error);
      }
    });
  });
}

/** Temporary files go to our folder: that tells our machines from those of others. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, TMPDIR: folder };
}

/** QEMU processes that this file's runs have started. */
function emulators(): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      return command.includes('qemu-system') && command.includes(folder);
    } catch {
      return false; // It ended meanwhile.
    }
  });
}

async function until(what: string, ms: number, done: () => boolean): Promise<void> {
  for (const end = Date.now() + ms; !done();) {
    if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise((r) => setTimeout(r, 100));
  }
}

const confirmedAlone = (r: Ran): string[] => r.findings.filter((f) => f.confirmation.blame === 'alone').map((f) => f.signature).sort();

describe.skipIf(noVm)('the stock kernel', () => {
  it('shows every lowered stack byte for byte: no finding', { timeout: 10 * MINUTES }, async () => {
    const r = await run('stock', '--target', 'stock', '--cases', '600', '--seed', '41');
    expect(r.findings).toEqual([]);
    expect(r.footer).toMatchObject({ complete: true, cases: 600, findings: 0, unreliable: 0, exitCode: 0 });
    expect(r.footer.verdicts['stock']!.pass).toBeGreaterThan(100);
    expect(r.code).toBe(0);
  });
});

describe.skipIf(noVm || !PATCH)('the patch of the shared seeds', () => {
  let first: Ran;
  beforeAll(async () => {
    first = await run('first', '--patch', PATCH!, '--cases', String(CASES));
  }, 15 * MINUTES);

  it('survives every panic and ends with its footer', () => {
    expect(first.footer).toMatchObject({ complete: true, cases: CASES });
    expect(first.footer.verdicts['patch']!['engine-error'] ?? 0).toBe(0);
    expect(first.code).toBe(1);
    expect(emulators()).toEqual([]);
  });

  it('finds wrong data, crashes and refused sound images, in both targets', () => {
    const kinds = new Set(first.findings.map((f) => f.kind));
    for (const kind of ['crash', 'corruption', 'refuses-valid', 'accepts-invalid'] as const) expect(kinds).toContain(kind);
    const device = (f: FindingEvent): string => (JSON.parse(readFileSync(path.join(first.out, f.folder, 'finding.json'), 'utf8')) as { case: { device: string } }).case.device;
    expect(new Set(first.findings.map(device))).toEqual(new Set(['zfile', 'lsmt']));
  });

  it('finds nothing in the reference reader beside it', () => {
    expect(first.footer.verdicts['oracle']).toEqual({ pass: CASES });
  });

  it('charges a crash only to what shows it alone in a fresh machine', () => {
    for (const f of first.findings.filter((x) => x.kind === 'crash' && x.confirmation.blame === 'alone')) {
      expect(f.confirmation.shown, f.signature).toBeGreaterThan(0);
    }
  });

  it('replays one finding of each kind with its one command', { timeout: 10 * MINUTES }, () => {
    const kinds = new Map(first.findings.filter((f) => f.confirmation.blame === 'alone').map((f) => [f.kind, f]));
    for (const f of kinds.values()) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'replay', path.join(first.out, f.folder)], { encoding: 'utf8' });
      expect(status, `${f.signature}\n${stdout}\n${stderr}`).toBe(1);
      expect(stdout).toContain(f.signature);
    }
  });

  it('two runs of one seed at once, with more machines or one, give the same cases and findings', { timeout: 10 * MINUTES }, async () => {
    const side = (name: string, ...more: string[]): Promise<Ran> => run(name, '--patch', PATCH!, '--cases', '75', '--target', 'patch', ...more);
    const [a, b] = await Promise.all([side('side-a'), side('side-b', '--jobs', '1')]);
    expect(a.footer.caseStream).toBe(b.footer.caseStream);
    for (const r of [a, b]) {
      expect(r.footer.complete).toBe(true);
      expect(r.footer.verdicts['patch']!['engine-error'] ?? 0).toBe(0);
    }
    expect(confirmedAlone(a)).toEqual(confirmedAlone(b));
    const cases = (r: Ran): string[] => r.events.filter((e): e is CaseEvent => e.type === 'case' && e.target === 'patch').map((e) => `${e.case} ${e.class}`).slice(0, 75);
    expect(cases(a)).toHaveLength(75);
    expect(cases(b)).toEqual(cases(a));
    expect(cases(first)).toEqual(cases(a));
  });

  it.each(['SIGINT', 'SIGKILL'] as const)('%s in mid-run leaves no QEMU and no half-written finding', { timeout: 5 * MINUTES }, async (signal) => {
    const name = `stopped-${signal}`;
    const child = spawn(process.execPath, arguments_(name, ['--patch', PATCH!, '--cases', '5000']), { stdio: 'ignore', env: environment() });
    const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
    const out = path.join(folder, name);
    // In the middle of screening: some cases are judged, virtual machines are up.
    await until('cases', 3 * MINUTES, () => existsSync(path.join(out, 'run.jsonl')) && readFileSync(path.join(out, 'run.jsonl'), 'utf8').includes('"case"') && emulators().length > 0);
    child.kill(signal);
    const code = await closed;
    await until('no QEMU', 20_000, () => emulators().length === 0);
    const findings = path.join(out, 'findings');
    for (const f of existsSync(findings) ? readdirSync(findings) : []) {
      if (!f.startsWith('.')) expect(existsSync(path.join(findings, f, 'finding.json')), f).toBe(true);
    }
    if (signal === 'SIGINT') {
      expect(code).toBe(130);
      expect(read(name, code, '').footer.complete).toBe(false);
    }
  });

  it('killing QEMU from outside costs no verdict', { timeout: 5 * MINUTES }, async () => {
    const running = run('shot', '--target', 'stock', '--cases', '150', '--seed', '5');
    let ended = false;
    void running.finally(() => (ended = true));
    let shot = 0;
    await until('a QEMU to kill', 2 * MINUTES, () => {
      for (const pid of emulators().slice(0, 3 - shot)) {
        process.kill(pid, 'SIGKILL');
        shot++;
      }
      return shot >= 3 || ended;
    });
    const r = await running;
    expect(shot).toBeGreaterThan(0);
    expect(r.footer).toMatchObject({ complete: true, findings: 0, exitCode: 0 });
  });
});

describe.skipIf(noVm)('a patch that is none', () => {
  const MODULE = (body: string): string => [
    '--- /dev/null', '+++ b/drivers/md/overlaybd/dm-x.c', `@@ -0,0 +1,${body.split('\n').length} @@`, ...body.split('\n').map((l) => `+${l}`), '',
  ].join('\n');

  it.each([
    ['no patch at all', 'Dear list,\nplease find nothing attached.\n', /patch/],
    ['without such sources', '--- /dev/null\n+++ b/README\n@@ -0,0 +1,1 @@\n+hello\n', /dm-overlaybd/],
    ['that does not compile', MODULE('#include <linux/device-mapper.h>\nint x = dm_register_target(oops);'), /error/],
  ])('%s: one message with the reason, exit 2', { timeout: 5 * MINUTES }, (_what, text, reason) => {
    const file = path.join(folder, 'bad.patch');
    writeFileSync(file, text);
    const { status, stderr } = spawnSync(process.execPath, arguments_(`bad-${Math.random()}`, ['--patch', file, '--cases', '1']), { encoding: 'utf8' });
    expect(status, stderr).toBe(2);
    expect(stderr).toMatch(reason);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
