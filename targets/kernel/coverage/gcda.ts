// SPDX-License-Identifier: MIT
/**
 * Files of counters as gcc 12 and the kernel's gcov write them: four words of header,
 * then records of a tag, a length in bytes and that many bytes; of counters whose
 * length is negative all are 0 (gcc's gcov-io.h). They come from a guest: nothing is taken as it is.
 */

const MAGIC = 0x67636461; // "gcda"
const HEADER_BYTES = 16;
const TAG_FUNCTION = 0x01000000;
const TAG_ARCS = 0x01a10000;
const TAG_SUMMARY = 0xa1000000;
/** Counters of one file; a megabyte has as many. */
const MAX_COUNTERS = 131072;
const MAX_COUNT = (1n << 63n) - 1n;

/** The bytes are no counters, or not of the same build as the others. */
export class CounterError extends Error {
  override readonly name = 'CounterError';
}

interface Entry {
  readonly tag: number;
  /** Of a function: what it is. */
  readonly bytes?: Buffer;
  /** Of its arcs. */
  readonly counts?: readonly bigint[];
}

export interface Counters {
  readonly header: Buffer;
  readonly records: readonly Entry[];
}

/** Throws `CounterError` where the bytes are not a file of arc counters. */
export function parseCounters(bytes: Buffer): Counters {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== MAGIC) throw new CounterError('no file of counters');
  const records: Entry[] = [];
  let total = 0;
  for (let at = HEADER_BYTES; at < bytes.length;) {
    if (at + 8 > bytes.length) {
      // libgcov ends a file with one word of 0.
      if (at + 4 === bytes.length && bytes.readUInt32LE(at) === 0) break;
      throw new CounterError(`half a record at byte ${at}`);
    }
    const tag = bytes.readUInt32LE(at);
    const length = bytes.readInt32LE(at + 4);
    at += 8;
    const here = tag === TAG_ARCS && length < 0 ? 0 : length;
    if (here < 0 || here > bytes.length - at) throw new CounterError(`a record of ${length} bytes at byte ${at - 8}`);
    const content = bytes.subarray(at, at + here);
    at += here;
    if (tag === TAG_SUMMARY) continue;
    if (tag === TAG_FUNCTION) {
      records.push({ tag, bytes: Buffer.from(content) });
    } else if (tag === TAG_ARCS) {
      const count = Math.abs(length) / 8;
      total += count;
      if (!Number.isInteger(count) || total > MAX_COUNTERS) throw new CounterError(`counters of ${length} bytes`);
      records.push({ tag, counts: Array.from({ length: count }, (_, i) => (length < 0 ? 0n : content.readBigUInt64LE(8 * i))) });
    } else {
      throw new CounterError(`counters of another kind, 0x${tag.toString(16)}`);
    }
  }
  return { header: Buffer.from(bytes.subarray(0, HEADER_BYTES)), records };
}

/** The sum of both. Throws `CounterError` where they are not of one build. */
export function addCounters(a: Counters, b: Counters): Counters {
  // Version, stamp and checksum: all of the build, none of the values.
  if (!a.header.equals(b.header) || a.records.length !== b.records.length) throw new CounterError('counters of another build');
  return {
    header: a.header,
    records: a.records.map((left, i) => {
      const right = b.records[i]!;
      if (left.counts === undefined || right.counts === undefined) {
        if (left.tag !== right.tag || !left.bytes!.equals(right.bytes!)) throw new CounterError('counters of another build');
        return left;
      }
      if (left.counts.length !== right.counts.length) throw new CounterError('counters of another build');
      const counts = left.counts.map((n, k) => {
        const sum = n + right.counts![k]!;
        return sum > MAX_COUNT ? MAX_COUNT : sum;
      });
      return { tag: left.tag, counts };
    }),
  };
}

/** The file that gcov reads. */
export function encodeCounters({ header, records }: Counters): Buffer {
  const parts = [header];
  for (const { tag, bytes, counts } of records) {
    const content = bytes ?? Buffer.alloc(8 * counts!.length);
    counts?.forEach((n, i) => content.writeBigUInt64LE(n, 8 * i));
    const head = Buffer.alloc(8);
    head.writeUInt32LE(tag, 0);
    head.writeUInt32LE(content.length, 4);
    parts.push(head, content);
  }
  return Buffer.concat(parts);
}
