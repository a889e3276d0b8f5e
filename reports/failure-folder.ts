// SPDX-License-Identifier: MIT
/** The folder of a failure store: `entries/<key>.<n>/`, each a finding's folder. Of several n the highest counts. */
import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { familyOf, UsageError, type FailureSummary } from '../model/index.ts';
import { loadManifest } from './finding-folder.ts';
import type { FindingManifest } from './finding-manifest.ts';

export const ENTRIES = 'entries';
/** The key, and which version of the entry: a better one comes beside the old one, so that there is no moment without. */
export const ENTRY_NAME = /^([0-9a-f]{32})\.([1-9]\d{0,8})$/;
export const KEY = /^[0-9a-f]{32}$/;

/** Entries of a store that are looked at. */
const MOST_ENTRIES = 100_000;

export interface EntryFolder {
  readonly key: string;
  readonly version: number;
  readonly path: string;
}

/** Of the target's family and the signature. */
export function failureKey(family: string, signature: string): string {
  return createHash('sha256').update(`${family}\n${signature}`).digest('hex').slice(0, 32);
}

/** The newest version of each entry, by key; none where the folder is not there. Throws `UsageError` where it is no folder. */
export function entryFolders(store: string): EntryFolder[] {
  const best = new Map<string, EntryFolder>();
  for (const entry of allEntryFolders(store)) {
    if ((best.get(entry.key)?.version ?? 0) < entry.version) best.set(entry.key, entry);
  }
  return [...best.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Every version of every entry. Links and whatever else has no such name are left alone. */
export function allEntryFolders(store: string): EntryFolder[] {
  const folder = join(store, ENTRIES);
  const is = lstatSync(folder, { throwIfNoEntry: false });
  if (is === undefined) return [];
  if (!is.isDirectory()) throw new UsageError(`${folder}: not a folder, so ${store} holds no failures`);
  const entries = readdirSync(folder, { withFileTypes: true }).flatMap((entry): EntryFolder[] => {
    const match = ENTRY_NAME.exec(entry.name);
    return match && entry.isDirectory() ? [{ key: match[1]!, version: Number(match[2]), path: join(folder, entry.name) }] : [];
  });
  if (entries.length > MOST_ENTRIES) throw new UsageError(`${folder}: ${entries.length} entries where at most ${MOST_ENTRIES} are expected`);
  return entries;
}

/** What the entry says of itself. Throws `UsageError` where it is damaged, or is not the one that its name says. */
export function entrySummary({ key, path }: EntryFolder): FailureSummary {
  const manifest = loadManifest(path);
  const summary = summaryOf(manifest, statOf(path)?.mtimeMs ?? 0);
  if (summary.key !== key) throw new UsageError(`${path}: finding.json is of another failure than the folder's name: ${summary.signature} of ${summary.family}`);
  return summary;
}

export function summaryOf({ target, signature, kind, clause, why, case: smallest }: FindingManifest, seen: number): FailureSummary {
  const family = familyOf(target);
  return {
    key: failureKey(family, signature), family, signature, kind, ...(clause !== undefined && { clause }), why, layers: smallest.layers.length,
    bytes: smallest.layers.reduce((sum, l) => sum + l.size + (l.index?.size ?? 0) + (l.remote?.size ?? 0), 0), seen,
  };
}

/** Undefined where it is gone. */
export function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Bytes of all files in a folder, links not followed; what goes meanwhile is none. */
export function folderBytes(folder: string): number {
  let bytes = 0;
  for (const open = [folder]; open.length > 0;) {
    const path = open.pop()!;
    const stat = statOf(path);
    if (stat?.isDirectory()) open.push(...namesIn(path).map((name) => join(path, name)));
    else bytes += stat?.size ?? 0;
  }
  return bytes;
}

/** Names in a folder; none where it is gone. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
