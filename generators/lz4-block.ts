// SPDX-License-Identifier: MIT
/** LZ4 blocks for writing: a library's compressor, or plain literals. */
import { compressSync } from 'lz4-napi';

export type Lz4Encoder = 'library' | 'literals';

/** One LZ4 block that decodes to `content`. */
export function encodeLz4Block(content: Uint8Array, encoder: Lz4Encoder): Uint8Array {
  if (encoder === 'literals' || content.length === 0) return literalsOnly(content);
  // The library puts the decoded size in 4 bytes before the block; the format has no room for it.
  const block = compressSync(Buffer.from(content.buffer, content.byteOffset, content.length));
  return new Uint8Array(block.buffer, block.byteOffset + 4, block.length - 4);
}

/** A block of one sequence that has no match: what an incompressible block looks like, grown by its length bytes. */
function literalsOnly(content: Uint8Array): Uint8Array {
  const n = content.length;
  const head: number[] = [Math.min(n, 15) << 4];
  if (n >= 15) {
    let rest = n - 15;
    for (; rest >= 255; rest -= 255) head.push(255);
    head.push(rest);
  }
  const out = new Uint8Array(head.length + n);
  out.set(head);
  out.set(content, head.length);
  return out;
}
