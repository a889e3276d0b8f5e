// SPDX-License-Identifier: MIT
/** CRC-32C as the format uses it: reflected polynomial 0x82F63B78, no inversion before or after (FORMAT.md section 1). */

const TABLE = makeTable();

function makeTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    table[byte] = crc >>> 0;
  }
  return table;
}

/** Raw CRC-32C of `bytes`, continuing from `seed` (0 for headers and indexes, 100007 for blocks). */
export function rawCrc32c(bytes: Uint8Array, seed = 0): number {
  let crc = seed >>> 0;
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return crc >>> 0;
}
