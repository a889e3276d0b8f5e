// SPDX-License-Identifier: MIT
/** What the second reader reads from: bytes of a known size, there or decoded when asked for. */

import { need } from './unreadable.ts';

export interface Bytes {
  /** Bytes. */
  readonly size: number;
  /** `length` bytes from `offset`, or Unreadable where they are not there or do not decode. */
  read(offset: number, length: number): Uint8Array;
  /** All of it, where nothing has to be decoded for that. */
  readonly whole?: Uint8Array;
}

/** A buffer to read from; reads are views. */
export function bytesOf(whole: Uint8Array): Bytes {
  return {
    size: whole.length,
    whole,
    read(offset, length) {
      need(offset + length <= whole.length, `${length} bytes at ${offset} of a file of ${whole.length}`);
      return whole.subarray(offset, offset + length);
    },
  };
}
