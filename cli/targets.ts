// SPDX-License-Identifier: MIT
/** Targets by name: what a run asks for, what can be had, and what `replay` needs to have it again. */
import type { Coming, Skipped } from '../engine/columns.ts';
import { EngineError, UsageError } from '../model/index.ts';
import { defectOf } from '../targets/fakes/reader/defects.ts';
import type { Target } from '../targets/target.ts';
import type { Cache, Steps } from '../targets/kernel/lab/index.ts';
import { commandNames, isCommandName, openCommand, whyNot } from './command-targets.ts';
import { startOpening, type Opening } from './opening.ts';
import { checkSubject, columnsOf, subjectOf, userspaceColumnsOf, type KernelColumn, type Kernels, type Subject, type UserspaceColumn } from './columns.ts';

/** Names that `--target` takes; `stock`, `patch` and `userspace` stand for all their columns, `patch:v2` and `userspace:v2` for those of one version. */
export const TARGET_NAMES = ['oracle', 'canary', 'fake-lies', 'fake-crashes', 'fake-reader', 'stock', 'patch', 'userspace'] as const;
/** The reader apart from the oracle may be given one of its defects: `fake-reader:stack-reversed`. */
export type TargetName = (typeof TARGET_NAMES)[number] | `fake-reader:${string}` | `${'patch' | 'userspace'}:${string}` | `process:${string}`;
/** Any program that speaks the target protocol, by its command line: `process:python3 reader.py`. */
const PROCESS = 'process:';

export interface TargetRequest extends Subject, Kernels {
  /** Undefined: the default targets. */
  readonly names?: readonly string[];
  /** False: leave virtual machines out. */
  readonly vm: boolean;
  /** Virtual machines at the same time. */
  readonly jobs?: number;
  /** True: the patch's code in userspace takes the place of the machines with it. */
  readonly fast?: boolean;
  /** True: lines of the patch are counted where its kernel can. */
  readonly coverage?: boolean;
  /** Files with readers that are known by their command line. */
  readonly targetsFile?: readonly string[];
  /** True where targets are given images of the user's, over which he may have set something up himself. */
  readonly images?: boolean;
}

/** What the lab is made with. */
export interface LabTools {
  readonly cache: Cache;
  readonly steps: Steps;
  readonly signal: AbortSignal;
}

export interface OpenTargets {
  readonly targets: readonly Target[];
  readonly skipped: readonly Skipped[];
  /** True where the user asked for a target by name or by `--patch` and it could not be had. */
  readonly missed: boolean;
}

/** The names a request means, without repetition; throws `UsageError` for unknown or contradictory ones. Reads nothing. */
export function targetNames(request: TargetRequest): string[] {
  checkSubject(request);
  const given = subjectOf(request);
  const asked = request.names ?? ['oracle', given.length > 0 ? 'patch' : 'stock'];
  if (request.fast === true && given.length === 0) throw new UsageError('--fast runs the code of a patch: give --patch or --source');
  const names = [...new Set(request.fast === true ? asked.map((name) => name.replace(/^patch(?=:|$)/, 'userspace')) : asked)];
  for (const name of names) {
    if (isTargetName(name) || isCommandName(name, request.targetsFile)) continue;
    throw new UsageError(`there is no target "${name}"; there are ${[...TARGET_NAMES, ...commandNames(request.targetsFile)].join(', ')}, and process:COMMAND`);
  }
  const kinds = names.map(kindOf);
  if (given.length === 0 && kinds.includes('patch')) throw new UsageError('--target patch needs --patch, --source or --module');
  if ((given.length === 0 || request.module !== undefined) && kinds.includes('userspace')) throw new UsageError('--target userspace needs the sources: --patch or --source');
  if (given.length > 0 && !kinds.includes('patch') && !kinds.includes('userspace')) throw new UsageError(`--${given[0]} is given, but --target patch is not`);
  if ((request.kernel ?? request.kernelBuild ?? request.sanitize ?? request.qemu) !== undefined && !kinds.some(isVm)) {
    throw new UsageError('--kernel, --kernel-build, --sanitize and --qemu need a target that runs on a kernel: --target stock or patch');
  }
  if (request.coverage === true) checkCoverage(request, names);
  return names;
}

/** Which kernel counts lines. */
const COUNTING = 'a kernel that counts lines: a sanitizer kernel (--sanitize or --sanitize=only), or one of yours with CONFIG_GCOV_KERNEL (--kernel FILE --kernel-build FOLDER)';

/** Throws `UsageError` where nothing of what is asked for can count lines. */
function checkCoverage(request: TargetRequest, names: readonly string[]): void {
  if (!request.vm || !names.some((name) => kindOf(name) === 'patch')) throw new UsageError('--coverage needs --target patch, in a virtual machine: it counts the lines of the patch');
  if (request.module !== undefined) throw new UsageError('--coverage needs the sources: give --patch or --source instead of --module');
  if (request.sanitize === undefined && request.kernelBuild === undefined) throw new UsageError(`--coverage needs ${COUNTING}`);
}

/** A target before it is opened. */
type Named = { readonly name: string; readonly column?: KernelColumn; readonly userspace?: UserspaceColumn };

/**
 * Opens what can run, in the order of the names, kernels at the same time: their
 * modules are built beside each other. What the machine cannot have is skipped
 * with what to do about it. What the user gave wrongly (a patch that does not
 * compile) throws `UsageError` where it is the only column, and is skipped with
 * the reason where others remain. Throws `UsageError` too where nothing is left.
 */
export async function openTargets(request: TargetRequest, tools: LabTools): Promise<OpenTargets> {
  const { opening, columns: _, ...begun } = await open(request, tools, true);
  return { targets: opening.targets(), skipped: begun.skipped(), missed: begun.missed() };
}

/** Targets of which some may still be in the making. */
export interface BegunTargets {
  /** In the order of the names. */
  readonly columns: readonly (Target | Coming)[];
  /** What was skipped before anything was opened. */
  readonly skipped: readonly Skipped[];
  /** Those that are open by now. */
  readonly targets: () => readonly Target[];
  /** As of `OpenTargets`, by now. */
  readonly missed: () => boolean;
  /** Gives up what is being made, and closes all. */
  close(): Promise<void>;
}

/** As `openTargets`, but does not wait for more than the first target on a kernel: what fails after it is skipped, whatever the reason. */
export async function beginTargets(request: TargetRequest, tools: LabTools): Promise<BegunTargets> {
  // Whether anything counts lines is known when all of them are there.
  const { opening, columns, before, missed } = await open(request, tools, request.coverage === true);
  return { columns, skipped: before, targets: opening.targets, missed, close: opening.close };
}

interface Begun {
  readonly opening: Opening;
  readonly columns: readonly (Target | Coming)[];
  readonly before: readonly Skipped[];
  readonly skipped: () => readonly Skipped[];
  readonly missed: () => boolean;
}

async function open(request: TargetRequest, tools: LabTools, all: boolean): Promise<Begun> {
  const before: Skipped[] = [];
  const named = await plansOf(request, before, tools);
  const several = named.filter((one) => roleOf(one) === 'patch').length > 1;
  const opening = startOpening(named.map((one) => ({
    name: one.name, slow: one.column !== undefined,
    open: (signal) => openNamed(one, request, { ...tools, signal }),
    skips: async (error) => {
      const role = roleOf(one);
      return role !== undefined && ((several && error instanceof UsageError) || isMachinesFault(error, role));
    },
  })), tools.signal);
  const skipped = (): readonly Skipped[] => [...before, ...opening.skipped()];
  const missed = (): boolean => before.some(({ target }) => !isVm(target)) || opening.skipped().some(({ target }) => request.names !== undefined || named.some((one) => one.name === target && roleOf(one) === 'patch'));
  try {
    await (all ? opening.done : Promise.race([opening.begun, opening.done]));
    opening.hold();
    const targets = opening.targets();
    if (request.coverage === true && targets.length > 0 && targets.every((t) => t.coverage === undefined)) {
      throw new UsageError(`nothing that runs counts its lines; --coverage needs ${COUNTING}`);
    }
    if (targets.length === 0) throw new UsageError(['nothing can run', ...skipped().map((s) => `  ${s.target}: ${s.reason}`)].join('\n'));
    // What is there, and what may come yet: only kernels do, all else was waited for.
    const columns = await Promise.all(named.flatMap(({ column }, i): (Target | Promise<Coming>)[] => {
      const target = opening.at(i);
      return target ? [target] : column ? [comingOf(column, request.jobs, opening.slots[i]!)] : [];
    }));
    const gone = opening.skipped().filter(({ target }) => named.some((one) => one.name === target && one.column === undefined));
    return { opening, columns, before: [...before, ...gone], skipped, missed };
  } catch (error) {
    await opening.close();
    throw error;
  }
}

/** What a target is of that the user gave, or the lab has. */
function roleOf({ column, userspace }: Named): 'stock' | 'patch' | undefined {
  return userspace !== undefined ? 'patch' : column?.role;
}

function openNamed({ name, column, userspace }: Named, request: TargetRequest, tools: LabTools): Promise<Target> {
  if (userspace !== undefined) return openUserspace(userspace, request.jobs, tools);
  return column === undefined ? openOther(name, request, tools.signal) : openKernel(column, request.jobs, tools, request.coverage);
}

async function comingOf({ role }: KernelColumn, jobs: number | undefined, opened: Coming['opened']): Promise<Coming> {
  const { kernelLanes, kernelStance } = await import('../targets/kernel/kernel-target.ts');
  return { stance: kernelStance(role), lanes: kernelLanes(jobs), opened };
}

async function plansOf(request: TargetRequest, skipped: Skipped[], tools: LabTools): Promise<Named[]> {
  const plans: Named[] = [];
  for (const name of targetNames(request)) {
    const kind = kindOf(name);
    if (kind === 'userspace') {
      const columns = await userspaceColumnsOf(request, (text) => tools.steps.note(text), tools.signal);
      plans.push(...ofVersion(name, columns).map((userspace) => ({ name: userspace.name, userspace })));
    } else if (!isVm(kind)) {
      const why = isTargetName(name) ? null : await whyNot(name, request.targetsFile, request.images === true);
      if (why === null) plans.push({ name });
      else skipped.push({ target: name, reason: why });
    }
    else if (!request.vm) skipped.push({ target: name, reason: '--no-vm' });
    else {
      const columns = await columnsOf([kind], request, (text) => tools.steps.note(text), tools.signal);
      plans.push(...ofVersion(name, columns).map((column) => ({ name: column.name, column })));
    }
  }
  // `patch` and `patch:v2` mean v2 once.
  return plans.filter(({ name }, i) => plans.findIndex((one) => one.name === name) === i);
}

/** `patch` of `patch:v2`; other names are their own kind. */
function kindOf(name: string): string {
  return name.replace(/^(patch|userspace):.*/, '$1');
}

/** The columns of the version that a name asks for, all where it asks for none. Throws `UsageError` where there is no such version. */
function ofVersion<C extends KernelColumn | UserspaceColumn>(name: string, columns: readonly C[]): readonly C[] {
  const version = name.slice(kindOf(name).length + 1);
  const found = columns.filter((c) => version === '' || c.version === version);
  if (found.length === 0) throw new UsageError(`--target ${name}: there is no ${version}; there are ${[...new Set(columns.map((c) => c.version))].join(', ')}`);
  return found;
}

function isVm(name: string): name is 'stock' | 'patch' {
  return name === 'stock' || name === 'patch';
}

function openOther(name: string, request: TargetRequest, signal: AbortSignal): Promise<Target> {
  return isTargetName(name) ? openBuiltin(name, { ...request, signal }) : openCommand(name, request.targetsFile);
}

/** How a target that needs no kernel is opened. */
export interface OpenOptions {
  /** Processes at the same time. */
  readonly jobs?: number;
  /** The folder that a command line is relative to; absent: the current one. */
  readonly cwd?: string;
  readonly signal: AbortSignal;
  /** Milliseconds that a process has for each answer. */
  readonly answerMs?: number;
  /** Hears what is said to a process and by it. */
  readonly watch?: (from: 'runner' | 'target', line: string) => void;
}

/** Opens a target that needs no kernel. Throws `UsageError` where its program is not there and `EngineError` where it does not describe itself. */
export async function openBuiltin(name: TargetName, { jobs, cwd, signal, answerMs, watch }: OpenOptions): Promise<Target> {
  if (name.startsWith(PROCESS)) {
    const { openProcessTarget, splitWords } = await import('../targets/process/index.ts');
    const [command, ...args] = splitWords(name.slice(PROCESS.length));
    const folder = cwd ?? process.cwd();
    return openProcessTarget({
      name: plainName(name), command, args, cwd: folder, remake: { kind: name, cwd: folder }, signal, ...(jobs !== undefined && { lanes: jobs }), ...(watch && { watch }),
      ...(answerMs !== undefined && { deadlines: { describe: answerMs, open: answerMs, read: answerMs, bye: answerMs } }),
    });
  }
  const { builtinTarget } = await import('../engine/builtin-targets.ts');
  return builtinTarget(name)!;
}

/** Prepares the lab of a column and opens it, with so many virtual machines; with `coverage`, lines are counted where its kernel can. */
export async function openKernel(column: KernelColumn, jobs: number | undefined, tools: LabTools, coverage = false): Promise<Target> {
  const { prepareLab } = await import('../targets/kernel/lab/index.ts');
  const { openKernelTarget } = await import('../targets/kernel/kernel-target.ts');
  const lab = await prepareLab({ ...column.lab, kernel: column.kernel, sanitize: column.sanitize, emulator: column.emulator, ...tools });
  return openKernelTarget(lab, {
    name: column.name, remake: column.remake, steps: tools.steps, cacheDir: tools.cache.root, signal: tools.signal, ...(jobs !== undefined && { lanes: jobs }), coverage,
  });
}

/** Compiles the patch's code for userspace and opens it, with so many processes. */
export async function openUserspace({ name, sources, remake }: UserspaceColumn, jobs: number | undefined, tools: LabTools): Promise<Target> {
  const { openUserspaceTarget } = await import('../targets/userspace/userspace-target.ts');
  return openUserspaceTarget({ name, sources, remake, ...tools, ...(jobs !== undefined && { lanes: jobs }) });
}

/** True for what a target cannot have on this machine, rather than what the user gave wrongly. */
async function isMachinesFault(error: unknown, role: KernelColumn['role']): Promise<boolean> {
  if (error instanceof EngineError) return true;
  const { MissingPackages } = await import('../targets/kernel/lab/index.ts');
  // The stock kernel takes nothing of the user's that could be wrong.
  return error instanceof MissingPackages || (error instanceof UsageError && role === 'stock');
}

/** A command line as the name of a target, which stands in tables and in the names of folders. */
function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9:._+/-]+/g, '-').slice(0, NAME_LENGTH);
}

/** Characters of a stored target's name. */
const NAME_LENGTH = 160;

export function isTargetName(name: string): name is TargetName {
  if (name.startsWith(PROCESS)) return name.slice(PROCESS.length).trim() !== '';
  const [base, defect] = name.split(':');
  if (base === 'patch' || base === 'userspace') return defect !== '';
  return defect === undefined ? (TARGET_NAMES as readonly string[]).includes(name) : base === 'fake-reader' && defectOf(defect) !== undefined;
}
