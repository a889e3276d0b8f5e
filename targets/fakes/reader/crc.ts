// SPDX-License-Identifier: MIT
/** The checksum of ZFile: CRC-32C without inversions (ZF-CRC-01). */
import type { Has } from './defects.ts';

const POLYNOMIAL = 0x82f63b78;

/** What 8 bits in the low end become once they are shifted out. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ ((rest & 1) * POLYNOMIAL);
  return rest;
});

export function checksum(bytes: Uint8Array, seed: number, has: Has): number {
  const inverted = has('crc-inverted') ? 0xffffffff : 0;
  let state = (seed ^ inverted) >>> 0;
  for (const byte of bytes) state = TABLE[(state ^ byte) & 0xff]! ^ (state >>> 8);
  return (state ^ inverted) >>> 0;
}
