// SPDX-License-Identifier: MIT
/** Files that are there whole or not at all. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';

/** A name in `folder` that no other process uses and that says what it is. */
export function temporaryName(folder: string, name: string): string {
  return join(folder, `.${name}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
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
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
}
