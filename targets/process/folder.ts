// SPDX-License-Identifier: MIT
/** The files of a session's cases: layers for the target, and what it writes for us. */
import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, mkdtempSync, openSync, readSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Case, Layer } from '../../model/index.ts';
import { runDir } from '../kernel/run-dir.ts';
import type { Job } from '../target.ts';
import { ACCESS_FEATURES, type AccessFeature, type CaseMessage, type FileMessage, type LayerMessage } from './messages.ts';

/** What a target wrote for a read is not what it says: the adapter's fault. The message is for whoever writes it. */
export class BadOutput extends Error {
  override readonly name = 'BadOutput';
}

/** Every so many cases of a process the wanted digests are withheld, so that one who only repeats them is seen. */
const WITHHELD = 16;
/** Bytes that a read may give beyond what was asked for and still be looked at. */
export const MOST_EXCESS = 65536;

/** A case as it is sent, and the files that it leaves. */
export interface Deployed {
  readonly message: CaseMessage;
  remove(): void;
}

export class CaseFolder {
  readonly path: string;
  #outputs = 0;

  /** `parent`: the folder that its own is made in. */
  constructor(parent: string = runDir()) {
    this.path = mkdtempSync(join(parent, 'process-'));
  }

  /** Writes the files of a case, number `id` of its process, for a target that takes these features. */
  deploy({ case: c, wanted }: Job, id: number, takes: readonly AccessFeature[]): Deployed {
    const written: string[] = [];
    const file = (name: string, bytes: Uint8Array, extents?: Layer['extents']): FileMessage => {
      const path = join(this.path, `${id}-${name}`);
      written.push(path);
      writeFile(path, bytes, extents);
      return { path, bytes: bytes.length };
    };
    const layers: LayerMessage[] = [];
    for (const [i, layer] of c.layers.entries()) {
      const same = c.access.shared === 'device' && takes.includes('shared') ? c.layers.slice(0, i).findIndex((other) => isSameFile(other, layer)) : -1;
      layers.push(same >= 0 ? layers[same]! : layerMessage(layer, `${i}`, file));
    }
    // Another name in every case, so that what an earlier case left is never taken for an answer.
    const outputs = c.access.reads.map(() => join(this.path, `out-${++this.#outputs}`));
    const withheld = id % WITHHELD === 1;
    return {
      message: {
        type: 'case', id, case: c.id, device: c.device, layers, deviceBytes: c.access.deviceBytes, slack: c.access.slack,
        reads: c.access.reads.map((read, i) => ({ ...read, want: withheld ? null : wanted[i] ?? null, output: outputs[i]! })),
        ...features(c, takes),
      },
      remove: () => {
        const readers = Array.from({ length: c.access.crowd?.readers ?? 0 }, (_, i) => outputs.map((path) => outputOf(path, i + 1))).flat();
        for (const path of [...written, ...outputs, ...readers]) remove(path);
      },
    };
  }

  close(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** What is no plain file is the target's doing: `rmSync` copes with everything, and takes ten times as long. */
function remove(path: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (there.isFile()) unlinkSync(path);
  else rmSync(path, { force: true, recursive: true });
}

function features(c: Case, takes: readonly AccessFeature[]): Pick<CaseMessage, AccessFeature> {
  return Object.fromEntries(ACCESS_FEATURES.filter((f) => takes.includes(f) && c.access[f] !== undefined).map((f) => [f, c.access[f]]));
}

function layerMessage(layer: Layer, name: string, file: (name: string, bytes: Uint8Array, extents?: Layer['extents']) => FileMessage): LayerMessage {
  return {
    ...file(name, layer.bytes, layer.extents),
    wrapping: layer.wrapping,
    ...(layer.exposedBytes === undefined ? {} : { exposedBytes: layer.exposedBytes }),
    ...(layer.index === undefined ? {} : { index: file(`${name}.index`, layer.index) }),
    ...(layer.remote === undefined ? {} : { remote: file(`${name}.remote`, layer.remote) }),
    ...(layer.extents === undefined ? {} : { extents: layer.extents }),
  };
}

function isSameFile(a: Layer, b: Layer): boolean {
  return a.bytes.length === b.bytes.length && Buffer.compare(a.bytes, b.bytes) === 0 && !a.index && !b.index && !a.remote && !b.remote;
}

/** Where a file has extents, the rest of it is holes. */
function writeFile(path: string, bytes: Uint8Array, extents: NonNullable<Layer['extents']> = [{ from: 0, to: bytes.length }]): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    ftruncateSync(file, bytes.length);
    for (const { from, to } of extents) {
      for (let at = from; at < Math.min(to, bytes.length);) at += writeSync(file, bytes, at, Math.min(to, bytes.length) - at, at);
    }
  } finally {
    closeSync(file);
  }
}

/** Where a target writes the bytes of a read: of a crowd's reader into a file of its own, for the lone reader's may not have been looked at yet. */
export function outputOf(output: string, reader: number | undefined): string {
  return reader === undefined ? output : `${output}.${reader}`;
}

/** The bytes of a read that its target wrote: exactly as many as it says, in a plain file. Throws `BadOutput`. */
export function readOutput(path: string, bytes: number): Uint8Array {
  if (bytes === 0) return new Uint8Array(0);
  let file: number;
  try {
    // Whatever stands there is never waited for, and never somewhere else.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BadOutput(code === 'ENOENT' ? 'its "sha256" is not the digest that was wanted, but it wrote no bytes to "output"' : `its "output" cannot be read: ${code}`);
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new BadOutput('its "output" is no plain file');
    if (stat.size !== bytes) throw new BadOutput(`its "result" is ${bytes} bytes, but it wrote ${stat.size} to "output"`);
    const into = new Uint8Array(bytes);
    for (let at = 0; at < bytes;) {
      const n = readSync(file, into, at, bytes - at, at);
      if (n === 0) throw new BadOutput('its "output" became shorter while it was read');
      at += n;
    }
    return into;
  } finally {
    closeSync(file);
  }
}
