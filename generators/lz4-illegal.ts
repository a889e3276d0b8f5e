// SPDX-License-Identifier: MIT
/**
 * LZ4 blocks that break exactly one rule first, made to take up the very
 * stored bytes of the block whose place they take: nothing else of the file
 * moves, so that several damages can be composed. Bytes.
 */
import { randomBytes } from './content.ts';
import { decodedBytes, encodeSequences, extraBytes, LAST_LITERALS, MATCH_MARGIN, MIN_MATCH, sequenceBytes, type Sequence } from './lz4-tokens.ts';

export interface IllegalLz4 {
  readonly name: string;
  /** The clause that a reader meets first in such a block. */
  readonly clause: string;
  /** Forms of one clause that are drawn together; absent: those without one. */
  readonly kind?: string;
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

/** What stands before the one match that a solution is sought with; its literals come first, so that offset 1 is legal. */
const OPENINGS: readonly (readonly Sequence[])[] = [
  [], [seq(1, 1, 4)], [seq(2, 1, 4)], [seq(15, 1, 4)], [seq(16, 1, 4)], [seq(1, 1, 19)], [seq(1, 1, 4), seq(0, 1, 4)],
];

/**
 * Sequences that take up `stored` bytes and decode to `decoded`: an opening,
 * literals with a match of at least `least` bytes, then `tail`; null where
 * none are found, as for blocks that consist of literals.
 */
function filled(stored: number, decoded: number, least: number, tail: readonly Sequence[]): Sequence[] | null {
  for (const opening of OPENINGS) {
    const given = [...opening, ...tail];
    const bytes = stored - given.reduce((n, s) => n + sequenceBytes(s), 0);
    const left = decoded - decodedBytes(given);
    const fewest = opening.length === 0 ? 1 : 0;
    for (let literals = Math.max(fewest, bytes - 3 - extraBytes(left) - extraBytes(bytes)); literals <= left - least; literals++) {
      const filler = seq(literals, 1, left - literals);
      const size = sequenceBytes(filler);
      if (size === bytes) return [...opening, filler, ...tail];
      if (size > bytes) break;
    }
  }
  return null;
}

/** Legal sequences that take up `stored` bytes and decode to `decoded`; null where none are found. */
function legal(stored: number, decoded: number, n: number): Sequence[] | null {
  const last = 8 + (n % 8);
  return filled(stored, decoded, MIN_MATCH, [lit(last)]) ?? filled(stored, decoded, MATCH_MARGIN - LAST_LITERALS, [lit(LAST_LITERALS)]);
}

/** The sequences as a block whose literals are noise; null for none. */
function written(sequences: readonly Sequence[] | null, n: number): Uint8Array | null {
  return sequences && encodeSequences(sequences, randomBytes(n + 1, decodedBytes(sequences)));
}

/** `sequences` with the offset of one match made what `offset` gives from what is decoded before it; null where no offset is as large. */
function withOffset(sequences: readonly Sequence[], n: number, offset: (decoded: number) => number): Sequence[] | null {
  const matches = sequences.flatMap((s, i) => (s.match ? [i] : []));
  const at = matches[n % matches.length]!;
  const { literals, match } = sequences[at]!;
  const wanted = offset(decodedBytes(sequences.slice(0, at)) + literals);
  return wanted > 0xffff ? null : sequences.map((s, i) => (i === at ? seq(literals, wanted, match!.length) : s));
}

/**
 * A fault in the offset of a match, and none besides: who takes it for legal
 * finds stored bytes, decoded length and the end as they should be. Blocks
 * that have no room for that are wrong in the same match, then noise.
 */
function badOffset(name: string, clause: string, kind: string, offset: (decoded: number) => number): IllegalLz4 {
  return {
    name, clause, kind,
    make(stored, length, n) {
      const sequences = legal(stored, length, n);
      const block = sequences && written(withOffset(sequences, n, offset), n);
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

/** Legal blocks without their last bytes: who takes what is not stored for zeros finds nothing else wrong. */
const cutShort: readonly IllegalLz4[] = [
  {
    name: 'the last literals are not all stored', clause: 'ZF-LZ4-03', kind: 'cut',
    make: (stored, length, n) => written(legal(stored + 1 + (n % LAST_LITERALS), length, n >>> 3), n)?.slice(0, stored) ?? null,
  },
  {
    name: 'the last length is not stored', clause: 'ZF-LZ4-03', kind: 'cut',
    make: (stored, length, n) => written(filled(stored + 16, length, MIN_MATCH, [lit(15)]), n)?.slice(0, stored) ?? null,
  },
];

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

/** Blocks that are legal but for their last bytes, which are decoded behind the end: who leaves those out finds nothing else wrong. */
const tooMuch: readonly IllegalLz4[] = [
  {
    name: 'the last literal is one too many', clause: 'ZF-LZ4-04', kind: 'full',
    make: (stored, length, n) => written(legal(stored, length + 1, n), n),
  },
  {
    name: 'the last match is a byte too long, and literals follow', clause: 'ZF-LZ4-04', kind: 'full',
    make: (stored, length, n) => written(filled(stored, length + 1 + LAST_LITERALS, MATCH_MARGIN + 1, [lit(LAST_LITERALS)]), n),
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

/** Blocks that break an end rule and are right otherwise. */
function ending(name: string, kind: string, least: number, tail: (n: number) => readonly Sequence[]): IllegalLz4 {
  return { name, clause: 'ZF-LZ4-05', kind, make: (stored, length, n) => written(filled(stored, length, least, tail(n)), n) };
}

/** Legal blocks that decode to less. */
function short(name: string, missing: (length: number, n: number) => number): IllegalLz4 {
  return { name, clause: 'ZF-BLK-05', make: (stored, length, n) => written(legal(stored, length - missing(length, n), n >>> 2), n) };
}

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
  badOffset('offset 0', 'ZF-LZ4-01', 'zero', () => 0),
  badOffset('an offset one byte before the start', 'ZF-LZ4-02', 'by-1', (decoded) => decoded + 1),
  badOffset('an offset far before the start', 'ZF-LZ4-02', 'far', (decoded) => Math.max(decoded + 1, 65535)),
  ...cutShort,
  ...pastInput,
  ...tooMuch,
  ...pastOutput,
  ending('no last literals', 'ends-with-match', MATCH_MARGIN, () => []),
  ending('4 last literals', 'few-literals', MATCH_MARGIN, () => [lit(LAST_LITERALS - 1)]),
  ending('fewer last literals', 'few-literals', MATCH_MARGIN, (n) => [lit(n % (LAST_LITERALS - 1))]),
  ending('a match 11 bytes before the end', 'late-match', MIN_MATCH, () => [seq(0, 1, 6), lit(LAST_LITERALS)]),
  ending('a match 9 or 10 bytes before the end', 'late-match', MIN_MATCH, (n) => [seq(n % 3, 1, 4 + (n % 2)), lit(LAST_LITERALS)]),
  short('output short by 1', () => 1),
  short('output short', (length, n) => [2, 16, 512, length >>> 1][n % 4]!),
  shortLiterals,
];
