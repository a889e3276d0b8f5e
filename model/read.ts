// SPDX-License-Identifier: MIT
/** One read of a device: how it is asked for, what of that cannot be asked for, and how it is told to people. */

/** O_DIRECT, through the page cache, or by touching a mapping of the device. */
export const READ_MODES = ['direct', 'buffered', 'mmap'] as const;
export type ReadMode = (typeof READ_MODES)[number];

/** One read of the device. Userspace readers may take any of them for a plain read of the range. */
export interface ReadPlan {
  /** Bytes from the start of the device; of a direct read a multiple of 512. */
  readonly offset: number;
  /** Bytes, at least 1; of a direct read a multiple of 512. */
  readonly length: number;
  /** Bytes between a page border and the start of the buffer; 0 ≤ x < 4096, of a direct read a multiple of 512. */
  readonly bufferOffset: number;
  readonly mode: ReadMode;
  /**
   * One call that fills several buffers (preadv): the bytes of each, which
   * together are `length`; of a direct read multiples of 512. Absent: one buffer.
   */
  readonly pieces?: readonly number[];
  /** The buffer lies in huge pages, where the machine has them, so that one request may hold very much. Absent: in pages. */
  readonly huge?: true;
}

/** Buffers of one call at the most: IOV_MAX of Linux. */
export const MAX_PIECES = 1024;

const SECTOR = 512;
const PAGE = 4096;

/** Why a read cannot be asked for as its plan says, for people; null where it can. */
export function readProblem({ offset, length, bufferOffset, mode, pieces, huge }: ReadPlan): string | null {
  const unit = mode === 'direct' ? SECTOR : 1;
  const whole = (n: number, least: number): boolean => Number.isInteger(n) && n >= least && n % unit === 0;
  // Past 2^53 multiples of 512 are still exact; from 2^63 on a kernel has no number for them.
  if (!whole(offset, 0) || offset >= 2 ** 63) return `an offset of ${offset} bytes`;
  if (!whole(length, 1) || !Number.isSafeInteger(length)) return `a length of ${length} bytes`;
  if (offset % SECTOR !== 0 && !Number.isSafeInteger(offset + length)) return `an offset of ${offset} bytes`;
  if (!whole(bufferOffset, 0) || bufferOffset >= PAGE) return `a buffer ${bufferOffset} bytes into its page`;
  if (mode === 'mmap' && (pieces || huge)) return 'a mapping that is read into several buffers or huge pages';
  if (!pieces) return null;
  if (pieces.length === 0 || pieces.length > MAX_PIECES) return `${pieces.length} buffers, not 1 to ${MAX_PIECES}`;
  if (!pieces.every((p) => whole(p, 1))) return 'a buffer of no whole number of sectors or bytes';
  const sum = pieces.reduce((a, b) => a + b, 0);
  return sum === length ? null : `buffers of ${sum} bytes for ${length} bytes`;
}

/** Whether a read is the plainest there is: direct, whole pages, into one buffer on a page border. */
export function isPlainRead({ offset, length, bufferOffset, mode, pieces, huge }: ReadPlan): boolean {
  return mode === 'direct' && !pieces && !huge && offset % PAGE === 0 && length % PAGE === 0 && bufferOffset === 0;
}

/** `direct, 4096 bytes at 0, buffer at 512 in its page, 3 pieces`. */
export function readText({ offset, length, bufferOffset, mode, pieces, huge }: ReadPlan): string {
  const parts = [mode, `${length} bytes at ${offset}`, `buffer at ${bufferOffset} in its page`];
  if (pieces) parts.push(pieces.length <= 8 ? `in pieces of ${pieces.join(', ')}` : `in ${pieces.length} pieces`);
  if (huge) parts.push('in huge pages');
  return parts.join(', ');
}
