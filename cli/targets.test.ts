// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Cache, Steps } from '../targets/kernel/lab/index.ts';
import { patch } from '../targets/kernel/lab/patch/samples.ts';
import { openTargets, targetNames } from './targets.ts';

describe('coverage', () => {
  const patch = { patch: ['x'], vm: true, coverage: true };

  it.each([
    [{ vm: true, coverage: true, sanitize: 'only' as const }, /it counts the lines of the patch/],
    [{ ...patch, sanitize: 'only' as const, vm: false }, /in a virtual machine/],
    [{ vm: true, coverage: true, module: 'x.ko', sanitize: 'only' as const }, /give --patch or --source/],
    [patch, /a sanitizer kernel \(--sanitize or --sanitize=only\), or one of yours with CONFIG_GCOV_KERNEL/],
  ])('is refused before anything is read where nothing can count: %j', (request, why) => {
    expect(() => targetNames(request)).toThrow(why);
  });

  it('is taken with a kernel that may count', () => {
    expect(targetNames({ ...patch, sanitize: 'both' })).toEqual(['oracle', 'patch']);
    expect(targetNames({ ...patch, kernel: ['/a/bzImage'], kernelBuild: ['/a'] })).toEqual(['oracle', 'patch']);
  });
});

describe('the patch\'s code in userspace', () => {
  it('takes the place of the machines with it where --fast is given', () => {
    expect(targetNames({ patch: ['x'], vm: true, fast: true })).toEqual(['oracle', 'userspace']);
    expect(targetNames({ source: 'x', vm: true, fast: true, names: ['stock', 'patch', 'userspace'] })).toEqual(['stock', 'userspace']);
  });

  it('stands beside them where both are named', () => {
    expect(targetNames({ patch: ['x'], vm: true, names: ['patch', 'userspace'], sanitize: 'only' })).toEqual(['patch', 'userspace']);
  });

  it.each([
    [{ vm: true, fast: true }, /--fast runs the code of a patch: give --patch or --source/],
    [{ vm: true, names: ['userspace'] }, /--target userspace needs the sources/],
    [{ vm: true, fast: true, module: 'x.ko' }, /--target userspace needs the sources/],
    [{ vm: true, fast: true, patch: ['x'], sanitize: 'only' as const }, /need a target that runs on a kernel/],
  ])('is refused before anything is read where there are no sources or no kernel: %j', (request, why) => {
    expect(() => targetNames(request)).toThrow(why);
  });
});

describe('one version of several', () => {
  it('is a kind of the patch, on a kernel or in userspace', () => {
    expect(targetNames({ patch: ['x'], vm: true, names: ['userspace', 'patch:v3'], sanitize: 'only' })).toEqual(['userspace', 'patch:v3']);
    expect(targetNames({ patch: ['x'], vm: true, fast: true, names: ['patch:v3'] })).toEqual(['userspace:v3']);
  });

  it.each([
    [{ vm: true, names: ['patch:v3'] }, /--target patch needs --patch/],
    [{ patch: ['x'], vm: true, names: ['patch:'] }, /there is no target "patch:"/],
    [{ patch: ['x'], vm: true, names: ['stock:v3'] }, /there is no target "stock:v3"/],
  ])('is refused as the patch is: %j', (request, why) => {
    expect(() => targetNames(request)).toThrow(why);
  });

  it('must be there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ovbd-cli-targets-'));
    try {
      writeFileSync(join(folder, 'thread.txt'), `${patch('[PATCH] a', '1 + dm')}${patch('[PATCH v2] a', '2 + dm')}`);
      const request = { patch: [join(folder, 'thread.txt')], vm: true, names: ['userspace:v3'] };
      const tools = { cache: new Cache(), steps: new Steps(), signal: new AbortController().signal };
      await expect(openTargets(request, tools)).rejects.toThrow('--target userspace:v3: there is no v3; there are v1, v2');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
