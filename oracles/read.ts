// SPDX-License-Identifier: MIT
/** Reading image files the way a tool does: the envelopes are guessed from what the bytes show. */
import type { Wrapper } from '../model/index.ts';
import { looksLikeTar, unwrapTar } from './tar.ts';
import { openStack, zfileDevice, type Device, type LayerSource } from './stack.ts';
import type { ByteSource } from './source.ts';
import { STRICT, Violation } from './violation.ts';
import { looksLikeZFile, openZFile } from './zfile.ts';

/** One layer on the command line. */
export interface LayerInput {
  readonly file: ByteSource;
  /** Index file of a writable pair. */
  readonly index?: ByteSource;
}

export type ReadResult =
  | { readonly ok: true; readonly size: number; chunks(): Iterable<Uint8Array> }
  | { readonly ok: false; readonly clause: string; readonly layer: number; readonly at: number; readonly why: string };

const CHUNK = 1 << 20;

/**
 * Opens layers bottom to top as one device, or one file as a decoded ZFile.
 * `chunks` throws `Violation` when a block in the middle cannot be produced.
 */
export function readDevice(layers: readonly LayerInput[], as: 'device' | 'zfile'): ReadResult {
  try {
    const device = as === 'zfile' ? openAsZFile(layers[0]!.file) : openStack(layers.map(guess), STRICT);
    return { ok: true, size: device.size, chunks: () => chunksOf(device) };
  } catch (e) {
    if (!(e instanceof Violation)) throw e;
    return { ok: false, clause: e.clause, layer: e.layer, at: e.at, why: e.message };
  }
}

function openAsZFile(file: ByteSource): Device {
  return zfileDevice(openZFile(looksLikeTar(file) ? unwrapTar(file) : file, STRICT));
}

/** Readers try tar, then ZFile, then LSMT (FORMAT.md section 4). */
function guess(layer: LayerInput): LayerSource {
  const wrapping: Wrapper[] = [];
  let inner = layer.file;
  if (looksLikeTar(inner)) {
    wrapping.push('tar');
    inner = unwrapTar(inner);
  }
  if (looksLikeZFile(inner)) wrapping.push('zfile');
  return { wrapping, ...layer };
}

function* chunksOf(device: Device): Iterable<Uint8Array> {
  for (let at = 0; at < device.size; at += CHUNK) yield device.read(at, Math.min(CHUNK, device.size - at)).bytes;
}
