// SPDX-License-Identifier: MIT
/** Debian's cloud kernels with their headers, unpacked into the cache and never installed. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError, UsageError } from '../../../model/errors.ts';
import { aptShow, MACHINE, type AptPackage, type AptView } from './apt.ts';
import { backports } from './backports.ts';
import type { Cache } from './cache.ts';
import { CLEAN_ENV, run } from './child.ts';
import { fileSafe, fromApt, unpackPackages, type FromApt } from './debs.ts';
import type { Series } from './kernels.ts';
import { ensurePackages } from './packages.ts';
import type { Steps } from './steps.ts';

export interface KernelTree {
  /** As `uname -r` says it: `6.1.0-56-cloud-amd64`. */
  readonly release: string;
  readonly bzImage: string;
  /** Holds `modules.order` and `modules.builtin`, and the modules at the paths that the former names. */
  readonly modulesDir: string;
  /** The folder for `make -C`. */
  readonly headersDir: string;
  /** Package → exact version; for a kernel that no package holds, content hashes. */
  readonly packages: Readonly<Record<string, string>>;
  /** Variables of make that a module of this kernel is built with. */
  readonly makeVariables?: readonly string[];
  /** True where a module is compiled so that the kernel counts which of its lines run. */
  readonly coverage?: boolean;
  /** True where the kernel looks for wrong uses of memory, which it tells through its log. */
  readonly sanitizers?: boolean;
}

const META = 'linux-image-cloud-amd64';
const KIND = 'kernel';
const RECORD = 'kernel.json';

/** The sources of a series' packages. */
export function viewOf(series: Series, cache: Cache): Promise<AptView> {
  return series === '6.1' ? Promise.resolve(MACHINE) : backports(cache);
}

/**
 * The newest kernel of the series in the cache; where there is none (or
 * `OVBD_KERNEL_REFRESH=1` asks for a newer one), the one that apt offers. Only the
 * latter touches apt. Throws `UsageError` for what the user can change,
 * `EngineError` with apt's reason where a download fails and nothing is cached.
 */
export async function ensureKernel(cache: Cache, steps: Steps, signal?: AbortSignal, series: Series = '6.1'): Promise<KernelTree> {
  const cached = await newestCached(cache, series);
  const refresh = process.env['OVBD_KERNEL_REFRESH'] === '1';
  if (cached !== undefined && !refresh) return cached;
  try {
    const from: FromApt = { view: await viewOf(series, cache), steps, signal, what: `the kernel ${series}`, refresh };
    return await fromApt(from, () => resolvePackages(series, from.view, signal), (packages) => makeTree(cache, packages, from));
  } catch (error) {
    if (cached === undefined || signal?.aborted) throw error;
    steps.note(`using the cached kernel ${cached.release}: ${error instanceof Error ? error.message : String(error)}`);
    return cached;
  }
}

/** The newest kernel of a series in the cache, or undefined. */
export async function newestCached(cache: Cache, series: Series = '6.1'): Promise<KernelTree | undefined> {
  const keys = (await cache.list(KIND)).filter((key) => key.startsWith(`${series}.`));
  const newest = keys.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
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

/** The packages behind the meta-package: image first, then headers, common headers, kbuild. Undefined where apt knows none. */
async function resolvePackages(series: Series, view: AptView, signal?: AbortSignal): Promise<AptPackage[] | undefined> {
  const meta = (await aptShow([META], signal, view)).get(META);
  const image = meta?.depends.find((name) => name.startsWith('linux-image-'));
  if (image === undefined) return undefined;
  const release = image.slice('linux-image-'.length);
  if (!release.startsWith(`${series}.`)) {
    throw new UsageError(`apt offers the kernel ${release} from ${view.name}, not ${series}: use a machine or container with Debian 12, or another --kernel`);
  }
  const first = await aptShow([image, `linux-headers-${release}`], signal, view);
  const headers = first.get(`linux-headers-${release}`);
  const others = headers?.depends.filter((name) => /^linux-(headers|kbuild)-/.test(name)) ?? [];
  const second = others.length === 0 ? new Map<string, AptPackage>() : await aptShow(others, signal, view);
  const all = [first.get(image), headers, ...others.map((name) => second.get(name))];
  const known = all.filter((p): p is AptPackage => p !== undefined);
  if (known.length !== all.length || known.length < 4) return undefined;
  const odd = known.find((p) => p.version !== known[0]!.version);
  if (odd !== undefined) {
    throw new EngineError(`apt offers ${image} ${known[0]!.version} but ${odd.name} ${odd.version}: the package lists do not belong together`);
  }
  return known;
}

async function makeTree(cache: Cache, packages: readonly AptPackage[], from: FromApt): Promise<KernelTree> {
  const { steps, signal } = from;
  const image = packages[0]!;
  const release = image.name.slice('linux-image-'.length);
  const what = `the kernel ${release}`;
  const folder = await cache.make(
    KIND,
    `${release}_${fileSafe(image.version)}`,
    what,
    async (temp) => {
      await unpackPackages(packages, temp, `${what} (${image.version})`, from);
      await finishTree(packages, temp, release, steps, signal);
    },
    { signal, onWait: () => steps.note(`waiting for another run that fetches ${what}`) },
  );
  return readTree(folder);
}

async function finishTree(packages: readonly AptPackage[], folder: string, release: string, steps: Steps, signal?: AbortSignal): Promise<void> {
  const root = join(folder, 'root');
  // The one absolute path in the headers: their Makefile is an include of the common
  // one. Told from its own place instead, the tree can stand anywhere, and be renamed.
  const makefile = join(root, 'usr/src', `linux-headers-${release}`, 'Makefile');
  const text = await readFile(makefile, 'utf8');
  const moved = text.replace(/^include \/usr\/src\//m, 'include $(dir $(realpath $(lastword $(MAKEFILE_LIST))))../');
  if (moved === text) throw new EngineError(`the headers of ${release} are not laid out as expected: no include of /usr/src in ${makefile}`);
  await writeFile(makefile, moved);
  await decompressModules(join(root, 'lib/modules', release), steps, signal);
  await writeFile(
    join(folder, RECORD),
    `${JSON.stringify({ release, packages: Object.fromEntries(packages.map((p) => [p.name, p.version])), sha256: Object.fromEntries(packages.map((p) => [p.name, p.sha256])) }, null, 2)}\n`,
  );
  for (const part of [`boot/vmlinuz-${release}`, `lib/modules/${release}/modules.order`]) {
    if (!existsSync(join(root, part))) throw new EngineError(`the packages of ${release} do not hold ${part}`);
  }
}

/** Where a series has its modules as .ko.xz: the agent inserts plain ones, and the lab reads what they depend on. */
async function decompressModules(modulesDir: string, steps: Steps, signal?: AbortSignal): Promise<void> {
  const find = (action: readonly string[]): ReturnType<typeof run> =>
    run('find', [modulesDir, '-name', '*.ko.xz', ...action], { env: CLEAN_ENV, seconds: 300, signal });
  if ((await find(['-print', '-quit'])).stdout === '') return;
  await ensurePackages('xz', steps, signal);
  const result = await steps.run('decompress its modules', () => find(['-exec', 'xz', '-d', '{}', '+']));
  if (result.code !== 0) throw new EngineError(`cannot decompress the kernel's modules: ${result.stderr.trim().split('\n')[0] ?? ''}`);
}
