// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Cache } from './cache.ts';
import { needsNewer } from './qemu.ts';
import { addSoak, forgetSoak, soakOf, soakRecords } from './soak-record.ts';

const folder = mkdtempSync(join(tmpdir(), 'ovbd-soak-'));
afterAll(() => rmSync(folder, { recursive: true }));

const kernel = { release: '6.1.0-1', packages: { a: '1', b: '2' } };
const qemu = { version: '7.2' };

it('adds up what soaks found of a pair, and of no other', async () => {
  const cache = new Cache(join(folder, 'a'));
  expect(await soakOf(cache, kernel, qemu)).toBeUndefined();
  await addSoak(cache, kernel, qemu, { boots: 5, failures: 0, cases: 50 });
  await addSoak(cache, kernel, qemu, { boots: 2, failures: 1, cases: 3, first: 'panic' });
  await addSoak(cache, kernel, qemu, { boots: 2, failures: 1, cases: 3, first: 'another' });
  const record = { kernel: '6.1.0-1', qemu: '7.2', boots: 9, failures: 2, cases: 56, first: 'panic' };
  // In whatever order its packages are named.
  expect(await soakOf(cache, { release: kernel.release, packages: { b: '2', a: '1' } }, qemu)).toEqual(record);
  expect(await soakOf(cache, { ...kernel, packages: { a: '1', b: '3' } }, qemu)).toBeUndefined();
  expect(await soakOf(cache, kernel, { version: '10.0' })).toBeUndefined();
  expect(soakRecords(cache)).toEqual([record]);
  await forgetSoak(cache, kernel, qemu);
  expect(soakRecords(cache)).toEqual([]);
});

it('counts sums of runs at the same time, and takes a damaged record for none', async () => {
  const cache = new Cache(join(folder, 'b'));
  await Promise.all(Array.from({ length: 8 }, () => addSoak(cache, kernel, qemu, { boots: 1, failures: 0, cases: 2 })));
  expect(await soakOf(cache, kernel, qemu)).toMatchObject({ boots: 8, cases: 16 });
  const [name] = readdirSync(join(cache.root, 'soak'));
  writeFileSync(join(cache.root, 'soak', name!), '{"boots": "many"}');
  expect(await soakOf(cache, kernel, qemu)).toBeUndefined();
});

it('knows which kernels need a newer emulator', () => {
  expect(['6.1.0-56-cloud-amd64', '5.10.0', '4.19'].map(needsNewer)).toEqual([false, false, false]);
  expect(['6.12.95+deb12-cloud-amd64', '6.2-rc1', '7.0.0'].map(needsNewer)).toEqual([true, true, true]);
});
