// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { firstPieceAfter, mergeLayers, type Piece } from './merge.ts';

/** A piece of [start, end) that maps to 1000 a layer and as many sectors as it starts at, in a file of the layer's number. */
function piece(layer: number, start: number, end: number, zeroed = false): Piece {
  return { start, end, moffset: zeroed ? 8 : 1000 * layer + start, zeroed, file: layer, layer, cut: false };
}

/** `layer:start-end`, with `z` where zeroed, `~` where cut, and the piece itself where it maps anything else than `piece` makes of it. */
function brief(pieces: readonly Piece[]): string {
  return pieces.map((p) => {
    const plain = JSON.stringify(p) === JSON.stringify({ ...piece(p.layer, p.start, p.end, p.zeroed), cut: p.cut });
    return `${p.layer}:${p.start}-${p.end}${p.zeroed ? 'z' : ''}${p.cut ? '~' : ''}${plain ? '' : JSON.stringify(p)}`;
  }).join(' ');
}

describe('merging two layers', () => {
  const upper = [piece(1, 10, 20)];
  it.each<[start: number, end: number, string]>([
    [0, 5, '0:0-5 1:10-20'],
    [0, 10, '0:0-10 1:10-20'],
    [0, 11, '0:0-10~ 1:10-20'],
    [9, 10, '0:9-10 1:10-20'],
    [10, 11, '1:10-20'],
    [12, 15, '1:10-20'],
    [10, 20, '1:10-20'],
    [9, 20, '0:9-10~ 1:10-20'],
    [10, 21, '1:10-20 0:20-21~'],
    [0, 30, '0:0-10~ 1:10-20 0:20-30~'],
    [19, 20, '1:10-20'],
    [19, 30, '1:10-20 0:20-30~'],
    [20, 30, '1:10-20 0:20-30'],
    [25, 30, '1:10-20 0:25-30'],
  ])('a lower piece from %i to %i shows in the gaps of one from 10 to 20', (start, end, merged) => {
    expect(brief(mergeLayers([[piece(0, start, end)], upper]))).toBe(merged);
  });

  it('cuts a zeroed piece without moving what it maps', () => {
    expect(brief(mergeLayers([[piece(0, 0, 30, true)], upper]))).toBe('0:0-10z~ 1:10-20 0:20-30z~');
    expect(brief(mergeLayers([[piece(0, 0, 30)], [piece(1, 10, 20, true)]]))).toBe('0:0-10~ 1:10-20z 0:20-30~');
  });

  it.each<[string, upper: readonly Piece[], lower: readonly Piece[], string]>([
    ['several holes over one', [piece(1, 2, 4), piece(1, 6, 8)], [piece(0, 0, 10)], '0:0-2~ 1:2-4 0:4-6~ 1:6-8 0:8-10~'],
    ['neighbours over one', [piece(1, 2, 4), piece(1, 4, 6)], [piece(0, 0, 10)], '0:0-2~ 1:2-4 1:4-6 0:6-10~'],
    ['one over several', [piece(1, 3, 13)], [piece(0, 0, 2), piece(0, 2, 4), piece(0, 5, 6), piece(0, 12, 14), piece(0, 14, 15)], '0:0-2 0:2-3~ 1:3-13 0:13-14~ 0:14-15'],
    ['from the start', [piece(1, 0, 4)], [piece(0, 0, 8)], '1:0-4 0:4-8~'],
    ['several in a hole', [piece(1, 0, 4), piece(1, 10, 12)], [piece(0, 3, 5), piece(0, 6, 7), piece(0, 9, 11)], '1:0-4 0:4-5~ 0:6-7 0:9-10~ 1:10-12'],
    ['over nothing', [piece(1, 0, 4)], [], '1:0-4'],
    ['nothing over it', [], [piece(0, 1, 4)], '0:1-4'],
  ])('%s', (_name, top, bottom, merged) => expect(brief(mergeLayers([bottom, top]))).toBe(merged));

  it('keeps pieces that need no cut as they are, and never joins', () => {
    const [a, b] = [piece(0, 0, 5), piece(0, 5, 8)];
    const merged = mergeLayers([[a, b], upper]);
    expect(merged[0]).toBe(a);
    expect(merged[1]).toBe(b);
    expect(merged[2]).toBe(upper[0]);
  });
});

describe('merging a stack', () => {
  it('of none or one', () => {
    expect(mergeLayers([])).toEqual([]);
    const only = [piece(0, 1, 2)];
    expect(mergeLayers([only])).toBe(only);
  });

  it.each([2, 3, 4, 5, 6, 7, 8, 9])('of %i lets the topmost piece decide each sector', (count) => {
    // Each layer covers one sector less at either end than the one below it.
    const layers = Array.from({ length: count }, (_, i) => [piece(i, i, 2 * count - i)]);
    const sides = Array.from({ length: count - 1 }, (_, i) => i);
    expect(brief(mergeLayers(layers))).toBe([
      ...sides.map((i) => `${i}:${i}-${i + 1}~`), `${count - 1}:${count - 1}-${count + 1}`, ...sides.toReversed().map((i) => `${i}:${2 * count - i - 1}-${2 * count - i}~`),
    ].join(' '));
    expect(brief(mergeLayers(layers.toReversed()))).toBe(`0:0-${2 * count}`);
  });
});

describe('the first piece that ends after a sector', () => {
  const pieces = [piece(0, 2, 4), piece(0, 4, 5), piece(0, 8, 9), piece(0, 9, 12), piece(0, 20, 30)];
  it.each([[0, 0], [2, 0], [3, 0], [4, 1], [5, 2], [7, 2], [8, 2], [9, 3], [11, 3], [12, 4], [29, 4], [30, 5], [100, 5]])('%i: %i', (sector, index) => {
    expect(firstPieceAfter(pieces, sector)).toBe(index);
  });
  it('is none of none', () => expect(firstPieceAfter([], 0)).toBe(0));
});
