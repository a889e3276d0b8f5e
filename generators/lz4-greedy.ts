// SPDX-License-Identifier: MIT
/** A plain LZ4 compressor of ours: its matches are not those of a library. */
import { LAST_LITERALS, MATCH_MARGIN, MIN_MATCH, type Sequence } from './lz4-tokens.ts';

const MAX_OFFSET = 65535;
const HASH_BITS = 12;

/** Knuth's multiplicative hash of four bytes. */
function hash(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
}

/** Whether a match at `at` can start from `from`, where the four bytes of `word` must stand. */
function reaches(v: DataView, from: number, at: number, word: number): boolean {
  return from >= 0 && at - from <= MAX_OFFSET && v.getUint32(from, true) === word;
}

/**
 * Sequences that decode to `content`. At each place the first of three
 * candidates that fits is taken as far as it goes: a run (offset 1), and the
 * latest and the first place with the hash of the same four bytes.
 */
export function greedySequences(content: Uint8Array): Sequence[] {
  const v = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const latest = new Int32Array(1 << HASH_BITS).fill(-1);
  const first = new Int32Array(1 << HASH_BITS).fill(-1);
  const sequences: Sequence[] = [];
  const lastStart = content.length - MATCH_MARGIN;
  const end = content.length - LAST_LITERALS;
  let pending = 0;
  for (let at = 0; at <= lastStart;) {
    const word = v.getUint32(at, true);
    const slot = hash(word);
    const from = reaches(v, at - 1, at, word) ? at - 1
      : reaches(v, latest[slot]!, at, word) ? latest[slot]!
      : reaches(v, first[slot]!, at, word) ? first[slot]! : -1;
    latest[slot] = at;
    if (first[slot] === -1) first[slot] = at;
    if (from < 0) {
      at++;
      continue;
    }
    let length = MIN_MATCH;
    while (at + length < end && content[from + length] === content[at + length]) length++;
    sequences.push({ literals: at - pending, match: { offset: at - from, length } });
    at += length;
    pending = at;
  }
  return [...sequences, { literals: content.length - pending, match: null }];
}
