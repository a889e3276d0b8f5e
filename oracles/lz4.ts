// SPDX-License-Identifier: MIT
/** A plain decoder of one LZ4 block, in the order of the LZ4 block format's description. */
import { violate, Violation, type Leniency } from './violation.ts';

/** Decoded bytes that must be literals at the end of a block. */
const LAST_LITERALS = 5;
/** Distance from the start of the last match to the end of the block, at least. */
const MATCH_MARGIN = 12;
/** Bytes of the shortest match. */
const SHORTEST_MATCH = 4;
/** From this many bytes on, the platform's copy is faster than a loop. */
const LONG_COPY = 32;

/**
 * Decodes `src` to exactly `length` bytes. `at` is the block's position in its
 * file, for messages. Throws Violation with a ZF-LZ4 clause or ZF-BLK-05.
 */
export function decodeLz4Block(src: Uint8Array, length: number, at: number, lenient: Leniency): Uint8Array {
  const out = new Uint8Array(length);
  decodeLz4Into(src, out, length, at, lenient);
  return out;
}

/** As `decodeLz4Block`, into the first `length` bytes of `out`; what is written where it throws has no meaning. */
export function decodeLz4Into(src: Uint8Array, out: Uint8Array, length: number, at: number, lenient: Leniency): void {
  const end = src.length;
  let inPos = 0;
  let outPos = 0;
  /** 0 until there is one: at byte 0 there is nothing to copy. */
  let lastMatchStart = 0;

  for (;;) {
    if (inPos >= end) {
      if (outPos !== length || outPos === 0) throw new Violation('ZF-LZ4-03', at + inPos, 'the stored block ends where a token is expected');
      violate(lenient, 'ZF-LZ4-05', at + inPos, 'the block ends with a match, not with literals');
      return;
    }
    const token = src[inPos++]!;

    let literals = token >> 4;
    if (literals === 15) {
      let more: number;
      do {
        if (inPos >= end) throw endlessLength(at + inPos);
        more = src[inPos++]!;
        literals += more;
      } while (more === 255);
    }
    if (literals > end - inPos) {
      throw new Violation('ZF-LZ4-03', at + inPos, `${literals} literals, but ${end - inPos} stored bytes are left`);
    }
    if (literals > length - outPos) {
      throw new Violation('ZF-LZ4-04', at + inPos, `${literals} literals, but the block has room for ${length - outPos}`);
    }
    if (literals >= LONG_COPY) out.set(src.subarray(inPos, inPos + literals), outPos);
    else for (let i = 0; i < literals; i++) out[outPos + i] = src[inPos + i]!;
    inPos += literals;
    outPos += literals;

    if (inPos === end) {
      if (lastMatchStart > 0) checkEnd(literals, outPos - lastMatchStart, at + inPos, lenient);
      if (outPos !== length) throw new Violation('ZF-BLK-05', at, `the block decodes to ${outPos} bytes, not ${length}`);
      return;
    }

    if (end - inPos < 2) throw new Violation('ZF-LZ4-03', at + inPos, 'a match offset runs past the end of the stored block');
    const offset = src[inPos]! | (src[inPos + 1]! << 8);
    if (offset === 0) throw new Violation('ZF-LZ4-01', at + inPos, 'a match offset is 0');
    if (offset > outPos) {
      throw new Violation('ZF-LZ4-02', at + inPos, `a match starts ${offset} bytes back, but only ${outPos} are decoded`);
    }
    inPos += 2;

    let matchLength = (token & 15) + SHORTEST_MATCH;
    if (matchLength === 15 + SHORTEST_MATCH) {
      let more: number;
      do {
        if (inPos >= end) throw endlessLength(at + inPos);
        more = src[inPos++]!;
        matchLength += more;
      } while (more === 255);
    }
    if (matchLength > length - outPos) {
      throw new Violation('ZF-LZ4-04', at + inPos, `a match of ${matchLength} bytes, but the block has room for ${length - outPos}`);
    }
    lastMatchStart = outPos;
    if (matchLength >= LONG_COPY && offset >= matchLength) out.copyWithin(outPos, outPos - offset, outPos - offset + matchLength);
    else for (let i = 0; i < matchLength; i++) out[outPos + i] = out[outPos + i - offset]!;
    outPos += matchLength;
  }
}

function endlessLength(at: number): Violation {
  return new Violation('ZF-LZ4-03', at, 'a length runs past the end of the stored block');
}

/** Blocks of literals only are short: they have no match that these rules could be about. */
function checkEnd(lastLiterals: number, sinceMatch: number, at: number, lenient: Leniency): void {
  if (lastLiterals < LAST_LITERALS) {
    violate(lenient, 'ZF-LZ4-05', at, `the block ends with ${lastLiterals} literals, fewer than ${LAST_LITERALS}`);
  }
  if (sinceMatch < MATCH_MARGIN) {
    violate(lenient, 'ZF-LZ4-05', at, `the last match starts ${sinceMatch} bytes before the end, closer than ${MATCH_MARGIN}`);
  }
}
