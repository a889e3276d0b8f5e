// SPDX-License-Identifier: MIT
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    globalSetup: ['test/setup.ts'],
    exclude: ['node_modules/**', '.cache/**', 'reports/out/**'],
    // Files that boot VMs and files that measure nothing but need both cores would only slow each other down.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
});
