// SPDX-License-Identifier: MIT
/** Layers as a tool is given them: envelopes and form are guessed from what the bytes show. */
import type { Wrapper } from '../model/index.ts';
import { looksSparse } from './lsmt-header.ts';
import type { ByteSource } from './source.ts';
import { zeroPageExtents } from './sparse.ts';
import type { LayerSource } from './stack.ts';
import { looksLikeTar, unwrapTar } from './tar.ts';
import { collecting, Violation } from './violation.ts';
import { looksLikeZFile } from './zfile.ts';

/** One layer on the command line. */
export interface LayerInput {
  readonly file: ByteSource;
  /** Index file of a writable pair. */
  readonly index?: ByteSource;
  /** Remote file of a warp layer. */
  readonly remote?: ByteSource;
}

/** Readers try tar, then ZFile, then LSMT (FORMAT.md section 4). Never throws for what a file holds: opening does, in its order. */
export function guessLayer(layer: LayerInput): LayerSource {
  const wrapping: Wrapper[] = [];
  let inner: ByteSource | null = layer.file;
  if (looksLikeTar(inner)) {
    wrapping.push('tar');
    inner = peekIntoTar(inner);
  }
  if (!inner) return { wrapping, ...layer };
  if (looksLikeZFile(inner)) return { wrapping: [...wrapping, 'zfile'], ...layer };
  if (layer.index || layer.remote || !looksSparse(inner)) return { wrapping, ...layer };
  return { wrapping, ...layer, extents: zeroPageExtents(inner) };
}

/** What a tar holds, as far as it can be told; null where it cannot. */
function peekIntoTar(tar: ByteSource): ByteSource | null {
  try {
    return unwrapTar(tar, collecting(() => undefined));
  } catch (e) {
    if (e instanceof Violation) return null;
    throw e;
  }
}
