// SPDX-License-Identifier: MIT
/** CRC-32C as the format uses it: reflected polynomial 0x82F63B78, no inversion before or after (FORMAT.md section 1). */

/** Bytes that are taken in one step: table k holds the checksums of a byte followed by k zero bytes. */
const SLICES = 8;
const TABLES = makeTables();

function makeTables(): Int32Array[] {
  const tables = Array.from({ length: SLICES }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    tables[0]![byte] = crc;
  }
  for (let k = 1; k < SLICES; k++) {
    for (let byte = 0; byte < 256; byte++) {
      const crc = tables[k - 1]![byte]!;
      tables[k]![byte] = tables[0]![crc & 255]! ^ (crc >>> 8);
    }
  }
  return tables;
}

const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES as [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];

/** Raw CRC-32C of `bytes`, continuing from `seed` (0 for headers and indexes, 100007 for blocks). */
export function rawCrc32c(bytes: Uint8Array, seed = 0): number {
  let crc = seed | 0;
  let i = 0;
  for (const whole = bytes.length - SLICES; i <= whole; i += SLICES) {
    crc = T7[(crc ^ bytes[i]!) & 255]! ^ T6[((crc >>> 8) ^ bytes[i + 1]!) & 255]!
      ^ T5[((crc >>> 16) ^ bytes[i + 2]!) & 255]! ^ T4[(crc >>> 24) ^ bytes[i + 3]!]!
      ^ T3[bytes[i + 4]!]! ^ T2[bytes[i + 5]!]! ^ T1[bytes[i + 6]!]! ^ T0[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) crc = T0[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return crc >>> 0;
}
