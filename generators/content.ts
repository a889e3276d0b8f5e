// SPDX-License-Identifier: MIT
/** Deterministic bytes from zeros to incompressible. */

export const CONTENT_KINDS = ['zeros', 'counter', 'text', 'mixed', 'random'] as const;
export type ContentKind = (typeof CONTENT_KINDS)[number];

export interface ContentRecipe {
  readonly kind: ContentKind;
  readonly seed: number;
}

/** 32-bit words of a sector. */
const SECTOR_WORDS = 128;
const WORDS = 'layer sector segment merge block trailer header index of the and a to read write zero '.split(' ');

/** One step of xorshift32 (Marsaglia 2003); also what the golden manifest's scripts use. */
function xorshift32(state: number): number {
  let s = state;
  s ^= s << 13;
  s ^= s >>> 17;
  s ^= s << 5;
  return s >>> 0;
}

/** `length` bytes of xorshift32 words, little-endian, from `seed` (0 is replaced: it would stay 0). */
export function randomBytes(seed: number, length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let s = (seed >>> 0) || 0x9e3779b9;
  for (let i = 0; i < words.length; i++) words[i] = s = xorshift32(s);
  return new Uint8Array(words.buffer, 0, length);
}

/** `length` bytes. Every kind but `zeros` differs from sector to sector, so that a misplaced sector shows. */
export function makeContent({ kind, seed }: ContentRecipe, length: number): Uint8Array {
  switch (kind) {
    case 'zeros': return new Uint8Array(length);
    case 'counter': return counter(seed, length);
    case 'text': return text(seed, length);
    case 'random': return randomBytes(seed, length);
    case 'mixed': {
      const out = counter(seed, length);
      const noise = randomBytes(seed ^ 0x5bd1e995, length);
      for (let at = 0; at < length; at += 2048) out.set(noise.subarray(at, Math.min(at + 700, length)), at);
      return out;
    }
  }
}

/** Each sector is filled with its own number: compressible, and every sector is told from every other. */
function counter(seed: number, length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let sector = 0, at = 0; at < words.length; sector++, at += SECTOR_WORDS) words.fill((seed + 1 + sector * 0x01000193) >>> 0, at, at + SECTOR_WORDS);
  const out = new Uint8Array(words.buffer, 0, length);
  out.fill((seed & 0x7f) + 1, length - (length % 4));
  return out;
}

/** Bytes of the longest word with the space behind it. */
const WORD_BYTES = 8;
/** Each word and spaces up to 8 bytes, as two little-endian numbers: what is too much is written over by the next one. */
const WORD_HALVES = Uint32Array.from(WORDS.flatMap((word) => {
  const bytes = Buffer.from(word.padEnd(WORD_BYTES), 'latin1');
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
}));
const WORD_LENGTHS = Uint8Array.from(WORDS, (word) => word.length);

function text(seed: number, length: number): Uint8Array {
  // The last word may end behind the last byte.
  const out = new Uint8Array(length + 32);
  const v = new DataView(out.buffer);
  let s = (seed >>> 0) || 1;
  for (let at = 0; at < length;) {
    s = xorshift32(s);
    const word = s % WORDS.length;
    const start = at;
    v.setUint32(at, WORD_HALVES[2 * word]!, true);
    v.setUint32(at + 4, WORD_HALVES[2 * word + 1]!, true);
    at += WORD_LENGTHS[word]! + 1;
    if (s % 7 !== 0) continue;
    const line = `${start}\n`;
    for (let i = 0; i < line.length; i++) out[at++] = line.charCodeAt(i);
  }
  return out.subarray(0, length);
}
