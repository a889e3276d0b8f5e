// SPDX-License-Identifier: MIT
/** A plain decoder of one LZ4 block, in the order of the LZ4 block format's description. */
import { violate, Violation, type Leniency } from './violation.ts';

/** Decoded bytes that must be literals at the end of a block. */
const LAST_LITERALS = 5;
/** Distance from the start of the last match to the end of the block, at least. */
const MATCH_MARGIN = 12;

/**
 * Decodes `src` to exactly `length` bytes. `at` is the block's position in its
 * file, for messages. Throws Violation with a ZF-LZ4 clause or ZF-BLK-05.
 */
export function decodeLz4Block(src: Uint8Array, length: number, at: number, lenient: Leniency): Uint8Array {
  const out = new Uint8Array(length);
  let inPos = 0;
  let outPos = 0;
  let lastMatchStart = -1;

  const extend = (base: number): number => {
    let total = base;
    if (base !== 15) return total;
    for (;;) {
      if (inPos >= src.length) throw new Violation('ZF-LZ4-03', at + inPos, 'a length runs past the end of the stored block');
      const more = src[inPos++]!;
      total += more;
      if (more !== 255) return total;
    }
  };

  for (;;) {
    if (inPos >= src.length) {
      if (outPos !== length || outPos === 0) throw new Violation('ZF-LZ4-03', at + inPos, 'the stored block ends where a token is expected');
      violate(lenient, 'ZF-LZ4-05', at + inPos, 'the block ends with a match, not with literals');
      return out;
    }
    const token = src[inPos++]!;
    const literals = extend(token >> 4);
    if (literals > src.length - inPos) {
      throw new Violation('ZF-LZ4-03', at + inPos, `${literals} literals, but ${src.length - inPos} stored bytes are left`);
    }
    if (literals > length - outPos) {
      throw new Violation('ZF-LZ4-04', at + inPos, `${literals} literals, but the block has room for ${length - outPos}`);
    }
    out.set(src.subarray(inPos, inPos + literals), outPos);
    inPos += literals;
    outPos += literals;

    if (inPos === src.length) {
      checkEnd(literals);
      if (outPos !== length) throw new Violation('ZF-BLK-05', at, `the block decodes to ${outPos} bytes, not ${length}`);
      return out;
    }

    if (src.length - inPos < 2) throw new Violation('ZF-LZ4-03', at + inPos, 'a match offset runs past the end of the stored block');
    const offset = src[inPos]! | (src[inPos + 1]! << 8);
    if (offset === 0) throw new Violation('ZF-LZ4-01', at + inPos, 'a match offset is 0');
    if (offset > outPos) {
      throw new Violation('ZF-LZ4-02', at + inPos, `a match starts ${offset} bytes back, but only ${outPos} are decoded`);
    }
    inPos += 2;
    const matchLength = extend(token & 15) + 4;
    if (matchLength > length - outPos) {
      throw new Violation('ZF-LZ4-04', at + inPos, `a match of ${matchLength} bytes, but the block has room for ${length - outPos}`);
    }
    lastMatchStart = outPos;
    for (let i = 0; i < matchLength; i++) out[outPos + i] = out[outPos + i - offset]!;
    outPos += matchLength;
  }

  function checkEnd(lastLiterals: number): void {
    if (lastMatchStart < 0) return; // Literals only: short blocks have no match at all.
    if (lastLiterals < LAST_LITERALS) {
      violate(lenient, 'ZF-LZ4-05', at + inPos, `the block ends with ${lastLiterals} literals, fewer than ${LAST_LITERALS}`);
    }
    if (outPos - lastMatchStart < MATCH_MARGIN) {
      violate(lenient, 'ZF-LZ4-05', at + inPos, `the last match starts ${outPos - lastMatchStart} bytes before the end, closer than ${MATCH_MARGIN}`);
    }
  }
}
