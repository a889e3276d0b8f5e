// SPDX-License-Identifier: MIT
/** Everything that must be there before a VM can boot. */
import { basename, resolve } from 'node:path';
import { UsageError } from '../../../model/errors.ts';
import { buildAgent } from './agent.ts';
import type { Cache } from './cache.ts';
import { compilerVersion } from './compiler.ts';
import { buildInitramfs } from './initramfs.ts';
import { ensureKernel, type KernelTree } from './kernel.ts';
import { useCache } from './in-use.ts';
import { DEFAULT_KERNEL, type KernelChoice } from './kernels.ts';
import { buildModule, takeModule, type BuiltModule } from './module.ts';
import { ownKernel } from './own-kernel.ts';
import { ensurePackages } from './packages.ts';
import { loadPatches } from './patch/columns.ts';
import { chooseQemu, namedQemu, type ChosenQemu, type WhichQemu } from './qemu.ts';
import { ensureSanitizer } from './sanitizer.ts';
import { soakText } from './soak-record.ts';
import { readSourceFolder } from './sources.ts';
import type { Steps } from './steps.ts';

export interface PreparedLab {
  readonly qemu: ChosenQemu;
  readonly kernel: KernelTree;
  /** Absent where the stock kernel is what runs. */
  readonly module?: BuiltModule;
  readonly initramfs: string;
  /** SHA-256 (hex) of the initramfs. */
  readonly initramfsSha256: string;
  /** Identity: package versions, QEMU's version, content hashes. */
  readonly parts: Readonly<Record<string, string>>;
}

/** What decides which kernel it is. */
export interface KernelOptions {
  /** Default: Debian's 6.1. */
  readonly kernel?: KernelChoice | undefined;
  /** True: a build of that series with sanitizers. */
  readonly sanitize?: boolean | undefined;
  readonly cache: Cache;
  readonly steps: Steps;
  readonly signal?: AbortSignal | undefined;
}

export interface PrepareOptions extends KernelOptions {
  /** An emulator to use whatever is known of it: for soaks. */
  readonly qemu?: ChosenQemu | undefined;
  /** An emulator to use unless it is known to fail by itself with this kernel; absent: the lab chooses. */
  readonly emulator?: WhichQemu | undefined;
  /** The module's sources, read already, and their name for people. At most one of these, `patch`, `source`, `module`; none: the stock kernel. */
  readonly sources?: { readonly files: ReadonlyMap<string, string>; readonly name: string } | undefined;
  /** The patch as mailed: a file or address that holds one version, or `FILE#v2`. */
  readonly patch?: string | undefined;
  /** Folder with the module's sources. */
  readonly source?: string | undefined;
  /** A built .ko. */
  readonly module?: string | undefined;
}

/**
 * Makes or finds all parts of a lab. What the user gave is read first, so that a
 * wrong file costs no download. Throws `MissingPackages` where something must be
 * installed by somebody else, `UsageError` for what the user gave, `EngineError`
 * for downloads and disks.
 */
export async function prepareLab(options: PrepareOptions): Promise<PreparedLab> {
  const { cache, steps, signal } = options;
  await useCache(cache, signal);
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new UsageError(`the kernel lab needs Linux on x86-64, not ${process.platform} on ${process.arch}`);
  const sources = await readSources(options);
  await ensurePackages('vm', steps, signal);
  const kernel = await chosenKernel(options);
  const { emulator } = options;
  const qemu = options.qemu ?? (emulator === undefined ? await chooseQemu(kernel, cache, steps, signal) : await namedQemu(emulator, kernel, cache, steps, signal));
  const module =
    sources !== undefined ? await buildModule(sources.files, sources.name, kernel, cache, steps, signal)
    : options.module !== undefined ? await takeModule(options.module, kernel, cache, signal)
    : undefined;
  const agent = await buildAgent(cache, steps, signal);
  const initramfs = await buildInitramfs(agent.path, module?.path, kernel, cache, signal);
  const compiler = await compilerVersion(signal);
  return {
    qemu,
    kernel,
    ...(module === undefined ? {} : { module }),
    initramfs: initramfs.path,
    initramfsSha256: initramfs.sha256,
    parts: {
      ...kernel.packages,
      qemu: qemu.version,
      soak: soakText(qemu.soak),
      ...(compiler === undefined ? {} : { compiler }),
      agent: agent.sources,
      ...(module === undefined ? {} : { sources: module.sources, module: module.sha256 }),
      initramfs: initramfs.sha256,
    },
  };
}

/** The kernel that was asked for, without a module of ours. Throws as `prepareLab` does. */
export async function chosenKernel({ kernel = DEFAULT_KERNEL, sanitize = false, cache, steps, signal }: KernelOptions): Promise<KernelTree> {
  if (kernel.kind === 'own') {
    if (sanitize) throw new UsageError('--sanitize builds a kernel of a Debian series; one of your own has what its configuration says: leave --sanitize out');
    return ownKernel(kernel);
  }
  if (sanitize) return ensureSanitizer(cache, steps, kernel.series, signal);
  return ensureKernel(cache, steps, signal, kernel.series);
}

async function readSources(options: PrepareOptions): Promise<{ files: ReadonlyMap<string, string>; name: string } | undefined> {
  const given = (['patch', 'source', 'module'] as const).filter((key) => options[key] !== undefined);
  if (given.length > 1) throw new UsageError(`--${given.join(' and --')} exclude each other: give one`);
  if (options.sources !== undefined) return options.sources;
  if (options.patch !== undefined) {
    const { columns, notes } = await loadPatches([options.patch], undefined, options.signal);
    for (const note of notes) options.steps.note(note);
    if (columns.length > 1) throw new UsageError(`${options.patch} holds ${columns.map((c) => c.name).join(', ')}: choose one, as in --patch '${options.patch}#${columns.at(-1)!.name}'`);
    return { files: columns[0]!.sources, name: columns[0]!.title };
  }
  if (options.source !== undefined) return { files: await readSourceFolder(options.source), name: basename(resolve(options.source)) };
  return undefined;
}
