// SPDX-License-Identifier: MIT
/** The patch's own code in a process of ours, under sanitizers: thousands of cases a second, and what it finds a VM has to confirm. */
import { existsSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import type { Explanation } from '../../model/index.ts';
import type { Cache } from '../kernel/lab/cache.ts';
import type { Steps } from '../kernel/lab/steps.ts';
import { findCommand, run } from '../kernel/lab/child.ts';
import { severityOf } from '../kernel/klog-patterns.ts';
import { runDir } from '../kernel/run-dir.ts';
import type { CommandLine } from '../process/child.ts';
import { describeTarget } from '../process/process-target.ts';
import type { Target } from '../target.ts';
import { buildProgram } from './build.ts';
import { UserspaceSession } from './session.ts';

export interface UserspaceOptions {
  /** The target's name. */
  readonly name: string;
  /** The module's sources, and their name for people. */
  readonly sources: { readonly files: ReadonlyMap<string, string>; readonly name: string };
  readonly cache: Cache;
  readonly steps: Steps;
  /** Processes at the same time; default: one a processor. */
  readonly lanes?: number;
  /** What `ovbd replay` needs to make this target again. */
  readonly remake?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Memory where the machine has it as a file system, for files that live for a millisecond. */
const MEMORY = '/dev/shm';

/**
 * Builds the program, starts it once, and gives the target. Throws `UsageError`
 * for sources that do not compile or use what the layer does not have,
 * `EngineError` where the program does not run.
 */
export async function openUserspaceTarget({ name, sources, cache, steps, lanes, remake, signal }: UserspaceOptions): Promise<Target> {
  const built = await buildProgram(sources.files, sources.name, cache, steps, signal === undefined ? {} : { signal });
  // Options of the user's would be for his own programs.
  const line: CommandLine = { command: built.path, args: [sources.name.slice(0, 100), built.sources.slice(0, 16)], env: { ASAN_OPTIONS: '' } };
  const { capabilities } = await describeTarget(line);
  const { devices, wrappings, forms, algorithms, blockSizes, maxLayers, access, flags, sizeUnit } = capabilities;
  const folder = runDir(existsSync(MEMORY) ? MEMORY : tmpdir());
  const sessions = new Set<UserspaceSession>();
  return {
    identity: {
      name,
      description: `${sources.name} in userspace, on our kernel interfaces, with sanitizers`,
      parts: { 'module-sources': built.sources, compiler: built.compiler },
      remake: remake ?? {},
    },
    stance: { supports: { devices, wrappings, forms, tables: access.includes('table'), ...(access.includes('failsAfter') && { allocations: true }), algorithms, blockSizes, maxLayers }, flags, knownFailures: [] },
    sizeUnit,
    family: 'patch',
    lanes: Math.max(1, lanes ?? availableParallelism()),
    severity: severityOf,
    explain: (log, title) => explain(built.path, log, title),
    open: () => {
      const session = new UserspaceSession(line, access, folder);
      sessions.add(session);
      return Promise.resolve(session);
    },
    close: async () => {
      await Promise.all([...sessions].map((session) => session.close()));
      sessions.clear();
    },
  };
}

/** The program writes each report as its title and, indented, the module's frames: `name+0x12 [0x3456]`. */
async function explain(program: string, log: string, title: string): Promise<Explanation | undefined> {
  const lines = log.split('\n');
  const at = lines.indexOf(title);
  if (at < 0) return undefined;
  const end = lines.findIndex((line, i) => i > at && !line.startsWith('  '));
  const report = lines.slice(at, end < 0 ? undefined : end);
  const frames = report.slice(1, 1 + MOST_FRAMES).flatMap((line) => /^ {2}(\S+) \[(0x[0-9a-f]+)\]$/.exec(line)?.slice(1, 3) as [string, string] | undefined ?? []);
  const addresses = frames.filter((_, i) => i % 2 === 1);
  const places = await placesOf(program, addresses);
  const where = frames.filter((_, i) => i % 2 === 0).flatMap((name, i) => places[i] ?? [name]);
  return { where: [...new Set(where)], report: [title, ...where.map((place) => `  ${place}`)].join('\n') };
}

/** Frames of one report at the most. */
const MOST_FRAMES = 24;

/** `file.c:12 function` for each address, innermost first where one stands for several; undefined without addr2line. */
async function placesOf(program: string, addresses: readonly string[]): Promise<(string[] | undefined)[]> {
  if (addresses.length === 0 || findCommand('addr2line') === undefined) return [];
  const { code, stdout } = await run('addr2line', ['-a', '-f', '-i', '-s', '-e', program, ...addresses], { seconds: 30 });
  if (code !== 0) return [];
  return stdout.split(/^0x[0-9a-f]+\n/m).slice(1).map((part) => {
    const rows = part.trim().split('\n');
    return rows.flatMap((name, i) => (i % 2 === 0 ? [`${rows[i + 1]!.replace(/ \(discriminator \d+\)$/, '')} ${name}`] : []));
  });
}
