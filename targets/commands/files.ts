// SPDX-License-Identifier: MIT
/** What programs wrote: plain files only, never more of them than is asked for. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

export interface Made {
  /** Bytes of the whole file. */
  readonly size: number;
  readonly bytes: Uint8Array;
}

/** Bytes [offset, offset + length) of a file as far as it has them; null where there is no plain file of that name. */
export function readMade(path: string, offset: number, length: number): Made | null {
  let file: number;
  try {
    // Whatever stands there is never waited for, and never somewhere else.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return null;
    const bytes = new Uint8Array(Math.max(0, Math.min(length, stat.size - offset)));
    for (let at = 0; at < bytes.length;) {
      const n = readSync(file, bytes, at, bytes.length - at, offset + at);
      if (n === 0) return { size: offset + at, bytes: bytes.subarray(0, at) };
      at += n;
    }
    return { size: stat.size, bytes };
  } finally {
    closeSync(file);
  }
}
