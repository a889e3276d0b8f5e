// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseConfig } from './own-kernel.ts';
import { configFor, notTaken } from './sanitizer.ts';

const wanted = readFileSync(new URL('sanitizer.config', import.meta.url), 'utf8');

it('names the options that a kernel does not take over', () => {
  expect(notTaken(wanted, wanted)).toEqual([]);
  expect(notTaken(wanted, wanted.replace('CONFIG_KASAN=y', '# CONFIG_KASAN is not set').replace('CONFIG_NR_CPUS=8', 'CONFIG_NR_CPUS=64'))).toEqual(['CONFIG_NR_CPUS=8', 'CONFIG_KASAN=y']);
});

it('asks for each option once', () => {
  expect(parseConfig(wanted).size).toBe(wanted.split('\n').filter((line) => line.startsWith('CONFIG_')).length);
});

it('leaves out of a series what it no longer has, and nothing else', () => {
  expect(configFor('6.1')).toBe(wanted);
  expect(notTaken(wanted, configFor('6.12'))).toEqual(['CONFIG_BASE_FULL=y']);
});
