// SPDX-License-Identifier: MIT
/** Targets by name: what a run asks for, what can be had, and what `replay` needs to have it again. */
import { EngineError, UsageError } from '../model/index.ts';
import { defectOf } from '../targets/fakes/reader/defects.ts';
import type { Target } from '../targets/target.ts';
import type { Cache, Steps } from '../targets/kernel/lab/index.ts';

/** Names that `--target` takes. */
export const TARGET_NAMES = ['oracle', 'canary', 'fake-lies', 'fake-crashes', 'fake-reader', 'stock', 'patch'] as const;
/** The reader apart from the oracle may be given one of its defects: `fake-reader:stack-reversed`. */
export type TargetName = (typeof TARGET_NAMES)[number] | `fake-reader:${string}`;

/** Where the module under test comes from: at most one of them. */
export interface Subject {
  readonly patch?: string;
  readonly source?: string;
  readonly module?: string;
}

export interface TargetRequest extends Subject {
  /** Undefined: the default targets. */
  readonly names?: readonly string[];
  /** False: leave virtual machines out. */
  readonly vm: boolean;
  /** Virtual machines at the same time. */
  readonly jobs?: number;
}

/** What the lab is made with. */
export interface LabTools {
  readonly cache: Cache;
  readonly steps: Steps;
  readonly signal: AbortSignal;
}

export interface OpenTargets {
  readonly targets: readonly Target[];
  readonly skipped: readonly { readonly target: string; readonly reason: string }[];
  /** True where the user asked for a target by name or by `--patch` and the machine could not have it. */
  readonly missed: boolean;
}

/** The names a request means, without repetition; throws `UsageError` for unknown or contradictory ones. */
export function targetNames(request: TargetRequest): TargetName[] {
  const given = subjectOf(request);
  if (given.length > 1) throw new UsageError(`--${given.join(' and --')} exclude each other: give one`);
  const names = [...new Set(request.names ?? ['oracle', given.length > 0 ? 'patch' : 'stock'])];
  for (const name of names) {
    if (!isTargetName(name)) throw new UsageError(`there is no target "${name}"; there are ${TARGET_NAMES.join(', ')}`);
  }
  if (given.length === 0 && names.includes('patch')) throw new UsageError('--target patch needs --patch, --source or --module');
  if (given.length > 0 && !names.includes('patch')) throw new UsageError(`--${given[0]} is given, but --target patch is not`);
  return names as TargetName[];
}

/**
 * Opens what can run. What the machine cannot have is skipped with what to do
 * about it; what the user gave wrongly (a patch that does not compile) throws
 * `UsageError`. Throws `UsageError` too where nothing is left.
 */
export async function openTargets(request: TargetRequest, tools: LabTools): Promise<OpenTargets> {
  const targets: Target[] = [];
  const skipped: { target: string; reason: string }[] = [];
  let missed = false;
  try {
    for (const name of targetNames(request)) {
      const isVm = name === 'stock' || name === 'patch';
      if (isVm && !request.vm) {
        skipped.push({ target: name, reason: '--no-vm' });
        continue;
      }
      try {
        targets.push(await openTarget(name, request, tools));
      } catch (error) {
        if (!isVm || tools.signal.aborted || !(await isMachinesFault(error, name))) throw error;
        skipped.push({ target: name, reason: (error as Error).message });
        missed ||= request.names !== undefined || name === 'patch';
      }
    }
    if (targets.length === 0) {
      throw new UsageError(['nothing can run', ...skipped.map((s) => `  ${s.target}: ${s.reason}`)].join('\n'));
    }
    return { targets, skipped, missed };
  } catch (error) {
    await Promise.allSettled(targets.map((t) => t.close()));
    throw error;
  }
}

/** Opens one target. `request` tells the patch, and how many virtual machines. */
export async function openTarget(name: TargetName, request: Subject & { readonly jobs?: number }, tools: LabTools): Promise<Target> {
  if (name === 'stock' || name === 'patch') return openKernel(name, name === 'patch' ? request : {}, request.jobs, tools);
  const { builtinTarget } = await import('../engine/builtin-targets.ts');
  return builtinTarget(name)!;
}

async function openKernel(name: 'stock' | 'patch', subject: Subject, jobs: number | undefined, tools: LabTools): Promise<Target> {
  const { prepareLab } = await import('../targets/kernel/lab/index.ts');
  const { openKernelTarget } = await import('../targets/kernel/kernel-target.ts');
  // Paths as they were given: a finding's folder is not to tell where this user keeps things.
  const remake = Object.fromEntries(subjectOf(subject).map((key) => [key, subject[key]!]));
  const lab = await prepareLab({ ...remake, ...tools });
  return openKernelTarget(lab, {
    name, remake, steps: tools.steps, cacheDir: tools.cache.root, ...(jobs !== undefined && { lanes: jobs }),
  });
}

/** True for what a target cannot have on this machine, rather than what the user gave wrongly. */
async function isMachinesFault(error: unknown, name: TargetName): Promise<boolean> {
  if (error instanceof EngineError) return true;
  const { MissingPackages } = await import('../targets/kernel/lab/index.ts');
  // The stock kernel takes nothing of the user's that could be wrong.
  return error instanceof MissingPackages || (error instanceof UsageError && name === 'stock');
}

export function isTargetName(name: string): name is TargetName {
  const [base, defect] = name.split(':');
  return defect === undefined ? (TARGET_NAMES as readonly string[]).includes(name) : base === 'fake-reader' && defectOf(defect) !== undefined;
}

/** The names of the options that say what is tested. */
export function subjectOf(subject: Subject): (keyof Subject)[] {
  return (['patch', 'source', 'module'] as const).filter((key) => subject[key] !== undefined);
}
