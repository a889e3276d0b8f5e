// SPDX-License-Identifier: MIT
/** Files that are there whole or not at all. */
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';

/** A name in `folder` that no other process uses and that says what it is. */
export function temporaryName(folder: string, name: string): string {
  return join(folder, `.${name}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
}

/** Whether a name is one that `temporaryName` gives. */
export function isTemporary(name: string): boolean {
  return /^\..+\.\d+-[0-9a-f]{8}\.tmp$/.test(name);
}

/**
 * Writes `text` to `path` under a temporary name in the same folder, then renames
 * it. Whatever fails, the error is thrown and nothing is left behind.
 */
export function writeAtomically(path: string, text: string): void {
  const temporary = temporaryName(dirname(path), basename(path));
  try {
    const file = openSync(temporary, 'wx');
    try {
      writeAll(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Writes all of `text`: a single write may take less (a signal, a nearly full disk). */
export function writeAll(file: number, text: string): void {
  writeAllBytes(file, Buffer.from(text));
}

/** The same for bytes. */
export function writeAllBytes(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
}

/** Brings the files of a folder, and the folders, to the disk, so that a rename after it never shows a part of them. */
export function syncFolder(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) syncFolder(join(folder, entry.name));
    else if (entry.isFile()) syncOne(join(folder, entry.name));
  }
  syncOne(folder);
}

/** Brings one file, or the names in one folder, to the disk. */
export function syncOne(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
