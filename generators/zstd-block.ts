// SPDX-License-Identifier: MIT
/** ZSTD frames for writing, by a library. */
import { Zstd } from '@hpcc-js/wasm-zstd';

const zstd = await Zstd.load();

// The library gives its results number by number through an array, which takes ten times as long as all the rest of it.
const memory = (zstd as unknown as { readonly _mainModule?: { heapView?(at: unknown): Uint8Array; heapToUint8Array(at: unknown): Uint8Array } })._mainModule;
if (memory?.heapView) memory.heapToUint8Array = (at) => memory.heapView!(at).slice();

/** One ZSTD frame that decodes to `content`. */
export function encodeZstdBlock(content: Uint8Array): Uint8Array {
  return zstd.compress(content);
}
