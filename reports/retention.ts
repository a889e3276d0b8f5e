// SPDX-License-Identifier: MIT
/** Folders of runs that may go: the oldest of those that are whole and ours. Nothing else in the folder above is touched. */
import { closeSync, lstatSync, openSync, readdirSync, readSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { NIGHT_SCHEMA, RUN_SCHEMA, UsageError } from '../model/index.ts';
import { temporaryName } from './atomic.ts';
import { folderBytes, namesIn, statOf } from './failure-folder.ts';

export interface RetainLimits {
  /** Folders that may stay, at the most. */
  readonly keep?: number;
  /** Bytes of all of them. */
  readonly maxBytes?: number;
  /** Those that were not written to for so long go, in ms. */
  readonly olderMs?: number;
  /** In ms since the epoch. */
  readonly now: number;
}

export interface Retained {
  /** Names of those that went, or would. */
  readonly removed: readonly { readonly name: string; readonly bytes: number }[];
  readonly kept: number;
  /** Of those that stay. */
  readonly bytes: number;
  /** Folders that are still written to, which stay whatever the limits. */
  readonly inUse: readonly string[];
  /** Folders that are none of ours. */
  readonly others: readonly string[];
}

/** One that has not ended is in use until nothing was written to it for so long, in ms. */
const IDLE_MS = 86_400_000;
/** Bytes at the start and at the end of a file that are looked at: a first event, and a footer. */
const HEAD = 1 << 20;
const TAIL = 16 << 20;
/** Files of a folder whose age is looked at. */
const MOST_FILES = 100_000;

/** Removes folders of runs from `folder` until the limits hold; with `dry`, only says which. Throws `UsageError` where it is no folder. */
export function retain(folder: string, { keep = Infinity, maxBytes = Infinity, olderMs = Infinity, now }: RetainLimits, dry = false): Retained {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw new UsageError(`${folder}: no folder`);
  const names = readdirSync(folder, { withFileTypes: true }).filter((e) => e.isDirectory() && !e.name.startsWith('.')).map((e) => e.name).sort();
  const others = names.filter((name) => !isOurs(join(folder, name)));
  const runs = names.filter((name) => !others.includes(name)).map((name) => {
    const path = join(folder, name);
    const written = newest(path);
    return { name, path, written, bytes: folderBytes(path), inUse: !hasEnded(path) && now - written < IDLE_MS };
  });
  const inUse = runs.filter((r) => r.inUse);
  const ended = runs.filter((r) => !r.inUse).sort((a, b) => b.written - a.written || (a.name < b.name ? 1 : -1));
  let kept = inUse.length;
  let bytes = inUse.reduce((sum, r) => sum + r.bytes, 0);
  const removed: { name: string; bytes: number }[] = [];
  let full = false;
  for (const run of ended) {
    full ||= kept + 1 > keep || bytes + run.bytes > maxBytes || now - run.written > olderMs;
    if (full) {
      if (!dry) remove(folder, run.path);
      removed.push({ name: run.name, bytes: run.bytes });
    } else {
      kept++;
      bytes += run.bytes;
    }
  }
  return { removed, kept, bytes, inUse: inUse.map((r) => r.name), others };
}

/** A run begins with its event; a night and a campaign keep records that name their schema. */
function isOurs(path: string): boolean {
  if (begins(join(path, 'run.jsonl'), new RegExp(`^\\{"type":"run","schema":"${RUN_SCHEMA}"`))) return true;
  if (begins(join(path, 'campaign.json'), /"schema":\s*"ovbd-campaign\/\d+"/)) return true;
  for (const target of namesIn(join(path, 'batches')).slice(0, 100)) {
    const record = namesIn(join(path, 'batches', target)).find((name) => /^\d{10}\.json$/.test(name));
    if (record !== undefined && begins(join(path, 'batches', target, record), new RegExp(`"schema":\\s*"${NIGHT_SCHEMA}"`))) return true;
  }
  return false;
}

/** Whether its run has its footer. What has none may go on. */
function hasEnded(path: string): boolean {
  const text = part(join(path, 'run.jsonl'), true);
  if (text === undefined) return false;
  return (text.trimEnd().split('\n').at(-1) ?? '').startsWith('{"type":"footer"');
}

function begins(path: string, pattern: RegExp): boolean {
  return pattern.test(part(path, false) ?? '');
}

/** The beginning of a plain file, or its end; undefined where there is none. */
function part(path: string, end: boolean): string | undefined {
  const stat = statOf(path);
  if (!stat?.isFile()) return undefined;
  const bytes = Buffer.alloc(Math.min(stat.size, end ? TAIL : HEAD));
  const file = openSync(path, 'r');
  try {
    const read = readSync(file, bytes, 0, bytes.length, end ? stat.size - bytes.length : 0);
    return bytes.toString('utf8', 0, read);
  } finally {
    closeSync(file);
  }
}

/** When something in the folder was last written, in ms since the epoch. */
function newest(folder: string): number {
  let latest = 0;
  let seen = 0;
  for (const open = [folder]; open.length > 0 && seen < MOST_FILES; seen++) {
    const path = open.pop()!;
    const stat = statOf(path);
    if (stat === undefined) continue;
    latest = Math.max(latest, stat.mtimeMs);
    if (stat.isDirectory()) open.push(...namesIn(path).map((name) => join(path, name)));
  }
  return latest;
}

/** Out of sight first, so that nobody takes half of it for a run. */
function remove(folder: string, path: string): void {
  const gone = temporaryName(folder, 'gone');
  renameSync(path, gone);
  rmSync(gone, { recursive: true, force: true });
}
