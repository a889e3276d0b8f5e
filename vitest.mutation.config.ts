// SPDX-License-Identifier: MIT
/**
 * Tests that mutants of the oracle and the judge must not survive: those
 * beside the code that ask for exact answers. Those that draw or read
 * hundreds of images are left out: a mutant would wait for them by the thousand.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Each mutant loads every file that has a test for it: a run over a few files names their tests.
    include: process.env['MUTATION_TESTS']?.split(' ') ?? ['oracles/*.test.ts', 'judge/*.test.ts'],
    exclude: ['oracles/{agreement,golden,hostile}.test.ts'],
    testTimeout: 60_000,
  },
});
