// SPDX-License-Identifier: MIT
/** The patch's own code in a process of ours, under sanitizers: thousands of cases a second, and what it finds a VM has to confirm. */
import { existsSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import type { Explanation } from '../../model/index.ts';
import type { Cache } from '../kernel/lab/cache.ts';
import type { Steps } from '../kernel/lab/steps.ts';
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
    stance: { supports: { devices, wrappings, forms, tables: access.includes('table'), algorithms, blockSizes, maxLayers }, flags, knownFailures: [] },
    sizeUnit,
    family: 'patch',
    lanes: Math.max(1, lanes ?? availableParallelism()),
    severity: severityOf,
    explain: (log, title) => Promise.resolve(explain(log, title)),
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

/** The program writes each report as its title and, indented, the module's frames. */
function explain(log: string, title: string): Explanation | undefined {
  const lines = log.split('\n');
  const at = lines.indexOf(title);
  if (at < 0) return undefined;
  const end = lines.findIndex((line, i) => i > at && !line.startsWith('  '));
  const report = lines.slice(at, end < 0 ? undefined : end);
  const where = report.slice(1).map((line) => line.trim().replace(/^(\S+) (\S+)$/, '$2 $1'));
  return { where, report: report.join('\n') };
}
