// SPDX-License-Identifier: MIT
/** A failure store as one archive, for an artifact of a CI run: the same bytes for the same entries. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { UsageError } from '../model/index.ts';
import { tarHeader } from './corpus-export.ts';
import { ENTRIES, entryFolders, entrySummary } from './failure-folder.ts';
import { findingFiles, loadFinding, loadManifest } from './finding-folder.ts';

const BLOCK = 512;
/** Bytes that are put together in memory at the most. */
const MAX_BYTES = 1 << 30;

/** The newest version of every whole entry, as version 1. Damaged ones are told to `note` and left out. */
export function archiveOf(store: string, note: (text: string) => void): { readonly bytes: Buffer; readonly entries: number } {
  const blocks: Buffer[] = [];
  let size = 0;
  let entries = 0;
  for (const entry of entryFolders(store)) {
    try {
      entrySummary(entry);
      loadFinding(entry.path);
      const files = [...new Set(findingFiles(entry.path, loadManifest(entry.path)))].sort();
      for (const file of files) {
        const bytes = readFileSync(join(entry.path, file));
        size += bytes.length;
        if (size > MAX_BYTES) throw new UsageError(`${store}: more than ${MAX_BYTES} bytes are no archive to be passed on: ovbd failures expire --max-bytes N`);
        blocks.push(tarHeader(`${ENTRIES}/${entry.key}.1/${file}`, bytes.length), bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK));
      }
      entries++;
    } catch (error) {
      if (!(error instanceof UsageError) || size > MAX_BYTES) throw error;
      note(`left out: ${error.message}`);
    }
  }
  return { bytes: gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]), { level: 6 }), entries };
}
