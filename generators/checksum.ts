// SPDX-License-Identifier: MIT
/** The writers' own CRC-32C, byte by byte from a table that is made here, bit by bit: it shares nothing with the reader's, so that a wrong table cannot agree with itself. */

/** The checksum of each byte alone. */
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0x82f63b78 & -(crc & 1));
  return crc;
});

/** Raw CRC-32C (FORMAT.md section 1): no inversion before or after. */
export function writerCrc(bytes: Uint8Array, seed: number): number {
  let crc = seed | 0;
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return crc >>> 0;
}
