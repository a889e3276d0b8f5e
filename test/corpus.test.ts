// SPDX-License-Identifier: MIT
/** The committed corpus, and what is done with one on the command line. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lintCorpus } from '../cli/commands/corpus-lint.ts';
import { entryOf } from '../engine/corpus/entry.ts';
import { unseen } from '../engine/corpus/defects.ts';
import { dispensable } from '../engine/corpus/minimize.ts';
import { UsageError, type Event, type FooterEvent } from '../model/index.ts';
import { corpusNames, loadEntry, saveEntry } from '../reports/index.ts';
import { DEFECTS } from '../targets/fakes/reader/defects.ts';
import { findCommand } from '../targets/kernel/lab/child.ts';

const CORPUS = resolve(import.meta.dirname, '../corpus');
const PROGRAM = resolve(import.meta.dirname, '../cli/ovbd.mjs');
const READER = resolve(import.meta.dirname, '../examples/python-reader/reader.py');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-corpus-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function ovbd(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { cwd: folder, encoding: 'utf8', timeout: 300_000 });
  expect(stderr, 'no bare stack trace').not.toMatch(/\n\s+at /);
  return { code: status, stdout, stderr };
}

function footer(out: string): FooterEvent {
  return JSON.parse(readFileSync(join(folder, out, 'run.jsonl'), 'utf8').trimEnd().split('\n').at(-1)!) as FooterEvent & Event;
}

const entries = () => corpusNames(CORPUS).map((name) => {
  const { case: c, manifest } = loadEntry(CORPUS, name);
  return entryOf(name, c, manifest.seen);
});

describe('the committed corpus', () => {
  test('says of its cases what is so, and has all that it must', async () => {
    const { problems, cases } = await lintCorpus(CORPUS);
    expect(problems).toEqual([]);
    expect(cases).toBeGreaterThan(100);
  });

  test('its manifests are of its schema', () => {
    const valid = new Ajv2020({ allErrors: true }).compile(JSON.parse(readFileSync(join(CORPUS, 'case.schema.json'), 'utf8')) as object);
    for (const name of corpusNames(CORPUS)) {
      const manifest = JSON.parse(readFileSync(join(CORPUS, 'cases', name, 'case.json'), 'utf8')) as object;
      expect(valid(manifest), `${name}: ${JSON.stringify(valid.errors)}`).toBe(true);
      expect(valid({ ...manifest, class: 'sound' })).toBe(false);
      expect(valid({ ...manifest, more: 1 })).toBe(false);
    }
  });

  test('of the mistakes that the fake reader can make it catches most', () => {
    expect(unseen(entries()).length).toBeLessThan(DEFECTS.length / 3);
  });

  test('the oracle and the fake reader pass it, the canary does not', () => {
    const { code, stdout } = ovbd('corpus', 'run', '--target', 'oracle', '--target', 'fake-reader', '--target', 'canary', '--out', 'out', '--quiet');
    expect(stdout).toContain(': corpus corpus, ');
    expect(code).toBe(0);
    const { verdicts, findings, cases } = footer('out');
    expect(verdicts).toMatchObject({ oracle: { pass: cases }, 'fake-reader': { pass: cases } });
    expect(findings).toBeGreaterThan(0);
  });

  test('a plain script without this suite walks it and finds every file as it is said to be', () => {
    const { status, stdout, stderr } = spawnSync('python3', ['-c', WALK, CORPUS], { encoding: 'utf8' });
    if ((status === null || status === 127) && stdout === '') {
      console.warn('SKIPPED: python3 is not there');
      return;
    }
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe(`${corpusNames(CORPUS).length} cases`);
  });
});

/** What a reader in another language does first. */
const WALK = `
import hashlib, json, pathlib, sys
root = pathlib.Path(sys.argv[1])
sums = dict(reversed(line.split('  ', 1)) for line in (root / 'SHA256SUMS').read_text().splitlines())
sha = lambda path: hashlib.sha256(path.read_bytes()).hexdigest()
cases = 0
for path in sorted((root / 'cases').iterdir()):
    manifest = json.loads((path / 'case.json').read_text())
    assert manifest['schema'] == 'ovbd-corpus-case/1' and manifest['case']['id'] == path.name, path
    files = {'case.json'}
    for layer in manifest['case']['layers']:
        for file in [layer] + [layer[k] for k in ('index', 'remote') if k in layer]:
            files.add(file['file'])
            assert (path / file['file']).stat().st_size == file['size'] and sha(path / file['file']) == file['sha256'], (path, file)
    assert files == {p.name for p in path.iterdir()}, path
    for name in files:
        assert sums.pop(f'cases/{path.name}/{name}') == sha(path / name), name
    strict = manifest['expectation']['strict']
    assert strict['outcome'] == 'refuse' or len(strict['reads']) == len(manifest['case']['access']['reads']), path
    cases += 1
assert not sums, sums
print(cases, 'cases')
`;

/** A corpus of one case of the committed one. */
function small(name: string): string {
  const corpus = join(folder, 'small');
  mkdirSync(join(corpus, 'cases'), { recursive: true });
  cpSync(join(CORPUS, 'cases', name), join(corpus, 'cases', name), { recursive: true });
  return corpus;
}

const named = (start: string): string => corpusNames(CORPUS).find((name) => name.startsWith(start))!;

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Each place of a JSON value, with what sets it to another value or takes it away. */
function* places(value: Json, change: (to: Json | undefined) => Json, at = ''): Generator<{ at: string; value: Json; change: (to: Json | undefined) => Json }> {
  yield { at, value, change };
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) yield* places(item, (to) => change(to === undefined ? value.toSpliced(i, 1) : value.with(i, to)), `${at}[${i}]`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      yield* places(item, (to) => {
        const { [key]: _, ...rest } = value;
        return change(to === undefined ? rest : { ...value, [key]: to });
      }, `${at}.${key}`);
    }
  }
}

function otherValues(value: Json): (Json | undefined)[] {
  if (typeof value === 'number') return [undefined, value + 1, -value - 1, 1e300, 0.5, String(value), null];
  if (typeof value === 'string') return [undefined, `${value}x`, '', '../../x', 7, null];
  return [undefined, [], {}, 'x', null];
}

describe('lint explains', () => {
  test.each(['ZF-BLK-03-violated', 'LS-RW-01-violated', 'LS-WRP-03-violated', 'DM-FLT-01-exercised', 'DM-TBL-08-violated', 'DM-RD-07-exercised', 'DM-RD-09-exercised'])(
    'whatever is changed in the manifest of %s', async (start) => {
      const name = named(start);
      const corpus = small(name);
      const path = join(corpus, 'cases', name, 'case.json');
      const manifest = JSON.parse(readFileSync(path, 'utf8')) as Json;
      // The last two of each kind of place: the rest says nothing new.
      const seen = new Map<string, number>();
      for (const place of places(manifest, (to) => to ?? null)) {
        // Who failed on it, and on what, is nobody's word but that of whoever added it.
        if (place.at.startsWith('.seen')) continue;
        const kind = place.at.replace(/\d+/g, '');
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
        if (seen.get(kind)! > 2) continue;
        for (const to of otherValues(place.value)) {
          if (JSON.stringify(to) === JSON.stringify(place.value)) continue;
          // That a case touches no more clauses than it says is its maker's word alone.
          if (place.at.startsWith('.case.clauses.exercises') && (to === undefined || JSON.stringify(to) === '[]')) continue;
          writeFileSync(path, JSON.stringify(place.change(to)));
          const { problems } = await lintCorpus(corpus);
          const explained = problems.filter((p) => p.includes(name) && !p.includes('SHA256SUMS'));
          expect(explained.length, `${place.at} = ${JSON.stringify(to)}`).toBeGreaterThan(0);
          expect(explained.join('\n')).not.toMatch(/undefined|\[object|TypeError/);
        }
      }
      writeFileSync(path, '{"schema": ');
      expect((await lintCorpus(corpus)).problems[0]).toContain('not JSON');
    }, 240_000);

  test('files that are not as they should be', async () => {
    const name = named('ZF-BLK-03-violated');
    const corpus = small(name);
    const at = (file: string): string => join(corpus, 'cases', name, file);
    const first = async (): Promise<string> => (await lintCorpus(corpus)).problems[0]!;
    writeFileSync(at('notes.txt'), 'x');
    expect(await first()).toContain('notes.txt: no case has this file');
    rmSync(at('notes.txt'));
    const image = readFileSync(at('layer0.img'));
    writeFileSync(at('layer0.img'), image.map((b, i) => (i === 5 ? b ^ 1 : b)));
    expect(await first()).toContain('its SHA-256 is not the one in case.json');
    writeFileSync(at('layer0.img'), image.subarray(1));
    expect(await first()).toMatch(/layer0.img: \d+ bytes, but case.json says \d+/);
    rmSync(at('layer0.img'));
    expect(await first()).toContain('layer0.img: no such file');
    symlinkSync('/etc/passwd', at('layer0.img'));
    expect(await first()).toContain('a link out of its folder');
    rmSync(at(''), { recursive: true });
    writeFileSync(join(corpus, 'cases', name), 'no folder');
    expect(await first()).toContain(name);
    rmSync(join(corpus, 'cases', name));
    mkdirSync(join(corpus, 'cases', 'a b'));
    await expect(lintCorpus(corpus)).rejects.toThrow(UsageError);
    await expect(lintCorpus(folder)).rejects.toThrow('no folder cases/');
  });

  test('a case that is there twice, and sums that are old', async () => {
    const name = named('LS-HDR-02-violated');
    const corpus = small(name);
    const { case: c, manifest } = loadEntry(corpus, name);
    saveEntry(corpus, entryOf('again', c, manifest.seen));
    const { problems } = await lintCorpus(corpus);
    expect(problems.join('\n')).toContain(`again: the same case as ${name}`);
    expect(problems.at(-1)).toContain('SHA256SUMS');
    saveEntry(corpus, entryOf('wrong', c, [{ by: 'fake-reader:stack-reversed', signature: 'corruption: ST-MRG-01' }, { by: 'fake-reader:nonsense', signature: 'x' }]));
    const wrong = (await lintCorpus(corpus)).problems.filter((p) => p.includes('wrong'));
    expect(wrong[0]).toContain('fake-reader:stack-reversed shows nothing, not corruption: ST-MRG-01');
    expect(wrong[1]).toContain('there is no reader fake-reader:nonsense');
  });
});

describe('commands', () => {
  test('a finding is added once, with who showed it, and shows again', { timeout: 300_000 }, () => {
    expect(ovbd('run', '--target', 'fake-reader:stack-reversed', '--cases', '60', '--out', 'out', '--quiet').code).toBe(1);
    const finding = join('out', 'findings', readdirSync(join(folder, 'out', 'findings'))[0]!);
    const added = ovbd('corpus', 'add', finding, '--corpus', 'mine', '--by', 'a reader 1.0', '--fixed-in', 'a reader 1.1');
    expect(added).toMatchObject({ code: 0, stdout: '1 case added, 1 sighting; 1 case in all\n' });
    expect(ovbd('corpus', 'add', finding, '--corpus', 'mine', '--by', 'a reader 1.0').stdout).toBe('0 cases added, 0 sightings; 1 case in all\n');
    expect(ovbd('corpus', 'add', finding, '--corpus', 'mine', '--by', 'a reader 0.9').stdout).toBe('0 cases added, 1 sighting; 1 case in all\n');
    expect(ovbd('corpus', 'list', '--corpus', 'mine').stdout).toContain('seen: a reader 1.0, fixed in a reader 1.1');
    expect(ovbd('corpus', 'run', '--corpus', 'mine', '--target', 'fake-reader:stack-reversed', '--out', 'again', '--quiet').code).toBe(1);
    expect(ovbd('corpus', 'run', '--corpus', 'mine', '--target', 'fake-reader', '--out', 'sound', '--quiet').code).toBe(0);
    const manifest = join(folder, finding, 'finding.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"blame": "alone"', '"blame": "unreliable"'));
    expect(ovbd('corpus', 'add', finding, '--corpus', 'mine')).toMatchObject({ code: 2, stderr: expect.stringContaining('does not show it alone') });
    // One case alone has not all that a corpus must have.
    expect(ovbd('corpus', 'lint', '--corpus', 'mine')).toMatchObject({ code: 1, stdout: expect.stringContaining('no case exercises it') });
  });

  test('a release is one tar that is the same each time and needs nothing of this suite', { timeout: 300_000 }, () => {
    const { code, stdout } = ovbd('corpus', 'export');
    expect(code).toBe(0);
    const [, name] = /^(overlaybd-corpus-\d+\.\d+\.\d+-[0-9a-f]{12})\.tar: \d+ cases, /.exec(stdout)!;
    expect(ovbd('corpus', 'export', '-o', 'again.tar').stdout.split('SHA-256')[1]).toBe(stdout.split('SHA-256')[1]);
    expect(spawnSync('tar', ['-xf', 'again.tar'], { cwd: folder, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    const release = join(folder, name!);
    const files = (at: string): string[] => readdirSync(at, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name).slice(at.length)).sort();
    expect(files(release)).toEqual([...files(CORPUS), '/release.json'].sort());
    expect(readFileSync(join(release, 'SHA256SUMS'), 'utf8').trimEnd().split('\n')).toHaveLength(files(release).length - 1);
    expect(spawnSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: release, encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '' });
    const listing = spawnSync('tar', ['-tvf', 'again.tar'], { cwd: folder, encoding: 'utf8', env: { TZ: 'UTC', PATH: process.env['PATH'] } }).stdout.trimEnd().split('\n');
    expect(listing.filter((line) => !/^-rw(x|-)r-\1r-\1 0\/0 +\d+ 1970-01-01 00:00 /.test(line))).toEqual([]);

    const json = (file: string): object => JSON.parse(readFileSync(join(release, file), 'utf8')) as object;
    const manifest = json('release.json') as { name: string; cases: { name: string; exercises: string[]; violates: string[] }[]; clauses: { id: string }[] };
    const valid = new Ajv2020({ allErrors: true }).compile(json('release.schema.json'));
    expect(valid(manifest), JSON.stringify(valid.errors)).toBe(true);
    expect(valid({ ...manifest, content: 'x' })).toBe(false);
    expect(valid({ ...manifest, cases: [{ ...manifest.cases[0], more: 1 }] })).toBe(false);
    expect(manifest.name).toBe(name);
    expect(manifest.cases.map((c) => c.name)).toEqual(corpusNames(CORPUS));
    const told = new Set(manifest.clauses.map((c) => c.id));
    expect(manifest.cases.flatMap((c) => [...c.exercises, ...c.violates]).filter((id) => !told.has(id))).toEqual([]);
  });

  test.skipIf(findCommand('python3') === undefined)('its checker finds what is wrong, says what is to be done, and tries readers', { timeout: 300_000 }, () => {
    const { stdout } = ovbd('corpus', 'export', '-o', 'release.tar');
    expect(stdout).toContain('release.tar: ');
    spawnSync('tar', ['-xf', 'release.tar'], { cwd: folder });
    const release = join(folder, readdirSync(folder).find((name) => name.startsWith('overlaybd-corpus-'))!);
    const check = (...args: string[]): { status: number | null; stdout: string; stderr: string } => spawnSync('python3', ['-B', join(release, 'check.py'), ...args], { encoding: 'utf8', timeout: 200_000 });
    const names = corpusNames(CORPUS);
    expect(check()).toMatchObject({ status: 0, stdout: '', stderr: `${names.length} cases, every file as it should be\n` });

    const all = check('--tell').stdout;
    expect(all.match(/^\S.*: (?:valid|invalid|permissive)$/gm)).toHaveLength(names.length);
    const block = named('ZF-BLK-03-violated');
    expect(check('--tell', block).stdout).toMatch(/read 4096 bytes at 0 \(direct\): fail, after at most 0 right bytes: ZF-BLK-03: the CRC of block 0 is/);
    expect(check('--tell', 'nothing').status).toBe(2);

    // A reader in Python, one that takes the images for devices, and one that dies.
    const python = `sh -c 'n=$(python3 ${READER} size "$@") && python3 ${READER} read --offset 0 --length "$n" --out "$0" "$@"' {out} {layers}`;
    const some = ['LS-HDR-02-violated', 'LS-IDX-04', 'ST-MRG-01-exercised', 'DM-FLT-01-exercised'].map(named);
    expect(check('--reader', python, ...some)).toMatchObject({ status: 0, stdout: expect.stringMatching(/\n3 right, 0 wrong, 1 left out\n$/) });
    expect(check('--reader', `python3 ${READER} read --offset {offset} --length {length} --out {out} {layers}`, ...some)).toMatchObject({ status: 0 });
    expect(check('--reader', 'cp {layers} {out}', named('LS-HDR-02-violated'))).toMatchObject({ status: 1, stdout: expect.stringContaining('it must be refused, and was read') });
    expect(check('--reader', 'cp {layers} {out}', named('LS-IDX-04-exercised')).stdout).toMatch(/^WRONG .*: the device has \d+ bytes, and \d+ came\n0 right, 1 wrong, 0 left out\n$/);
    expect(check('--reader', "sh -c 'kill -SEGV $$'", named('LS-HDR-02-violated')).stdout).toContain('it died: exit code -11');
    expect(check('--reader', 'false', named('ST-MRG-01-exercised')).stdout).toContain('it must be read, and was refused');

    // The case that no file holds.
    const bounded = `python3 -c 'import os, sys; sys.exit(3 if os.path.getsize(sys.argv[1].split(":")[1]) > 4096 + 128000000 * 16 else 9)' {layers} {out}`;
    expect(check('--reader', bounded, 'LS-RW-05-violated')).toMatchObject({ status: 0, stdout: 'right     LS-RW-05-violated\n1 right, 0 wrong, 0 left out\n' });
    expect(check('--reader', 'touch {out}', 'LS-RW-05-violated')).toMatchObject({ status: 1, stdout: expect.stringContaining('LS-RW-05-violated: it must be refused, and was read') });

    const image = join(release, 'cases', block, 'layer0.img');
    writeFileSync(image, readFileSync(image).map((b, i) => (i === 5 ? b ^ 1 : b)));
    writeFileSync(join(release, 'notes.txt'), 'x');
    const wrong = check();
    expect(wrong.status).toBe(1);
    expect(wrong.stdout.trim().split('\n')).toEqual([
      `cases/${block}/layer0.img: its SHA-256 is not the one in SHA256SUMS`, 'notes.txt: no sum is known of it', `${block}: layer0.img is not the image that case.json names`,
    ]);
  });

  test('what cannot be done is said', { timeout: 300_000 }, () => {
    for (const args of [['list', '--corpus', 'nothing'], ['lint', '--corpus', '.'], ['run', '--corpus', 'nothing'], ['add'], ['add', 'x'], ['add', 'x', '--from-seed', '1'], ['run', '--target', 'nope'], ['list', 'NO-SUCH'], ['export', '--corpus', 'nothing'], ['export', '-o', 'no/such/folder.tar'], ['nope']]) {
      const { code, stderr } = ovbd('corpus', ...args);
      expect(code, args.join(' ')).toBe(2);
      expect(stderr).not.toBe('');
    }
  });

  test('minimize keeps every clause and every signature, and says what goes', () => {
    const all = entries();
    const gone = new Set(dispensable(all));
    const kept = all.filter((e) => !gone.has(e.name));
    const cover = (of: typeof all): string[] => [...new Set(of.flatMap((e) => [...e.case.clauses.exercises.map((c) => `+${c}`), ...e.case.clauses.violates, ...e.seen.map((s) => s.by + s.signature)]))].sort();
    expect(cover(kept)).toEqual(cover(all));
    expect(dispensable(kept)).toEqual([]);
    cpSync(CORPUS, join(folder, 'copy'), { recursive: true });
    const { code, stdout } = ovbd('corpus', 'minimize', '--corpus', 'copy', '--write');
    expect(code).toBe(0);
    expect(stdout).toContain(`${kept.length} cases of ${all.length} cover`);
    expect(corpusNames(join(folder, 'copy'))).toEqual(kept.map((e) => e.name));
  });
});
