// SPDX-License-Identifier: MIT
/** The legal forms of an LZ4 block, at the borders where decoders break. Bytes. */
import { LAST_LITERALS, MATCH_MARGIN, MIN_MATCH, type Sequence } from './lz4-tokens.ts';

export interface Lz4Form {
  readonly name: string;
  /** Sequences that decode to exactly `length` bytes; null where the form needs a longer block. */
  plan(length: number): readonly Sequence[] | null;
}

/** Decoded bytes behind the filling match: more than the end rules ask for. */
const TAIL = 13;

const lit = (literals: number): Sequence => ({ literals, match: null });
const seq = (literals: number, offset: number, length: number): Sequence => ({ literals, match: { offset, length } });

/** `head`, and then a match and literals up to `length`. */
function filled(head: readonly Sequence[], length: number, offset: number): readonly Sequence[] | null {
  const done = head.reduce((n, s) => n + s.literals + (s.match?.length ?? 0), 0);
  const rest = length - done - TAIL;
  return rest < MIN_MATCH || done < offset ? null : [...head, seq(0, offset, rest), lit(TAIL)];
}

/** Lengths around the places where one more byte goes on with them: 15, and every 255 from there. */
const LENGTH_BORDERS = [14, 15, 16, 15 + 254, 15 + 255, 15 + 256, 15 + 509, 15 + 510, 15 + 511] as const;

function literalLengths(): Lz4Form[] {
  return LENGTH_BORDERS.map((n) => ({
    name: `${n} literals`,
    plan(length) {
      const rest = length - n - TAIL;
      return rest < MIN_MATCH ? null : [seq(n, Math.min(n, 7), rest), lit(TAIL)];
    },
  }));
}

/** The last literals have a length of their own to go on with. */
function lastLiteralLengths(): Lz4Form[] {
  return LENGTH_BORDERS.map((n) => ({
    name: `${n} last literals`,
    plan(length) {
      const rest = length - n - 3;
      return rest < MIN_MATCH ? null : [seq(3, 3, rest), lit(n)];
    },
  }));
}

function matchLengths(): Lz4Form[] {
  return [MIN_MATCH, MIN_MATCH + 1, ...LENGTH_BORDERS.map((n) => n + MIN_MATCH)].map((m) => ({
    name: `a match of ${m}`,
    plan: (length) => filled([seq(9, 9, m)], length, 2) ?? (length - 9 - m >= LAST_LITERALS && length - 9 >= MATCH_MARGIN ? [seq(9, 9, m), lit(length - 9 - m)] : null),
  }));
}

/** A match of each short offset: shorter than, as long as and longer than what it copies from. */
function overlaps(): Lz4Form[] {
  const lengths = (offset: number): number[] => [...new Set([MIN_MATCH, Math.max(MIN_MATCH, offset), Math.max(MIN_MATCH, offset + 1), 3 * offset + 20])];
  return [1, 2, 3, 4, 5, 6, 7, 8].flatMap((offset) => lengths(offset).map((m) => ({
    name: `a match of ${m} from ${offset} back`,
    plan: (length) => filled([seq(offset + 1, offset, m)], length, offset),
  })));
}

/** A match at `at` that reaches back to the first byte. */
function reaches(name: string, at: (length: number) => number): Lz4Form {
  return {
    name,
    plan(length) {
      const from = at(length);
      const last = length - from - MIN_MATCH;
      return from < 1 || from > 65535 || last < LAST_LITERALS || length - from < MATCH_MARGIN ? null : [seq(from, from, MIN_MATCH), lit(last)];
    },
  };
}

const ends: readonly Lz4Form[] = [
  { name: 'literals only', plan: (length) => (length > 0 ? [lit(length)] : null) },
  {
    name: 'the last match at its margin, five last literals',
    plan: (length) => (length <= MATCH_MARGIN ? null : [seq(length - MATCH_MARGIN, 1, MATCH_MARGIN - LAST_LITERALS), lit(LAST_LITERALS)]),
  },
  {
    name: 'a match as long as the block lets it be',
    plan: (length) => (length <= MATCH_MARGIN ? null : [seq(1, 1, length - 1 - LAST_LITERALS), lit(LAST_LITERALS)]),
  },
  {
    name: 'the last match at its margin, as short as can be',
    plan: (length) => (length <= MATCH_MARGIN ? null : [seq(length - MATCH_MARGIN, 1, MIN_MATCH), lit(MATCH_MARGIN - MIN_MATCH)]),
  },
  {
    name: 'matches without literals between them',
    plan: (length) => filled([seq(8, 8, 4), seq(0, 3, 5), seq(0, 1, 19), seq(0, 8, 18)], length, 5),
  },
  {
    name: 'one literal between matches',
    plan: (length) => filled([seq(1, 1, 4), seq(1, 5, 4), seq(1, 2, 4), seq(1, 11, 4)], length, 1),
  },
  reaches('a match from as far back as the block lets it', (length) => length - MATCH_MARGIN),
  reaches('a match from 255 back', (length) => (length >= 255 + MATCH_MARGIN ? 255 : 0)),
  reaches('a match from 256 back', (length) => (length >= 256 + MATCH_MARGIN ? 256 : 0)),
  reaches('a match from 4096 back', (length) => (length >= 4096 + MATCH_MARGIN ? 4096 : 0)),
  reaches('a match from 32768 back', (length) => (length >= 32768 + MATCH_MARGIN ? 32768 : 0)),
];

/** Every legal form, the plainest first. */
export const LZ4_FORMS: readonly Lz4Form[] = [...ends, ...literalLengths(), ...lastLiteralLengths(), ...matchLengths(), ...overlaps()];

/** The form that a number chooses among those that a block of `length` bytes (at least 1) has room for. */
export function lz4Plan(form: number, length: number): readonly Sequence[] {
  for (let i = 0; i < LZ4_FORMS.length; i++) {
    const plan = LZ4_FORMS[(form + i) % LZ4_FORMS.length]!.plan(length);
    if (plan) return plan;
  }
  return [lit(length)];
}
