// SPDX-License-Identifier: MIT
/** A part of a real directory tree, bounded, in the stages in which it will be written. */
import { createHash } from 'node:crypto';
import { lstatSync, opendirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError, type TreeEntry } from '../../model/index.ts';
import { blocksOf } from '../../targets/kernel/file-system.ts';

export interface SourceEntry {
  /** Relative to the tree's root. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link';
  /** A file's bytes; where a link points; empty for a folder. */
  readonly bytes: Buffer;
}

/** Bytes of the largest file that is taken: one message of the guest's holds 16 MiB. */
const MAX_FILE = 1 << 20;
const MAX_ENTRIES = 5000;
const MAX_DEPTH = 32;
/** What every tool that makes the images takes without quoting. */
const PLAIN_NAME = /^[A-Za-z0-9_][A-Za-z0-9._+@~-]*$/;

/** One top-level name and all below it that is taken, folders before what they hold. */
type Group = readonly SourceEntry[];

/**
 * The first `bytes` of a tree, in the order of its names, as at most `stages`
 * parts that share no top-level name. Files over 1 MiB, special ones, and names
 * with characters other than those of package names are left out. Throws
 * `UsageError` where nothing is left.
 */
export function stagesOf(root: string, bytes: number, stages: number): SourceEntry[][] {
  const groups: Group[] = [];
  let left = bytes;
  let count = 0;
  for (const name of namesIn(root)) {
    if (left <= 0 || count >= MAX_ENTRIES) break;
    const group = [...entriesAt(root, name, 0, (size) => size <= left && count < MAX_ENTRIES, (size) => { left -= size; count++; })];
    if (group.length > 0) groups.push(group);
  }
  if (!groups.some((g) => g.some((e) => e.kind === 'file'))) throw new UsageError(`${root} has no files that can be taken; name another tree by --tree`);
  const parts: SourceEntry[][] = Array.from({ length: Math.min(stages, groups.length) }, () => []);
  groups.forEach((group, i) => parts[Math.floor((i * parts.length) / groups.length)]!.push(...group));
  return parts;
}

function namesIn(folder: string): string[] {
  const dir = opendirSync(folder);
  const names: string[] = [];
  for (let e = dir.readSync(); e; e = dir.readSync()) if (PLAIN_NAME.test(e.name)) names.push(e.name);
  dir.closeSync();
  return names.sort();
}

function* entriesAt(root: string, path: string, depth: number, fits: (size: number) => boolean, take: (size: number) => void): Iterable<SourceEntry> {
  const stat = lstatSync(join(root, path));
  if (stat.isSymbolicLink()) {
    const target = readlinkSync(join(root, path));
    if (!/^[A-Za-z0-9._+@~/-]{1,200}$/.test(target)) return;
    take(0);
    yield { path, kind: 'link', bytes: Buffer.from(target) };
  } else if (stat.isFile()) {
    if (stat.size > MAX_FILE || !fits(stat.size)) return;
    const bytes = readFileSync(join(root, path));
    take(bytes.length);
    yield { path, kind: 'file', bytes };
  } else if (stat.isDirectory() && depth < MAX_DEPTH && fits(0)) {
    take(0);
    yield { path, kind: 'folder', bytes: Buffer.alloc(0) };
    for (const name of namesIn(join(root, path))) yield* entriesAt(root, `${path}/${name}`, depth + 1, fits, take);
  }
}

/** What a reader must find. */
export function wantedOf(stages: readonly (readonly SourceEntry[])[]): TreeEntry[] {
  return stages.flat().map(({ path, kind, bytes }) => ({
    path, kind, content: kind === 'file' ? createHash('sha256').update(bytes).digest('hex') : bytes.toString('utf8'), blocks: kind === 'file' ? blocksOf(bytes) : '',
  }));
}
