// SPDX-License-Identifier: MIT
/** What is in the cache folder, and what of it can go. */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Cache } from './cache.ts';

export interface Entry {
  readonly kind: string;
  readonly key: string;
  readonly path: string;
  /** Bytes on disk; holes of sparse files cost nothing. */
  readonly bytes: number;
  /** Milliseconds since 1970 when it was made. */
  readonly made: number;
}

/** Kinds that cost a download or a long build to have again. */
const COSTLY = new Set(['kernel', 'sanitizer', 'qemu', 'apt', 'soak']);

/** All entries, by kind and key; what runs are making just now is left out. */
export function inventory(cache: Cache): Entry[] {
  return folders(cache.root)
    .filter((kind) => kind !== 'tmp')
    .flatMap((kind) =>
      names(join(cache.root, kind)).map((key): Entry => {
        const path = join(cache.root, kind, key);
        return { kind, key, path, bytes: sizeOf(path), made: lstatSync(path).mtimeMs };
      }),
    );
}

/**
 * The entries that go: all, or only what is made again in seconds without the
 * network (saved machines, initramfs, agent, modules, the probe of KVM) and
 * kernels and emulators of which a newer one is there.
 */
export function removable(entries: readonly Entry[], all: boolean): Entry[] {
  if (all) return [...entries];
  return entries.filter((entry) => !COSTLY.has(entry.kind) || entries.some((other) => supersedes(other, entry)));
}

/** True where no run would take `old` any more because `entry` is there. */
function supersedes(entry: Entry, old: Entry): boolean {
  if (entry.kind !== old.kind || !['kernel', 'sanitizer', 'qemu'].includes(entry.kind)) return false;
  const series = (key: string): string => (entry.kind === 'qemu' ? '' : /^\d+\.\d+/.exec(key)?.[0] ?? key);
  if (series(entry.key) !== series(old.key) || entry.key === old.key) return false;
  // Sanitizer kernels carry the hash of their configuration, so that only age tells old from new.
  return entry.kind === 'sanitizer' ? entry.made > old.made : entry.key.localeCompare(old.key, 'en', { numeric: true }) > 0;
}

/** Removes an entry. It is renamed first, so that it is whole or gone for whoever looks, even where we are killed meanwhile. */
export function remove(entry: Entry, cache: Cache): void {
  const away = join(cache.root, 'tmp', `gone.${process.pid}.${createHash('sha256').update(entry.path).digest('hex').slice(0, 16)}`);
  mkdirSync(join(cache.root, 'tmp'), { recursive: true });
  renameSync(entry.path, away);
  rmSync(away, { recursive: true, force: true });
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function folders(folder: string): string[] {
  return names(folder).filter((name) => lstatSync(join(folder, name)).isDirectory());
}

function sizeOf(path: string): number {
  let sum = 0;
  const waiting = [path];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    let info;
    try {
      info = lstatSync(at);
    } catch {
      // Gone since its folder was read.
      continue;
    }
    sum += info.blocks * 512;
    if (info.isDirectory()) for (const name of names(at)) waiting.push(join(at, name));
  }
  return sum;
}
