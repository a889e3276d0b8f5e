// SPDX-License-Identifier: MIT
/** A small system without anything of ours: busybox and dmsetup of Debian's packages, for a guest that runs a shell script. */
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../../model/errors.ts';
import { aptShow, MACHINE, type AptPackage } from './apt.ts';
import type { Cache } from './cache.ts';
import type { CpioEntry } from './cpio.ts';
import { fileSafe, fromApt, unpackPackages, type FromApt } from './debs.ts';
import type { Steps } from './steps.ts';

const KIND = 'tools';
/** The two programs, and the libraries of the second. */
const PACKAGES = ['busybox-static', 'dmsetup', 'libdevmapper1.02.1', 'libselinux1', 'libudev1', 'libpcre2-8-0', 'libc6'] as const;
const PROGRAMS = ['bin/busybox', 'sbin/dmsetup'] as const;
const LIBRARIES = ['libdevmapper.so.1.02.1', 'libselinux.so.1', 'libudev.so.1', 'libpcre2-8.so.0', 'libc.so.6', 'libm.so.6', 'ld-linux-x86-64.so.2'] as const;
const LIBRARY_FOLDERS = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu', 'lib64'] as const;

/** The system's files as entries of an initramfs, fetched into the cache where it has none. Throws as `fromApt` does. */
export async function plainSystem(cache: Cache, steps: Steps, signal?: AbortSignal): Promise<CpioEntry[]> {
  const key = (await cache.list(KIND)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  const folder = (key === undefined ? undefined : cache.find(KIND, key)) ?? (await fetchTools(cache, steps, signal));
  const entries: CpioEntry[] = ['bin', 'sbin', 'lib64', 'lib', 'lib/x86_64-linux-gnu'].map((name) => ({ name, mode: 0o040755 }));
  for (const path of PROGRAMS) entries.push({ name: path, mode: 0o100755, data: await readFile(join(folder, path)) });
  for (const name of LIBRARIES) {
    // The loader's path is in every program.
    const at = name.startsWith('ld-') ? `lib64/${name}` : `lib/x86_64-linux-gnu/${name}`;
    entries.push({ name: at, mode: 0o100755, data: await readFile(join(folder, 'lib', name)) });
  }
  return entries;
}

async function fetchTools(cache: Cache, steps: Steps, signal?: AbortSignal): Promise<string> {
  const from: FromApt = { view: MACHINE, steps, signal, what: 'a small system for scripts' };
  const resolve = async (): Promise<AptPackage[] | undefined> => {
    const known = await aptShow(PACKAGES, signal);
    const all = PACKAGES.map((name) => known.get(name));
    return all.every((p) => p !== undefined) ? (all as AptPackage[]) : undefined;
  };
  return fromApt(from, resolve, (packages) =>
    cache.make(KIND, fileSafe(packages.map((p) => p.version).join('_')).slice(0, 120), from.what, async (temp) => {
      await unpackPackages(packages, temp, from.what, from);
      const root = join(temp, 'root');
      for (const path of PROGRAMS) {
        await mkdir(join(temp, path, '..'), { recursive: true });
        await copyFile(await found(root, [path, `usr/${path}`]), join(temp, path));
        await chmod(join(temp, path), 0o755);
      }
      await mkdir(join(temp, 'lib'));
      for (const name of LIBRARIES) await copyFile(await found(root, LIBRARY_FOLDERS.map((f) => `${f}/${name}`)), join(temp, 'lib', name));
      await rm(root, { recursive: true });
    }, { signal, onWait: () => steps.note('waiting for another run that fetches the small system') }),
  );
}

async function found(root: string, names: readonly string[]): Promise<string> {
  const name = names.find((one) => existsSync(join(root, one)));
  if (name === undefined) throw new EngineError(`Debian's packages do not hold ${names[0]!}; in ${root} there are ${(await readdir(root)).join(', ')}`);
  return join(root, name);
}
