// SPDX-License-Identifier: MIT
/** Failure stores that are read, never written: a shared folder, or an archive that another machine has left. */
import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError, type FailureSummary, type Saving } from '../model/index.ts';
import { temporaryName, writeAllBytes } from './atomic.ts';
import { ENTRIES, entryFolders, entrySummary, type EntryFolder } from './failure-folder.ts';
import type { FolderStore } from './failure-store.ts';
import { LIMITS } from './finding-manifest.ts';
import { readTar } from './tar-reader.ts';

/** Of an archive. */
const ARCHIVE = { files: 200_000, file: LIMITS.file, all: 8 * 2 ** 30 } as const;
/** `entries/KEY.N/…`, in a folder or not; what else an archive holds is not looked at. */
const INSIDE = /^(?:\.\/)?(?:[^/]+\/){0,8}?entries\/([0-9a-f]{32}\.[1-9]\d{0,8})\/((?:before\/\d{2,6}\/)?[A-Za-z0-9][A-Za-z0-9._-]{0,63})$/;

export interface Fetched {
  readonly layer: string;
  readonly summary: FailureSummary;
  readonly state: Saving;
}

/**
 * Copies what the layers have into the store, from the first layer that has a whole one: all of it, or only these keys
 * (beginnings are enough). Damaged entries are told to `note` and left where they are. Throws `UsageError` for what is no layer.
 */
export async function fetchFailures(store: FolderStore, layers: readonly string[], wanted: readonly string[], note: (text: string) => void): Promise<Fetched[]> {
  const have = new Set<string>();
  const fetched: Fetched[] = [];
  for (const layer of layers) {
    await withLayer(store.path, layer, (folder) => {
      for (const entry of entryFolders(folder)) {
        if (have.has(entry.key) || (wanted.length > 0 && !wanted.some((w) => entry.key.startsWith(w)))) continue;
        const summary = takeFrom(store, entry, note);
        if (summary === undefined) continue;
        have.add(entry.key);
        fetched.push({ layer, ...summary });
      }
    });
  }
  return fetched;
}

function takeFrom(store: FolderStore, entry: EntryFolder, note: (text: string) => void): Omit<Fetched, 'layer'> | undefined {
  try {
    const summary = entrySummary(entry);
    const { state } = store.take(entry.path);
    return { summary, state };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    note(`left where it is: ${error.message}`);
    return undefined;
  }
}

/** Runs `work` with a folder that holds the layer's entries; an archive is unpacked beside the store for so long. */
async function withLayer(store: string, layer: string, work: (folder: string) => void): Promise<void> {
  const stat = statSync(layer, { throwIfNoEntry: false });
  if (stat === undefined) throw new UsageError(`${layer}: no such folder or archive`);
  if (stat.isDirectory()) {
    work(layer);
    return;
  }
  if (!stat.isFile()) throw new UsageError(`${layer}: neither a folder nor an archive`);
  mkdirSync(store, { recursive: true });
  const temporary = temporaryName(store, 'fetch');
  try {
    mkdirSync(temporary);
    await unpack(layer, temporary);
    work(temporary);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Unpacks the entries of an archive into a folder that was empty. */
async function unpack(archive: string, folder: string): Promise<void> {
  await readTar(archive, ARCHIVE, (path) => {
    const match = INSIDE.exec(path);
    if (!match) return undefined;
    const to = join(folder, ENTRIES, match[1]!, match[2]!);
    mkdirSync(dirname(to), { recursive: true });
    let file: number;
    try {
      file = openSync(to, 'wx');
    } catch (error) {
      if (['EEXIST', 'EISDIR', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw new UsageError(`${archive}: ${path} is there twice`);
      throw error;
    }
    return { write: (bytes) => writeAllBytes(file, bytes), end: () => closeSync(file) };
  });
}
