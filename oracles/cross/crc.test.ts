// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { randomBytes } from '../../generators/content.ts';
import { rawCrc32c } from '../crc32c.ts';
import { libraryCrc, libraryCrcWithout } from './crc.ts';

it('the library gives the raw CRC-32C of the format, for both seeds', () => {
  const digits = Buffer.from('123456789');
  expect(libraryCrc(digits)).toBe(0x58e3fa20);
  expect(libraryCrc(digits, 100007)).toBe(0x3c9bd4e0);
});

it('table and library agree on every length up to 600 bytes', () => {
  for (let length = 0; length <= 600; length++) {
    const bytes = randomBytes(length + 1, length);
    for (const seed of [0, 100007, 0xffffffff]) expect(libraryCrc(bytes, seed)).toBe(rawCrc32c(bytes, seed));
  }
});

it('leaves out four bytes wherever they stand', () => {
  const bytes = randomBytes(5, 512);
  for (const at of [0, 28, 508]) {
    const zeroed = bytes.slice();
    zeroed.fill(0, at, at + 4);
    expect(libraryCrcWithout(bytes, at)).toBe(rawCrc32c(zeroed));
    expect(libraryCrcWithout(bytes, at)).not.toBe(rawCrc32c(bytes));
  }
});
