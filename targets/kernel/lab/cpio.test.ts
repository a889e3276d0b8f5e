// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { findCommand } from './child.ts';
import { writeCpio, type CpioEntry } from './cpio.ts';

const entries: CpioEntry[] = [
  { name: 'dev', mode: 0o040755 },
  { name: 'dev/console', mode: 0o020600, device: [5, 1] },
  // Every rest modulo 4 of name and data.
  ...[0, 1, 2, 3, 4, 5, 1000].map((size) => ({ name: `f${'x'.repeat(size % 7)}`, mode: 0o100644, data: Buffer.alloc(size, size) })),
];

/** A reader of its own, after the format's description. */
function parse(archive: Buffer): CpioEntry[] {
  const found: CpioEntry[] = [];
  for (let at = 0; ; ) {
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const field = (i: number): number => parseInt(archive.toString('latin1', at + 6 + i * 8, at + 14 + i * 8), 16);
    const nameEnd = at + 110 + field(11);
    const name = archive.toString('latin1', at + 110, nameEnd - 1);
    const dataAt = (nameEnd + 3) & ~3;
    if (name === 'TRAILER!!!') {
      expect(dataAt).toBe(archive.length);
      return found;
    }
    const data = archive.subarray(dataAt, dataAt + field(6));
    found.push({ name, mode: field(1), ...(data.length > 0 ? { data } : {}), ...(field(9) > 0 ? { device: [field(9), field(10)] } : {}) });
    at = (dataAt + field(6) + 3) & ~3;
  }
}

describe('writeCpio', () => {
  it('writes what a reader reads, the same bytes each time', () => {
    const archive = writeCpio(entries);
    expect(parse(archive)).toEqual(entries.map((e) => (e.data?.length === 0 ? { name: e.name, mode: e.mode } : e)));
    expect(archive.length % 4).toBe(0);
    expect(writeCpio(entries).equals(archive)).toBe(true);
  });

  it.skipIf(findCommand('cpio') === undefined)('writes what cpio lists', () => {
    const listed = spawnSync('cpio', ['-it', '--quiet'], { input: writeCpio(entries), encoding: 'utf8' });
    expect(listed.stderr).toBe('');
    expect(listed.stdout.trim().split('\n')).toEqual(entries.map((e) => e.name));
  });
});
