// SPDX-License-Identifier: MIT
/** Tests that mutants of the oracle and the judge must not survive: those beside the code, without virtual machines. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['oracles/**/*.test.ts', 'judge/**/*.test.ts'], exclude: ['oracles/cross/**'], testTimeout: 60_000 },
});
