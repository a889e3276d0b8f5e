// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readDevice } from '../../oracles/read.ts';
import { bufferSource } from '../../oracles/source.ts';
import type { SeenEntry } from '../../targets/kernel/file-system.ts';
import { differences } from './compare.ts';
import { changes, stackOfSnapshots } from './layers.ts';
import { stagesOf, wantedOf } from './tree.ts';

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

  it('is compared entry by entry', () => {
    const wanted = wantedOf(stagesOf(root, 1e6, 1));
    const seen = new Map([...wanted].map(([path, w]): [string, SeenEntry] => [path, { ...w, size: 0, error: '' }]));
    const whole = new Map([...seen, ['', { kind: 'folder', content: '', size: 0, error: '' }]] as const);
    expect(differences(wanted, { passes: [whole, whole] })).toEqual([]);
    const bad = new Map(whole);
    bad.delete('a/link');
    bad.set('a/file', { kind: 'file', content: 'f'.repeat(64), size: 7, error: '' });
    bad.set('b/file', { kind: 'file', content: '', size: 0, error: 'EIO' });
    bad.set('d', { kind: 'file', content: '', size: 0, error: '' });
    expect(differences(wanted, { passes: [whole, bad], problem: 'mount: EINVAL' })).toEqual([
      'mount: EINVAL', 'warm cache: a/file has another content (7 bytes)', 'warm cache: a/link is not there', 'warm cache: b/file: EIO', 'warm cache: d should not be there',
    ]);
  });
});
