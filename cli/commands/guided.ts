// SPDX-License-Identifier: MIT
/** `ovbd guided`: libFuzzer on the patch's code, and what it found through the same judging and shrinking as a run's cases. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { prepare } from '../../engine/prepare.ts';
import { simplerCases } from '../../engine/simpler-case.ts';
import { drawCase } from '../../generators/draw.ts';
import { UsageError, type Case } from '../../model/index.ts';
import { count } from '../../reports/index.ts';
import { Cache, Steps } from '../../targets/kernel/lab/index.ts';
import { runGuided } from '../../targets/userspace/fuzz/guided.ts';
import { userspaceColumnsOf } from '../columns.ts';
import { makeOutFolder } from '../out-folder.ts';
import { runCases, type ExecuteOptions } from './run.ts';

export interface GuidedOptions extends Omit<ExecuteOptions, 'fast' | 'target' | 'coverage'> {
  readonly seed: number;
  /** Milliseconds of fuzzing. */
  readonly time?: number;
  /** Executions, in place of a time. */
  readonly executions?: number;
  /** Drawn cases to begin with. */
  readonly seeds: number;
  /** Mutations of libFuzzer's own. */
  readonly plain?: boolean;
  /** Run the inputs in a virtual machine too. */
  readonly confirm?: boolean;
}

/** Milliseconds where neither a time nor executions are given. */
const DEFAULT_MS = 60_000;
/** Inputs that are judged, of those that reached something new. */
const MOST_JUDGED = 3000;
/** Executions for shrinking one finding. */
const SHRINK = 72;

/** Fuzzes, then runs the inputs as cases; returns the run's exit code. Throws `UsageError` for a mail with several versions. */
export async function guided(options: GuidedOptions, signal: AbortSignal): Promise<number> {
  const { seed, time, executions, seeds, plain, confirm, ...rest } = options;
  if (time !== undefined && executions !== undefined) throw new UsageError('--time and --executions exclude each other: give one');
  const tools = { cache: new Cache(), steps: new Steps(), signal };
  const columns = await userspaceColumnsOf(options, (text) => tools.steps.note(text), signal);
  if (columns.length !== 1) throw new UsageError(`--patch has ${columns.length} versions: choose one, as in --patch 'FILE#${columns.at(-1)!.name.split('/')[0]}'`);
  const out = makeOutFolder(options.out);
  const folder = join(out, 'guided');
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(error.code === 'EEXIST' ? `${folder} is there already: give another folder with --out` : `${folder} cannot be made (${error.code})`);
  });
  const run = await runGuided({
    ...tools, sources: columns[0]!.sources, seed, folder, structured: !plain, seeds: drawnCases(seed, seeds),
    limit: executions === undefined ? { seconds: (time ?? DEFAULT_MS) / 1000 } : { executions },
  });
  const cases = run.cases.slice(0, MOST_JUDGED);
  const titles = run.found.filter((f) => f.first).length;
  process.stderr.write(`libFuzzer: ${count(run.executions, 'execution')} from ${count(run.seeds, 'case')}, ${count(run.edges, 'edge')} of the module reached, ${count(titles, 'title')} of deaths and complaints; now judging ${cases.length} of ${count(run.cases.length, 'input')}\n`);
  return runCases({ ...rest, vm: confirm === true, out, target: ['userspace', ...(confirm ? ['patch'] : [])] }, {
    seed, cases: cases.length, shrinkExecutions: SHRINK,
    stored: { name: 'guided', cases: cases.map((c) => ({ case: c, signatures: [] })), smaller: simplerCases },
  }, signal);
}

function* drawnCases(seed: number, many: number): Generator<Case> {
  for (let i = 0; i < many; i++) yield prepare(drawCase(seed, i)).case;
}
