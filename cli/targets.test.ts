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
