// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { age, chosen } from './lab.ts';

describe('the kernels that lab commands work on', () => {
  const series = (name: string): object => ({ kind: 'debian', series: name });

  it('are 6.1, or those named', () => {
    expect(chosen({})).toEqual([{ kernel: series('6.1'), sanitize: false }]);
    expect(chosen({ kernel: ['6.1', '6.12'], sanitize: true })).toEqual([{ kernel: series('6.1'), sanitize: true }, { kernel: series('6.12'), sanitize: true }]);
    expect(chosen({ kernel: ['6.12', 'a/bzImage'], kernelBuild: 'a' })).toEqual([
      { kernel: series('6.12'), sanitize: false },
      { kernel: { kind: 'own', bzImage: 'a/bzImage', build: 'a' }, sanitize: false },
    ]);
  });

  it('are not guessed', () => {
    expect(() => chosen({ kernelBuild: 'a' })).toThrow(/give its bzImage/);
    expect(() => chosen({ kernel: ['6.1', '6.12'], kernelBuild: 'a' })).toThrow(/goes with a bzImage/);
    expect(() => chosen({ kernel: ['6.1', 'a/bzImage'] })).toThrow(/needs --kernel-build/);
  });
});

it('says ages in the unit that people would', () => {
  expect([0, 59, 60, 47 * 60, 48 * 60].map((minutes) => age(0, minutes * 60_000))).toEqual(['0 min', '59 min', '1 h', '47 h', '2 days']);
});
