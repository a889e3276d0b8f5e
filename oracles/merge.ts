// SPDX-License-Identifier: MIT
/** Merging the mappings of a stack: the uppermost entry decides, gaps show what is below. Units are sectors. */
import type { Mapping } from './layer.ts';

/** A mapping and the layer it comes from, 0 = bottom. */
export interface Piece extends Mapping {
  readonly layer: number;
  /** Whether an upper layer covers a part of the mapping it comes from. */
  readonly cut: boolean;
}

/** Merges layers given bottom to top, each ascending and without overlap. Pieces are cut and never joined again. */
export function mergeLayers(layers: readonly (readonly Piece[])[]): readonly Piece[] {
  if (layers.length === 0) return [];
  if (layers.length === 1) return layers[0]!;
  const middle = layers.length >> 1;
  // Halving keeps thousands of one-entry layers (a writable index) at n log n.
  return fillGaps(mergeLayers(layers.slice(middle)), mergeLayers(layers.slice(0, middle)));
}

/** All of `upper`, and of `lower` what lies in upper's gaps. */
function fillGaps(upper: readonly Piece[], lower: readonly Piece[]): Piece[] {
  const merged: Piece[] = [];
  let low = 0;
  let gapStart = 0;
  const fillUntil = (gapEnd: number): void => {
    while (low < lower.length && lower[low]!.end <= gapStart) low++;
    for (let i = low; i < lower.length && lower[i]!.start < gapEnd; i++) {
      merged.push(cut(lower[i]!, Math.max(lower[i]!.start, gapStart), Math.min(lower[i]!.end, gapEnd)));
    }
  };
  for (const piece of upper) {
    if (gapStart < piece.start) fillUntil(piece.start);
    merged.push(piece);
    gapStart = piece.end;
  }
  fillUntil(Infinity);
  return merged;
}

function cut(piece: Piece, start: number, end: number): Piece {
  if (start === piece.start && end === piece.end) return piece;
  const moffset = piece.zeroed ? piece.moffset : piece.moffset + (start - piece.start);
  return { start, end, moffset, zeroed: piece.zeroed, file: piece.file, layer: piece.layer, cut: true };
}

/** Index of the first piece that ends after `sector`. */
export function firstPieceAfter(pieces: readonly Piece[], sector: number): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pieces[middle]!.end <= sector) low = middle + 1;
    else high = middle;
  }
  return low;
}
