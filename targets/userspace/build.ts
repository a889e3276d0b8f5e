// SPDX-License-Identifier: MIT
/** The module's unmodified sources and the layer under them, compiled into one program; from the cache where it has it. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError, UsageError } from '../../model/errors.ts';
import type { Cache } from '../kernel/lab/cache.ts';
import { CLEAN_ENV, run } from '../kernel/lab/child.ts';
import { COMPILER, firstErrors } from '../kernel/lab/compiler.ts';
import { ensurePackages } from '../kernel/lab/packages.ts';
import { hashSources } from '../kernel/lab/sources.ts';
import type { Steps } from '../kernel/lab/steps.ts';
import { COMMON_FLAGS, GCC, LIBC_FILES, MODULE_FLAGS, SANITIZED_FILES, renamed, type Toolchain } from './flags.ts';

export interface BuiltProgram {
  readonly path: string;
  /** SHA-256 (hex) over the module's sources. */
  readonly sources: string;
  /** What it was made of, for people. */
  readonly name: string;
  /** The compiler's version line. */
  readonly compiler: string;
}

const KIND = 'userspace';
const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const INCLUDES = ['kernel-api/include', 'process'] as const;
const SECONDS = 120;
const PROGRAM = 'dm-overlaybd';
/** The section of the module's code, by which its frames are known from ours. */
const SECTION = 'module_text';

export interface BuildOptions {
  readonly signal?: AbortSignal;
  readonly toolchain?: Toolchain;
  /** C files of this folder in place of those of the protocol. */
  readonly main?: readonly string[];
  /** Texts of headers that are made, by name. */
  readonly headers?: ReadonlyMap<string, string>;
}

/**
 * Compiles the module, unless the cache has it. Nothing of the sources is
 * executed by that, and the environment is empty. `parts`: further C files of
 * this folder in place of process/main.c, with their own `main` or none.
 * Throws `UsageError` with the first compiler errors where the sources are at
 * fault, `EngineError` where the machine is, `MissingPackages` without a compiler.
 */
export async function buildProgram(
  sources: ReadonlyMap<string, string>, name: string, cache: Cache, steps: Steps,
  { signal, toolchain = GCC, main = ['process/main.c', 'process/json.c', 'process/sha256.c'], headers = new Map() }: BuildOptions = {},
): Promise<BuiltProgram> {
  await ensurePackages('build', steps, signal);
  if (toolchain.command !== COMPILER) await ensurePackages('clang', steps, signal);
  const compiler = await versionOf(toolchain, signal);
  const layer = await layerObjects({ main, headers }, toolchain, compiler, cache, steps, signal);
  const sourcesHash = hashSources(sources);
  const recipe = short(JSON.stringify([basename(layer), sourcesHash, MODULE_FLAGS, renamed(toolchain), toolchain]), 32);
  const folder = await cache.make(KIND, recipe, `${name} in userspace`, (temp) => steps.run(`compile ${name} for userspace`, async () => {
    await mkdir(join(temp, 'sources'));
    for (const [file, text] of sources) await writeFile(join(temp, 'sources', file), text);
    const files = [...sources.keys()].filter((file) => file.endsWith('.c')).sort();
    const includes = await toolchainIncludes(toolchain, signal);
    const errors = await compileAll(files.map((file) => [
      ...MODULE_FLAGS, ...toolchain.module, '-nostdinc', '-isystem', includes, '-I', join(FOLDER, 'kernel-api/include'), `-ffile-prefix-map=${temp}/sources/=`,
      '-c', join(temp, 'sources', file), '-o', join(temp, `${file}.o`),
    ]), toolchain, temp, signal);
    if (errors !== '') throw new UsageError(`${name} does not compile against the kernel interfaces in targets/userspace/kernel-api:\n${firstErrors(errors, [`${temp}/sources`])}`);
    for (const file of files) {
      const object = join(temp, `${file}.o`);
      const code = await codeSections(object, signal);
      await redirect(object, code.flatMap((name) => ['--rename-section', `${name}=${SECTION}`]), toolchain, signal);
    }
    const objects = [...(await readdir(layer)).filter((file) => file.endsWith('.o')).map((file) => join(layer, file)), ...files.map((file) => join(temp, `${file}.o`))];
    const linked = await run(toolchain.command, [...toolchain.link, '-o', join(temp, PROGRAM), ...objects], { env: { ...CLEAN_ENV, TMPDIR: temp }, seconds: SECONDS, signal });
    if (linked.code !== 0) throw new UsageError(`${name} uses what targets/userspace/kernel-api does not have:\n${firstErrors(linked.stderr, [temp, layer])}`);
  }), { signal });
  return { path: join(folder, PROGRAM), sources: sourcesHash, name, compiler };
}

/** The folder of the compiled layer: everything but the module. */
async function layerObjects({ main, headers }: Required<Pick<BuildOptions, 'main' | 'headers'>>, toolchain: Toolchain, compiler: string, cache: Cache, steps: Steps, signal: AbortSignal | undefined): Promise<string> {
  const files = await ownFiles();
  const compiled = [...files.keys()].filter((file) => file.endsWith('.c') && (file.startsWith('kernel-api/') || ['process/case.c', 'process/reader.c'].includes(file) || main.includes(file))).sort();
  const missing = main.find((file) => !compiled.includes(file));
  if (missing !== undefined) throw new EngineError(`${missing} is missing from ${FOLDER}`);
  const key = short(JSON.stringify([hashSources(files), compiled, [...headers], COMMON_FLAGS, renamed(toolchain), toolchain, compiler]), 32);
  return cache.make(`${KIND}-layer`, key, 'the kernel interfaces in userspace', (temp) => steps.run('compile the kernel interfaces for userspace', async () => {
    for (const [name, text] of headers) await writeFile(join(temp, name), text);
    const errors = await compileAll(compiled.map((file) => [
      ...COMMON_FLAGS, '-I', temp, ...(SANITIZED_FILES.includes(file) ? toolchain.sanitized : toolchain.plain),
      ...(LIBC_FILES.includes(file) || file.startsWith('fuzz/') ? [] : INCLUDES.flatMap((folder) => ['-I', join(FOLDER, folder)])),
      '-c', join(FOLDER, file), '-o', join(temp, `${file.replaceAll('/', '-')}.o`),
    ]), toolchain, temp, signal);
    if (errors !== '') throw new EngineError(`the kernel interfaces for userspace do not compile:\n${firstErrors(errors, [FOLDER.replace(/\/$/, '')])}`);
    for (const file of compiled.filter((f) => SANITIZED_FILES.includes(f))) await redirect(join(temp, `${file.replaceAll('/', '-')}.o`), [], toolchain, signal);
  }), { signal });
}

/** Names of the sections that have code: with coverage clang makes one for each function. */
async function codeSections(object: string, signal: AbortSignal | undefined): Promise<string[]> {
  const listed = await must('readelf', ['-SW', object], signal);
  return [...listed.matchAll(/\]\s+(\.text\S*)\s+PROGBITS/g)].map((m) => m[1]!);
}

/** Has an object call the layer where the compiler made it call the sanitizer, which would end or print at length. */
async function redirect(object: string, more: readonly string[], toolchain: Toolchain, signal: AbortSignal | undefined): Promise<void> {
  await must('objcopy', [...more, ...renamed(toolchain).flatMap(([from, to]) => ['--redefine-sym', `${from}=${to}`]), object], signal);
}

/** Runs the compiler once for each list of arguments, as many at a time as there are processors; gives what it said of the first that failed. */
async function compileAll(all: readonly (readonly string[])[], { command }: Toolchain, temp: string, signal: AbortSignal | undefined): Promise<string> {
  let next = 0;
  let errors = '';
  const worker = async (): Promise<void> => {
    while (next < all.length && errors === '') {
      const result = await run(command, all[next++]!, { env: { ...CLEAN_ENV, TMPDIR: temp }, seconds: SECONDS, signal });
      if (result.timedOut) errors ||= `error: the compiler takes longer than ${SECONDS} s`;
      else if (result.code !== 0) errors ||= result.stderr || 'error: the compiler failed';
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return errors;
}

/** All C files of this folder. */
async function ownFiles(): Promise<Map<string, Buffer>> {
  const names = (await readdir(FOLDER, { recursive: true })).filter((file) => /\.[ch]$/.test(file)).sort();
  return new Map(await Promise.all(names.map(async (file) => [file, await readFile(join(FOLDER, file))] as const)));
}

/** The compiler's own headers, of which the kernel's sources take stdarg.h and the like. */
async function toolchainIncludes({ command }: Toolchain, signal: AbortSignal | undefined): Promise<string> {
  return (await must(command, ['-print-file-name=include'], signal)).trim();
}

async function versionOf({ command }: Toolchain, signal: AbortSignal | undefined): Promise<string> {
  return (await must(command, ['--version'], signal)).split('\n')[0]!.trim();
}

async function must(command: string, args: readonly string[], signal: AbortSignal | undefined): Promise<string> {
  const result = await run(command, args, { seconds: 60, signal });
  if (result.code !== 0) throw new EngineError(`${command} failed: ${firstErrors(result.stderr, []).trim()}`);
  return result.stdout;
}

function short(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
