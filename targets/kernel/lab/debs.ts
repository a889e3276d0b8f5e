// SPDX-License-Identifier: MIT
/** Debian's packages unpacked into a folder of the cache, never installed. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError, UsageError } from '../../../model/errors.ts';
import { aptDownload, aptUpdate, hasApt, mayUpdate, noApt, StaleLists, withAptLock, type AptPackage, type AptView } from './apt.ts';
import { CLEAN_ENV, run } from './child.ts';
import type { Steps } from './steps.ts';

export interface FromApt {
  readonly view: AptView;
  readonly steps: Steps;
  readonly signal?: AbortSignal | undefined;
  /** What is wanted, for people: `the kernel 6.1`. */
  readonly what: string;
  /** True: the lists are fetched first. */
  readonly refresh?: boolean;
}

/**
 * Looks packages up and uses them; fetches the package lists where they do not
 * know them, or name what the mirror no longer has. `resolve` gives undefined for
 * packages that apt does not know. Throws `UsageError` for what the user can change,
 * `EngineError` with apt's reason where lists or packages cannot be had.
 */
export async function fromApt<T>(
  { view, steps, signal, what, refresh = false }: FromApt, resolve: () => Promise<AptPackage[] | undefined>, use: (packages: readonly AptPackage[]) => Promise<T>,
): Promise<T> {
  if (!hasApt()) throw noApt(`${what} is not cached`);
  let lists: string | undefined;
  let updated = false;
  const update = async (): Promise<void> => {
    lists = await withAptLock(() => steps.run(`fetch the package lists of ${view.name}`, (say) => aptUpdate({ signal, say, view })), { signal });
    updated = true;
  };
  const lookUp = (): Promise<AptPackage[] | undefined> => steps.run(`look up the packages of ${what}`, resolve);
  if (refresh && mayUpdate(view)) await update();
  let packages = await lookUp();
  if (packages === undefined && mayUpdate(view) && !updated) {
    await update();
    packages = await lookUp();
  }
  if (packages === undefined) {
    if (lists !== undefined) throw new EngineError(`${what} cannot be downloaded: ${lists}`);
    throw new UsageError(
      mayUpdate(view)
        ? `apt knows no packages of ${what}: the kernel lab needs the package lists of ${view.name} for amd64`
        : `${what} is not cached and apt knows no packages of it; run as root: apt-get update`,
    );
  }
  if (lists !== undefined) steps.note(lists);
  try {
    return await use(packages);
  } catch (error) {
    if (!(error instanceof StaleLists) || updated) throw error;
    if (!mayUpdate(view)) throw new UsageError(`${error.message}; the package lists are old, run as root: apt-get update`);
    await update();
    packages = await lookUp();
    if (packages === undefined) throw error;
    return use(packages);
  }
}

/** Downloads the packages, checks them against their SHA-256, and unpacks them into `root` of the folder. */
export async function unpackPackages(packages: readonly AptPackage[], folder: string, what: string, { view, steps, signal }: FromApt): Promise<void> {
  await steps.run(`download ${what}`, (say) => download(packages, folder, view, say, signal));
  await steps.run(`unpack ${what}`, async (say) => {
    const root = join(folder, 'root');
    await mkdir(root);
    for (const p of packages) {
      say(p.name);
      const file = await debOf(p, folder);
      const result = await run('dpkg', ['-x', file, root], { env: CLEAN_ENV, seconds: 300, signal });
      if (result.code !== 0) throw new EngineError(`cannot unpack ${p.name}: ${result.stderr.trim().split('\n')[0] ?? ''}`);
      await rm(file);
    }
  });
}

async function download(packages: readonly AptPackage[], folder: string, view: AptView, say: (text: string) => void, signal?: AbortSignal): Promise<void> {
  const total = packages.reduce((sum, p) => sum + p.size, 0);
  const timer = setInterval(() => {
    void folderBytes(folder).then((bytes) => say(`${megabytes(bytes)} of ${megabytes(total)} MB`));
  }, 1000);
  try {
    await aptDownload(packages, folder, signal, view);
  } finally {
    clearInterval(timer);
  }
  for (const p of packages) {
    const file = await debOf(p, folder);
    const got = createHash('sha256').update(await readFile(file)).digest('hex');
    if (got !== p.sha256) throw new EngineError(`the download of ${p.name} ${p.version} is damaged: its SHA-256 is ${got}, not ${p.sha256}`);
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

/** A version as part of a folder's name. */
export function fileSafe(version: string): string {
  return version.replace(/[^A-Za-z0-9.+~-]/g, '_');
}
