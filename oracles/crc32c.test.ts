// SPDX-License-Identifier: MIT
import { crc32c } from '@node-rs/crc32';
import { describe, expect, it } from 'vitest';
import { writerCrc } from '../generators/checksum.ts';
import { randomBytes } from '../generators/content.ts';
import { BLOCK_CRC_SEED } from '../spec/index.ts';
import { rawCrc32c } from './crc32c.ts';

const DIGITS = Buffer.from('123456789');

describe('raw CRC-32C', () => {
  it('gives the values of the format facts', () => {
    expect(rawCrc32c(DIGITS, 0)).toBe(0x58e3fa20);
    expect(rawCrc32c(DIGITS, BLOCK_CRC_SEED)).toBe(0x3c9bd4e0);
  });

  it('is an ordinary CRC-32C without its two inversions', () => {
    for (const length of [0, 1, 7, 512, 4099]) {
      const bytes = Buffer.from(randomBytes(length + 1, length));
      for (const seed of [0, 1, BLOCK_CRC_SEED, 0xffffffff]) {
        // An ordinary CRC-32C that continues from `crc` inverts it before and after.
        const ordinary = ~crc32c(bytes, ~seed >>> 0) >>> 0;
        expect(rawCrc32c(bytes, seed)).toBe(ordinary);
        expect(writerCrc(bytes, seed)).toBe(ordinary);
      }
    }
  });
});
