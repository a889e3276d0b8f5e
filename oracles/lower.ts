// SPDX-License-Identifier: MIT
/**
 * Lowers a sound stack to plain linear and zero pieces: what stock
 * device-mapper shows without any reader of ours or theirs. A second opinion
 * on the merge, given by the kernel itself.
 */
import { SECTOR } from '../spec/index.ts';
import type { Case, Lowered, LoweredPiece } from '../model/index.ts';
import { layerSources, wholeSectors } from './examine.ts';
import { openStack } from './stack.ts';
import { STRICT, Violation } from './violation.ts';

/** Lines that a table gets at the most. */
const MAX_PIECES = 65_536;

/**
 * Pieces and decoded layer images of a stack; null where the case is no stack, is refused, has no sector or a remote file, has a
 * block that does not decode, or has more pieces than a table has lines.
 */
export function lower(c: Case): Lowered | null {
  if (c.device !== 'lsmt') return null;
  try {
    const stack = openStack(layerSources(c), STRICT);
    if (stack.layers.some((l) => l.lsmt.remote)) return null;
    const end = wholeSectors(stack.size) / SECTOR;
    const images = stack.layers.map((l) => l.lsmt.data.read(0, l.lsmt.data.size));
    const pieces: LoweredPiece[] = [];
    const zeros = (start: number, to: number): void => {
      if (to > start) pieces.push({ start, sectors: to - start, source: null });
    };
    let at = 0;
    for (const p of stack.pieces) {
      if (p.start >= end) break;
      zeros(at, p.start);
      const sectors = Math.min(p.end, end) - p.start;
      pieces.push({ start: p.start, sectors, source: p.zeroed ? null : { layer: p.layer, sector: p.moffset } });
      at = p.start + sectors;
    }
    zeros(at, end);
    return end === 0 || pieces.length > MAX_PIECES ? null : { pieces, images };
  } catch (e) {
    if (e instanceof Violation) return null;
    throw e;
  }
}
