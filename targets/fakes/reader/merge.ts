// SPDX-License-Identifier: MIT
/** Mappings over mappings. All units are sectors. */
import type { Has } from './defects.ts';

/** What [start, end) of the device is: `zeroed`, or the sectors of a file from `from` on. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly from: number;
  readonly zeroed: boolean;
  /** Layer, 0 = bottom; inside a layer: which of its files. */
  readonly source: number;
}

/** Many mappings, the later the higher. Those of one list ascend and are apart. */
export function overlayAll(lists: readonly (readonly Piece[])[], has: Has): readonly Piece[] {
  if (lists.length <= 1) return lists[0] ?? [];
  const half = lists.length >> 1;
  return overlay(overlayAll(lists.slice(0, half), has), overlayAll(lists.slice(half), has), has);
}

/** What is left of `lower`, and all of `upper`, ascending. */
export function overlay(lower: readonly Piece[], upper: readonly Piece[], has: Has): Piece[] {
  const left: Piece[] = [];
  const covers = lower.length > 0 && upper.length > 1 && has('merge-gap-hides') ? [{ ...upper[0]!, end: upper.at(-1)!.end }] : upper;
  let first = 0;
  for (const low of lower) {
    while (first < covers.length && covers[first]!.end <= low.start) first++;
    let at = low.start;
    for (let i = first; i < covers.length && covers[i]!.start < low.end; i++) {
      const up = covers[i]!;
      if (up.zeroed && has('merge-zeroed-shows-lower')) continue;
      if (at < up.start && !has('merge-left-lost')) left.push(cut(low, at, up.start, has));
      at = Math.max(at, up.end);
      if (i + 1 < covers.length && covers[i + 1]!.start < low.end && has('merge-one-cut')) break;
    }
    if (at === low.start || (at < low.end && !has('merge-right-lost'))) left.push(cut(low, at, low.end, has));
  }
  const kept = has('merge-zeroed-shows-lower') ? upper.filter((up) => !up.zeroed || !lower.some((low) => low.start < up.end && up.start < low.end)) : upper;
  return [...left, ...kept].sort((a, b) => a.start - b.start);
}

/** The part [start, end) of a piece. */
function cut(piece: Piece, start: number, end: number, has: Has): Piece {
  if (start === piece.start && end === piece.end) return piece;
  const skipped = start - piece.start;
  if (skipped > 0 && !piece.zeroed && has('merge-moffset-kept')) return { ...piece, start, end };
  if (end < piece.end && has('merge-cut-of-the-end') && skipped === 0) return { ...piece, start, end, from: piece.from + piece.end - end };
  return { ...piece, start, end, from: piece.from + skipped };
}

/** Index of the first piece that ends after `sector`; the number of pieces where none does. */
export function pieceAt(pieces: readonly Piece[], sector: number, has: Has): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (pieces[middle]!.end > sector) high = middle;
    else low = middle + 1;
  }
  const inside = low < pieces.length && pieces[low]!.start < sector;
  return inside && has('search-misses-started') ? low + 1 : low;
}
