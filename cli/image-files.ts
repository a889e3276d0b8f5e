// SPDX-License-Identifier: MIT
/** Image files as commands name them: one file, or a writable pair `data:index`; read where they are asked for, never whole. */
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { UsageError } from '../model/index.ts';
import type { LayerInput } from '../oracles/guess.ts';
import type { ByteSource } from '../oracles/source.ts';

/** The paths of one layer. */
export interface LayerPaths {
  readonly data: string;
  /** Index file of a writable pair. */
  readonly index?: string;
}

/** The file is there and cannot be read. Wrong input to a command that needs the image; an answer to one that is asked about it. */
export class UnreadableFile extends UsageError {}

/** A file of that very name, or else `data:index` at the colon that gives two files. Throws `UsageError` where there is neither. */
export function splitPair(layer: string): LayerPaths {
  if (existsSync(layer)) return { data: layer };
  for (let colon = layer.indexOf(':'); colon >= 0; colon = layer.indexOf(':', colon + 1)) {
    const pair = { data: layer.slice(0, colon), index: layer.slice(colon + 1) };
    if (existsSync(pair.data) && existsSync(pair.index)) return pair;
  }
  throw new UsageError(`${layer}: no such file${layer.includes(':') ? ', nor a pair data:index of two files' : ''}`);
}

/** The layers that arguments name, of which `--as zfile` takes one, in one file. Throws `UsageError` where a file is missing or there are more. */
export function layersNamed(layers: readonly string[], as: 'device' | 'zfile'): LayerPaths[] {
  const names = layers.map(splitPair);
  if (as === 'zfile' && !isOneFile(names)) throw new UsageError('--as zfile takes one ZFile, not a stack or a writable pair');
  return names;
}

/** Whether these are no stack, and no writable pair. */
export function isOneFile(names: readonly LayerPaths[]): boolean {
  return names.length === 1 && names[0]!.index === undefined;
}

/** A source over an open file. */
export interface FileSource extends ByteSource {
  close(): void;
}

/**
 * A file that is read where it is asked for. Its size is taken once; shrinking
 * in mid-read is an error, not zeros. Throws `UsageError` for what is no plain
 * file and `UnreadableFile` for what cannot be read, at opening or in mid-read.
 */
export function openSource(path: string): FileSource {
  if (!statSync(path).isFile()) throw new UsageError(`${path}: not a plain file`);
  const file = orUnreadable(path, () => openSync(path, 'r'));
  const { size } = fstatSync(file);
  const readInto = (offset: number, target: Uint8Array): void => {
    const { length } = target;
    if (!(offset >= 0 && offset + length <= size)) throw new RangeError(`read of ${length} bytes at ${offset} of ${path}`);
    for (let done = 0; done < length;) {
      const n = orUnreadable(path, () => readSync(file, target, done, length - done, offset + done));
      if (n === 0) throw new UnreadableFile(`${path}: became shorter while it was read`);
      done += n;
    }
  };
  return {
    size,
    read(offset, length) {
      if (!(length >= 0 && length <= size)) throw new RangeError(`read of ${length} bytes of ${path}, which has ${size}`);
      const bytes = new Uint8Array(length);
      readInto(offset, bytes);
      return bytes;
    },
    readInto,
    close: () => closeSync(file),
  };
}

/** Sources over the files of a stack; nothing stays open where one of them cannot be. Errors as those of `openSource`. */
export function openLayers(names: readonly LayerPaths[], remote?: string): { readonly inputs: readonly LayerInput[]; close(): void } {
  const opened: FileSource[] = [];
  const close = (): void => opened.forEach((file) => file.close());
  const source = (path: string): FileSource => {
    opened.push(openSource(path));
    return opened.at(-1)!;
  };
  try {
    const inputs = names.map(({ data, index }): LayerInput => ({
      file: source(data), ...(index !== undefined && { index: source(index) }), ...(remote !== undefined && { remote: source(remote) }),
    }));
    return { inputs, close };
  } catch (error) {
    close();
    throw error;
  }
}

function orUnreadable<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new UnreadableFile(`${path}: cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}
