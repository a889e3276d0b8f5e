// SPDX-License-Identifier: MIT
/** `ovbd nightly`: the stock kernels under thousands of cases, in batches that are kept: nothing may be found. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { nightExit, runNight, type NightState } from '../../engine/night.ts';
import { EXIT, EngineError, UsageError } from '../../model/index.ts';
import { nightJson, nightLines, nightProgress, nightStore, saveFinding, writeAtomically } from '../../reports/index.ts';
import { Cache, prepareLab, Steps } from '../../targets/kernel/lab/index.ts';
import type { Target } from '../../targets/target.ts';
import { columnsOf, type KernelColumn } from '../columns.ts';
import { makeOutFolder, replayCommand } from '../out-folder.ts';
import { soakPair } from '../soak-pair.ts';
import { statusLine } from '../status-line.ts';
import { EXIT_STOPPED } from '../stop.ts';
import { openKernel, type LabTools } from '../targets.ts';
import { suiteVersion } from '../version.ts';

/** As commander hands them over. */
export interface NightlyOptions {
  readonly seed: number;
  readonly cases: number;
  /** Milliseconds. */
  readonly time?: number;
  readonly kernel?: readonly string[];
  readonly kernelBuild?: readonly string[];
  readonly sanitize?: 'both' | 'only' | 'none';
  readonly jobs?: number;
  readonly out?: string;
  /** Boots of a pair that was never soaked. */
  readonly soakBoots: number;
  readonly withCycle?: boolean;
  readonly withFs?: boolean;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

/**
 * Exit code 0 where every case of every kernel is done and nothing was found or seen
 * even once, 1 where something was, 3 where a kernel could not run, 4 where time ran out.
 */
export async function nightly(options: NightlyOptions, signal: AbortSignal): Promise<number> {
  const began = Date.now();
  const columns = await nightColumns(options, signal);
  const out = makeOutFolder(options.out ?? join('reports', 'out', `nightly-${options.seed}`));
  const people = options.json ? process.stderr : process.stdout;
  const line = statusLine(people, options.quiet ?? false);
  const tools: LabTools = { cache: new Cache(), steps: new Steps(), signal };
  const targets: Target[] = [];
  const skipped: { target: string; reason: string }[] = [];
  try {
    for (const column of columns) {
      try {
        targets.push(await openSoaked(column, options, tools));
      } catch (error) {
        if (signal.aborted || !(error instanceof EngineError || error instanceof UsageError || columns.length > 1)) throw error;
        skipped.push({ target: column.name, reason: error instanceof Error ? error.message : String(error) });
        line.say(`skipped ${column.name}: ${skipped.at(-1)!.reason}`);
      }
    }
    if (targets.length === 0) throw new EngineError('none of the kernels can run, see above');
    line.say(`seed ${options.seed}, ${options.cases} cases on each of ${targets.length} kernels; kept in ${out}: started again with the same options it goes on`);
    const night = await runNight({
      suite: `overlaybd-conformance ${suiteVersion()}`, seed: options.seed, cases: options.cases, targets,
      jobs: options.jobs ?? availableParallelism(), signal, ...(options.time !== undefined && { deadline: began + options.time }),
      store: nightStore(out),
      saveFinding: async (finding, identity) => saveFinding(out, finding, identity, replayCommand),
      say: (text) => line.say(text),
      progress: (p) => line.show(() => nightProgress(p, p.target, p.first, p.within), p.within === undefined),
    });
    const after = await devices(options, columns, signal);
    const exitCode = exitOf(night, skipped.length > 0, Object.values(after), signal);
    const text = nightLines(night);
    for (const one of text) people.write(`${one}\n`);
    const json = nightJson(night, exitCode, { skipped, after });
    writeAtomically(join(out, 'night.txt'), `${text.join('\n')}\n`);
    writeAtomically(join(out, 'night.json'), json);
    if (options.json) process.stdout.write(json);
    line.say(`report in ${out}: night.txt, night.json, batches/; exit code ${exitCode}`);
    return exitCode;
  } finally {
    await Promise.allSettled(targets.map((t) => t.close()));
  }
}

function exitOf(night: NightState, skipped: boolean, after: readonly number[], signal: AbortSignal): number {
  if (signal.aborted) return EXIT_STOPPED;
  const exit = nightExit(night);
  if (exit === EXIT.findings || after.includes(EXIT.findings)) return EXIT.findings;
  return exit === EXIT.engine || skipped || after.some((code) => code !== EXIT.ok) ? EXIT.engine : exit;
}

/** Names that are the same whichever kernels a night has, so that one night can go on with fewer. */
async function nightColumns(options: NightlyOptions, signal: AbortSignal): Promise<KernelColumn[]> {
  const kernel = options.kernel ?? ['6.1', '6.12'];
  const ours = kernel.some((name) => /^[\d.]+$/.test(name));
  const sanitize = options.sanitize ?? (ours ? 'both' : 'none');
  const columns = await columnsOf(['stock'], {
    kernel, ...(options.kernelBuild && { kernelBuild: options.kernelBuild }), ...(sanitize !== 'none' && { sanitize }),
  }, () => undefined, signal);
  return columns.map((column) => ({
    ...column,
    name: column.kernel.kind === 'debian' ? `stock/${column.kernel.series}${column.sanitize ? '/sanitize' : ''}` : column.name === 'stock' ? 'stock/own' : column.name,
  }));
}

/** The kernel as a target; its pair is soaked where it never was, so that nobody is blamed for what it does by itself. */
async function openSoaked(column: KernelColumn, { jobs, soakBoots }: NightlyOptions, tools: LabTools): Promise<Target> {
  const { kernel, sanitize } = column;
  const lab = await prepareLab({ kernel, sanitize, ...tools });
  if (soakBoots > 0 && lab.qemu.soak === undefined) await soakPair({ kernel, sanitize, ...tools, boots: soakBoots, cases: 0, afresh: false });
  tools.signal.throwIfAborted();
  return openKernel(column, jobs, tools);
}

/** What is asked for besides the cases, on each kernel; `cycle`, `fs` → exit code. */
async function devices(options: NightlyOptions, columns: readonly KernelColumn[], signal: AbortSignal): Promise<Record<string, number>> {
  const codes: Record<string, number> = {};
  for (const { name, remake, sanitize } of columns) {
    if (signal.aborted) break;
    const kernels = { kernel: [remake['kernel']!], ...(remake['kernel-build'] && { kernelBuild: [remake['kernel-build']] }), ...(sanitize && { sanitize: 'only' as const }) };
    if (options.withCycle) codes[`cycle ${name}`] = await (await import('./cycle.ts')).labCycle({ ...kernels, iterations: 2000 }, signal);
    if (options.withFs) codes[`fs ${name}`] = await (await import('./fs.ts')).fs({ ...kernels, tree: '/usr/share/doc', megabytes: 3 }, signal);
  }
  return codes;
}
