// SPDX-License-Identifier: MIT
/** The module under test: built out of tree from its sources, or taken ready made. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { EngineError, UsageError } from '../../../model/errors.ts';
import type { Cache } from './cache.ts';
import { CLEAN_ENV, findCommand, run } from './child.ts';
import { compilerVersion, firstErrors } from './compiler.ts';
import { readModuleInfo } from './elf.ts';
import type { KernelTree } from './kernel.ts';
import { vermagicOf } from './modules.ts';
import { ensurePackages } from './packages.ts';
import { hashSources, readInput } from './sources.ts';
import type { Steps } from './steps.ts';

export interface BuiltModule {
  /** The .ko that is inserted, without debug information. */
  readonly path: string;
  /** SHA-256 (hex) of the file at `path`. */
  readonly sha256: string;
  /** SHA-256 (hex) over the sources' names and contents, or of the .ko that was given. */
  readonly sources: string;
  /** What it was made of, for people. */
  readonly name: string;
  /** The kernel's name for it, as in the frames of an oops: `dm_overlaybd`. */
  readonly kernelName: string;
  /** The same .ko with its debug information. */
  readonly symbols?: string;
  /** Folder of the sources it was built of. */
  readonly sourceFolder?: string;
  /** Folder of gcov's notes where the module counts its lines: a .gcno a source, and `folder`, the path that the kernel names the counters by. */
  readonly coverageNotes?: string;
}

const KIND = 'module';
const NAME = 'dm-overlaybd';
/** Counted up when the way of building changes, so that older builds are not used. */
const RECIPE = 1;
/** Seconds for a build, which takes 5 to 10 on two cores. */
const BUILD_SECONDS = 300;
/** Bytes of a .ko with debug information; dm-overlaybd's has 1.2 MB. */
const MAX_MODULE_BYTES = 256 << 20;

/**
 * Builds the module of these sources for that kernel, unless the cache has it.
 * Nothing of the sources is executed: the makefile is ours, their names were
 * checked, and the environment is empty. Throws `UsageError` with the first
 * compiler errors.
 */
export async function buildModule(
  sources: ReadonlyMap<string, string>, name: string, kernel: KernelTree, cache: Cache, steps: Steps, signal?: AbortSignal,
): Promise<BuiltModule> {
  const sourcesHash = hashSources(sources);
  const { makeVariables, coverage } = kernel;
  const recipe = sha256(JSON.stringify([RECIPE, sourcesHash, kernel.release, kernel.packages, ...(makeVariables === undefined ? [] : [makeVariables, coverage, 'notes'])])).slice(0, 24);
  let folder = await cachedBuild(cache, recipe, signal);
  if (folder === undefined) {
    await ensurePackages('build', steps, signal);
    const compiler = (await compilerVersion(signal)) ?? '';
    folder = await cache.make(
      KIND,
      `${recipe}-${sha256(compiler).slice(0, 8)}`,
      `the module of ${name}`,
      (temp) => steps.run(`build the module of ${name} for ${kernel.release}`, () => make(sources, name, kernel, temp, signal)),
      { signal, onWait: () => steps.note(`waiting for another run that builds the module of ${name}`) },
    );
  }
  return described(folder, sourcesHash, name, {
    sourceFolder: join(folder, 'sources'), ...(coverage === true ? { coverageNotes: join(folder, 'gcov') } : {}),
  });
}

/** A build of the same compiler; of any, where the compiler is gone and nothing else can be had. */
async function cachedBuild(cache: Cache, recipe: string, signal?: AbortSignal): Promise<string | undefined> {
  const compiler = await compilerVersion(signal);
  if (compiler !== undefined) return cache.find(KIND, `${recipe}-${sha256(compiler).slice(0, 8)}`);
  const key = (await cache.list(KIND)).find((k) => k.startsWith(`${recipe}-`));
  return key === undefined ? undefined : cache.find(KIND, key);
}

async function make(sources: ReadonlyMap<string, string>, name: string, kernel: KernelTree, folder: string, signal?: AbortSignal): Promise<void> {
  // Kbuild cannot work in such places: make splits at white space and colons.
  if (!/^[A-Za-z0-9_./+@,~-]+$/.test(folder + kernel.headersDir)) {
    throw new UsageError(`a kernel module cannot be built in the cache folder ${folder}: set OVBD_CACHE to a path of letters, digits and . _ + ~ - only`);
  }
  const work = join(folder, 'work');
  // A folder of their own: no source file's name can then clash with the module's or with Kbuild's.
  await mkdir(join(work, 'src'), { recursive: true });
  for (const [file, text] of sources) await writeFile(join(work, 'src', file), text);
  const objects = [...sources.keys()].filter((file) => file.endsWith('.c')).sort().map((file) => `src/${file.slice(0, -2)}.o`);
  await writeFile(join(work, 'Kbuild'), `obj-m := ${NAME}.o\n${NAME}-y := ${objects.join(' ')}\nccflags-y := -I$(src)/src\n${instrumentation(kernel)}`);
  const root = join(kernel.headersDir, '../../..');
  const result = await run(
    'make',
    [
      '-C', kernel.headersDir, `M=${work}`, `-j${availableParallelism()}`,
      // Debian's kernel asks for BTF of modules, which needs pahole and vmlinux; nothing here reads it.
      'CONFIG_DEBUG_INFO_BTF_MODULES=',
      ...(kernel.makeVariables ?? []),
      // The same sources give the same bytes wherever the cache is.
      `KCFLAGS=-ffile-prefix-map=${work}/= -ffile-prefix-map=${root}=/kernel`,
      'modules',
    ],
    { cwd: work, env: { ...CLEAN_ENV, TMPDIR: work }, seconds: BUILD_SECONDS, signal },
  );
  if (result.timedOut) throw new UsageError(`${name} does not compile on ${kernel.release} within ${BUILD_SECONDS} s`);
  const built = join(work, `${NAME}.ko`);
  if (result.code !== 0 || !existsSync(built)) {
    const errors = firstErrors(result.stderr, [join(work, 'src'), work, root]);
    if (/No space left on device/.test(errors)) throw new EngineError(errors.trim());
    throw new UsageError(`${name} does not compile on ${kernel.release}:\n${errors}`);
  }
  await rename(built, join(folder, `${NAME}.debug.ko`));
  await strip(join(folder, `${NAME}.debug.ko`), join(folder, `${NAME}.ko`), signal);
  await writeFile(join(folder, 'build.log'), `${result.stdout}${result.stderr}`.replaceAll(`${work}/`, ''));
  if (kernel.coverage === true) await keepNotes(work, folder);
  // For the lines that frames of an oops point at; without Kbuild's objects.
  await mkdir(join(folder, 'sources'));
  for (const [file, text] of sources) await writeFile(join(folder, 'sources', file), text);
  await rm(work, { recursive: true });
}

/**
 * The compiler's notes on which lines belong to which counter. The kernel has the
 * counters under /sys/kernel/debug/gcov, in the folder whose path is kept beside them.
 */
async function keepNotes(work: string, folder: string): Promise<void> {
  const notes = join(folder, 'gcov');
  await mkdir(notes);
  for (const name of await readdir(join(work, 'src'))) {
    if (name.endsWith('.gcno')) await rename(join(work, 'src', name), join(notes, name));
  }
  await writeFile(join(notes, 'folder'), `${join(work, 'src')}\n`);
}

/**
 * What a kernel that is not Debian's own may want of its modules: lines for frames of
 * an oops where its configuration has no debug information, undefined behaviour
 * checked where it can say so, and lines counted where it keeps such counts.
 */
function instrumentation(kernel: KernelTree): string {
  if (kernel.makeVariables === undefined) return '';
  // Counting changes bytes: the kernel names the counts by the folder of the build, which is not the same twice.
  return `ccflags-y += -g\nUBSAN_SANITIZE := y\n${kernel.coverage === true ? 'GCOV_PROFILE := y\n' : ''}`;
}

/**
 * Takes a module that somebody else built. Throws `UsageError` where it is not a
 * module, or not one of that kernel.
 */
export async function takeModule(file: string, kernel: KernelTree, cache: Cache, signal?: AbortSignal): Promise<BuiltModule> {
  const bytes = await readInput(file, MAX_MODULE_BYTES);
  const info = readModuleInfo(bytes);
  if (info === undefined) throw new UsageError(`${file} is not a kernel module for x86-64 (an ELF object with .modinfo and vermagic, not compressed)`);
  const wanted = vermagicOf(kernel);
  if (wanted.whole ? info.vermagic !== wanted.text : !info.vermagic.startsWith(wanted.text)) {
    throw new UsageError(`${file} was built for another kernel: its vermagic is "${info.vermagic}", the lab's kernel is "${wanted.text}"`);
  }
  const hash = sha256(bytes);
  const folder = await cache.make(KIND, `file-${hash.slice(0, 32)}`, `a copy of ${file}`, async (temp) => {
    const debug = join(temp, `${NAME}.debug.ko`);
    await writeFile(debug, bytes);
    if (findCommand('strip') === undefined) await copyFile(debug, join(temp, `${NAME}.ko`));
    else await strip(debug, join(temp, `${NAME}.ko`), signal);
  }, { signal });
  return described(folder, hash, basename(file), {});
}

async function strip(from: string, to: string, signal?: AbortSignal): Promise<void> {
  const result = await run('strip', ['--strip-debug', '-o', to, from], { seconds: 60, signal });
  if (result.code !== 0) throw new EngineError(`cannot strip ${from}: ${result.stderr.trim().split('\n')[0] ?? ''}`);
}

function described(folder: string, sources: string, name: string, more: { sourceFolder?: string; coverageNotes?: string }): BuiltModule {
  const path = join(folder, `${NAME}.ko`);
  const bytes = readFileSync(path);
  return {
    path,
    sha256: sha256(bytes),
    sources,
    name,
    kernelName: readModuleInfo(bytes)?.name ?? NAME.replace('-', '_'),
    symbols: join(folder, `${NAME}.debug.ko`),
    ...more,
  };
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
