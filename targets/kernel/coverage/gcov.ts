// SPDX-License-Identifier: MIT
/** What gcov makes of counters and notes: counts of lines and branches of the module's own sources. */
import { copyFile, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { tmpdir } from 'node:os';
import { EngineError, type FileCoverage, type FunctionCoverage, type LineCoverage } from '../../../model/index.ts';
import { CLEAN_ENV, findCommand, run } from '../lab/child.ts';
import { COMPILER } from '../lab/compiler.ts';
import { encodeCounters, type Counters } from './gcda.ts';

/** It comes with the compiler of its version; another's notes it does not read. */
const GCOV = COMPILER.replace('gcc', 'gcov');
const SECONDS = 60;

/** Counts of one file, by line and by function. */
export interface Counts {
  readonly lines: Map<number, { count: number; branches: number[] }>;
  readonly functions: Map<string, FunctionCoverage>;
}

/**
 * Counts of every source file in `sources` that has code, by way of gcov; `path` is the folder
 * that they were compiled in. Files without
 * counters count as never reached. Throws `EngineError` where gcov is missing or fails.
 */
export async function sourceCounts(sum: ReadonlyMap<string, Counters>, notes: string, sources: string, path: string, signal?: AbortSignal): Promise<FileCoverage[]> {
  if (findCommand(GCOV) === undefined) throw new EngineError(`${GCOV} is missing; Debian's package ${COMPILER} has it`);
  const own = new Set(await readdir(sources));
  const files = new Map<string, Counts>();
  const folder = await mkdtemp(join(tmpdir(), 'ovbd-gcov-'));
  try {
    for (const note of (await readdir(notes)).filter((name) => name.endsWith('.gcno')).sort()) {
      const name = basename(note, '.gcno');
      await copyFile(join(notes, note), join(folder, note));
      const counters = sum.get(`${name}.gcda`);
      if (counters !== undefined) await writeFile(join(folder, `${name}.gcda`), encodeCounters(counters));
      // Without counters gcov reads the notes alone and says 0 of every line.
      const result = await run(GCOV, ['--json-format', '--stdout', '--branch-probabilities', note], { cwd: folder, env: CLEAN_ENV, seconds: SECONDS, signal });
      if (result.code !== 0) throw new EngineError(`${GCOV} cannot read the counters of ${name}: ${result.stderr.trim().split('\n')[0] ?? ''}`);
      addGcov(files, result.stdout, own, path);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return Promise.all([...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(async ([file, counts]) => ({
    file, text: await readFile(join(sources, file), 'utf8'), lines: linesOf(counts), functions: [...counts.functions.values()].sort((a, b) => a.from - b.from || (a.name < b.name ? -1 : 1)),
  })));
}

/**
 * Adds gcov's JSON of one object (gcov(1), format version 1) to the counts. Files that are not of
 * the folder `path`, or not in `own`, are left out: headers of the kernel. A line of a header counts in each object that has it.
 * Throws `EngineError` where the text is something else.
 */
export function addGcov(files: Map<string, Counts>, json: string, own: ReadonlySet<string>, path: string): void {
  // The build writes another beginning in front of its paths, or cuts them down to their last folder.
  const folders = path.split('/').slice(-3);
  for (const { file, lines, functions } of filesOf(json)) {
    const name = basename(file);
    const folder = file.split('/').slice(-4, -1);
    const compiled = folder.join('/') === (folder.length < 3 ? folders.at(-1)! : folders.join('/'));
    if (!compiled || !own.has(name)) continue;
    const counts = files.get(name) ?? { lines: new Map<number, { count: number; branches: number[] }>(), functions: new Map<string, FunctionCoverage>() };
    files.set(name, counts);
    for (const { name: called, start_line: from, end_line: to, execution_count: count } of functions) {
      // gcov names a header's function once for each object that has it.
      const key = `${from} ${called}`;
      counts.functions.set(key, { name: called, from, to, count: count + (counts.functions.get(key)?.count ?? 0) });
    }
    for (const { line_number: line, count, branches } of lines) {
      const taken = branches.map((b) => b.count);
      const before = counts.lines.get(line);
      if (before === undefined) counts.lines.set(line, { count, branches: taken });
      else counts.lines.set(line, { count: before.count + count, branches: addBranches(before.branches, taken) });
    }
  }
}

/** Branches of the same line in another object are the same ones; where their number differs, others. */
function addBranches(a: readonly number[], b: readonly number[]): number[] {
  return a.length === b.length ? a.map((n, i) => n + b[i]!) : [...a, ...b];
}

function linesOf({ lines }: Counts): LineCoverage[] {
  return [...lines].sort(([a], [b]) => a - b).map(([line, { count, branches }]) => ({ line, count, branches }));
}

interface GcovFile {
  readonly file: string;
  readonly functions: readonly { readonly name: string; readonly start_line: number; readonly end_line: number; readonly execution_count: number }[];
  readonly lines: readonly { readonly line_number: number; readonly count: number; readonly branches: readonly { readonly count: number }[] }[];
}

function filesOf(json: string): GcovFile[] {
  let value: { files?: unknown };
  try {
    value = JSON.parse(json) as { files?: unknown };
  } catch {
    throw new EngineError(`${GCOV} gives no JSON`);
  }
  const isCount = (n: unknown): boolean => typeof n === 'number' && n >= 0;
  const isFunction = (f: GcovFile['functions'][number]): boolean =>
    typeof f?.name === 'string' && Number.isInteger(f.start_line) && Number.isInteger(f.end_line) && isCount(f.execution_count);
  const isFile = (f: GcovFile): boolean =>
    typeof f?.file === 'string' && Array.isArray(f.lines) && Array.isArray(f.functions) && f.functions.every(isFunction) &&
    f.lines.every((l) => Number.isInteger(l?.line_number) && isCount(l.count) && Array.isArray(l.branches) && l.branches.every((b: { readonly count?: unknown } | null) => isCount(b?.count)));
  const files = value?.files;
  if (!Array.isArray(files) || !(files as GcovFile[]).every(isFile)) throw new EngineError(`${GCOV} gives JSON of another format than that of gcc 12`);
  return files as GcovFile[];
}
