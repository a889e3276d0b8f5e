// SPDX-License-Identifier: MIT
/** A checksum as the reader at hand computes it: ZF-CRC-01, or its other side. */
import { rawCrc32c } from './crc32c.ts';
import type { Leniency } from './violation.ts';

/** Asks for the flag of ZF-CRC-01 when it is made: there is a checksum to check. */
export class Checksum {
  readonly #inversion: number;
  #crc: number;

  constructor(lenient: Leniency, seed: number) {
    // The usual CRC-32C that goes on from `seed` inverts it before, and the result after.
    this.#inversion = lenient.has('zf.crc-inverted') ? 0xffffffff : 0;
    this.#crc = seed ^ this.#inversion;
  }

  /** Takes in more bytes. */
  add(bytes: Uint8Array): this {
    this.#crc = rawCrc32c(bytes, this.#crc);
    return this;
  }

  get value(): number {
    return (this.#crc ^ this.#inversion) >>> 0;
  }
}
