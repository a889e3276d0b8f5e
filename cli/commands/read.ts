// SPDX-License-Identifier: MIT
/** `ovbd read`: the strict reader as a tool. */
import { existsSync, realpathSync, rmSync, statSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { EXIT, UsageError } from '../../model/index.ts';
import { readDevice } from '../../oracles/read.ts';
import { Violation } from '../../oracles/violation.ts';
import { oneLine, temporaryName } from '../../reports/index.ts';
import { layersNamed, openLayers } from '../image-files.ts';

export interface ReadOptions {
  readonly output: string;
  readonly as: 'device' | 'zfile';
}

/** Writes what the layers hold, or prints which clause refuses them. Exit code 0 or 1. */
export async function read(layers: readonly string[], options: ReadOptions, signal: AbortSignal): Promise<number> {
  const names = layersNamed(layers, options.as);
  const files = names.flatMap((n) => [n.data, ...(n.index === undefined ? [] : [n.index])]);
  if (existsSync(options.output) && files.some((file) => realpathSync(file) === realpathSync(options.output))) {
    throw new UsageError(`${options.output} is an input: give another file to write`);
  }
  const opened = openLayers(names);
  try {
    const result = readDevice(opened.inputs, options.as);
    if (!result.ok) return refuse(names[result.layer]!.data, result.clause, result.at, result.why);
    await writeChunks(options.output, result.chunks(), signal);
    return EXIT.ok;
  } catch (error) {
    // A block in the middle: nothing has been left behind.
    if (error instanceof Violation) return refuse(names[error.layer]!.data, error.clause, error.at, error.message);
    throw error;
  } finally {
    opened.close();
  }
}

function refuse(file: string, clause: string, at: number, why: string): number {
  process.stderr.write(`${oneLine(`${file}: refused: ${clause} at byte ${at}: ${why}`)}\n`);
  return EXIT.findings;
}

/** Files are there whole or not at all; what is not a plain file (a pipe, a device) is written as it comes. */
async function writeChunks(path: string, chunks: Iterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  if (path === '-') {
    for (const chunk of chunks) {
      signal.throwIfAborted();
      // Standard output may be written without ever waiting: let signals in.
      await setImmediate();
      await new Promise<void>((done, fail) => process.stdout.write(chunk, (error) => (error ? fail(error) : done())));
    }
    return;
  }
  const existing = existsSync(path) ? realpathSync(path) : undefined;
  if (existing !== undefined && statSync(existing).isDirectory()) throw new UsageError(`${path}: it is a folder`);
  if (existing !== undefined && !statSync(existing).isFile()) return writeTo(existing, 'w', chunks, signal);
  const final = existing ?? path;
  const temporary = temporaryName(dirname(final), basename(final));
  const remove = (): void => {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // Its folder is none; then there is nothing to remove either.
    }
  };
  process.on('exit', remove);
  try {
    await writeTo(temporary, 'wx', chunks, signal);
    await rename(temporary, final);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES' || code === 'EROFS') {
      throw new UsageError(`${path}: cannot be written: ${code === 'ENOENT' ? 'no such folder' : code}`);
    }
    throw error;
  } finally {
    remove();
    process.off('exit', remove);
  }
}

async function writeTo(path: string, flags: string, chunks: Iterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const file = await open(path, flags);
  try {
    for (const chunk of chunks) {
      signal.throwIfAborted();
      await file.writeFile(chunk);
    }
    // Devices and pipes may not know how to.
    if (flags === 'wx') await file.sync();
  } finally {
    await file.close();
  }
}
