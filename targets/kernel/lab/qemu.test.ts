// SPDX-License-Identifier: MIT
/** Which emulator a kernel gets, with programs that only say a version. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Cache } from './cache.ts';
import type { KernelTree } from './kernel.ts';
import { cachedChoice, chooseQemu, namedQemu } from './qemu.ts';
import { addSoak, forgetSoak } from './soak-record.ts';
import { Steps } from './steps.ts';

const folder = mkdtempSync(join(tmpdir(), 'ovbd-qemu-'));
const cache = new Cache(join(folder, 'cache'));
const steps = new Steps({ write: () => undefined });
const path = process.env['PATH'];

function qemu(file: string, version: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho 'QEMU emulator version ${version}'\n`, { mode: 0o755 });
}

const kernel = (release: string): KernelTree => ({ release, bzImage: '', modulesDir: '', headersDir: '', packages: {} });
const old = kernel('6.1.0-1');
const recent = kernel('6.12.1');

beforeAll(() => {
  qemu(join(folder, 'bin/qemu-system-x86_64'), '7.2.1');
  process.env['PATH'] = `${join(folder, 'bin')}:${path}`;
});
afterAll(() => {
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true });
});

it('is the machine\'s where the pair holds, and none where a newer one is yet to be fetched', async () => {
  expect(await cachedChoice(old, cache)).toEqual({ path: join(folder, 'bin/qemu-system-x86_64'), version: '7.2.1', firmware: [] });
  expect(await cachedChoice(recent, cache)).toBeUndefined();
});

it('is the newer one for newer kernels, and for a pair that failed by itself', async () => {
  const root = join(cache.root, 'qemu/1_10.0/root');
  qemu(join(root, 'usr/bin/qemu-system-x86_64'), '10.0.2');
  const newer = { path: join(root, 'usr/bin/qemu-system-x86_64'), version: '10.0.2', firmware: [join(root, 'usr/share/qemu'), join(root, 'usr/share/seabios')] };
  expect(await chooseQemu(recent, cache, steps)).toEqual(newer);
  await addSoak(cache, old, { version: '7.2.1' }, { boots: 10, failures: 0, cases: 5 });
  expect(await chooseQemu(old, cache, steps)).toMatchObject({ version: '7.2.1', soak: { boots: 10, failures: 0 } });
  await addSoak(cache, old, { version: '7.2.1' }, { boots: 10, failures: 1, cases: 0, first: 'it panics' });
  expect(await chooseQemu(old, cache, steps)).toEqual(newer);
});

it('is refused with reason and remedy where every pair failed, until that is forgotten', async () => {
  await addSoak(cache, recent, { version: '10.0.2' }, { boots: 3, failures: 2, cases: 0, first: 'frames exc_debug_kernel' });
  await expect(chooseQemu(recent, cache, steps)).rejects.toMatchObject({
    name: 'EngineError',
    message: expect.stringMatching(/6\.12\.1 fails by itself .*QEMU 10\.0\.2: 2 failures in 3 boots .*exc_debug_kernel.*ovbd lab soak/) as string,
  });
  await forgetSoak(cache, recent, { version: '10.0.2' });
  expect((await chooseQemu(recent, cache, steps)).version).toBe('10.0.2');
});

it('is the one that was asked for, or is refused with the rate and the remedy', async () => {
  expect(await namedQemu('backports', recent, cache, steps)).toMatchObject({ version: '10.0.2' });
  await expect(namedQemu('machine', recent, cache, steps)).rejects.toMatchObject({
    name: 'UsageError', message: expect.stringMatching(/^--qemu machine: the kernel 6\.12\.1 fails by itself under QEMU 7\.2\.1.*not soaked here.*leave --qemu out.*QEMU 10 or newer/) as string,
  });
  await addSoak(cache, recent, { version: '7.2.1' }, { boots: 9, failures: 4, cases: 0, first: 'it panics' });
  await expect(namedQemu('machine', recent, cache, steps)).rejects.toThrow(/4 failures in 9 boots and 0 stock cases \(the first: it panics\)/);
  await expect(namedQemu('machine', old, cache, steps)).rejects.toThrow(/1 failures in 20 boots/);
});
