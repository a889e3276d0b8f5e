// SPDX-License-Identifier: MIT
/** A plain LZ4 compressor of ours: its matches are not those of a library. */
import { LAST_LITERALS, MATCH_MARGIN, MIN_MATCH, type Sequence } from './lz4-tokens.ts';

const MAX_OFFSET = 65535;

/**
 * Sequences that decode to `content`. At each place the nearest of three
 * candidates is taken as far as it goes: a run (offset 1), and the latest and
 * the first place where the same four bytes stood.
 */
export function greedySequences(content: Uint8Array): Sequence[] {
  const v = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const latest = new Map<number, number>();
  const first = new Map<number, number>();
  const sequences: Sequence[] = [];
  const lastStart = content.length - MATCH_MARGIN;
  const end = content.length - LAST_LITERALS;
  let pending = 0;
  for (let at = 0; at <= lastStart;) {
    const word = v.getUint32(at, true);
    const from = [at - 1, latest.get(word) ?? -1, first.get(word) ?? -1]
      .find((c) => c >= 0 && at - c <= MAX_OFFSET && v.getUint32(c, true) === word);
    latest.set(word, at);
    if (!first.has(word)) first.set(word, at);
    if (from === undefined) {
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
