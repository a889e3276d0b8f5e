// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { kernelLabel, parseKernelChoice } from './kernels.ts';

describe('the choice of a kernel', () => {
  it('is a series, or a file with the folder it was built in', () => {
    expect(parseKernelChoice()).toEqual({ kind: 'debian', series: '6.1' });
    expect(parseKernelChoice('6.12')).toEqual({ kind: 'debian', series: '6.12' });
    expect(parseKernelChoice('out/bzImage', 'out')).toEqual({ kind: 'own', bzImage: 'out/bzImage', build: 'out' });
  });

  it.each([
    ['6.2', undefined, /the lab has 6\.1 and 6\.12/],
    ['', undefined, /the lab has/],
    ['6.1', '/build', /goes with a bzImage/],
    [undefined, '/build', /give its bzImage by --kernel/],
    ['/boot/vmlinuz', undefined, /needs --kernel-build/],
    ['/boot/vmlinuz', '', /--kernel-build is empty/],
  ])('refuses %s with build folder %s', (text, build, reason) => {
    expect(() => parseKernelChoice(text, build)).toThrow(expect.objectContaining({ name: 'UsageError', message: expect.stringMatching(reason) as string }));
  });

  it('has a name for people', () => {
    expect(kernelLabel(parseKernelChoice('6.12'), true)).toBe('6.12-sanitizer');
    expect(kernelLabel(parseKernelChoice('a/bzImage', 'b'))).toBe('a/bzImage');
  });
});
