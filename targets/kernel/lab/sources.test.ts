// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hashSources, readInput, readSourceFolder, readText } from './sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'ovbd-sources-'));
afterAll(() => rmSync(folder, { recursive: true }));
const put = (name: string, data: string | Uint8Array): string => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, data);
  return path;
};

describe('reading what the user gave', () => {
  it('gives one reason for each kind of wrong file', async () => {
    await expect(readText(join(folder, 'absent'))).rejects.toThrow(/absent: there is no such file$/);
    await expect(readText(folder)).rejects.toThrow(/: it is a folder$/);
    await expect(readText(put('binary', 'a\0b'))).rejects.toThrow(/: it is binary, not text$/);
    await expect(readText('/dev/zero')).rejects.toThrow(/: it is not a file$/);
    await expect(readInput(put('large', 'abc'), 2)).rejects.toThrow(/: it has 3 bytes, more than 2$/);
  });

  it('takes the sources of a folder, without what a build left there', async () => {
    put('good/dm.c', 'dm_register_target(&t);');
    put('good/dm.h', 'int x;');
    put('good/dm-overlaybd.mod.c', 'generated');
    put('good/Makefile', '$(shell id)');
    expect([...(await readSourceFolder(join(folder, 'good'))).keys()]).toEqual(['dm.c', 'dm.h']);
  });

  it('refuses folders without sources', async () => {
    put('plain/a.txt', '');
    put('other/a.c', 'int main;');
    await expect(readSourceFolder(join(folder, 'plain'))).rejects.toThrow(/no \.c file in it$/);
    await expect(readSourceFolder(join(folder, 'other'))).rejects.toThrow(/calls dm_register_target$/);
    await expect(readSourceFolder(join(folder, 'absent'))).rejects.toThrow(/there is no such file/);
  });
});

describe('hashSources', () => {
  it('does not depend on the order and tells where a file ends', () => {
    const one = hashSources(new Map([['a.c', '1'], ['b.c', '2']]));
    expect(hashSources(new Map([['b.c', '2'], ['a.c', '1']]))).toBe(one);
    expect(hashSources(new Map([['a.c', '12'], ['b.c', '']]))).not.toBe(one);
  });
});
