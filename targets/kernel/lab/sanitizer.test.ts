// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseConfig } from './own-kernel.ts';
import { changed, configFor, notTaken } from './sanitizer.ts';

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

it('changes options where they stand, and adds the others', () => {
  const config = changed('CONFIG_A=y\n# why\nCONFIG_B=y\nCONFIG_AB=y', '# SPDX\nCONFIG_B=n\n# CONFIG_A is not set\nCONFIG_C="x"\n');
  expect(config).toBe('# why\nCONFIG_AB=y\nCONFIG_B=n\n# CONFIG_A is not set\nCONFIG_C="x"\n');
  const debug = readFileSync(new URL('debug.config', import.meta.url), 'utf8');
  expect(parseConfig(changed(wanted, debug)).get('CONFIG_PROVE_LOCKING')).toBe('y');
  expect(notTaken(wanted, changed(wanted, debug))).toEqual(['CONFIG_LOCALVERSION=-ovbd-sanitizer']);
});
