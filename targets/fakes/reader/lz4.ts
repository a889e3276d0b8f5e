// SPDX-License-Identifier: MIT
/** One raw LZ4 block, sequence by sequence (LZ4 block format). */
import type { DefectName, Has } from './defects.ts';
import { Refused } from './source.ts';

const MIN_MATCH = 4;
/** Decoded bytes at the end of a block that are literals. */
const LITERAL_TAIL = 5;
/** Bytes between the start of the last match and the end of the block. */
const MATCH_TAIL = 12;

/** Decodes `src` so that it fills `out`, whose former content may be anything. Throws Refused. */
export function decodeLz4(src: Uint8Array, out: Uint8Array, has: Has): void {
  let from = has('lz4-size-prefix') ? 4 : 0;
  let to = 0;
  let lastMatch: number | null = null;

  /** The rest of a length whose four bits in the token are 15. */
  const extension = (lost: DefectName, once: DefectName): number => {
    if (has(lost)) return 0;
    let sum = 0;
    for (;;) {
      if (from >= src.length) throw new Refused('ZF-LZ4-03', 'a length does not end');
      const byte = src[from++]!;
      sum += byte;
      if (byte < 255 || has(once)) return sum;
    }
  };

  while (from < src.length) {
    const token = src[from++]!;
    let literals = token >>> 4;
    if (literals === 15) literals += extension('lz4-literal-extension-lost', 'lz4-literal-extension-one-byte');
    const past = literals > src.length - from;
    if (past && !has('lz4-literals-past-input')) throw new Refused('ZF-LZ4-03', 'literals run past the stored bytes');
    const room = out.length - to;
    if (literals > room && !has('lz4-output-cut')) throw new Refused('ZF-LZ4-04', 'literals run past the block');
    out.set(src.subarray(from, from + Math.min(literals, room)), to);
    if (past) out.fill(0, to + src.length - from, to + literals);
    from = past ? src.length : from + literals;
    to += Math.min(literals, room);
    if (from === src.length) return end(literals);
    if (to === out.length && has('lz4-input-left-over')) return;

    if (src.length - from < 2) throw new Refused('ZF-LZ4-03', 'half a match offset');
    let offset = src[from]! + src[from + 1]! * 256;
    from += 2;
    if (offset > 32767 && has('lz4-offset-15-bits')) offset -= 32768;
    let length = (token & 15) + (has('lz4-match-from-3') ? 3 : MIN_MATCH);
    if ((token & 15) === 15) length += extension('lz4-match-extension-lost', 'lz4-match-extension-one-byte');
    if (offset === 0 && !has('lz4-offset-0')) throw new Refused('ZF-LZ4-01', 'a match offset of 0');
    if (offset > to && !has('lz4-offset-before-start') && !(offset === to + 1 && has('lz4-offset-before-start-by-1'))) {
      throw new Refused('ZF-LZ4-02', 'a match before the block');
    }
    if (length > out.length - to) {
      if (!has('lz4-output-cut')) throw new Refused('ZF-LZ4-04', 'a match runs past the block');
      length = out.length - to;
    }
    lastMatch = to;
    copy(out, to, offset, length, has);
    to += length;
  }
  if (to === out.length && lastMatch !== null && has('lz4-ends-with-match')) return;
  throw new Refused(to === out.length ? 'ZF-LZ4-05' : 'ZF-LZ4-03', 'the block ends without literals');

  function end(literals: number): void {
    if (lastMatch !== null && literals < LITERAL_TAIL && !has('lz4-short-literal-tail') && !(literals === LITERAL_TAIL - 1 && has('lz4-literal-tail-4'))) {
      throw new Refused('ZF-LZ4-05', 'too few literals at the end');
    }
    if (lastMatch !== null && to - lastMatch < MATCH_TAIL && !has('lz4-late-match') && !(to - lastMatch === MATCH_TAIL - 1 && has('lz4-match-tail-11'))) {
      throw new Refused('ZF-LZ4-05', 'the last match is too near to the end');
    }
    if (to === out.length || has('lz4-short-block-stale')) return;
    if (!has('lz4-short-block-zeros')) throw new Refused('ZF-BLK-05', 'the block is short');
    out.fill(0, to);
  }
}

function copy(out: Uint8Array, to: number, offset: number, length: number, has: Has): void {
  if (offset > to) {
    out.fill(0, to, to + length);
  } else if (offset < length && has('lz4-overlap-at-once')) {
    out.copyWithin(to, to - offset, to - offset + length);
  } else if (offset < 8 && offset < length && has('lz4-overlap-words')) {
    for (let done = 0; done < length; done += 8) out.copyWithin(to + done, to + done - offset, to + Math.min(done + 8, length) - offset);
  } else {
    for (let i = to; i < to + length; i++) out[i] = out[i - offset]!;
  }
}
