// SPDX-License-Identifier: MIT
/** Source files on their way into a build: reading them, bounds, names, identity. */
import { createHash } from 'node:crypto';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../../model/errors.ts';

/** Bytes of a patch, or of all sources of a folder. The patches are 50 to 200 kB. */
export const MAX_SOURCE_BYTES = 16 << 20;

/**
 * Reads a whole file of at most `max` bytes. Throws `UsageError` for what is
 * missing, unreadable, not a file or too large.
 */
export async function readInput(path: string, max: number): Promise<Buffer> {
  const fail = (reason: string): UsageError => new UsageError(`cannot read ${path}: ${reason}`);
  // Non-blocking: opening a named pipe must not wait for a writer.
  const file = await open(path, 0o4000).catch((error: NodeJS.ErrnoException) => {
    throw fail(reasonOf(error));
  });
  try {
    const info = await file.stat();
    if (info.isDirectory()) throw fail('it is a folder');
    if (!info.isFile()) throw fail('it is not a file');
    if (info.size > max) throw fail(`it has ${info.size} bytes, more than ${max}`);
    // Not readFile: a file of /proc says 0 and may never end.
    const buffer = Buffer.alloc(info.size);
    let got = 0;
    while (got < buffer.length) {
      const { bytesRead } = await file.read(buffer, got, buffer.length - got, got).catch((error: NodeJS.ErrnoException) => {
        throw fail(reasonOf(error));
      });
      if (bytesRead === 0) break;
      got += bytesRead;
    }
    return buffer.subarray(0, got);
  } finally {
    await file.close();
  }
}

/** A text file of at most `MAX_SOURCE_BYTES`; throws `UsageError` for binary ones too. */
export async function readText(path: string): Promise<string> {
  const bytes = await readInput(path, MAX_SOURCE_BYTES);
  if (bytes.includes(0)) throw new UsageError(`cannot read ${path}: it is binary, not text`);
  return bytes.toString('utf8');
}

/** The .c and .h files of a folder, by name. Throws `UsageError` where it holds no device-mapper target. */
export async function readSourceFolder(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot read ${folder}: ${reasonOf(error)}`);
  });
  const sources = new Map<string, string>();
  let total = 0;
  // *.mod.c is what an earlier build in that folder left.
  for (const name of names.filter((n) => /\.[ch]$/.test(n) && !n.endsWith('.mod.c')).sort()) {
    checkSourceName(name, folder);
    const text = await readText(join(folder, name));
    total += text.length;
    if (total > MAX_SOURCE_BYTES) throw new UsageError(`cannot read ${folder}: its sources are larger than ${MAX_SOURCE_BYTES} bytes`);
    sources.set(name, text);
  }
  const c = [...sources].filter(([name]) => name.endsWith('.c'));
  if (c.length === 0) throw new UsageError(`${folder} has no dm-overlaybd sources: no .c file in it`);
  if (!c.some(([, text]) => registersTarget(text))) throw new UsageError(`${folder} has no dm-overlaybd sources: no .c file in it calls dm_register_target`);
  return sources;
}

/** True where C text registers a device-mapper target. */
export function registersTarget(text: string): boolean {
  return /\bdm_register_target\s*\(/.test(text) || /\bmodule_dm\s*\(/.test(text);
}

/** Names go into a makefile: only what means nothing to make or a shell may pass. */
export function checkSourceName(name: string, where: string): void {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}\.[ch]$/.test(name)) throw new UsageError(`${where} is refused: ${JSON.stringify(name)} is not a name for a source file`);
}

/** SHA-256 (hex) over names and contents, in the order of names. */
export function hashSources(sources: ReadonlyMap<string, string | Uint8Array>): string {
  const hash = createHash('sha256');
  for (const name of [...sources.keys()].sort()) {
    const bytes = Buffer.from(sources.get(name)!);
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT': return 'there is no such file';
    case 'EACCES': return 'no permission';
    case 'ENOTDIR': return 'it is not a folder';
    case 'EISDIR': return 'it is a folder';
    default: return error.code ?? error.message;
  }
}
