// SPDX-License-Identifier: MIT
/** `ovbd compare` and `ovbd targets` as programs. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitLayer, runScript } from '../generators/commit.ts';
import type { Comparison } from '../model/index.ts';

const program = fileURLToPath(new URL('../cli/ovbd.mjs', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ovbd-compare-'));
  for (const [name, seed] of [['lower', 1], ['upper', 2]] as const) {
    const content = new Uint8Array(4096).map((_, i) => (seed * 50 + i * 7 + (i >> 9)) & 0xff);
    writeFileSync(path.join(folder, name), commitLayer(runScript([{ kind: 'write', offset: 4096, content }], { virtualSize: 16384 }), { virtualSize: 16384 }));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function ovbd(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

describe('ovbd compare', () => {
  it('of images: the first difference as JSON, exit code 1, and what is kept', () => {
    const { code, out } = ovbd('compare', '--targets', 'oracle,fake-reader,fake-reader:stack-reversed', 'lower', 'upper', '--json', '--out', 'kept');
    expect(code).toBe(1);
    const document = JSON.parse(out) as Extract<Comparison, { mode: 'readers' }>;
    expect(document).toMatchObject({ schema: 'ovbd-compare/1', mode: 'readers', from: { images: ['lower', 'upper'] }, complete: true });
    expect(document.pairs['oracle']).toMatchObject({ 'fake-reader': { same: 1, differ: 0 }, 'fake-reader:stack-reversed': { differ: 1 } });
    expect(document.rows).toMatchObject([{ what: 'other bytes', cells: { 'fake-reader:stack-reversed': 1 }, smallest: { position: 4096, place: [{ layer: 1 }, { layer: 1, at: 4096 }] } }]);
    expect(readdirSync(path.join(folder, 'kept'))).toEqual(['compare.json', 'compare.txt']);
    expect(JSON.parse(readFileSync(path.join(folder, 'kept', 'compare.json'), 'utf8'))).toEqual(document);
  });

  it('of writers, one of them any command', () => {
    const { code, out } = ovbd('compare', '--writers', 'lsmt', '--targets', 'ours', '--targets', 'command:cp {data} {out} --no-target-directory --suffix={index}', '--cases', '2');
    expect(code).toBe(1);
    expect(out).toMatch(/LSMT header: flags[\s\S]*in a's: byte 28, flags of the LSMT header/);
  });

  it('says what is wrong with what it is asked', () => {
    expect(ovbd('compare', '--targets', 'oracle')).toMatchObject({ code: 2, err: expect.stringContaining('one target alone cannot be compared') });
    expect(ovbd('compare', '--targets', 'oracle,nobody')).toMatchObject({ code: 2, err: expect.stringContaining('there is no target "nobody"') });
    expect(ovbd('compare', '--writers', 'zfile', 'lower')).toMatchObject({ code: 2, err: expect.stringContaining('takes no images') });
    expect(ovbd('compare', '--as', 'zfile', 'lower', 'upper')).toMatchObject({ code: 2, err: expect.stringContaining('one ZFile') });
  });
});

describe('ovbd targets', () => {
  it('lists what comes with the suite and what a file adds', () => {
    writeFileSync(path.join(folder, 'mine.json'), JSON.stringify({
      schema: 'ovbd-targets/1',
      readers: [{ name: 'mine', description: 'd', install: 'build it', tried: { with: 'untested', note: 'n' }, programs: ['./no-such-program'], supports: { devices: ['lsmt'] }, device: [{ command: ['{program}', '{out}'] }] }],
    }));
    const { code, out } = ovbd('targets', '--file', 'mine.json', '--json');
    expect(code).toBe(0);
    const { entries } = JSON.parse(out) as { entries: { name: string; installed: boolean; detail: string; tried: string }[] };
    expect(entries.find((e) => e.name === 'mine')).toMatchObject({ installed: false, tried: 'untested', detail: './no-such-program: there is no such program; build it', file: 'mine.json' });
    expect(entries.find((e) => e.name === 'ovbd-read')).toMatchObject({ installed: true, tried: 'real' });
  });

  it('a target of a file that is not installed is skipped with one line, one that reads what the user has set up too', () => {
    const { code, out } = ovbd('run', '--targets-file', 'mine.json', '--target', 'oracle', '--target', 'mine', '--target', 'block-device:/dev/none', '--cases', '2', '--out', 'run', '--quiet');
    expect(out).toContain('mine: ./no-such-program: there is no such program; build it');
    expect(out).toContain('block-device:/dev/none: it reads what you have set up');
    expect(code).toBe(3);
  });

  it('says every mistake of a file with its place', () => {
    writeFileSync(path.join(folder, 'bad.json'), JSON.stringify({ schema: 'ovbd-targets/1', readers: [{ name: 'Mine' }] }));
    const { code, err } = ovbd('targets', '--file', 'bad.json');
    expect(code).toBe(2);
    expect(err).toContain('readers[0].name: "Mine" is none');
    expect(ovbd('targets', '--file', 'none.json')).toMatchObject({ code: 2, err: expect.stringContaining('cannot be read: ENOENT') });
  });
});
