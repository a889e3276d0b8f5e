// SPDX-License-Identifier: MIT
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Cache } from './cache.ts';
import { inventory, removable, remove, type Entry } from './inventory.ts';

const folder = mkdtempSync(join(tmpdir(), 'ovbd-inventory-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('lists entries with what they take on disk, and removes one', () => {
  const cache = new Cache(folder);
  mkdirSync(join(folder, 'vm/one/deep'), { recursive: true });
  mkdirSync(join(folder, 'tmp/half'), { recursive: true });
  writeFileSync(join(folder, 'vm/one/deep/data'), Buffer.alloc(100_000, 1));
  writeFileSync(join(folder, 'vm/one/sparse'), '');
  truncateSync(join(folder, 'vm/one/sparse'), 1 << 30);
  const [entry, ...others] = inventory(cache);
  expect(others).toEqual([]);
  expect(entry).toMatchObject({ kind: 'vm', key: 'one' });
  expect(entry!.bytes).toBeGreaterThanOrEqual(100_000);
  expect(entry!.bytes).toBeLessThan(1 << 20);
  remove(entry!, cache);
  expect(existsSync(join(folder, 'vm/one'))).toBe(false);
  expect(inventory(cache)).toEqual([]);
});

it('lets go what is quickly made again and what is superseded, or all', () => {
  const entry = (kind: string, key: string, made = 0): Entry => ({ kind, key, path: '', bytes: 0, made });
  const entries = [
    entry('kernel', '6.1.0-9-cloud-amd64_6.1.90-1'), entry('kernel', '6.1.0-10-cloud-amd64_6.1.100-1'), entry('kernel', '6.12.9+deb12-cloud-amd64_6.12.9-1'),
    entry('sanitizer', '6.1-ffff-1_6.1.90-1', 1), entry('sanitizer', '6.1-0000-1_6.1.90-1', 2), entry('sanitizer', '6.12-ffff-1_6.12.9-1', 1),
    entry('qemu', '1_10.0.2'), entry('vm', 'x'), entry('module', 'y'), entry('apt', 'backports'), entry('soak', 'z.json'),
  ];
  expect(removable(entries, false).map(({ key }) => key)).toEqual(['6.1.0-9-cloud-amd64_6.1.90-1', '6.1-ffff-1_6.1.90-1', 'x', 'y']);
  expect(removable(entries, true)).toEqual(entries);
});
