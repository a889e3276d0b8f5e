// SPDX-License-Identifier: MIT
/**
 * LZ4 blocks token by token: explicit sequences to bytes and back (LZ4 block
 * format: token, literal length, literals, offset, match length). Bytes.
 */

/** One sequence. The last one of a block has no match. */
export interface Sequence {
  /** Number of literals; which bytes they are, the content says. */
  readonly literals: number;
  readonly match: { readonly offset: number; readonly length: number } | null;
}

/** Shortest match that a token can name. */
export const MIN_MATCH = 4;
/** Decoded bytes that are literals at the end of a block, at least. */
export const LAST_LITERALS = 5;
/** Decoded bytes from the start of the last match to the end of the block, at least. */
export const MATCH_MARGIN = 12;

/** Bytes that a length takes up behind its four bits of the token. */
export function extraBytes(length: number): number {
  return length < 15 ? 0 : 1 + Math.floor((length - 15) / 255);
}

/** Stored bytes of a sequence. */
export function sequenceBytes(s: Sequence): number {
  return 1 + extraBytes(s.literals) + s.literals + (s.match ? 2 + extraBytes(s.match.length - MIN_MATCH) : 0);
}

/** Decoded bytes of a list of sequences. */
export function decodedBytes(sequences: readonly Sequence[]): number {
  return sequences.reduce((n, s) => n + s.literals + (s.match?.length ?? 0), 0);
}

/**
 * The sequences as a stored block. Literals are the bytes of `content` at the
 * place where they decode to; `content` is as long as the sequences decode to,
 * or longer. Legal or not is not asked: any offset and length that fits is written.
 */
export function encodeSequences(sequences: readonly Sequence[], content: Uint8Array): Uint8Array {
  const out = new Uint8Array(sequences.reduce((n, s) => n + sequenceBytes(s), 0));
  let at = 0;
  let decoded = 0;
  const extend = (length: number): void => {
    if (length < 15) return;
    let rest = length - 15;
    for (; rest >= 255; rest -= 255) out[at++] = 255;
    out[at++] = rest;
  };
  for (const { literals, match } of sequences) {
    const code = match ? match.length - MIN_MATCH : 0;
    out[at++] = (Math.min(literals, 15) << 4) | Math.min(code, 15);
    extend(literals);
    out.set(content.subarray(decoded, decoded + literals), at);
    at += literals;
    decoded += literals;
    if (!match) continue;
    out[at++] = match.offset & 0xff;
    out[at++] = match.offset >>> 8;
    extend(code);
    decoded += match.length;
  }
  return out;
}

/** The sequences of a sound block: ours or a library's, never one from outside. */
export function parseSequences(block: Uint8Array): Sequence[] {
  const sequences: Sequence[] = [];
  let at = 0;
  const extended = (base: number): number => {
    let total = base;
    if (base === 15) {
      for (let more = 255; more === 255 && at < block.length;) total += more = block[at++]!;
    }
    return total;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = extended(token >> 4);
    at += literals;
    if (at >= block.length) {
      sequences.push({ literals, match: null });
      break;
    }
    const offset = block[at]! | (block[at + 1]! << 8);
    at += 2;
    sequences.push({ literals, match: { offset, length: extended(token & 15) + MIN_MATCH } });
  }
  return sequences;
}

/** Writes what the matches copy into `content`, so that it is what the sequences decode to. They are legal and decode to its length. */
export function copyMatches(sequences: readonly Sequence[], content: Uint8Array): void {
  let at = 0;
  for (const { literals, match } of sequences) {
    at += literals;
    if (!match) continue;
    for (const end = at + match.length; at < end; at++) content[at] = content[at - match.offset]!;
  }
}

/** Whether the sequences decode to `content`, its own bytes being their literals. */
export function decodesTo(sequences: readonly Sequence[], content: Uint8Array): boolean {
  let at = 0;
  for (const { literals, match } of sequences) {
    at += literals;
    if (!match) continue;
    if (match.offset > at || at + match.length > content.length) return false;
    for (const end = at + match.length; at < end; at++) if (content[at] !== content[at - match.offset]) return false;
  }
  return at === content.length;
}
