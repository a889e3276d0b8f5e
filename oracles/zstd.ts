// SPDX-License-Identifier: MIT
/** ZSTD blocks, decoded by a library; the frame header is checked by us first, so that it cannot make the library allocate. */
import { Zstd } from '@hpcc-js/wasm-zstd';
import { Violation } from './violation.ts';

const zstd = await Zstd.load();

/**
 * Decodes one frame to exactly `length` bytes. `at` is the block's position in
 * its file. Throws Violation ZF-ZST-01.
 */
export function decodeZstdBlock(src: Uint8Array, length: number, at: number): Uint8Array {
  const declared = contentSize(src);
  // Without a declared size the library sizes its buffer by what it decodes, 128 KiB a block of the frame.
  if (declared !== null && declared !== BigInt(length)) {
    throw new Violation(declared < BigInt(length) ? 'ZF-BLK-05' : 'ZF-ZST-01', at, `the frame declares ${declared} bytes, the block has ${length}`);
  }
  let out: Uint8Array;
  try {
    out = zstd.decompress(src);
  } catch {
    throw new Violation('ZF-ZST-01', at, 'the stored block is no ZSTD frame that decodes');
  }
  if (out.length !== length) throw new Violation('ZF-BLK-05', at, `the block decodes to ${out.length} bytes, not ${length}`);
  return out;
}

/** The frame header's content size (RFC 8878, 3.1.1.1.4); null where it has none or is no frame header. */
function contentSize(src: Uint8Array): bigint | null {
  const v = new DataView(src.buffer, src.byteOffset, src.byteLength);
  if (src.length < 6 || v.getUint32(0, true) !== 0xfd2fb528) return null;
  const descriptor = src[4]!;
  const single = (descriptor & 0x20) !== 0;
  const code = descriptor >> 6;
  const at = 5 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  const width = [single ? 1 : 0, 2, 4, 8][code]!;
  if (width === 0 || at + width > src.length) return null;
  switch (width) {
    case 1: return BigInt(src[at]!);
    case 2: return BigInt(v.getUint16(at, true)) + 256n;
    case 4: return BigInt(v.getUint32(at, true));
    default: return v.getBigUint64(at, true);
  }
}
