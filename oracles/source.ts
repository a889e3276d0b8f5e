// SPDX-License-Identifier: MIT
/** Random-access bytes with a known size: a buffer, a file, a window of either, or a decoded ZFile. */

export interface ByteSource {
  /** Bytes. */
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`. The caller has checked the range;
   * a range outside the source is a mistake of ours and throws RangeError.
   * A decoding source throws a Violation where its bytes cannot be produced.
   */
  read(offset: number, length: number): Uint8Array;
  /** As `read`, into a buffer of the caller's, which is filled. Sources that would only copy do without. */
  readInto?(offset: number, target: Uint8Array): void;
}

/** Throws RangeError unless the range lies inside a source of `size` bytes. */
export function checkRange(size: number, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
    throw new RangeError(`read of ${length} bytes at ${offset} outside a source of ${size}`);
  }
}

/** Whether two runs of bytes are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** A buffer as a source; reads are views, not copies. */
export function bufferSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read(offset, length) {
      checkRange(bytes.length, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** `length` bytes of another source, from `start`. */
export function windowSource(inner: ByteSource, start: number, length: number): ByteSource {
  checkRange(inner.size, start, length);
  return {
    size: length,
    read(offset, n) {
      checkRange(length, offset, n);
      return inner.read(start + offset, n);
    },
    ...(inner.readInto && {
      readInto(offset: number, target: Uint8Array): void {
        checkRange(length, offset, target.length);
        inner.readInto!(start + offset, target);
      },
    }),
  };
}

/** Reads a source from front to back in pieces of `window` bytes. What it gives lives until the next call. */
export function slidingWindow(source: ByteSource, window: number): (offset: number, length: number) => Uint8Array {
  let start = 0;
  let held: Uint8Array = new Uint8Array(0);
  // One buffer for all pieces: the collector is in no hurry to free them one by one.
  const own = source.readInto ? new Uint8Array(Math.min(window, source.size)) : null;
  return (offset, length) => {
    if (offset < start || offset + length > start + held.length) {
      const wanted = Math.max(length, Math.min(window, source.size - offset));
      if (own && wanted <= own.length) {
        held = own.subarray(0, wanted);
        source.readInto!(offset, held);
      } else {
        held = source.read(offset, wanted);
      }
      start = offset;
    }
    return held.subarray(offset - start, offset - start + length);
  };
}

/** Pieces of at most `most` bytes that make up `length` bytes from `offset`. */
export function* piecesOf(source: ByteSource, offset: number, length: number, most: number): Iterable<{ at: number; bytes: Uint8Array }> {
  for (let done = 0; done < length; done += most) {
    yield { at: offset + done, bytes: source.read(offset + done, Math.min(most, length - done)) };
  }
}
