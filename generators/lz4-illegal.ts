// SPDX-License-Identifier: MIT
/**
 * LZ4 blocks that break exactly one rule first, made to take up the very
 * stored bytes of the block whose place they take: nothing else of the file
 * moves, so that several damages can be composed. Bytes.
 */
import { randomBytes } from './content.ts';
import { encodeSequences, extraBytes, LAST_LITERALS, MIN_MATCH, type Sequence } from './lz4-tokens.ts';

export interface IllegalLz4 {
  readonly name: string;
  /** The clause that a reader meets first in such a block. */
  readonly clause: string;
  /**
   * A block of `stored` bytes in the place of one that decodes to `length`
   * bytes; null where there is none of that size. `n` chooses among several.
   */
  make(stored: number, length: number, n: number): Uint8Array | null;
}

const seq = (literals: number, offset: number, length: number): Sequence => ({ literals, match: { offset, length } });
const lit = (literals: number): Sequence => ({ literals, match: null });

/** The sequences' bytes, noise behind them; null where they do not fit. */
function padded(stored: number, sequences: readonly Sequence[], n: number): Uint8Array | null {
  const noise = randomBytes(n + 1, stored + 1024 + sequences.reduce((sum, s) => sum + s.literals, 0));
  const block = encodeSequences(sequences, noise);
  if (block.length > stored) return null;
  const out = noise.slice(0, stored);
  out.set(block);
  return out;
}

/** Sequences of exactly `stored` bytes; null where they are not. */
function exactly(stored: number, sequences: readonly Sequence[], n: number): Uint8Array | null {
  const block = padded(stored, sequences, n);
  return block && encodeSequences(sequences, block).length === stored ? block : null;
}

/** A few literals and matches before the fault, as many as `room` decoded bytes allow. */
function opening(n: number, room: number): { readonly sequences: readonly Sequence[]; readonly decoded: number } {
  if (n % 3 !== 0 && room >= 30) return { sequences: [seq(3, 2, 9), seq(0, 12, 5)], decoded: 17 };
  return { sequences: [], decoded: 0 };
}

/** A fault in the offset of a match, which `offset` gives from what is decoded before it. */
function badOffset(name: string, clause: string, offset: (decoded: number) => number): IllegalLz4 {
  return {
    name, clause,
    make(stored, length, n) {
      const { sequences, decoded } = opening(n, length);
      const literals = Math.min((n >>> 2) % 20, length - decoded);
      const block = padded(stored, [...sequences, seq(literals, offset(decoded + literals), MIN_MATCH)], n);
      return block ?? padded(stored, [seq(0, offset(0), MIN_MATCH)], n);
    },
  };
}

/** Literals that with their length and `behind` bytes take up `stored` bytes exactly; null where no number does. */
function literalsOf(stored: number, behind: number): number | null {
  for (let extra = 0; extra <= extraBytes(stored); extra++) {
    const literals = stored - 1 - extra - behind;
    if (literals >= 0 && extraBytes(literals) === extra) return literals;
  }
  return null;
}

/** A block of one token, then length bytes of 255 up to its end. */
function endlessLength(stored: number, head: readonly number[]): Uint8Array | null {
  if (stored <= head.length) return null;
  const out = new Uint8Array(stored).fill(255);
  out.set(head);
  return out;
}

const pastInput: readonly IllegalLz4[] = [
  {
    name: 'one literal more than is stored', clause: 'ZF-LZ4-03',
    make(stored, _length, n) {
      const literals = literalsOf(stored + 1, 0) ?? stored;
      const block = encodeSequences([lit(literals)], randomBytes(n + 1, literals));
      return block.length > stored ? block.slice(0, stored) : null;
    },
  },
  { name: 'a literal length that never ends', clause: 'ZF-LZ4-03', make: (stored) => endlessLength(stored, [0xf0]) },
  { name: 'a match length that never ends', clause: 'ZF-LZ4-03', make: (stored, length) => (length < 1 ? null : endlessLength(stored, [0x1f, 0x41, 1, 0])) },
  {
    name: 'half an offset', clause: 'ZF-LZ4-03',
    make(stored, length, n) {
      const literals = literalsOf(stored, 1);
      return literals === null || literals > length ? null : encodeSequences([seq(literals, 1, MIN_MATCH)], randomBytes(n + 1, literals)).slice(0, stored);
    },
  },
  {
    name: 'no last literals, and the block not full', clause: 'ZF-LZ4-03',
    make(stored, length, n) {
      const literals = literalsOf(stored, 2);
      if (literals === null || literals < 1 || literals + MIN_MATCH >= length) return null;
      return exactly(stored, [seq(literals, 1, MIN_MATCH)], n);
    },
  },
];

const pastOutput: readonly IllegalLz4[] = [
  {
    name: 'a match one byte past the end', clause: 'ZF-LZ4-04',
    make: (stored, length, n) => padded(stored, [seq(Math.min(length, 1 + (n % 9)), 1, Math.max(MIN_MATCH, length + 1 - Math.min(length, 1 + (n % 9))))], n),
  },
  {
    name: 'a match far past the end', clause: 'ZF-LZ4-04',
    make: (stored, length, n) => padded(stored, [seq(1, 1, length + [512, 4096, 65536][n % 3]!)], n),
  },
  {
    name: 'one literal past the end', clause: 'ZF-LZ4-04',
    make: (stored, length, n) => padded(stored, [lit(length + 1)], n),
  },
  {
    name: 'input left over: a literal behind the full block', clause: 'ZF-LZ4-04',
    make(stored, length, n) {
      const literals = 1 + (n % 7);
      return length < literals + MIN_MATCH ? null : padded(stored, [seq(literals, 1, length - literals), lit(1)], n);
    },
  },
  {
    name: 'input left over: a match behind the full block', clause: 'ZF-LZ4-04',
    make(stored, length, n) {
      const literals = 1 + (n % 7);
      return length < literals + MIN_MATCH ? null : padded(stored, [seq(literals, 1, length - literals), seq(0, 1, MIN_MATCH)], n);
    },
  },
];

/**
 * Sequences that take up `stored` bytes and decode to `decoded`, and end with
 * a match of `match` bytes and `last` literals (-1: with the match itself);
 * null where none is found.
 */
function fitted(stored: number, decoded: number, match: number, last: number): Sequence[] | null {
  const tail = last < 0 ? [] : [lit(last)];
  const tailBytes = last < 0 ? 0 : 1 + extraBytes(last) + last;
  for (const between of [0, 1, 2, 15, 16]) {
    const second = 1 + extraBytes(between) + between + 2 + extraBytes(match - MIN_MATCH);
    for (let literals = Math.max(1, stored - tailBytes - second - 3 - extraBytes(decoded) - extraBytes(stored)); literals < stored; literals++) {
      const filling = decoded - literals - between - match - Math.max(last, 0);
      if (filling < MIN_MATCH) break;
      const bytes = 1 + extraBytes(literals) + literals + 2 + extraBytes(filling - MIN_MATCH) + second + tailBytes;
      if (bytes === stored) return [seq(literals, 1, filling), seq(between, 1, match), ...tail];
      if (bytes > stored) break;
    }
  }
  const literals = decoded - match - Math.max(last, 0);
  const alone = [seq(literals, 1, match), ...tail];
  return literals >= 1 && 1 + extraBytes(literals) + literals + 2 + extraBytes(match - MIN_MATCH) + tailBytes === stored ? alone : null;
}

function ending(name: string, clause: string, match: number, last: number, decoded: (length: number, n: number) => number): IllegalLz4 {
  return {
    name, clause,
    make(stored, length, n) {
      const bytes = decoded(length, n);
      const sequences = bytes < 1 ? null : fitted(stored, bytes, match, last);
      return sequences && exactly(stored, sequences, n);
    },
  };
}

const whole = (length: number): number => length;

/** A block of literals only that is stored in a byte less than one of `length`. */
const shortLiterals: IllegalLz4 = {
  name: 'literals only, too few', clause: 'ZF-BLK-05',
  make(stored, length, n) {
    const literals = literalsOf(stored, 0);
    return literals === null || literals < 1 || literals >= length ? null : exactly(stored, [lit(literals)], n);
  },
};

/** Every illegal form. */
export const ILLEGAL_LZ4: readonly IllegalLz4[] = [
  badOffset('offset 0', 'ZF-LZ4-01', () => 0),
  badOffset('an offset one byte before the start', 'ZF-LZ4-02', (decoded) => decoded + 1),
  badOffset('an offset far before the start', 'ZF-LZ4-02', (decoded) => Math.max(decoded + 1, 65535)),
  ...pastInput,
  ...pastOutput,
  ending('no last literals', 'ZF-LZ4-05', 20, -1, whole),
  ...[0, 1, 2, 3, LAST_LITERALS - 1].map((last) => ending(`${last} last literals`, 'ZF-LZ4-05', 20, last, whole)),
  ending('a match 11 bytes before the end', 'ZF-LZ4-05', 6, 5, whole),
  ending('a match 9 bytes before the end', 'ZF-LZ4-05', 4, 5, whole),
  ending('output short by 1', 'ZF-BLK-05', 20, 6, (length) => length - 1),
  ending('output short', 'ZF-BLK-05', 20, 6, (length, n) => Math.max(1, length - [2, 16, 512, length >>> 1][n % 4]!)),
  shortLiterals,
];
