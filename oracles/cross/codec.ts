// SPDX-License-Identifier: MIT
/** Blocks decoded by libraries. What a library takes and the format does not stands in leniencies.ts. */
import { Zstd } from '@hpcc-js/wasm-zstd';
import { uncompressSync } from 'lz4-napi';

const zstd = await Zstd.load();

/** Bytes of a block at the most (ZF-OPT-01): no library is asked for more. */
export const MAX_BLOCK = 65536;

/** What begins a ZSTD frame that is not skippable. */
const ZSTD_MAGIC = 0xfd2fb528;

let scratch = new Uint8Array(4 + 2 * MAX_BLOCK);

/**
 * Decodes a raw LZ4 block with room for `length` bytes; null where the library
 * refuses it. The library wants the decoded size before the block, and takes
 * it for the room that there is: the result may be shorter.
 */
export function libraryLz4(block: Uint8Array, length: number): Uint8Array | null {
  if (length > MAX_BLOCK) return null;
  if (scratch.length < 4 + block.length) scratch = new Uint8Array(4 + block.length);
  new DataView(scratch.buffer).setUint32(0, length, true);
  scratch.set(block, 4);
  try {
    return uncompressSync(scratch.subarray(0, 4 + block.length));
  } catch {
    return null;
  }
}

/**
 * Decodes what the library takes for a ZSTD block of up to `length` bytes; null
 * where it refuses. A declared size above `length` is not shown to the library,
 * which would allocate it.
 */
export function libraryZstd(block: Uint8Array, length: number): Uint8Array | null {
  if (length > MAX_BLOCK || declaredAbove(block, length)) return null;
  try {
    return zstd.decompress(block);
  } catch {
    return null;
  }
}

/** Whether the block starts with a ZSTD frame header whose content size (RFC 8878, 3.1.1.1.4) is above `length`. */
function declaredAbove(block: Uint8Array, length: number): boolean {
  if (block.length < 6) return false;
  const v = new DataView(block.buffer, block.byteOffset, block.byteLength);
  if (v.getUint32(0, true) !== ZSTD_MAGIC) return false;
  const single = (block[4]! >> 5) & 1;
  const width = [single, 2, 4, 8][block[4]! >> 6]!;
  const at = 6 - single + [0, 1, 2, 4][block[4]! & 3]!;
  if (width === 0 || at + width > block.length) return false;
  let size = width === 2 ? 256 : 0;
  for (let i = 0; i < width; i++) size += block[at + i]! * 2 ** (8 * i);
  return size > length;
}
