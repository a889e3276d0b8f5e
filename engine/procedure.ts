// SPDX-License-Identifier: MIT
/** A case on a kernel target by a procedure: devices made and removed thousands of times, or mounted. */
import type { Case, Expectation, Observation, Procedure, Verdict } from '../model/index.ts';
import { fileSystemLauncher, mountAndRead } from '../targets/kernel/file-system.ts';
import { openLauncher, type Launcher } from '../targets/kernel/kernel-target.ts';
import type { Cache, PreparedLab, Steps } from '../targets/kernel/lab/index.ts';
import { cycle } from '../targets/kernel/lifecycle.ts';
import type { Target } from '../targets/target.ts';
import { verdictOfTree } from './fs/verdict.ts';
import { censusText, verdictOfCycles } from './lifecycle.ts';
import { jobOrWhy } from './prepare.ts';

/** A kernel target, and the machines for one kind of procedure. */
export interface Bench {
  readonly target: Target;
  readonly launcher: Launcher;
  readonly name: 'stock' | 'patch';
  /** Name of the module under test. */
  readonly module: string | undefined;
}

/** What came of it. */
export interface Tried {
  readonly verdict: Verdict;
  /** Absent where it was not tried at all. */
  readonly observation?: Observation;
  /** For people, beside the verdict. */
  readonly text: string;
}

/** The machines that a kind of procedure needs. Throws `EngineError` where they do not start. */
export async function openBench(kind: Procedure['kind'], lab: PreparedLab, target: Target, cache: Cache, steps: Steps, signal: AbortSignal): Promise<Bench> {
  const launcher = await (kind === 'mount' ? fileSystemLauncher(lab, cache, steps, signal) : openLauncher(lab, { steps, cacheDir: cache.root, signal }));
  return { target, launcher, name: lab.module === undefined ? 'stock' : 'patch', module: lab.module?.kernelName };
}

/** Tries a case in a fresh machine. Throws `EngineError` where the lab itself cannot go on. */
export async function attempt({ target, launcher, name, module }: Bench, c: Case, expectation: Expectation, procedure: Procedure, signal: AbortSignal): Promise<Tried> {
  const job = jobOrWhy({ case: c, expectation }, target);
  if (typeof job === 'string') return { verdict: { kind: 'unsupported', why: job }, text: '' };
  const errand = { launcher, name, module, job, signal };
  if (procedure.kind === 'mount') {
    const seen = await mountAndRead(errand, procedure.fileSystem);
    const verdict = verdictOfTree(c, expectation, procedure, seen, target);
    return { verdict, observation: seen.observation, text: verdict.kind === 'pass' ? `${procedure.tree.length} entries, each as it was` : '' };
  }
  const seen = await cycle(errand, module, procedure.iterations, procedure.every);
  const back = seen.reloaded?.unload === 0 && seen.reloaded.load === 0 ? '; the module was removed and inserted again' : '';
  return { ...verdictOfCycles(c, expectation, seen, target), text: `${censusText(seen.censuses)}${back}` };
}
