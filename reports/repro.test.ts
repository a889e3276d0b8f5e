// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Case, Finding } from '../model/index.ts';
import { loadRepro, saveFinding } from './finding-folder.ts';
import { sha256 } from './finding-manifest.ts';
import { backingFile, fileCommands, textBytes } from './repro-pieces.ts';
import { quoted } from './repro-shell.ts';
import { reproScript } from './repro.ts';
import { IDENTITY, sampleFinding } from './samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'ovbd-repro-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function finding(change: Partial<Finding> = {}, c: Partial<Case> = {}): Finding {
  const sample = sampleFinding();
  const layers = [{ wrapping: ['zfile'] as const, bytes: Buffer.alloc(700, 3), exposedBytes: 8192 }, { wrapping: [], bytes: Buffer.alloc(513, 4) }];
  return { ...sample, before: [], smallest: { ...sample.smallest, layers, ...c }, ...change };
}

const script = (f: Finding): string => reproScript(f, IDENTITY)!;
const sh = (text: string, ...args: string[]): ReturnType<typeof spawnSync> => spawnSync('sh', [...args, '-c', text], { encoding: 'utf8', cwd: folder });

describe('images in a script', () => {
  const image = Buffer.alloc(1_000_003);
  image.write('at the start');
  image.write('far behind', 700_000);
  image.write('the end', image.length - 7);

  it('come out as they went in, with zeros up to the end of the device', () => {
    for (const [exact, size] of [[true, 1_000_448], [false, 1_003_520]] as const) {
      const file = backingFile('image', image, exact);
      expect(file.size).toBe(size);
      const helpers = script(finding()).split('\n').filter((line) => /^(say|shown|fail|new|put)\(\)/.test(line)).join('\n');
      const result = sh(`DIR=.; ${helpers}\n${fileCommands(file).join('\n')}`);
      expect([result.status, result.stderr]).toEqual([0, '']);
      const made = readFileSync(join(folder, 'image'));
      expect(made.length).toBe(size);
      expect(made.subarray(0, image.length).equals(image)).toBe(true);
      expect(made.subarray(image.length).every((byte) => byte === 0)).toBe(true);
    }
  });

  it('cost what is in them, not what is zero', () => {
    const file = backingFile('image', image, false);
    expect(file.pieces.map((piece) => piece.sector)).toEqual([0, 1367, 1953]);
    expect(textBytes(file)).toBeLessThan(1500);
  });

  it('of no byte still are a device', () => {
    expect(backingFile('none', new Uint8Array(), true)).toMatchObject({ size: 512, pieces: [] });
  });
});

describe('the script', () => {
  it('is one that a shell can read', () => {
    expect(sh(quoted('it\'s $HOME').replace(/^/, 'printf %s ')).stdout).toBe('it\'s $HOME');
    for (const kind of ['corruption', 'hang'] as const) {
      writeFileSync(join(folder, 'one.sh'), script(finding({ kind })));
      expect(sh('sh -n one.sh')).toMatchObject({ status: 0, stderr: '' });
    }
  });

  it('says what is wrong, what was expected and by which clause', () => {
    const head = script(finding()).split('\nset -u')[0]!;
    expect(head.split('\n').every((line) => line === '' || line.startsWith('#'))).toBe(true);
    for (const word of ['corruption: LS-MAP-01', 'byte 100 of read 1', 'Expected: opened', 'Observed: opened', 'LS-MAP-01 (MUST):']) expect(head).toContain(word);
  });

  it('makes the tables of the patch and compares with the digests that are expected', () => {
    const f = finding();
    const text = script(f);
    expect(text).toContain(`make zfile0 '0 16 zfile_target '"$L0"' 700' && make top '0 8 lsmt_target '"/dev/mapper/$N-zfile0"' 8192 '"$L1"' 513'`);
    const [read] = f.expectation.strict.outcome === 'open' ? f.expectation.strict.reads : [];
    expect(text).toContain(`read_is 0 0 512 direct,skip_bytes ${read?.outcome === 'bytes' ? sha256(read.bytes) : ''} 512`);
    expect(text).toContain('read_is 1 512 512 skip_bytes');
  });

  it('keeps a hostile word of a table a word', () => {
    const text = `1' ; touch escaped ; '`;
    const access = { ...finding().smallest.access, table: { kind: 'text', layer: 1, text } as const };
    const line = script(finding({}, { access })).split('\n').find((one) => one.includes('make top'))!;
    const shown = sh(`make() { printf %s "$2"; }; L0=a L1=b N=n; ${line}\n:\nfi`);
    expect(shown.stdout).toBe(`0 16 zfile_target a 7000 8 lsmt_target /dev/mapper/n-zfile0 8192 b ${text}`);
    expect(sh('test -e escaped').status).toBe(1);
  });

  it('asks for a refusal where there must be one, and for none where not', () => {
    const sample = finding();
    const refuse = { ...sample.expectation, strict: { outcome: 'refuse', clause: 'LS-HDR-01', layer: 0, at: 0, why: 'no magic' } as const };
    expect(script(finding({ expectation: refuse }))).toContain(`shown 'it must be refused (LS-HDR-01)'`);
    expect(script(sample)).toContain('shown "it must be opened"');
  });

  it('leaves large images beside itself and says so', () => {
    const bytes = Buffer.alloc(3 << 20);
    for (let i = 0, x = 1; i < bytes.length; i++) {
      x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
      bytes[i] = x >>> 24;
    }
    const text = script(finding({}, { layers: [{ wrapping: [], bytes }] }));
    expect(text.length).toBeLessThan(20_000);
    expect(text).toContain('$HERE/layer0.img');
    expect(text).toMatch(/too large for a mail/);
  });

  it('names what a shell cannot do', () => {
    const access = { ...finding().smallest.access, crowd: 3 } as never;
    expect(script(finding({}, { access })).split('\nset -u')[0]).toContain('"crowd"');
  });

  it('makes a device as short as the finding has it', () => {
    const access = { ...finding().smallest.access, table: { kind: 'short', layer: 1, sectors: 1 } as const };
    expect(script(finding({}, { access }))).toContain('new layer1.img 512\n');
    const under = { ...access, table: { ...access.table, layer: 0 } };
    expect(script(finding({}, { access: under }))).toContain(`make zfile0 '0 15 zfile_target`);
  });

  it('stacks a ZFile in a ZFile', () => {
    const layers = [{ wrapping: ['zfile', 'zfile'] as const, bytes: Buffer.alloc(700, 3), exposedBytes: 8192 }];
    expect(script(finding({}, { device: 'zfile', layers }))).toContain(`make zfile0 '0 16 zfile_target '"$L0"' 700' && make top '0 8 zfile_target '"/dev/mapper/$N-zfile0"' 8192'`);
  });

  it('is none where the images would do something else without what a shell cannot do', () => {
    const { access } = finding().smallest;
    const fault = { layer: 0, from: 0, to: 512, kind: 'error', since: 0 } as const;
    expect(reproScript(finding({}, { access: { ...access, fault } }), IDENTITY)).toBeUndefined();
    expect(reproScript(finding({}, { access: { ...access, table: { kind: 'busy', layer: 0 } } }), IDENTITY)).toBeUndefined();
  });

  it('holds the cases before it, and is none where the patch has no such tables', () => {
    const one = finding();
    expect(script({ ...one, before: [one.smallest] }).match(/make top/g)).toHaveLength(2);
    expect(reproScript(sampleFinding(), IDENTITY)).toBeUndefined();
  });

  it('lies in the folder of a finding of a module', () => {
    const saved = saveFinding(folder, finding(), IDENTITY, () => 'replay');
    expect(loadRepro(join(folder, saved.folder))).toBe(script(finding()));
    const { module: _, ...parts } = IDENTITY.parts;
    expect(loadRepro(join(folder, saveFinding(folder, finding(), { ...IDENTITY, parts }, () => 'replay').folder))).toBeUndefined();
  });
});
