// SPDX-License-Identifier: MIT
/** Coverage as a file that is read back, and the coverage of several runs together. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UsageError, type FileCoverage, type LineCoverage, type SourceCoverage } from '../model/index.ts';
import { integer, list, Mismatch, oneOf, record, text } from './check.ts';

export const COVERAGE_SCHEMA = 'ovbd-coverage/1';
/** Its name in the folder of a target's coverage. */
export const COVERAGE_FILE = 'coverage.json';

const MAX_BYTES = 64 << 20;
/** Files of a module, lines of one of them, ways out of a line. */
const [MAX_FILES, MAX_LINES, MAX_BRANCHES] = [1024, 1 << 20, 4096];

const natural = integer(0, Number.MAX_SAFE_INTEGER);
const place = integer(1, MAX_LINES);
const name = text(4096);
const coverageCheck = record({
  schema: oneOf(COVERAGE_SCHEMA), target: name, instances: natural, lost: natural, problems: list(name, 100),
  files: list(record({
    file: name, text: text(MAX_BYTES),
    lines: list(record({ line: place, count: natural, branches: list(natural, MAX_BRANCHES) }), MAX_LINES),
    functions: list(record({ name, from: place, to: place, count: natural }), MAX_LINES),
  }), MAX_FILES),
});

/** The coverage of one target of a run. */
export interface LoadedCoverage {
  /** The run's folder, and the target where the run has several. */
  readonly name: string;
  readonly coverage: SourceCoverage;
}

export function coverageJson(target: string, coverage: SourceCoverage): string {
  // Counts above 2^53 are more than a number of JSON holds for certain.
  const bounded = (key: string, value: unknown): unknown => (typeof value === 'number' ? Math.min(value, Number.MAX_SAFE_INTEGER) : value);
  return `${JSON.stringify({ schema: COVERAGE_SCHEMA, target, ...coverage }, bounded)}\n`;
}

/**
 * Reads what `--coverage` wrote into a run's folder, or one of its folders of coverage, or such a
 * file. Throws `UsageError` with the file for what is not as it must be.
 */
export function loadCoverage(given: string): LoadedCoverage[] {
  const kind = statSync(given, { throwIfNoEntry: false });
  if (kind === undefined) throw new UsageError(`${given}: no such file or folder; give the folder of a run with --coverage`);
  if (!kind.isDirectory()) return [{ name: given, coverage: loadFile(given).coverage }];
  const run = basename(resolve(given));
  for (const folder of [given, join(given, 'coverage')]) {
    if (isFile(join(folder, COVERAGE_FILE))) return [{ name: run, coverage: loadFile(join(folder, COVERAGE_FILE)).coverage }];
  }
  const inner = statSync(join(given, 'coverage'), { throwIfNoEntry: false })?.isDirectory() ? readdirSync(join(given, 'coverage')).sort() : [];
  const files = inner.map((one) => join(given, 'coverage', one, COVERAGE_FILE)).filter(isFile);
  if (files.length === 0) throw new UsageError(`${given}: no coverage/${COVERAGE_FILE} in it; ovbd run --coverage writes one`);
  return files.map(loadFile).map(({ target, coverage }) => ({ name: `${run} ${target}`, coverage }));
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function loadFile(path: string): { target: string; coverage: SourceCoverage } {
  const { size } = statSync(path);
  if (size > MAX_BYTES) throw new UsageError(`${path}: ${size} bytes where at most ${MAX_BYTES} are expected`);
  try {
    const { schema: _, target, ...coverage } = coverageCheck(JSON.parse(readFileSync(path, 'utf8')), '');
    return { target, coverage };
  } catch (error) {
    if (error instanceof Mismatch || error instanceof SyntaxError) throw new UsageError(`${path}: ${error.message}`);
    throw error;
  }
}

/**
 * What several runs have reached together. Throws `UsageError` where they were not runs of the
 * same sources. Kernels differ in what the compiler makes of a line: then the larger number of ways
 * out of it counts, with what was taken of those.
 */
export function mergeCoverage(all: readonly LoadedCoverage[]): SourceCoverage {
  const files = new Map<string, { readonly of: FileCoverage; readonly from: string }>();
  for (const { name: from, coverage } of all) {
    for (const file of coverage.files) {
      const before = files.get(file.file);
      if (before !== undefined && before.of.text !== file.text) throw new UsageError(`${file.file} is another source in ${from} than in ${before.from}: what they reached cannot be added up`);
      files.set(file.file, { of: before === undefined ? file : addFiles(before.of, file), from });
    }
  }
  const sum = (of: (c: SourceCoverage) => number): number => all.reduce((n, { coverage }) => n + of(coverage), 0);
  return {
    files: [...files.values()].map((f) => f.of).sort((a, b) => (a.file < b.file ? -1 : 1)),
    instances: sum((c) => c.instances), lost: sum((c) => c.lost), problems: [...new Set(all.flatMap(({ coverage }) => coverage.problems))],
  };
}

function addFiles(a: FileCoverage, b: FileCoverage): FileCoverage {
  const lines = new Map<number, LineCoverage>(a.lines.map((l) => [l.line, l]));
  for (const { line, count, branches } of b.lines) {
    const before = lines.get(line);
    lines.set(line, before === undefined ? { line, count, branches } : { line, count: before.count + count, branches: addBranches(before.branches, branches) });
  }
  const functions = new Map(a.functions.map((f) => [`${f.from} ${f.name}`, f]));
  for (const f of b.functions) functions.set(`${f.from} ${f.name}`, { ...f, count: f.count + (functions.get(`${f.from} ${f.name}`)?.count ?? 0) });
  return {
    file: a.file, text: a.text,
    lines: [...lines.values()].sort((x, y) => x.line - y.line),
    functions: [...functions.values()].sort((x, y) => x.from - y.from || (x.name < y.name ? -1 : 1)),
  };
}

function addBranches(a: readonly number[], b: readonly number[]): readonly number[] {
  if (a.length !== b.length) return a.length > b.length ? a : b;
  return a.map((n, i) => n + b[i]!);
}
