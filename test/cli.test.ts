// SPDX-License-Identifier: MIT
/** The whole program, as a user calls it, without virtual machines. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CaseEvent, Event, FindingEvent, FooterEvent } from '../model/index.ts';
import { sha256 } from '../reports/index.ts';

const PROGRAM = resolve(import.meta.dirname, '../cli/ovbd.mjs');
const SHARED = process.env['OVBD_SHARED'] ?? resolve(import.meta.dirname, '../../shared');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function ovbd(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { cwd: folder, encoding: 'utf8', timeout: 100_000 });
  expect(stderr, 'no bare stack trace').not.toMatch(/\n\s+at /);
  return { code: status, stdout, stderr };
}

function events(path: string): Event[] {
  return readFileSync(join(folder, path), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Event);
}

function footer(path: string): FooterEvent {
  const last = events(path).at(-1)!;
  expect(last.type).toBe('footer');
  return last as FooterEvent;
}

describe('usage', () => {
  test('help and version', () => {
    expect(ovbd('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('Exit codes: 0 nothing unexpected') });
    expect(ovbd('--version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    for (const command of ['run', 'replay', 'read', 'doctor']) expect(ovbd(command, '--help').code).toBe(0);
  });

  test.each([
    [[]], [['--nope']], [['rum']], [['run', '--nope']], [['run', 'extra']], [['run', '--seed', 'x']], [['run', '--seed', '-1']],
    [['run', '--cases', '0']], [['run', '--time', '5']], [['run', '--jobs', '0']], [['run', '--target', 'nope']], [['run', '--target', 'patch']],
    [['run', '--patch', 'a', '--patch', 'b']], [['run', '--patch', 'a', '--module', 'b']], [['run', '--patch', 'a', '--target', 'oracle']],
    [['run', '--no-vm', '--target', 'stock']], [['run', '--target', 'oracle', '--kernel', '6.12']], [['run', '--json', '--format', 'ktap']],
    [['run', '--sanitize', 'never']], [['run', '--coverage']], [['diff', 'x']], [['diff', 'x', 'y']], [['read', 'x']], [['read', 'x', '-o', 'y']], [['read', '-o', 'y']],
    [['read', 'x', '-o', 'y', '--as', 'tar']], [['replay']], [['replay', 'nothing']], [['replay', '.']], [['doctor', 'x']],
  ])('%j is wrong usage', (args) => {
    const { code, stderr } = ovbd(...args);
    expect(code).toBe(2);
    expect(stderr).not.toBe('');
    expect(readdirSync(folder).filter((name) => name !== 'reports')).toEqual([]);
  });

  test('a hint where a word is nearly right', () => {
    expect(ovbd('rum').stderr).toContain('Did you mean run?');
    expect(ovbd('run', '--sed', '1').stderr).toContain('Did you mean --seed?');
  });

  test('doctor says one line a check', () => {
    const { code, stdout } = ovbd('doctor');
    expect([0, 1]).toContain(code);
    for (const line of stdout.trimEnd().split('\n')) expect(line).toMatch(/^(ok|note|missing) /);
  });
});

describe('run', () => {
  test('the oracle agrees with itself, and what was left out is said', () => {
    const { code, stdout } = ovbd('run', '--no-vm', '--cases', '30', '--out', 'out');
    expect(stdout).toContain('skipped  stock: --no-vm');
    expect(code).toBe(0);
    expect(readdirSync(join(folder, 'out')).sort()).toEqual(['junit.xml', 'run.jsonl']);
    expect(footer('out/run.jsonl')).toMatchObject({ complete: true, cases: 30, findings: 0, exitCode: 0, verdicts: { oracle: { pass: 30 } } });
    expect(stdout).toContain(footer('out/run.jsonl').caseStream);
  });

  test('one seed gives one run, another gives another', () => {
    const cases = (out: string, ...args: string[]): string[] => {
      ovbd('run', '--no-vm', '--target', 'fake-lies', '--cases', '20', '--out', out, ...args);
      return [
        footer(`${out}/run.jsonl`).caseStream,
        ...events(`${out}/run.jsonl`).filter((e): e is CaseEvent | FindingEvent => e.type === 'case' || e.type === 'finding')
          .map((e) => `${e.type} ${e.kind} ${e.signature} ${e.why}`),
      ];
    };
    const first = cases('a');
    expect(cases('b', '--jobs', '1')).toEqual(first);
    expect(cases('c', '--seed', '2')[0]).not.toEqual(first[0]);
  });

  test('it does not write over another run', () => {
    ovbd('run', '--no-vm', '--cases', '1', '--out', 'out');
    const before = readFileSync(join(folder, 'out/run.jsonl'));
    expect(ovbd('run', '--no-vm', '--cases', '1', '--out', 'out')).toMatchObject({ code: 2, stderr: expect.stringContaining('holds another run') });
    expect(readFileSync(join(folder, 'out/run.jsonl'))).toEqual(before);
  });

  test('a folder of its own by default', () => {
    ovbd('run', '--no-vm', '--cases', '1');
    ovbd('run', '--no-vm', '--cases', '1');
    expect(readdirSync(join(folder, 'reports/out'))).toHaveLength(2);
  });

  test('--json gives the events and nothing else', () => {
    const { stdout } = ovbd('run', '--no-vm', '--cases', '3', '--out', 'out', '--json');
    expect(stdout).toBe(readFileSync(join(folder, 'out/run.jsonl'), 'utf8'));
  });

  test('--format ktap gives the kernel\'s test format and nothing else', () => {
    const { code, stdout, stderr } = ovbd('run', '--no-vm', '--cases', '3', '--out', 'out', '--format', 'ktap');
    expect(stdout.split('\n').slice(0, 4)).toEqual(['KTAP version 1', '1..3', '    KTAP version 1', '    # Subtest: oracle']);
    expect(stdout).toMatch(/\nok 1 oracle\nok 2 stock # SKIP --no-vm\nok 3 complete\n$/);
    expect(stderr).toContain('report in out');
    expect(code).toBe(0);
  });

  test('diff says what is new and what is fixed, and fails on what is new', () => {
    const defect = (name: string, out: string): void => void ovbd('run', '--no-vm', '--target', `fake-reader${name}`, '--cases', '8', '--seed', '5', '--out', out);
    defect('', 'sound');
    defect(':stack-reversed', 'reversed');
    expect(ovbd('diff', 'sound', 'sound')).toMatchObject({ code: 0, stdout: expect.stringContaining('0 new, 0 fixed, 0 still there') });
    const worse = ovbd('diff', 'sound', 'reversed', '--json');
    const found = JSON.parse(worse.stdout).counts.new as number;
    expect(found).toBeGreaterThan(0);
    expect(worse.code).toBe(1);
    expect(ovbd('diff', 'reversed/run.jsonl', 'sound')).toMatchObject({ code: 0, stdout: expect.stringContaining(`0 new, ${found} fixed, 0 still there`) });
    const lines = readFileSync(join(folder, 'sound/run.jsonl'), 'utf8').trimEnd().split('\n');
    writeFileSync(join(folder, 'cut.jsonl'), lines.slice(0, -1).join('\n'));
    expect(ovbd('diff', 'cut.jsonl', 'sound')).toMatchObject({ code: 2, stderr: expect.stringContaining('without its footer') });
  });

  test('a patch that is none is one clear message, and no folder is left', () => {
    writeFileSync(join(folder, 'x.patch'), 'hello');
    expect(ovbd('run', '--patch', 'x.patch', '--out', 'out')).toMatchObject({ code: 2, stderr: expect.stringContaining('x.patch') });
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });

  test('the canary must fail, and does', () => {
    const { code } = ovbd('run', '--no-vm', '--target', 'canary', '--cases', '10', '--out', 'out');
    expect(code).toBe(0);
    expect(footer('out/run.jsonl').findings).toBeGreaterThan(0);
  });
});

describe('findings', () => {
  for (const [name, kind] of [['fake-lies', 'corruption'], ['fake-crashes', 'crash']] as const) {
    test(`${name}: found, stored, replayed with the printed command`, () => {
      expect(ovbd('run', '--no-vm', '--target', name, '--cases', '12', '--out', 'out').code).toBe(1);
      const found = events('out/run.jsonl').filter((e): e is FindingEvent => e.type === 'finding');
      expect(found.map((f) => f.kind)).toContain(kind);
      expect(readdirSync(join(folder, 'out/findings'))).toHaveLength(found.length);
      expect(readFileSync(join(folder, 'out/junit.xml'), 'utf8')).toContain(`<failure type="${kind}"`);
      const again = spawnSync('sh', ['-c', found[0]!.replay], { cwd: folder, encoding: 'utf8' });
      expect(again).toMatchObject({ status: 1, stdout: expect.stringContaining('shown again: 1 of 1') });
    });
  }

  test('a finding that does not show any more: exit code 0', () => {
    ovbd('run', '--no-vm', '--target', 'fake-crashes', '--cases', '16', '--out', 'out');
    const path = join(folder, 'out/findings', readdirSync(join(folder, 'out/findings'))[0]!);
    const manifest = JSON.parse(readFileSync(join(path, 'finding.json'), 'utf8'));
    manifest.target.name = manifest.target.remake.kind = 'oracle';
    writeFileSync(join(path, 'finding.json'), JSON.stringify(manifest));
    expect(ovbd('replay', path)).toMatchObject({ code: 0, stdout: expect.stringContaining('not shown: 0 of 1') });
  });

  test('a damaged finding is a wrong input that names the file and the field', () => {
    ovbd('run', '--no-vm', '--target', 'fake-crashes', '--cases', '16', '--out', 'out');
    const path = join(folder, 'out/findings', readdirSync(join(folder, 'out/findings'))[0]!);
    const manifest = JSON.parse(readFileSync(join(path, 'finding.json'), 'utf8'));
    manifest.case.layers[0].file = '../layer0.img';
    writeFileSync(join(path, 'finding.json'), JSON.stringify(manifest));
    expect(ovbd('replay', path)).toMatchObject({ code: 2, stderr: expect.stringMatching(/finding\.json: case\.layers\[0\]\.file: /) });
  });
});

describe('stopping', () => {
  // A test that fails must not leave its program running.
  const started: ReturnType<typeof spawn>[] = [];
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });

  function start(...args: string[]): { child: ReturnType<typeof spawn>; ended: Promise<number | null> } {
    const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout!.resume();
    started.push(child);
    return { child, ended: new Promise((done) => child.on('close', (code) => done(code))) };
  }

  /** Waits until the run has written so much that it is in mid-run. */
  async function untilRunning(path: string): Promise<void> {
    while (!existsSync(join(folder, path)) || readFileSync(join(folder, path)).length < 5000) await new Promise((r) => setTimeout(r, 50));
  }

  test('Ctrl-C ends a run in good order, with a footer that says so', async () => {
    const { child, ended } = start('run', '--no-vm', '--cases', '1000000', '--out', 'out');
    await untilRunning('out/run.jsonl');
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(footer('out/run.jsonl')).toMatchObject({ complete: false, exitCode: 130 });
    expect(readFileSync(join(folder, 'out/junit.xml'), 'utf8')).toContain('the run was stopped');
  }, 30_000);

  test('kill -9 leaves no half-written finding', async () => {
    const { child, ended } = start('run', '--no-vm', '--target', 'fake-lies', '--cases', '15', '--out', 'out');
    while (!existsSync(join(folder, 'out/findings')) && child.exitCode === null) await new Promise((r) => setTimeout(r, 20));
    child.kill('SIGKILL');
    await ended;
    for (const name of readdirSync(join(folder, 'out/findings'))) {
      expect(ovbd('replay', join('out/findings', name)).code).toBe(1);
    }
  });

  test('a closed output ends it too', async () => {
    const { child, ended } = start('run', '--no-vm', '--cases', '1000000', '--out', 'out', '--json');
    await untilRunning('out/run.jsonl');
    child.stdout!.destroy();
    expect(await ended).toBe(130);
  }, 30_000);
});

describe('read', () => {
  const golden = join(SHARED, 'golden');
  const there = existsSync(golden);
  if (!there) console.warn(`skipping tests of ovbd read: no golden images in ${golden} (OVBD_SHARED tells the folder)`);

  test('a file that is no image is refused with the clause, and nothing is left', () => {
    writeFileSync(join(folder, 'x'), 'hello');
    const { code, stderr } = ovbd('read', 'x', '-o', 'y');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^x: refused: [A-Z]+-[A-Z]+-\d+ at byte \d+: .+\n$/);
    expect(readdirSync(folder)).toEqual(['x']);
  });

  test('folders, missing places and inputs as outputs are wrong usage', () => {
    mkdirSync(join(folder, 'd'));
    writeFileSync(join(folder, 'x'), 'hello');
    symlinkSync('x', join(folder, 'link'));
    expect(ovbd('read', 'd', '-o', 'y').code).toBe(2);
    expect(ovbd('read', 'x', '-o', 'link')).toMatchObject({ code: 2, stderr: expect.stringContaining('is an input') });
    expect(ovbd('read', 'x', 'x', '-o', 'y', '--as', 'zfile').code).toBe(2);
  });

  describe.runIf(there)('golden images', () => {
    const image = (name: string): string => join(golden, name);
    const got = (name: string): string => sha256(readFileSync(join(folder, name)));
    let cases: { kind: string; file?: string; expect_sha256: string }[];
    beforeAll(() => {
      cases = (JSON.parse(readFileSync(image('manifest.json'), 'utf8')) as { cases: typeof cases }).cases;
    });

    test('a ZFile, to a file and to standard output', () => {
      const expected = cases.find((c) => c.file === 'z-lz4-4k-v.zf')!.expect_sha256;
      expect(ovbd('read', image('z-lz4-4k-v.zf'), '--as', 'zfile', '-o', 'out').code).toBe(0);
      expect(got('out')).toBe(expected);
      const { stdout } = spawnSync(process.execPath, [PROGRAM, 'read', image('z-lz4-4k-v.zf'), '--as', 'zfile', '-o', '-']);
      expect(sha256(stdout)).toBe(expected);
    });

    test('a writable pair, in files whose names hold colons too', () => {
      expect(ovbd('read', `${image('rw0.data')}:${image('rw0.index')}`, '-o', 'a').code).toBe(0);
      symlinkSync(image('rw0.data'), join(folder, 'x:y'));
      symlinkSync(image('rw0.index'), join(folder, 'z:'));
      expect(ovbd('read', 'x:y:z:', '-o', 'b').code).toBe(0);
      expect(got('b')).toBe(got('a'));
      symlinkSync(image('l0.lsmt'), join(folder, 'l:0'));
      expect(ovbd('read', 'l:0', '-o', 'c').code).toBe(0);
    });

    test('a block that is damaged in the middle leaves no output, and an old one as it was', () => {
      const bytes = readFileSync(image('z-lz4-4k-v.zf'));
      bytes[Math.floor(bytes.length / 3)]! ^= 1;
      writeFileSync(join(folder, 'bad'), bytes);
      expect(ovbd('read', 'bad', '--as', 'zfile', '-o', 'new')).toMatchObject({ code: 1, stderr: expect.stringContaining('bad: refused: ZF-') });
      writeFileSync(join(folder, 'old'), 'precious');
      expect(ovbd('read', 'bad', '--as', 'zfile', '-o', 'old').code).toBe(1);
      expect(readdirSync(folder).sort()).toEqual(['bad', 'old']);
      expect(readFileSync(join(folder, 'old'), 'utf8')).toBe('precious');
    });

    test('a device as output stays a device', () => {
      expect(ovbd('read', image('l0.lsmt'), '-o', '/dev/null').code).toBe(0);
      expect(spawnSync('test', ['-c', '/dev/null']).status).toBe(0);
    });
  });
});
