// SPDX-License-Identifier: MIT
/** ZSTD frames for writing, by a library. */
import { Zstd } from '@hpcc-js/wasm-zstd';

const zstd = await Zstd.load();

/** One ZSTD frame that decodes to `content`. */
export function encodeZstdBlock(content: Uint8Array): Uint8Array {
  return zstd.compress(content);
}
