// SPDX-License-Identifier: MIT
/** Bytes that can be read anywhere, and the three ways in which this reader stops. Offsets and sizes are bytes. */

export interface Bytes {
  readonly size: number;
  /** `length` bytes from `at`; `OutOfBounds` where they are not all there, whatever this reader throws where they cannot be decoded. */
  read(at: number, length: number): Uint8Array;
}

/** The image, table or block is not sound: refused where it is opened, EIO where it is read. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly clause: string;

  constructor(clause: string, why: string) {
    super(why);
    this.clause = clause;
  }
}

/** A read outside of what there is. The reader never does that; with a defect it may, and then it is a crash. */
export class OutOfBounds extends Error {
  override readonly name = 'OutOfBounds';
}

/** The reader waits for ever, as far as anybody can see. */
export class Hung extends Error {
  override readonly name = 'Hung';
}

export function bytesOf(buffer: Uint8Array): Bytes {
  return {
    size: buffer.length,
    read(at, length) {
      inside(buffer.length, at, length);
      return buffer.subarray(at, at + length);
    },
  };
}

/** `size` bytes of `whole` from `start` on. */
export function part(whole: Bytes, start: number, size: number): Bytes {
  inside(whole.size, start, size);
  return {
    size,
    read(at, length) {
      inside(size, at, length);
      return whole.read(start + at, length);
    },
  };
}

/** The first `size` bytes of a device that begins with `whole` and goes on with what nobody has defined, here zeros. */
export function resized(whole: Bytes, size: number): Bytes {
  return {
    size,
    read(at, length) {
      inside(size, at, length);
      const there = Math.max(0, Math.min(length, whole.size - at));
      if (there === length) return whole.read(at, length);
      const out = new Uint8Array(length);
      if (there > 0) out.set(whole.read(at, there));
      return out;
    },
  };
}

function inside(size: number, at: number, length: number): void {
  // Written so that NaN fails, too.
  if (!(at >= 0 && length >= 0 && at + length <= size)) throw new OutOfBounds(`${length} bytes at ${at} of ${size}`);
}
