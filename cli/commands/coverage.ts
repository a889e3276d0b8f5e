// SPDX-License-Identifier: MIT
/** `ovbd coverage`: what several runs have reached of the same sources, each and together. */
import { join } from 'node:path';
import { EXIT } from '../../model/index.ts';
import { coverageTable, loadCoverage, mergeCoverage, unreachedText, writeCoverage } from '../../reports/index.ts';
import { printLines } from '../print.ts';

export interface CoverageOptions {
  /** Folder for the coverage of all together. */
  readonly output?: string;
}

/** Throws `UsageError` where a folder has no coverage, or that of other sources than the one before it. */
export async function coverage(runs: readonly string[], options: CoverageOptions, signal: AbortSignal): Promise<number> {
  const loaded = runs.flatMap(loadCoverage);
  const together = mergeCoverage(loaded);
  const columns = loaded.map(({ name, coverage: { files } }) => ({ name, files }));
  await printLines([
    ...coverageTable(loaded.length === 1 ? columns : [...columns, { name: 'together', files: together.files }]),
    ...together.files.flatMap(unreachedText),
  ], signal);
  if (options.output !== undefined) {
    writeCoverage(options.output, loaded.map((l) => l.name).join(' + '), together);
    await printLines(['', `written: ${['summary.txt', 'index.html', 'lcov.info', 'coverage.json'].map((file) => join(options.output!, file)).join(', ')}`], signal);
  }
  return EXIT.ok;
}
