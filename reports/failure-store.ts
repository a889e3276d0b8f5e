// SPDX-License-Identifier: MIT
/** A failure store in a folder: saved, loaded, set aside where damaged, expired. Several processes may use one at once. */
import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { familyOf, UsageError, type FailureStore, type FailureSummary, type Saving, type StoredFailure } from '../model/index.ts';
import { syncFolder, syncOne, temporaryName } from './atomic.ts';
import { readBounded } from './case-folder.ts';
import {
  allEntryFolders, ENTRIES, entryFolders, entrySummary, failureKey, folderBytes, KEY, namesIn, statOf, summaryOf, type EntryFolder,
} from './failure-folder.ts';
import { findingFiles, loadFinding, loadManifest, writeFinding } from './finding-folder.ts';
import { LIMITS } from './finding-manifest.ts';

/** Set aside here: what was damaged, to be looked at, until it expires. */
const DAMAGED = 'damaged';
/** What another process may still be writing is left alone so long, in ms. */
const STALE_MS = 3_600_000;
/** Times that a save is tried where other processes save the same failure. */
const TRIES = 8;

export interface FolderStore extends FailureStore {
  readonly path: string;
  /** Takes a finding from its folder, which may come from a stranger. Throws `UsageError` where it is none, or is damaged. */
  take(folder: string): { readonly key: string; readonly state: Saving };
  /** Removes what is over these limits, the longest unseen first. Gives what went. */
  expire(limits: ExpireLimits): Expired;
}

export interface ExpireLimits {
  /** Entries that were not seen for so long go, in ms. */
  readonly olderMs?: number;
  /** Bytes that may stay. */
  readonly maxBytes?: number;
  /** In ms since the epoch. */
  readonly now: number;
}

export interface Expired {
  readonly removed: readonly string[];
  readonly kept: number;
  /** Of everything that stays. */
  readonly bytes: number;
}

/** The store in that folder, which is made when something is saved. `note` is told what was set aside, and why. */
export function folderStore(folder: string, note: (text: string) => void = () => undefined): FolderStore {
  const path = resolve(folder);
  const whole = <T>(entry: EntryFolder, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      // Another process may have put a better one in its place, or let it expire.
      if (statOf(entry.path) !== undefined) setAside(path, entry, error, note);
      return undefined;
    }
  };
  const load = (key: string): StoredFailure | undefined => {
    if (!KEY.test(key)) throw new UsageError(`${key}: not the key of a failure: ovbd failures list names them`);
    for (let n = 0; n < TRIES; n++) {
      const entry = entryFolders(path).find((one) => one.key === key);
      if (entry === undefined) return undefined;
      const stored = whole(entry, () => loadEntry(entry));
      if (stored) return stored;
    }
    return undefined;
  };
  const put = (summary: FailureSummary, write: (temporary: string) => void): { key: string; state: Saving } => {
    mkdirSync(join(path, ENTRIES), { recursive: true });
    const temporary = temporaryName(path, 'entry');
    try {
      const { key } = summary;
      for (let n = 0; n < TRIES; n++) {
        const before = entryFolders(path).find((one) => one.key === key);
        const known = before && whole(before, () => entrySummary(before));
        if (before && known && !isSmaller(summary, known)) {
          touch(before.path);
          return { key, state: 'kept' };
        }
        if (statOf(temporary) === undefined) {
          write(temporary);
          syncFolder(temporary);
        }
        const place = join(path, ENTRIES, `${key}.${(before?.version ?? 0) + 1}`);
        if (!renamed(temporary, place)) continue;
        syncOne(join(path, ENTRIES));
        allEntryFolders(path).filter((one) => one.key === key && one.version <= (before?.version ?? 0)).forEach((one) => remove(path, one.path));
        return { key, state: known ? 'smaller' : 'new' };
      }
      return { key: summary.key, state: 'kept' };
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  };
  return {
    path, load,
    list: () => entryFolders(path).flatMap((entry) => whole(entry, () => entrySummary(entry)) ?? []),
    save: (finding, identity) => {
      const bytes = finding.smallest.layers.reduce((sum, l) => sum + l.bytes.length + (l.index?.length ?? 0) + (l.remote?.length ?? 0), 0);
      const { signature, kind, smallest } = finding;
      const family = familyOf(identity);
      const summary: FailureSummary = { key: failureKey(family, signature), family, signature, kind, why: finding.verdict.why, layers: smallest.layers.length, bytes, seen: 0 };
      return put(summary, (temporary) => writeFinding(temporary, finding, identity, `ovbd failures replay ${summary.key}`));
    },
    take: (from) => {
      const manifest = loadManifest(from);
      loadFinding(from);
      return put(summaryOf(manifest, 0), (temporary) => copyFinding(from, temporary, findingFiles(from, manifest)));
    },
    expire: (limits) => expire(path, limits),
  };
}

function loadEntry(entry: EntryFolder): StoredFailure {
  const summary = entrySummary(entry);
  const { target, smallest, before, procedure, confirmation, path } = loadFinding(entry.path);
  return { ...summary, identity: target, smallest, before, ...(procedure && { procedure }), confirmation, path };
}

/** Fewer layers, then fewer bytes. */
function isSmaller(a: FailureSummary, b: FailureSummary): boolean {
  return a.layers < b.layers || (a.layers === b.layers && a.bytes < b.bytes);
}

function copyFinding(from: string, to: string, files: readonly string[]): void {
  for (const file of new Set(files)) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    // Never through a link: what it names may be anything of this machine.
    writeFileSync(join(to, file), readBounded(resolve(from), file, LIMITS.file));
  }
  // A copy that was changed while it was made is no finding.
  loadFinding(to);
}

/** False where another process was there first. */
function renamed(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

function touch(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Out of sight at once, then removed: nobody sees a part of it. */
function remove(store: string, path: string): void {
  const gone = temporaryName(store, 'gone');
  try {
    renameSync(path, gone);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  rmSync(gone, { recursive: true, force: true });
}

function setAside(store: string, { key, path }: EntryFolder, error: UsageError, note: (text: string) => void): void {
  mkdirSync(join(store, DAMAGED), { recursive: true });
  for (let n = 1; n < 1000; n++) {
    const place = join(store, DAMAGED, `${key}-${n}`);
    if (statOf(place) !== undefined) continue;
    try {
      renameSync(path, place);
      note(`set aside as ${place}: ${error.message}`);
    } catch (failed) {
      const code = (failed as NodeJS.ErrnoException).code ?? '';
      if (code === 'ENOTEMPTY' || code === 'EEXIST') continue;
      if (code !== 'ENOENT') throw failed;
    }
    return;
  }
  // So many of one failure are of no use to anybody.
  remove(store, path);
}

function expire(store: string, { olderMs = Infinity, maxBytes = Infinity, now }: ExpireLimits): Expired {
  for (const name of namesIn(store).filter((one) => /^\..+\.tmp$/.test(one))) {
    const stat = statOf(join(store, name));
    if (stat && now - stat.mtimeMs > STALE_MS) rmSync(join(store, name), { recursive: true, force: true });
  }
  const newest = new Set(entryFolders(store).map((entry) => entry.path));
  const damaged = namesIn(join(store, DAMAGED)).filter((name) => /^[0-9a-f]{32}-\d+$/.test(name)).map((name) => join(store, DAMAGED, name));
  const all = [...allEntryFolders(store).map((entry) => entry.path), ...damaged].flatMap((path) => {
    const stat = statOf(path);
    return stat === undefined ? [] : [{ path, bytes: folderBytes(path), seen: newest.has(path) || damaged.includes(path) ? stat.mtimeMs : -Infinity }];
  }).sort((a, b) => b.seen - a.seen || (a.path < b.path ? -1 : 1));
  const removed: string[] = [];
  let bytes = 0;
  let full = false;
  for (const { path, bytes: own, seen } of all) {
    // The first that has no room ends it: what is older than that goes too.
    full ||= bytes + own > maxBytes;
    if (full || now - seen > olderMs) {
      remove(store, path);
      removed.push(path);
    } else {
      bytes += own;
    }
  }
  return { removed, kept: all.length - removed.length, bytes };
}
