// SPDX-License-Identifier: MIT
/** Debian's cloud kernel 6.1 with its headers, unpacked into the cache and never installed. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError, UsageError } from '../../../model/errors.ts';
import { aptDownload, aptShow, aptUpdate, hasApt, isRoot, noApt, StaleLists, withAptLock, type AptPackage } from './apt.ts';
import type { Cache } from './cache.ts';
import { CLEAN_ENV, run } from './child.ts';
import type { Steps } from './steps.ts';

export interface KernelTree {
  /** As `uname -r` says it: `6.1.0-56-cloud-amd64`. */
  readonly release: string;
  readonly bzImage: string;
  /** `lib/modules/<release>`, which holds `kernel/`, `modules.order` and `modules.builtin`. */
  readonly modulesDir: string;
  /** The folder for `make -C`. */
  readonly headersDir: string;
  /** Package → exact version. */
  readonly packages: Readonly<Record<string, string>>;
}

/** The series the lab is known to be stable on, see the design document. */
const SERIES = '6.1';
const META = 'linux-image-cloud-amd64';
const KIND = 'kernel';
const RECORD = 'kernel.json';

/**
 * The newest kernel in the cache; where there is none (or `OVBD_KERNEL_REFRESH=1`
 * asks for a newer one), the one that apt offers. Only the latter touches apt.
 * Throws `UsageError` for what the user can change, `EngineError` with apt's
 * reason where a download fails and nothing is cached.
 */
export async function ensureKernel(cache: Cache, steps: Steps, signal?: AbortSignal): Promise<KernelTree> {
  const cached = await newestCached(cache);
  const refresh = process.env['OVBD_KERNEL_REFRESH'] === '1';
  if (cached !== undefined && !refresh) return cached;
  try {
    return await fetchKernel(cache, steps, refresh, signal);
  } catch (error) {
    if (cached === undefined || signal?.aborted) throw error;
    steps.note(`using the cached kernel ${cached.release}: ${error instanceof Error ? error.message : String(error)}`);
    return cached;
  }
}

/** The newest kernel in the cache, or undefined. */
export async function newestCached(cache: Cache): Promise<KernelTree | undefined> {
  const keys = (await cache.list(KIND)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const newest = keys.at(-1);
  return newest === undefined ? undefined : readTree(join(cache.root, KIND, newest));
}

function readTree(folder: string): KernelTree {
  const record = JSON.parse(readFileSync(join(folder, RECORD), 'utf8')) as { release: string; packages: Record<string, string> };
  const { release, packages } = record;
  return {
    release,
    packages,
    bzImage: join(folder, 'root/boot', `vmlinuz-${release}`),
    modulesDir: join(folder, 'root/lib/modules', release),
    headersDir: join(folder, 'root/usr/src', `linux-headers-${release}`),
  };
}

async function fetchKernel(cache: Cache, steps: Steps, refresh: boolean, signal?: AbortSignal): Promise<KernelTree> {
  if (!hasApt()) throw noApt('no kernel is cached');
  let lists: string | undefined;
  const update = async (): Promise<void> => {
    lists = await withAptLock(() => steps.run('fetch the package lists', (say) => aptUpdate({ signal, say })), { signal });
  };
  if (refresh && isRoot()) await update();
  const resolve = (): ReturnType<typeof resolvePackages> => steps.run("look up the kernel's packages", () => resolvePackages(signal));
  let packages = await resolve();
  let updated = refresh;
  if (packages === undefined && isRoot() && !updated) {
    await update();
    updated = true;
    packages = await resolve();
  }
  if (packages === undefined) {
    if (lists !== undefined) throw new EngineError(`no kernel can be downloaded: ${lists}`);
    throw new UsageError(
      isRoot()
        ? `apt knows no package ${META}: the kernel lab needs the package lists of Debian 12 for amd64`
        : `no kernel is cached and apt knows no package ${META}; run as root: apt-get update`,
    );
  }
  if (lists !== undefined) steps.note(lists);
  try {
    return await makeTree(cache, steps, packages, signal);
  } catch (error) {
    if (!(error instanceof StaleLists) || updated) throw error;
    if (!isRoot()) throw new UsageError(`${error.message}; the package lists are old, run as root: apt-get update`);
    await update();
    packages = await resolve();
    if (packages === undefined) throw error;
    return makeTree(cache, steps, packages, signal);
  }
}

/** The packages behind the meta-package: image first, then headers, common headers, kbuild. Undefined where apt knows none. */
async function resolvePackages(signal?: AbortSignal): Promise<AptPackage[] | undefined> {
  const meta = (await aptShow([META], signal)).get(META);
  const image = meta?.depends.find((name) => name.startsWith('linux-image-'));
  if (image === undefined) return undefined;
  const release = image.slice('linux-image-'.length);
  if (!release.startsWith(`${SERIES}.`)) {
    throw new UsageError(`apt offers the kernel ${release}, and the lab runs Debian 12's ${SERIES}: use a machine or container with Debian 12`);
  }
  const first = await aptShow([image, `linux-headers-${release}`], signal);
  const headers = first.get(`linux-headers-${release}`);
  const others = headers?.depends.filter((name) => /^linux-(headers|kbuild)-/.test(name)) ?? [];
  const second = others.length === 0 ? new Map<string, AptPackage>() : await aptShow(others, signal);
  const all = [first.get(image), headers, ...others.map((name) => second.get(name))];
  const known = all.filter((p): p is AptPackage => p !== undefined);
  if (known.length !== all.length || known.length < 4) return undefined;
  const odd = known.find((p) => p.version !== known[0]!.version);
  if (odd !== undefined) {
    throw new EngineError(`apt offers ${image} ${known[0]!.version} but ${odd.name} ${odd.version}: the package lists do not belong together`);
  }
  return known;
}

async function makeTree(cache: Cache, steps: Steps, packages: readonly AptPackage[], signal?: AbortSignal): Promise<KernelTree> {
  const image = packages[0]!;
  const release = image.name.slice('linux-image-'.length);
  const what = `the kernel ${release}`;
  const folder = await cache.make(
    KIND,
    `${release}_${image.version.replace(/[^A-Za-z0-9.+~-]/g, '_')}`,
    what,
    async (temp) => {
      await steps.run(`download the kernel ${release} (${image.version})`, (say) => download(packages, temp, say, signal));
      await steps.run(`unpack the kernel ${release}`, (say) => unpack(packages, temp, release, say, signal));
    },
    { signal, onWait: () => steps.note(`waiting for another run that fetches ${what}`) },
  );
  return readTree(folder);
}

async function download(packages: readonly AptPackage[], folder: string, say: (text: string) => void, signal?: AbortSignal): Promise<void> {
  const total = packages.reduce((sum, p) => sum + p.size, 0);
  const timer = setInterval(() => {
    void folderBytes(folder).then((bytes) => say(`${megabytes(bytes)} of ${megabytes(total)} MB`));
  }, 1000);
  try {
    await aptDownload(packages, folder, signal);
  } finally {
    clearInterval(timer);
  }
  for (const p of packages) {
    const file = await debOf(p, folder);
    const got = createHash('sha256').update(await readFile(file)).digest('hex');
    if (got !== p.sha256) throw new EngineError(`the download of ${p.name} ${p.version} is damaged: its SHA-256 is ${got}, not ${p.sha256}`);
  }
}

async function unpack(packages: readonly AptPackage[], folder: string, release: string, say: (text: string) => void, signal?: AbortSignal): Promise<void> {
  const root = join(folder, 'root');
  await mkdir(root);
  for (const p of packages) {
    say(p.name);
    const file = await debOf(p, folder);
    const result = await run('dpkg', ['-x', file, root], { env: CLEAN_ENV, seconds: 300, signal });
    if (result.code !== 0) throw new EngineError(`cannot unpack ${p.name}: ${result.stderr.trim().split('\n')[0] ?? ''}`);
    await rm(file);
  }
  // The one absolute path in the headers: their Makefile is an include of the common
  // one. Told from its own place instead, the tree can stand anywhere, and be renamed.
  const makefile = join(root, 'usr/src', `linux-headers-${release}`, 'Makefile');
  const text = await readFile(makefile, 'utf8');
  const moved = text.replace(/^include \/usr\/src\//m, 'include $(dir $(realpath $(lastword $(MAKEFILE_LIST))))../');
  if (moved === text) throw new EngineError(`the headers of ${release} are not laid out as expected: no include of /usr/src in ${makefile}`);
  await writeFile(makefile, moved);
  await writeFile(
    join(folder, RECORD),
    `${JSON.stringify({ release, packages: Object.fromEntries(packages.map((p) => [p.name, p.version])), sha256: Object.fromEntries(packages.map((p) => [p.name, p.sha256])) }, null, 2)}\n`,
  );
  for (const part of [`boot/vmlinuz-${release}`, `lib/modules/${release}/modules.order`]) {
    if (!existsSync(join(root, part))) throw new EngineError(`the packages of ${release} do not hold ${part}`);
  }
}

/** `name_version_arch.deb`, with `:` of an epoch written `%3a`. */
async function debOf(p: AptPackage, folder: string): Promise<string> {
  const name = (await readdir(folder)).find((file) => file.startsWith(`${p.name}_`) && file.endsWith('.deb'));
  if (name === undefined) throw new EngineError(`apt-get download left no file of ${p.name}`);
  return join(folder, name);
}

async function folderBytes(folder: string): Promise<number> {
  let sum = 0;
  for (const name of await readdir(folder).catch(() => [])) sum += (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0;
  return sum;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
