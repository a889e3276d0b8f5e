// SPDX-License-Identifier: MIT
/** Reading image files the way a tool does: strictly, the envelopes guessed. */
import { guessLayer, type LayerInput } from './guess.ts';
import { openStack, zfileDevice, type Device } from './stack.ts';
import type { ByteSource } from './source.ts';
import { looksLikeTar, unwrapTar } from './tar.ts';
import { STRICT, Violation } from './violation.ts';
import { openZFile } from './zfile.ts';

export type { LayerInput };

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
    const device = as === 'zfile' ? openAsZFile(layers[0]!.file) : openStack(layers.map(guessLayer), STRICT);
    return { ok: true, size: device.size, chunks: () => chunksOf(device) };
  } catch (e) {
    if (!(e instanceof Violation)) throw e;
    return { ok: false, clause: e.clause, layer: e.layer, at: e.at, why: e.message };
  }
}

function openAsZFile(file: ByteSource): Device {
  return zfileDevice(openZFile(looksLikeTar(file) ? unwrapTar(file, STRICT) : file, STRICT));
}

function* chunksOf(device: Device): Iterable<Uint8Array> {
  for (let at = 0; at < device.size; at += CHUNK) yield device.read(at, Math.min(CHUNK, device.size - at)).bytes;
}
