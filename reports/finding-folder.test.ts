// SPDX-License-Identifier: MIT
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UsageError, type Procedure } from '../model/index.ts';
import { findingName, loadFinding, saveFinding } from './finding-folder.ts';
import { sha256 } from './finding-manifest.ts';
import { IDENTITY, sampleFinding } from './samples.ts';

let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'ovbd-finding-'));
});
afterEach(() => rmSync(out, { recursive: true }));

function save(): string {
  return join(out, saveFinding(out, sampleFinding(), IDENTITY, (path) => `replay ${path}`).folder);
}

test('what is saved is loaded again', () => {
  const path = save();
  const finding = sampleFinding();
  const loaded = loadFinding(path);
  expect(loaded.smallest).toEqual(finding.smallest);
  expect(loaded.before).toEqual(finding.before);
  expect(loaded.target).toEqual(IDENTITY);
  expect(loaded).toMatchObject({
    path, signature: finding.signature, kind: 'corruption', clause: 'LS-MAP-01', why: finding.verdict.why,
    confirmation: finding.confirmation, log: finding.observation.log, replay: `replay ${path}`,
  });
  expect(loaded.observation.reads[1]).toEqual({ result: 512, sha256: sha256(finding.observation.reads[1]!.bytes!), spill: { before: 0, after: 2, first: 512 } });
});

test('what was done with the device is kept, and checked', () => {
  const procedures: Procedure[] = [
    { kind: 'cycle', iterations: 2000, every: 250 },
    { kind: 'mount', fileSystem: 'ext4', tree: [{ path: 'a/b', kind: 'file', content: 'ff', blocks: '0123abcd' }, { path: 'a', kind: 'folder', content: '', blocks: '' }] },
  ];
  for (const procedure of procedures) {
    const path = join(out, saveFinding(out, { ...sampleFinding(), procedure }, { ...IDENTITY, parts: { module: 'x' } }, (p) => p).folder);
    expect(loadFinding(path).procedure).toEqual(procedure);
    expect(existsSync(join(path, 'repro.sh'))).toBe(false);
    const manifest = JSON.parse(readFileSync(join(path, 'finding.json'), 'utf8')) as object;
    writeFileSync(join(path, 'finding.json'), JSON.stringify({ ...manifest, procedure: { ...procedure, kind: 'other' } }));
    expect(() => loadFinding(path)).toThrow(/procedure/);
  }
});

test('the folder holds images, cases before, wrong reads and the log, and nothing else is left', () => {
  const path = save();
  expect(readdirSync(out)).toEqual(['findings']);
  expect(readdirSync(path, { recursive: true }).sort()).toEqual([
    'before', 'before/00', 'before/00/layer0.img', 'expected-read1.bin', 'finding.json', 'kernel.log',
    'layer0.img', 'layer1.img', 'layer1.index', 'observed-read1.bin',
  ]);
  expect(readFileSync(join(path, 'observed-read1.bin'))[100]).toBe(0);
  expect(JSON.parse(readFileSync(join(path, 'finding.json'), 'utf8')).case.table).toEqual([
    'zfile0: 0 16 zfile_target layer0.img 3',
    '# layer1 is a writable pair: layer1.img and layer1.index',
    'lsmt: 0 8 lsmt_target /dev/mapper/zfile0 8192 layer1.img 1',
  ]);
});

test('saving again replaces the folder', () => {
  writeFileSync(join(save(), 'stale'), '');
  expect(existsSync(join(save(), 'stale'))).toBe(false);
  expect(readdirSync(out)).toEqual(['findings']);
});

test('a failure leaves nothing behind', () => {
  writeFileSync(join(out, 'findings'), 'in the way');
  expect(save).toThrow();
  expect(readdirSync(out)).toEqual(['findings']);
});

test('names are safe whatever the signature is', () => {
  expect(findingName('patch', { kind: 'corruption', signature: 'corruption: LS-MAP-01' })).toMatch(/^patch-corruption-ls-map-01-[0-9a-f]{8}$/);
  expect(findingName('patch', { kind: 'crash', signature: `crash: ../../${'x/\0'.repeat(99)}` })).toMatch(/^patch-crash-[a-z0-9-]{1,24}-[0-9a-f]{8}$/);
  expect(findingName('patch', { kind: 'crash', signature: 'crash' })).toMatch(/^patch-crash-[0-9a-f]{8}$/);
});

describe('a folder from a stranger', () => {
  type Json = Record<string, any>;
  const refused = (change: (manifest: Json) => void): string => {
    const path = save();
    const manifest = JSON.parse(readFileSync(join(path, 'finding.json'), 'utf8')) as Json;
    change(manifest);
    writeFileSync(join(path, 'finding.json'), JSON.stringify(manifest));
    return message(path);
  };
  const message = (path: string): string => {
    try {
      loadFinding(path);
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      return (error as Error).message;
    }
    throw new Error('it was loaded');
  };

  test.each<[string, (m: Json) => void]>([
    ['schema: expected "ovbd-finding/1"', (m) => { m['schema'] = 'ovbd-finding/2'; }],
    ['kind: expected one of crash', (m) => { m['kind'] = 'pass'; }],
    ['case.layers[0].file: expected text that matches', (m) => { m['case'].layers[0].file = '../../etc/passwd'; }],
    ['case.layers[0].file: expected text that matches', (m) => { m['case'].layers[0].file = '/etc/passwd'; }],
    ['case.layers[1].index.file: expected text', (m) => { m['case'].layers[1].index.file = 'layer1.index/../x'; }],
    ['case.layers[0].size: expected a whole number', (m) => { m['case'].layers[0].size = 1e15; }],
    ['case.layers[0].size: expected a whole number', (m) => { m['case'].layers[0].size = -1; }],
    ['3 bytes, but finding.json says 4', (m) => { m['case'].layers[0].size = 4; }],
    ['3 bytes where at most 2 are expected', (m) => { m['case'].layers[0].size = 2; }],
    ['SHA-256 is not the one', (m) => { m['case'].layers[0].sha256 = '0'.repeat(64); }],
    ['case.layers: expected a list', (m) => { m['case'].layers = {}; }],
    ['case.layers: expected a list', (m) => { m['case'].layers = []; }],
    ['a zfile device has one layer', (m) => { m['case'].device = 'zfile'; }],
    ['layer9.img: no such file', (m) => { m['case'].layers[0].file = 'layer9.img'; }],
    ['case.access.reads[1].offset: expected', (m) => { m['case'].access.reads[1].offset = 2 ** 63; }],
    ['case.access.reads[0]: expected a read that can be asked for, found "a length of 513 bytes"', (m) => { m['case'].access.reads[0].length = 513; }],
    ['case.access.reads[1].pieces: expected a list', (m) => { m['case'].access.reads[1].pieces = []; }],
    ['case.access.reads[1]: expected a read that can be asked for, found "buffers of 3 bytes', (m) => { m['case'].access.reads[1].pieces = [1, 2]; }],
    ['case.access.reads[1].huge: expected true', (m) => { m['case'].access.reads[1].huge = 1; }],
    ['case.access.reads[0].bufferOffset: expected', (m) => { m['case'].access.reads[0].bufferOffset = 4096; }],
    ['case.access.crowd.readers: expected', (m) => { m['case'].access.crowd = { readers: 9, rounds: 1 }; }],
    ['case.access.crowd.meanwhile: expected one of', (m) => { m['case'].access.crowd = { readers: 2, rounds: 1, meanwhile: 'x' }; }],
    ['case.access.replaces: expected', (m) => { m['case'].access.replaces = -1; }],
    ['case.access.reads: expected', (m) => { m['case'].access.reads = 5; }],
    ['before[0].clauses: expected an object', (m) => { m['before'][0].clauses = null; }],
    ['target.name: expected', (m) => { m['target'].name = '../x'; }],
    ['target.parts.kernel: expected', (m) => { m['target'].parts.kernel = {}; }],
    ['expectation.strict.outcome: expected one of', (m) => { m['expectation'].strict.outcome = '__proto__'; }],
    ['observation.reads[0].sha256: expected', (m) => { m['observation'].reads[0].sha256 = 'x'; }],
  ])('%s', (text, change) => {
    expect(refused(change)).toContain(text);
  });

  test('each message names the file', () => {
    expect(refused((m) => { m['kind'] = 3; })).toMatch(/finding\.json: kind: expected/);
  });

  test('not JSON, not an object, no folder', () => {
    const path = save();
    for (const text of ['', '{', '[]', 'null', '3', '"']) {
      writeFileSync(join(path, 'finding.json'), text);
      expect(message(path)).toContain('finding.json: ');
    }
    expect(message(join(out, 'nothing'))).toContain('no such file');
    expect(message(join(path, 'layer0.img'))).toContain('no such file');
  });

  test('links and odd files are not followed', () => {
    const path = save();
    const secret = join(out, 'secret');
    writeFileSync(secret, new Uint8Array([1, 2, 3]));
    rmSync(join(path, 'layer0.img'));
    symlinkSync(secret, join(path, 'layer0.img'));
    expect(message(path)).toContain('a link out of');
    rmSync(join(path, 'layer0.img'));
    mkdirSync(join(path, 'layer0.img'));
    expect(message(path)).toContain('not a plain file');
    rmSync(join(path, 'layer0.img'), { recursive: true });
    writeFileSync(join(path, 'layer0.img'), new Uint8Array([1, 2, 3]));
    rmSync(join(path, 'before'), { recursive: true });
    mkdirSync(join(out, 'elsewhere', '00'), { recursive: true });
    writeFileSync(join(out, 'elsewhere', '00', 'layer0.img'), new Uint8Array([1, 2, 3]));
    symlinkSync(join(out, 'elsewhere'), join(path, 'before'));
    expect(message(path)).toContain('a link out of');
  });

  test('a manifest that is too large is not read', () => {
    const path = save();
    writeFileSync(join(path, 'finding.json'), Buffer.alloc(64 * 2 ** 20 + 1, ' '));
    expect(message(path)).toContain('at most 67108864 are expected');
  });
});
