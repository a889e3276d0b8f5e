// SPDX-License-Identifier: MIT
/** The writers' own CRC-32C, bit by bit: it shares nothing with the reader's table, so that a wrong table cannot agree with itself. */

/** Raw CRC-32C (FORMAT.md section 1): no inversion before or after. */
export function writerCrc(bytes: Uint8Array, seed: number): number {
  let crc = seed | 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0x82f63b78 & -(crc & 1));
  }
  return crc >>> 0;
}
