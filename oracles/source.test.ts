// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { bufferSource, checkRange, piecesOf, sameBytes, slidingWindow, windowSource, type ByteSource } from './source.ts';

const BYTES = Uint8Array.from({ length: 10 }, (_, i) => i);

describe('a range of a source of 10 bytes', () => {
  it.each([[0, 0], [0, 10], [9, 1], [10, 0], [3, 4]])('%i + %i lies inside', (offset, length) => {
    expect(() => checkRange(10, offset, length)).not.toThrow();
  });
  it.each([[-1, 1], [0, -1], [0, 11], [10, 1], [11, 0], [11, -1], [-1, 0], [Number.NaN, 1], [0, Number.NaN]])('%d + %d does not', (offset, length) => {
    expect(() => checkRange(10, offset, length)).toThrow(new RangeError(`read of ${length} bytes at ${offset} outside a source of 10`));
  });
});

describe('a buffer as a source', () => {
  const source = bufferSource(BYTES);
  it('has its bytes, and gives no copies', () => {
    expect(source.size).toBe(10);
    expect([...source.read(3, 4)]).toEqual([3, 4, 5, 6]);
    expect([...source.read(0, 10)]).toEqual([...BYTES]);
    expect(source.read(3, 4).buffer).toBe(BYTES.buffer);
  });
  it('has no others', () => expect(() => source.read(8, 3)).toThrow(RangeError));
});

describe('a window of a source', () => {
  const window = windowSource(bufferSource(BYTES), 2, 5);
  it('has its part of the bytes', () => {
    expect(window.size).toBe(5);
    expect([...window.read(0, 5)]).toEqual([2, 3, 4, 5, 6]);
    expect([...window.read(4, 1)]).toEqual([6]);
    expect([...windowSource(window, 1, 2).read(1, 1)]).toEqual([4]);
  });
  it('shows nothing outside itself', () => {
    expect(() => window.read(4, 2)).toThrow('read of 2 bytes at 4 outside a source of 5');
    expect(() => window.read(-1, 1)).toThrow(RangeError);
  });
  it('lies inside its source', () => {
    expect(windowSource(bufferSource(BYTES), 10, 0).size).toBe(0);
    expect(() => windowSource(bufferSource(BYTES), 6, 5)).toThrow('read of 5 bytes at 6 outside a source of 10');
  });
});

/** A source that notes what it is asked for; what it is asked to fill a buffer with ends in `!`. */
function noting(asked: string[], fills = false): ByteSource {
  const inner = bufferSource(BYTES);
  const readInto = (offset: number, target: Uint8Array): void => {
    asked.push(`${offset}+${target.length}!`);
    target.set(inner.read(offset, target.length));
  };
  return { size: inner.size, read: (offset, length) => (asked.push(`${offset}+${length}`), inner.read(offset, length)), ...(fills ? { readInto } : {}) };
}

describe('a window of a source that fills buffers', () => {
  it('fills them with its part', () => {
    const asked: string[] = [];
    const window = windowSource(noting(asked, true), 2, 5);
    const target = new Uint8Array(2);
    window.readInto!(3, target);
    expect([...target]).toEqual([5, 6]);
    window.readInto!(0, new Uint8Array(5));
    expect(asked).toEqual(['5+2!', '2+5!']);
  });
  it('with nothing outside itself', () => {
    const window = windowSource(noting([], true), 2, 5);
    expect(() => window.readInto!(4, new Uint8Array(2))).toThrow('read of 2 bytes at 4 outside a source of 5');
  });
  it('does so only where the source does', () => {
    expect(Object.keys(windowSource(bufferSource(BYTES), 0, 1))).toEqual(['size', 'read']);
  });
});

describe('a sliding window of 4 bytes', () => {
  it.each<[string, reads: readonly (readonly [number, number])[], asked: readonly string[]]>([
    ['is read once for what lies in it', [[0, 1], [1, 3], [0, 4], [3, 1], [4, 0]], ['0+4']],
    ['starts where the read that leaves it starts', [[0, 2], [2, 3], [5, 1], [6, 1]], ['0+4', '2+4', '6+4']],
    ['goes back', [[5, 2], [4, 1]], ['5+4', '4+4']],
    ['is as long as a longer read', [[1, 7], [7, 1], [8, 1]], ['1+7', '8+2']],
    ['ends with the source', [[7, 2], [9, 1]], ['7+3']],
  ])('%s', (_name, reads, expected) => {
    const asked: string[] = [];
    const read = slidingWindow(noting(asked), 4);
    for (const [offset, length] of reads) expect([...read(offset, length)]).toEqual([...BYTES.subarray(offset, offset + length)]);
    expect(asked).toEqual(expected);
  });

  it.each<[string, window: number, reads: readonly (readonly [number, number])[], asked: readonly string[]]>([
    ['as long as the buffer', 4, [[0, 1], [3, 1], [4, 4]], ['0+4!', '4+4!']],
    ['longer than the buffer', 4, [[0, 5], [5, 1]], ['0+5', '5+4!']],
    ['at the end', 4, [[8, 1], [9, 1]], ['8+2!']],
    ['of a source shorter than the window', 100, [[0, 1], [9, 1]], ['0+10!']],
  ])('fills one buffer where the source can: %s', (_name, length, reads, expected) => {
    const asked: string[] = [];
    const read = slidingWindow(noting(asked, true), length);
    const buffers = new Set<ArrayBufferLike>();
    for (const [offset, n] of reads) {
      const bytes = read(offset, n);
      expect([...bytes]).toEqual([...BYTES.subarray(offset, offset + n)]);
      if (bytes.buffer !== BYTES.buffer) buffers.add(bytes.buffer);
    }
    expect(asked).toEqual(expected);
    expect([...buffers].map((b) => b.byteLength)).toEqual([Math.min(length, BYTES.length)]);
  });
});

describe('the pieces of a run', () => {
  it.each<[offset: number, length: number, most: number, readonly string[]]>([
    [0, 10, 4, ['0+4', '4+4', '8+2']], [2, 8, 4, ['2+4', '6+4']], [2, 3, 4, ['2+3']], [2, 4, 4, ['2+4']], [2, 0, 4, []],
  ])('%i + %i, at most %i each', (offset, length, most, expected) => {
    const asked: string[] = [];
    const found = [...piecesOf(noting(asked), offset, length, most)];
    expect(asked).toEqual(expected);
    expect(found.map((p) => `${p.at}+${p.bytes.length}`)).toEqual(expected);
    expect(found.flatMap((p) => [...p.bytes])).toEqual([...BYTES.subarray(offset, offset + length)]);
  });
});

it.each<[readonly number[], readonly number[], boolean]>([
  [[], [], true], [[1, 2], [1, 2], true], [[1, 2], [1, 3], false], [[1, 2], [1], false], [[], [0], false],
])('%j and %j are the same: %s', (a, b, same) => expect(sameBytes(Uint8Array.from(a), Uint8Array.from(b))).toBe(same));
