// SPDX-License-Identifier: MIT
/** The files of a run's coverage. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceCoverage } from '../model/index.ts';
import { writeAtomically } from './atomic.ts';
import { COVERAGE_FILE, coverageJson } from './coverage-file.ts';
import { coverageHtml } from './coverage-html.ts';
import { lcovText } from './coverage-lcov.ts';
import { coverageText } from './coverage-text.ts';

/** One target's part; its name is a column's, `v2/6.12/sanitize`. */
export interface TargetCoverage {
  readonly target: string;
  readonly coverage: SourceCoverage;
}

/**
 * Writes `coverage/lcov.info`, `summary.txt`, `index.html` and `coverage.json` below `out`, with several targets in
 * a folder of each. Gives the folders' names below `out`, in order. Throws what writing throws.
 */
export function saveCoverage(out: string, targets: readonly TargetCoverage[]): string[] {
  const used = new Set<string>();
  return targets.map(({ target, coverage }) => {
    const name = targets.length === 1 ? 'coverage' : join('coverage', folderName(target, used));
    writeCoverage(join(out, name), target, coverage);
    return name;
  });
}

/** Writes the files of one coverage into a folder, which is made. Throws what writing throws. */
export function writeCoverage(folder: string, title: string, coverage: SourceCoverage): void {
  mkdirSync(folder, { recursive: true });
  writeAtomically(join(folder, 'lcov.info'), lcovText(coverage.files));
  writeAtomically(join(folder, 'summary.txt'), coverageText(title, coverage));
  writeAtomically(join(folder, 'index.html'), coverageHtml(title, coverage));
  writeAtomically(join(folder, COVERAGE_FILE), coverageJson(title, coverage));
}

/** A name that is a file name on every system and stays in its folder, another one for each. */
function folderName(target: string, used: Set<string>): string {
  const plain = target.replace(/[^A-Za-z0-9.-]/g, '-').replace(/^\.+/, '').slice(0, 80) || 'target';
  let name = plain;
  for (let n = 2; used.has(name); n++) name = `${plain}-${n}`;
  used.add(name);
  return name;
}
