// SPDX-License-Identifier: MIT
/** The format's checksum by a library that has the ordinary CRC-32C (FORMAT.md section 1). */
import { crc32c } from '@node-rs/crc32';

/** CRC-32C without inversions, from the one with both: raw(bytes, seed) = ~crc32c(bytes, ~seed). */
export function libraryCrc(bytes: Uint8Array, seed = 0): number {
  return ~crc32c(bytes, ~seed >>> 0) >>> 0;
}

/** The checksum, seed 0, of `bytes` as if the four at `at` were 0. */
export function libraryCrcWithout(bytes: Uint8Array, at: number): number {
  const before = libraryCrc(bytes.subarray(0, at));
  return libraryCrc(bytes.subarray(at + 4), libraryCrc(new Uint8Array(4), before));
}
