// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { targetNames } from './targets.ts';

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
