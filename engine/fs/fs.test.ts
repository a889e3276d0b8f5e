// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Observation, TreeEntry, Verdict } from '../../model/index.ts';
import { examine } from '../../oracles/examine.ts';
import { readDevice } from '../../oracles/read.ts';
import { bufferSource } from '../../oracles/source.ts';
import { CLAUSES } from '../../spec/index.ts';
import { blocksOf, type SeenEntry, type SeenTree } from '../../targets/kernel/file-system.ts';
import { builtinTarget } from '../builtin-targets.ts';
import { differences } from './compare.ts';
import { changes, stackOfSnapshots } from './layers.ts';
import { placeOf } from './locate.ts';
import { stagesOf, wantedOf } from './tree.ts';
import { verdictOfTree } from './verdict.ts';

/** Sectors, one a letter; `.` is zeros. */
const sectors = (text: string): Uint8Array => Buffer.concat([...text].map((c) => Buffer.alloc(512, c === '.' ? 0 : c)));

describe('layers of snapshots', () => {
  it('hold what changed', () => {
    const told = (a: string, b: string): string[] => changes(sectors(a), sectors(b)).map((s) => `${s.kind} ${s.offset / 512} ${(s.kind === 'write' ? s.content.length : s.length) / 512}`);
    expect(told('', 'aab.')).toEqual(['write 0 3']);
    expect(told('aab.', 'aab.')).toEqual([]);
    expect(told('aab.c', 'axx..')).toEqual(['write 1 2', 'discard 4 1']);
    expect(told('aa', 'a.bb')).toEqual(['discard 1 1', 'write 2 2']);
  });

  it.each([false, true])('read as the last one, in ZFiles: %s', (zfile) => {
    const made = [sectors('aab.cc..'), sectors('xab.....dd......'), sectors('xa......dd..eeee')];
    const { layers } = stackOfSnapshots('s', made, zfile);
    expect(layers.length).toBe(3);
    const read = readDevice(layers.map((l) => ({ file: bufferSource(l.bytes) })), 'device');
    if (!read.ok) throw new Error(read.why);
    expect(Buffer.concat([...read.chunks()]).equals(made[2]!)).toBe(true);
  });
});

describe('a real tree', () => {
  const root = mkdtempSync(join(tmpdir(), 'ovbd-tree-'));
  afterAll(() => rmSync(root, { recursive: true }));
  for (const name of ['b', 'a', 'c']) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'file'), name.repeat(1000));
  }
  symlinkSync('file', join(root, 'a', 'link'));
  writeFileSync(join(root, 'c', 'no name'), 'x');
  writeFileSync(join(root, 'c', 'too-large'), Buffer.alloc((1 << 20) + 1));

  it('is taken in stages by its top-level names, up to a limit', () => {
    const paths = (bytes: number, stages: number): string[][] => stagesOf(root, bytes, stages).map((s) => s.map((e) => e.path));
    expect(paths(1e6, 2)).toEqual([['a', 'a/file', 'a/link', 'b', 'b/file'], ['c', 'c/file']]);
    expect(paths(1500, 8)).toEqual([['a', 'a/file', 'a/link'], ['b']].concat([['c']]));
    expect(() => stagesOf(join(root, 'a'), 10, 1)).toThrow(/name another tree/);
  });

  it('is compared entry by entry, a file by its blocks', () => {
    const wanted = wantedOf(stagesOf(root, 1e6, 1));
    const seen = new Map([...wanted].map((w): [string, SeenEntry] => [w.path, { ...w, size: 0, error: '' }]));
    const whole = new Map<string, SeenEntry>([...seen, ['', { kind: 'folder', content: '', blocks: '', size: 0, error: '' }]]);
    expect(differences(wanted, { passes: [whole, whole] })).toEqual([]);
    expect(differences(wanted, { passes: [new Map(), new Map()] })).toEqual([]);
    const bad = new Map(whole);
    bad.delete('a/link');
    bad.set('a/file', { kind: 'file', content: 'f'.repeat(64), blocks: blocksOf(Buffer.from('other')), size: 7, error: '' });
    bad.set('b/file', { kind: 'file', content: '', blocks: '', size: 0, error: 'EIO' });
    bad.set('d', { kind: 'file', content: '', blocks: '', size: 0, error: '' });
    const told = differences(wanted, { passes: [whole, bad] });
    expect(told.map(({ cache, what, text }) => `${cache} ${what}: ${text}`)).toEqual([
      'warm content: a/file (7 bytes) differs first in the 4096 bytes at 0', 'warm missing: a/link is not there',
      'warm unreadable: b/file cannot be read: EIO', 'warm extra: d should not be there',
    ]);
    expect(told[0]!.block).toEqual({ at: 0, digest: blocksOf(Buffer.from('a'.repeat(1000))) });
  });

  it('says where the first other block of a file begins, or that its end is missing', () => {
    const bytes = Buffer.concat([Buffer.alloc(4096, 1), Buffer.alloc(4096, 2), Buffer.alloc(100, 3)]);
    const entry = (path: string, of: Buffer): TreeEntry => ({ path, kind: 'file', content: of.toString('hex'), blocks: blocksOf(of) });
    const compared = (got: Buffer): string[] => {
      const seen = new Map([['f', { ...entry('f', got), size: got.length, error: '' }]]);
      return differences([entry('f', bytes)], { passes: [seen, new Map()] }).map((d) => d.text);
    };
    expect(compared(Buffer.concat([bytes.subarray(0, 5000), Buffer.of(9), bytes.subarray(5001)]))).toEqual(['f (8292 bytes) differs first in the 4096 bytes at 4096']);
    expect(compared(bytes.subarray(0, 8192))).toEqual(['f has another length: 8192 bytes']);
  });
});

describe('a block that differs', () => {
  const page = (letter: string): Buffer => Buffer.alloc(4096, letter);
  const made = [Buffer.concat([page('a'), page('b'), page('\0')]), Buffer.concat([page('a'), page('c'), page('\0')])];

  it.each([false, true])('is found in the layer that holds it, in ZFiles: %s', (zfile) => {
    const c = stackOfSnapshots('s', made, zfile);
    expect(placeOf(c, blocksOf(page('a')))).toMatchObject({ at: 0, layer: 0 });
    const upper = placeOf(c, blocksOf(page('c')));
    expect(upper).toMatchObject({ at: 4096, layer: 1 });
    expect(CLAUSES.map((one) => one.id)).toContain(upper!.clause);
    expect(placeOf(c, blocksOf(page('b')))).toBeUndefined();
    expect(placeOf(c, blocksOf(page('\0')))).toBeUndefined();
  });

  it('makes a corruption of its clause; a file that cannot be read, a refused read', () => {
    const c = stackOfSnapshots('s', made, true);
    const { expectation } = examine(c);
    const tree: TreeEntry[] = [{ path: 'f', kind: 'file', content: 'x', blocks: blocksOf(page('c')) }];
    const whole = made[1]!;
    const readAs = (bytes: Buffer): Observation => ({ open: 'opened', size: 12288, reads: [{ result: bytes.length, sha256: '', bytes }], complaints: [], log: '', history: 0 });
    const observation = readAs(whole);
    const target = builtinTarget('oracle')!;
    const of = (got: Partial<SeenEntry> | null, more: Partial<SeenTree> = {}): Verdict => verdictOfTree(c, expectation, { kind: 'mount', fileSystem: 'ext4', tree }, {
      passes: [new Map(got === null ? [] : [['f', { kind: 'file', content: 'x', blocks: tree[0]!.blocks, size: 4096, error: '', ...got }]]), new Map()], observation, ...more,
    }, target);
    expect(of({}).kind).toBe('pass');
    const { clause } = placeOf(c, tree[0]!.blocks)!;
    expect(of({ content: 'y', blocks: blocksOf(page('b')) })).toMatchObject({ kind: 'corruption', clause, signature: `corruption: ${clause}` });
    expect(of({ content: 'y', blocks: blocksOf(page('b')) }).why).toMatch(/2 layers in ZFiles: cold cache: f .* at 0; that block is byte 4096 of the device, of layer 1 of 2$/);
    expect(of({ error: 'EIO' })).toMatchObject({ kind: 'refuses-valid', signature: 'refuses-valid: DM-RD-01' });
    expect(of(null, { problem: { stage: 'mount', errno: 'EINVAL' } })).toMatchObject({ kind: 'corruption' });
    expect(of({}, { problem: { stage: 'remove', errno: 'EBUSY' } })).toMatchObject({ kind: 'leak', clause: 'DM-FREE-01' });
    const other = Buffer.from(whole);
    other[4100] = 1;
    const both = of({ error: 'EIO' }, { observation: readAs(other) });
    expect(both).toMatchObject({ kind: 'corruption', clause });
    expect(both.why).toMatch(/f cannot be read: EIO; the device itself: .*; that is byte 4100 of the device, of layer 1 of 2$/);
    const death = { kind: 'crash' as const, title: 'page-fault in f', phase: 'mounting' };
    expect(of(null, { observation: { ...observation, death } })).toMatchObject({ kind: 'crash', signature: 'crash: page-fault in f' });
  });
});
