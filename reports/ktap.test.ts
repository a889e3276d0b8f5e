// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Event } from '../model/index.ts';
import { KtapReporter } from './ktap.ts';
import { sampleEvents, sampleMatrixEvents } from './samples.ts';

function ktap(events: readonly Event[]): string {
  let text = '';
  const reporter = new KtapReporter((t) => { text += t; });
  for (const event of events) reporter.event(event);
  reporter.close();
  return text;
}

describe('a run as KTAP', () => {
  test('has a plan, a test for each target with its cases, and one for the run', () => {
    const lines = ktap(sampleEvents()).split('\n');
    expect(lines.slice(0, 2)).toEqual(['KTAP version 1', '1..4']);
    expect(lines).toContain('    # Subtest: patch');
    expect(lines).toContain('    not ok 1 c1');
    expect(lines).toContain('    ok 3 c3 # SKIP zstd');
    expect(lines.filter((l) => /^(not )?ok/.test(l)).map((l) => l.slice(0, 30))).toEqual(['not ok 1 patch', 'ok 2 oracle', expect.stringMatching(/^ok 3 stock # SKIP missing/), 'ok 4 complete']);
  });

  test('nothing that a target says looks like a result', () => {
    const [run, ...rest] = sampleEvents();
    const hostile = rest.map((e) => (e.type === 'case' ? { ...e, why: 'x\nok 1 c1\n# Subtest: y # SKIP\u001b[2J', signature: 'Subtest: z' } : e));
    const results = (text: string): string[] => text.split('\n').filter((l) => /^\s*(ok|not ok|# Subtest:|KTAP|\d+\.\.)/.test(l)).map((l) => l.replace(/ # SKIP.*/, ''));
    expect(results(ktap([run!, ...hostile]))).toEqual(results(ktap([run!, ...rest])));
    expect(ktap([run!, ...hostile])).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  test('a run that was stopped does not look whole', () => {
    expect(ktap(sampleEvents().slice(0, -1))).toMatch(/# the run ended without its footer\nnot ok 4 complete\n$/);
    const stopped = sampleEvents().map((e) => (e.type === 'footer' ? { ...e, complete: false } : e));
    expect(ktap(stopped)).toMatch(/# the run was stopped after 4 cases\nnot ok 4 complete\n$/);
  });
});

/**
 * The kernel's own parser, out of Debian's source package; a string says why it cannot be had.
 * Reports may not import the lab, whose cache this shares.
 */
function kunit(): { readonly path: string } | string {
  if (spawnSync('python3', ['--version']).status !== 0) return 'there is no python3';
  const cache = process.env['OVBD_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'overlaybd-conformance');
  const final = join(cache, 'kunit', 'linux-source-6.1');
  // The program looks at its own path for the kernel's tree.
  const program = join(final, 'tools/testing/kunit/kunit.py');
  if (existsSync(program)) return { path: program };
  const temp = join(tmpdir(), `ovbd-kunit-${process.pid}`);
  mkdirSync(temp);
  try {
    const got = spawnSync('apt-get', ['download', '-q', 'linux-source-6.1'], { cwd: temp, encoding: 'utf8', timeout: 120_000 });
    const deb = readdirSync(temp).find((name) => name.endsWith('.deb'));
    if (got.status !== 0 || deb === undefined) return `apt-get download linux-source-6.1 fails: ${(got.stderr ?? String(got.error)).trim().split('\n').at(-1)}`;
    // Of the archive in the archive these few files; their folder comes early in it, and xz need not go on when tar has left.
    const script = `dpkg-deb --fsys-tarfile '${deb}' | tar -xO --wildcards '*/linux-source-6.1.tar.xz' | tar -xJ --strip-components=1 --wildcards 'linux-source-6.1/tools/testing/kunit/*'`;
    const unpacked = spawnSync('sh', ['-c', `mkdir out && cd out && ${script.replace(deb, `../${deb}`)}`], { cwd: temp, encoding: 'utf8', timeout: 600_000 });
    if (!existsSync(join(temp, 'out/tools/testing/kunit/kunit.py'))) return `linux-source-6.1 cannot be unpacked: ${unpacked.stderr.trim().split('\n').at(-1)}`;
    mkdirSync(join(cache, 'kunit'), { recursive: true });
    spawnSync('cp', ['-r', join(temp, 'out'), `${final}.${process.pid}`]);
    renameSync(`${final}.${process.pid}`, final);
    return { path: program };
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}

const parser = kunit();
if (typeof parser === 'string') console.warn(`skipped: KTAP through the kernel's own parser: ${parser}`);

describe.skipIf(typeof parser === 'string')('the kernel\'s own parser', () => {
  function parse(text: string): { code: number | null; stdout: string; json: any } {
    const { path } = parser as { path: string };
    const file = join(tmpdir(), `ovbd-ktap-${process.pid}`);
    try {
      writeFileSync(file, text);
      const plain = spawnSync('python3', ['-B', path, 'parse', file], { encoding: 'utf8' });
      spawnSync('python3', ['-B', path, 'parse', `--json=${file}.json`, file], { encoding: 'utf8' });
      return { code: plain.status, stdout: plain.stdout, json: JSON.parse(readFileSync(`${file}.json`, 'utf8')) };
    } finally {
      rmSync(file, { force: true });
      rmSync(`${file}.json`, { force: true });
    }
  }

  test('counts what was run, and finds no error in it', () => {
    const { stdout, json } = parse(ktap(sampleEvents()));
    // Five cases; the target that was left out, and the run itself.
    expect(stdout).toMatch(/Testing complete\. Ran 7 tests: passed: 2, failed: 3, skipped: 2$/m);
    expect(stdout).not.toMatch(/\[ERROR\]/);
    expect(stdout).toContain('patch (4 subtests)');
    expect(json.sub_groups.map((g: { name: string }) => g.name)).toEqual(['patch', 'oracle']);
    expect(json.sub_groups[0].test_cases.map((c: { name: string; status: string }) => `${c.name} ${c.status}`)).toEqual(['c1 FAIL', 'c2 FAIL', 'c3 SKIP', 'c4 FAIL']);
  });

  test('takes names of columns, and passes a run without findings', () => {
    const passing = sampleMatrixEvents().filter((e) => e.type === 'run' || e.type === 'footer' || e.type === 'case');
    const { code, stdout } = parse(ktap(passing));
    expect(stdout).not.toMatch(/\[ERROR\]|failed/);
    expect(stdout).toContain('v1/6.1');
    expect(code).toBe(0);
  });
});
