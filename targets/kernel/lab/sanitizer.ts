// SPDX-License-Identifier: MIT
/**
 * Sanitizer kernels, built from Debian's own kernel source with a small
 * configuration of ours. Of the build is kept what booting and building modules
 * need; the rest of the source tree is some hundred megabytes.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { EngineError } from '../../../model/errors.ts';
import { aptShow, type AptPackage } from './apt.ts';
import type { Cache } from './cache.ts';
import { CLEAN_ENV, run } from './child.ts';
import { COMPILER, compilerVersion, firstErrors } from './compiler.ts';
import { fileSafe, fromApt, unpackPackages, type FromApt } from './debs.ts';
import { viewOf, type KernelTree } from './kernel.ts';
import type { Series } from './kernels.ts';
import { parseConfig } from './own-kernel.ts';
import { ensurePackages } from './packages.ts';
import type { Steps } from './steps.ts';

const KIND = 'sanitizer';
const RECORD = 'kernel.json';
/** Counted up when the way of building changes, so that older builds are not used. */
const RECIPE = 1;
/** Seconds for a build, which takes 8 minutes of processor time. */
const BUILD_SECONDS = 5400;
const CONFIG = readFileSync(new URL('sanitizer.config', import.meta.url), 'utf8');
/** Options that a series no longer has: 6.12 turned BASE_FULL into BASE_SMALL, which stays off. */
const GONE: Readonly<Record<Series, readonly string[]>> = { '6.1': [], '6.12': ['CONFIG_BASE_FULL'] };

/** One compiler for the kernel and its modules. The rest makes the same source the same bytes. */
const VARIABLES = [`CC=${COMPILER}`, `HOSTCC=${COMPILER}`] as const;
const REPRODUCIBLE = ['KBUILD_BUILD_TIMESTAMP=1970-01-01', 'KBUILD_BUILD_USER=ovbd', 'KBUILD_BUILD_HOST=ovbd'] as const;

/** Sources of what the configuration leaves out, most of a kernel's; Kconfig files are all read and stay. */
const UNUSED = ['Documentation', 'drivers/gpu', 'drivers/net', 'drivers/media', 'drivers/staging', 'drivers/scsi', 'drivers/infiniband', 'drivers/usb', 'sound', 'tools/testing'];
/** What building a module reads of a built tree. */
const KEPT = [
  '.config', 'Makefile', 'Module.symvers', 'System.map', 'modules.builtin', 'modules.order', 'include', 'scripts',
  'arch/x86/include', 'arch/x86/Makefile', 'arch/x86/Makefile.um', 'arch/x86/Makefile_32.cpu', 'tools/objtool/objtool',
] as const;

/**
 * The sanitizer kernel of a series: that of the cache, else built now (8 minutes of
 * processor time) from the source package that apt offers. Throws as `fromApt` and
 * `ensurePackages` do, and `EngineError` with the first errors where it does not compile.
 */
export async function ensureSanitizer(cache: Cache, steps: Steps, series: Series, signal?: AbortSignal): Promise<KernelTree> {
  const cached = await cachedSanitizer(cache, series, signal);
  if (cached !== undefined) return cached;
  await ensurePackages('build', steps, signal);
  await ensurePackages('kernel', steps, signal);
  const from = await sourceOf(series, cache, steps, signal);
  return fromApt(from, () => resolveSource(series, from), async (packages) => {
    const key = `${prefix(series, await compilerVersion(signal))}${fileSafe(packages[0]!.version)}`;
    const folder = await cache.make(KIND, key, `the sanitizer kernel ${series}`, async (temp) => {
      await unpackPackages(packages, temp, `the source of Linux ${packages[0]!.version}`, from);
      await build(packages[0]!, series, configFor(series), temp, steps, signal);
    }, { signal, onWait: () => steps.note(`waiting for another run that builds the sanitizer kernel ${series}`) });
    return readTree(folder);
  });
}

/**
 * A sanitizer kernel with other options, for measurements: built in `folder`, which is
 * empty and keeps it as a kernel of one's own (its `bzImage`, and `build`, the folder for
 * `--kernel-build`). `changes` are lines of a configuration: `CONFIG_X=y`, or
 * `# CONFIG_X is not set` for what is left out. Throws as `ensureSanitizer` does.
 */
export async function buildVariant(cache: Cache, steps: Steps, series: Series, changes: string, folder: string, signal?: AbortSignal): Promise<KernelTree> {
  await ensurePackages('build', steps, signal);
  await ensurePackages('kernel', steps, signal);
  const from = await sourceOf(series, cache, steps, signal);
  return fromApt(from, () => resolveSource(series, from), async (packages) => {
    await unpackPackages(packages, folder, `the source of Linux ${packages[0]!.version}`, from);
    await build(packages[0]!, series, changed(configFor(series), changes), folder, steps, signal);
    return readTree(folder);
  });
}

/** The newest build of our configuration in the cache, by this machine's compiler (any, where it has none). */
export async function cachedSanitizer(cache: Cache, series: Series, signal?: AbortSignal): Promise<KernelTree | undefined> {
  const start = prefix(series, await compilerVersion(signal));
  const keys = (await cache.list(KIND)).filter((key) => key.startsWith(start));
  const newest = keys.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  return newest === undefined ? undefined : readTree(join(cache.root, KIND, newest));
}

/** The configuration for a series. */
export function configFor(series: Series): string {
  return CONFIG.split('\n').filter((line) => !GONE[series].includes(line.split('=')[0]!)).join('\n');
}

/** A configuration in which the options that `changes` name stand as they say there. */
export function changed(config: string, changes: string): string {
  const nameIn = (line: string): string | undefined => /^(?:# )?(CONFIG_\w+)(?:=| is not set)/.exec(line)?.[1];
  const lines = changes.split('\n').filter((line) => nameIn(line) !== undefined);
  const names = new Set(lines.map(nameIn));
  return [...config.split('\n').filter((line) => !names.has(nameIn(line))), ...lines, ''].join('\n');
}

async function sourceOf(series: Series, cache: Cache, steps: Steps, signal: AbortSignal | undefined): Promise<FromApt> {
  return { view: await viewOf(series, cache), steps, signal, what: `the source of the kernel ${series}` };
}

async function resolveSource(series: Series, { view, signal }: FromApt): Promise<AptPackage[] | undefined> {
  const name = `linux-source-${series}`;
  const source = (await aptShow([name], signal, view)).get(name);
  return source === undefined ? undefined : [source];
}

function prefix(series: Series, compiler: string | undefined): string {
  const recipe = sha256(JSON.stringify([RECIPE, configFor(series), VARIABLES])).slice(0, 16);
  return `${series}-${recipe}-${compiler === undefined ? '' : `${sha256(compiler).slice(0, 8)}_`}`;
}

function readTree(folder: string): KernelTree {
  const { release, packages } = JSON.parse(readFileSync(join(folder, RECORD), 'utf8')) as { release: string; packages: Record<string, string> };
  return {
    release,
    packages,
    bzImage: join(folder, 'bzImage'),
    modulesDir: join(folder, 'build'),
    headersDir: join(folder, 'build'),
    makeVariables: VARIABLES,
    coverage: true,
    sanitizers: true,
  };
}

async function build(source: AptPackage, series: Series, config: string, folder: string, steps: Steps, signal?: AbortSignal): Promise<void> {
  const tree = join(folder, 'tree');
  await mkdir(tree);
  const tarball = join(folder, 'root/usr/src', `linux-source-${series}.tar.xz`);
  await steps.run('unpack the kernel source', async () => {
    const excludes = UNUSED.flatMap((part) => ['c', 'h', 'S', 'rst', 'yaml', 'txt', 'dts', 'dtsi', 'svg', 'py', 'sh'].map((end) => `--exclude=linux-source-*/${part}/*.${end}`));
    const result = await run('tar', ['-xf', tarball, '-C', tree, '--strip-components=1', '--wildcards', ...excludes], { env: CLEAN_ENV, seconds: 900, signal });
    if (result.code !== 0) throw new EngineError(`cannot unpack ${tarball}: ${result.stderr.trim().split('\n')[0] ?? ''}`);
    await rm(join(folder, 'root'), { recursive: true });
  });
  await configure(tree, config, folder, signal);
  await steps.run(`build the sanitizer kernel ${series}`, async (say) => {
    let lines = 0;
    await make(tree, [`-j${availableParallelism()}`, 'bzImage', 'modules'], folder, signal, () => say(`${++lines} of about 1300 parts`));
  });
  await keep(tree, folder);
  const release = readFileSync(join(folder, 'build/include/config/kernel.release'), 'utf8').trim();
  const packages = { [source.name]: source.version, 'kernel-config': sha256(readFileSync(join(folder, 'build/.config'))) };
  await writeFile(join(folder, RECORD), `${JSON.stringify({ release, packages }, null, 2)}\n`);
}

async function configure(tree: string, config: string, folder: string, signal?: AbortSignal): Promise<void> {
  const wanted = join(folder, 'wanted.config');
  await writeFile(wanted, config);
  await make(tree, [`KCONFIG_ALLCONFIG=${wanted}`, 'allnoconfig'], folder, signal);
  const ignored = notTaken(config, readFileSync(join(tree, '.config'), 'utf8'));
  if (ignored.length > 0) throw new EngineError(`the kernel's configuration does not take over ${ignored.join(', ')}`);
}

/** Options of one configuration that another does not have with the same value. */
export function notTaken(wanted: string, config: string): string[] {
  const has = parseConfig(config);
  return [...parseConfig(wanted)].filter(([name, value]) => has.get(name) !== value).map(([name, value]) => `${name}=${value}`);
}

async function make(tree: string, args: readonly string[], folder: string, signal: AbortSignal | undefined, onLine?: (line: string) => void): Promise<void> {
  const result = await run('make', ['-C', tree, ...VARIABLES, ...REPRODUCIBLE, ...args], {
    cwd: tree, env: { ...CLEAN_ENV, TMPDIR: folder }, seconds: BUILD_SECONDS, signal, ...(onLine === undefined ? {} : { onLine }),
  });
  if (result.timedOut) throw new EngineError(`the kernel does not compile within ${BUILD_SECONDS / 60} minutes`);
  if (result.code !== 0) throw new EngineError(`the kernel does not compile:\n${firstErrors(result.stderr, [tree])}`);
}

async function keep(tree: string, folder: string): Promise<void> {
  copyFileSync(join(tree, 'arch/x86/boot/bzImage'), join(folder, 'bzImage'));
  for (const part of KEPT) {
    if (!existsSync(join(tree, part))) continue;
    await mkdir(dirname(join(folder, 'build', part)), { recursive: true });
    await rename(join(tree, part), join(folder, 'build', part));
  }
  await rm(tree, { recursive: true });
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
