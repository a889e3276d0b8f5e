// SPDX-License-Identifier: MIT
/** The columns of a run: each version of the module on each kernel, with and without sanitizers. */
import { basename, resolve } from 'node:path';
import { UsageError } from '../model/index.ts';
import { kernelLabel, parseKernelChoice, SERIES, type KernelChoice } from '../targets/kernel/lab/kernels.ts';
import type { WhichQemu } from '../targets/kernel/lab/qemu.ts';
import { readSourceFolder } from '../targets/kernel/lab/sources.ts';
import { loadPatches } from '../targets/kernel/lab/patch/columns.ts';

/** Where the module under test comes from: `patch`, `source` or `module`, or a patch that changes the sources of `source`. */
export interface Subject {
  /** Each gives one column, or one for each version in it. */
  readonly patch?: readonly string[];
  readonly source?: string;
  readonly module?: string;
}

/** The kernels it runs on. */
export interface Kernels {
  /** A series of Debian's, or the path of a bzImage. None: the lab's default. */
  readonly kernel?: readonly string[];
  /** The build folders of the bzImages, in their order. */
  readonly kernelBuild?: readonly string[];
  /** `both`: each of Debian's kernels without sanitizers and with them; `only`: with them. */
  readonly sanitize?: 'both' | 'only';
  /** Absent: the lab chooses an emulator that holds. */
  readonly qemu?: WhichQemu;
}

/** A kernel target that can be opened. */
export interface KernelColumn {
  /** `patch`, `stock`; with several columns what tells them apart: `v2/6.12/sanitize`. */
  readonly name: string;
  /** Of the module, as several in one mail are told apart. */
  readonly version: string;
  readonly role: 'stock' | 'patch';
  readonly kernel: KernelChoice;
  readonly sanitize: boolean;
  readonly emulator?: WhichQemu;
  /** What `prepareLab` takes: the module's sources, its file, or nothing for the stock kernel. */
  readonly lab: {
    readonly sources?: { readonly files: ReadonlyMap<string, string>; readonly name: string };
    readonly source?: string;
    readonly module?: string;
  };
  /** What `ovbd replay` needs; paths as they were given, for a finding's folder is not to tell where this user keeps things. */
  readonly remake: Readonly<Record<string, string>>;
}

/** The names of the options that say what is tested. */
export function subjectOf(subject: Subject): (keyof Subject)[] {
  return (['patch', 'source', 'module'] as const).filter((key) => subject[key] !== undefined);
}

/** Throws `UsageError` where options contradict each other, before anything is read. */
export function checkSubject(subject: Subject & Kernels): void {
  const given = subjectOf(subject);
  if (given.length > 1 && given.includes('module')) throw new UsageError(`--${given.join(' and --')} exclude each other: give one`);
  kernelsOf(subject);
}

/**
 * The columns of the roles that a run asks for, in order. Reads the patches;
 * `note` is told what people should know of them. Throws `UsageError` for what
 * the user gave wrongly, `EngineError` where an address cannot be fetched.
 */
export async function columnsOf(
  roles: readonly ('stock' | 'patch')[], request: Subject & Kernels, note: (text: string) => void, signal: AbortSignal,
): Promise<KernelColumn[]> {
  const kernels = kernelsOf(request);
  const columns: KernelColumn[] = [];
  for (const role of roles) {
    const modules = role === 'stock' ? [{ name: 'stock', lab: {}, remake: {} }] : await modulesOf(request, note, signal);
    for (const module of modules) {
      // One version of one module is "the patch", whatever its file is called.
      const name = modules.length === 1 ? role : module.name;
      for (const { choice, label, sanitize } of kernels) {
        columns.push({
          name: [name, ...(label === '' ? [] : [label])].join('/'), version: module.name, role, kernel: choice, sanitize, lab: module.lab, ...(request.qemu && { emulator: request.qemu }),
          remake: { role, ...module.remake, ...remakeOf(choice, sanitize) },
        });
      }
    }
  }
  return columns;
}

/** The module's code in userspace. */
export interface UserspaceColumn {
  /** `userspace`; with several versions `v2/userspace`. */
  readonly name: string;
  readonly version: string;
  readonly sources: { readonly files: ReadonlyMap<string, string>; readonly name: string };
  readonly remake: Readonly<Record<string, string>>;
}

/** One column for each version of the module. Throws as `columnsOf` does. */
export async function userspaceColumnsOf(request: Subject, note: (text: string) => void, signal: AbortSignal): Promise<UserspaceColumn[]> {
  const modules = await modulesOf(request, note, signal);
  return Promise.all(modules.map(async ({ name, lab, remake }) => ({
    name: modules.length === 1 ? 'userspace' : `${name}/userspace`, version: name,
    sources: lab.sources ?? { files: await readSourceFolder(lab.source!), name: basename(resolve(lab.source!)) },
    remake: { role: 'userspace', ...remake },
  })));
}

type Module = Pick<KernelColumn, 'name' | 'lab' | 'remake'>;

async function modulesOf({ patch, source, module }: Subject, note: (text: string) => void, signal: AbortSignal): Promise<Module[]> {
  if (patch !== undefined) {
    const { columns, notes } = await loadPatches(patch, source, signal);
    notes.forEach(note);
    return columns.map((c) => ({
      name: RESERVED.test(c.name) ? `patch-${c.name}` : c.name, lab: { sources: { files: c.sources, name: c.title } }, remake: c.remake,
    }));
  }
  const one = source !== undefined ? { source } : { module: module! };
  return [{ name: 'patch', lab: one, remake: one }];
}

/** Names that mean another target. */
const RESERVED = /^(?:oracle|canary|stock|fake|userspace)\b/;

interface Kernel {
  readonly choice: KernelChoice;
  readonly sanitize: boolean;
  /** What tells it from the run's other kernels; empty where there is but one. */
  readonly label: string;
}

function kernelsOf({ kernel, kernelBuild, sanitize }: Kernels): Kernel[] {
  const builds = [...(kernelBuild ?? [])];
  const choices = (kernel ?? [undefined]).map((text) => {
    const own = text !== undefined && /[^v\d.]/.test(text);
    return parseKernelChoice(text, own ? builds.shift() : kernel === undefined ? builds.shift() : undefined);
  });
  if (builds.length > 0) throw new UsageError(`--kernel-build ${builds[0]}: there is no --kernel with a bzImage for it`);
  const plain = [...new Map(choices.map((choice) => [kernelLabel(choice), choice])).values()];
  const names = distinctNames(plain);
  const kernels = plain.flatMap((choice, i) => {
    const flavours = sanitize === undefined || choice.kind === 'own' ? [false] : sanitize === 'only' ? [true] : [false, true];
    return flavours.map((on) => ({ choice, sanitize: on, label: [...(plain.length > 1 ? [names[i]!] : []), ...(on ? ['sanitize'] : [])].join('/') }));
  });
  if (sanitize !== undefined && !kernels.some((k) => k.sanitize)) {
    throw new UsageError(`--sanitize builds kernels of Debian's series (${SERIES.join(', ')}); a bzImage of yours has the sanitizers that you built it with`);
  }
  return kernels;
}

/** `6.12`, or the name of a bzImage's file as it may stand in a target's name. */
function distinctNames(choices: readonly KernelChoice[]): string[] {
  const names = choices.map((c) => (c.kind === 'debian' ? c.series : basename(resolve(c.bzImage)).toLowerCase().replace(/[^a-z0-9._-]+/g, '-').slice(0, 24)));
  return names.map((name, i) => (names.indexOf(name) === i ? name : `${name}-${i + 1}`));
}

function remakeOf(choice: KernelChoice, sanitize: boolean): Record<string, string> {
  return {
    ...(choice.kind === 'debian' ? { kernel: choice.series } : { kernel: choice.bzImage, 'kernel-build': choice.build }),
    ...(sanitize && { sanitize: 'yes' }),
  };
}
