// SPDX-License-Identifier: MIT
/** Frames byte by byte: which clause, where and why, on both sides of each border. */
import { Zstd } from '@hpcc-js/wasm-zstd';
import { describe, expect, it } from 'vitest';
import { randomBytes } from '../generators/content.ts';
import { collecting, RecordedLeniency, STRICT, Violation } from './violation.ts';
import { decodeZstdBlock } from './zstd.ts';

const zstd = await Zstd.load();
const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
/** Window descriptor of 128 KiB. */
const WINDOW = 0x38;
const RAW = 0;
const RLE = 1;
const COMPRESSED = 2;

function block(type: number, size: number, body: readonly number[] = [], last = true): number[] {
  const word = (size << 3) | (type << 1) | (last ? 1 : 0);
  return [word & 255, (word >> 8) & 255, word >> 16, ...body];
}

/** A frame without content size or checksum. */
const plain = (...blocks: readonly (readonly number[])[]): number[] => [...MAGIC, 0, WINDOW, ...blocks.flat()];

interface Refusal {
  readonly clause: string;
  readonly at: number;
  readonly why: string;
}

/** What a block at byte 1000 of its file decodes to, or how it is refused. */
function decoded(bytes: readonly number[] | Uint8Array, length: number, flags: readonly string[] = []): number[] | Refusal {
  try {
    return [...decodeZstdBlock(Uint8Array.from(bytes), length, 1000, flags.length > 0 ? new RecordedLeniency(flags) : STRICT)];
  } catch (e) {
    if (!(e instanceof Violation)) throw e;
    return { clause: e.clause, at: e.at, why: e.message };
  }
}

const times = (n: number, byte: number): number[] => new Array<number>(n).fill(byte);

describe('frames that decode', () => {
  it.each<readonly [string, readonly number[], number, readonly number[]]>([
    ['a raw block', plain(block(RAW, 3, [1, 2, 3])), 3, [1, 2, 3]],
    ['an RLE block', plain(block(RLE, 5, [9])), 5, times(5, 9)],
    ['raw, RLE and an empty raw block', plain(block(RAW, 1, [7], false), block(RLE, 2, [8], false), block(RAW, 0)), 3, [7, 8, 8]],
    ['a dictionary id of 0', [...MAGIC, 1, WINDOW, 0, ...block(RLE, 2, [4])], 2, [4, 4]],
    ['a content size in 1 byte, one segment', [...MAGIC, 0x20, 2, ...block(RLE, 2, [4])], 2, [4, 4]],
    ['a content size in 2 bytes, which starts at 256', [...MAGIC, 0x40, WINDOW, 1, 0, ...block(RLE, 257, [4])], 257, times(257, 4)],
    ['a content size in 4 bytes', [...MAGIC, 0x80, WINDOW, 2, 0, 0, 0, ...block(RLE, 2, [4])], 2, [4, 4]],
    ['a content size in 8 bytes', [...MAGIC, 0xc0, WINDOW, 2, 0, 0, 0, 0, 0, 0, 0, ...block(RLE, 2, [4])], 2, [4, 4]],
    ['the unused bit', [...MAGIC, 0x10, WINDOW, ...block(RLE, 2, [4])], 2, [4, 4]],
    ['a window of 8 MiB', [...MAGIC, 0, 13 << 3, ...block(RLE, 2, [4])], 2, [4, 4]],
    ['a block of 128 KiB', plain(block(RLE, 131_072, [4])), 131_072, times(131_072, 4)],
    ['a window of 1 KiB', [...MAGIC, 0, 0, ...block(RLE, 2, [4])], 2, [4, 4]],
  ])('%s', (_name, bytes, length, content) => expect(decoded(bytes, length)).toEqual(content));

  it('compressed blocks of a library, at its lengths', () => {
    for (const length of [1, 100, 4096, 65536]) {
      const content = randomBytes(length, length).map((b) => b & 7);
      expect(Buffer.compare(Uint8Array.from(decoded(zstd.compress(content), length) as number[]), content)).toBe(0);
    }
  });
});

describe('frames that do not', () => {
  const noSize = plain(block(RLE, 4, [9]));
  const checked = (sum: readonly number[]): number[] => [...MAGIC, 4, WINDOW, ...block(RLE, 4, [9]), ...sum];
  it.each<readonly [string, readonly number[], number, string, number, string]>([
    ['nothing', [], 4, 'ZF-ZST-01', 1000, 'no ZSTD frame starts here'],
    ['four bytes', MAGIC, 4, 'ZF-ZST-01', 1000, 'no ZSTD frame starts here'],
    ['another magic', [0x29, ...noSize.slice(1)], 4, 'ZF-ZST-01', 1000, 'no ZSTD frame starts here'],
    ['a header without its window', [...MAGIC, 0], 4, 'ZF-ZST-01', 1004, 'the frame header runs past the end of the stored block'],
    ['a header without all of its content size', [...MAGIC, 0xc0, WINDOW, ...times(7, 0)], 4, 'ZF-ZST-01', 1004, 'the frame header runs past the end of the stored block'],
    ['the reserved bit', [...MAGIC, 8, WINDOW, ...block(RLE, 4, [9])], 4, 'ZF-ZST-01', 1004, 'the reserved bit of the frame header is set'],
    ['a dictionary', [...MAGIC, 2, WINDOW, 1, 2, ...block(RLE, 4, [9])], 4, 'ZF-ZST-01', 1006, 'the frame needs dictionary 513'],
    ['a window of 9 MiB', [...MAGIC, 0, (13 << 3) | 1, ...block(RLE, 4, [9])], 4, 'ZF-ZST-06', 1005, 'the frame asks for a window of 9437184 bytes'],
    ['no blocks', plain(), 4, 'ZF-ZST-01', 1006, 'a block header runs past the end of the stored block'],
    ['two bytes of a block header', plain([0x23, 0]), 4, 'ZF-ZST-01', 1006, 'a block header runs past the end of the stored block'],
    ['no last block', plain(block(RLE, 4, [9], false)), 4, 'ZF-ZST-01', 1010, 'a block header runs past the end of the stored block'],
    ['the reserved type', plain(block(3, 1, [9])), 4, 'ZF-ZST-01', 1006, 'a block of the reserved type'],
    ['a block of 128 KiB and 1', plain(block(RLE, 131_073, [9])), 4, 'ZF-ZST-01', 1006, 'a block of 131073 bytes'],
    ['a raw block without its last byte', plain(block(RAW, 4, [1, 2, 3])), 4, 'ZF-ZST-01', 1006, 'a block of 4 stored bytes, but 3 are left'],
    ['an RLE block without its byte', plain(block(RLE, 4)), 4, 'ZF-ZST-01', 1006, 'a block of 1 stored bytes, but 0 are left'],
    ['three bytes of a checksum', checked([1, 2, 3]), 4, 'ZF-ZST-01', 1010, 'the checksum runs past the end of the stored block'],
    ['a wrong checksum', checked([1, 2, 3, 4]), 4, 'ZF-ZST-04', 1010, 'the frame’s checksum is not that of its content'],
    ['a wrong checksum of too few bytes', checked([1, 2, 3, 4]), 5, 'ZF-ZST-04', 1010, 'the frame’s checksum is not that of its content'],
    ['a wrong checksum behind a content size', [...MAGIC, 0x24, 4, ...block(RLE, 4, [9]), 1, 2, 3, 4], 4, 'ZF-ZST-04', 1010, 'the frame’s checksum is not that of its content'],
    ['one byte behind', [...noSize, 0], 4, 'ZF-ZST-05', 1010, '1 bytes follow the frame'],
    ['a second frame', [...noSize, ...noSize], 8, 'ZF-ZST-05', 1010, '10 bytes follow the frame'],
    ['a skippable frame before', [0x5f, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9, ...noSize], 4, 'ZF-ZST-05', 1000, 'a skippable frame precedes the frame'],
    ['a skippable frame alone', [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0], 4, 'ZF-ZST-05', 1000, 'a skippable frame precedes the frame'],
    ['one byte too few', noSize, 5, 'ZF-BLK-05', 1000, 'the block decodes to 4 bytes, not 5'],
    ['one byte too many', noSize, 3, 'ZF-ZST-01', 1000, 'the frame holds 4 bytes, the block has 3'],
    ['a content size of one too few', [...MAGIC, 0x20, 4, ...block(RLE, 4, [9])], 5, 'ZF-BLK-05', 1000, 'the frame declares 4 bytes, the block has 5'],
    ['a content size of one too many', [...MAGIC, 0x20, 4, ...block(RLE, 4, [9])], 3, 'ZF-ZST-01', 1000, 'the frame declares 4 bytes, the block has 3'],
    ['a content size that the blocks do not have', [...MAGIC, 0x20, 5, ...block(RLE, 4, [9])], 5, 'ZF-ZST-01', 1000, 'the stored block is no ZSTD frame that decodes'],
    ['a compressed block of noise', plain(block(COMPRESSED, 8, times(8, 255))), 4, 'ZF-ZST-01', 1000, 'the stored block is no ZSTD frame that decodes'],
  ])('%s', (_name, bytes, length, clause, at, why) => expect(decoded(bytes, length)).toEqual({ clause, at, why }));

  it('how much it holds is found out up to 128 KiB of stored blocks', () => {
    const raw = (size: number): number[] => plain(block(RAW, size, times(size, 1)));
    expect(decoded(raw(131_069), 4)).toEqual({ clause: 'ZF-ZST-01', at: 1000, why: 'the frame holds 131069 bytes, the block has 4' });
    expect(decoded(raw(131_070), 4)).toEqual({ clause: 'ZF-ZST-01', at: 1000, why: 'the stored block is no ZSTD frame that decodes' });
  });

  it('a content size of 2^64 − 1 and blocks of 4 GiB cost nothing', () => {
    const huge = [...MAGIC, 0xc0, WINDOW, ...times(8, 255), ...block(RLE, 4, [9])];
    expect(decoded(huge, 4)).toMatchObject({ clause: 'ZF-ZST-01', why: 'the frame declares 18446744073709551615 bytes, the block has 4' });
    const many = plain(...Array.from({ length: 32_768 }, () => block(RLE, 131_072, [1], false)), block(RAW, 0));
    const before = process.memoryUsage().rss;
    expect(decoded(many, 4096)).toMatchObject({ clause: 'ZF-ZST-01' });
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
  });
});

describe('the other side of contested points', () => {
  const frame = plain(block(RLE, 4, [9]));
  const skippable = [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 1];
  const MANY = ['zf.zstd-many-frames'];

  it('takes several frames and skippable ones as one', () => {
    expect(decoded([...skippable, ...frame, ...skippable], 4, MANY)).toEqual(times(4, 9));
    expect(decoded([...frame, ...skippable, ...plain(block(RAW, 1, [7]))], 5, MANY)).toEqual([9, 9, 9, 9, 7]);
    expect(decoded([...frame, ...MAGIC, 0x20, 1, ...block(RAW, 1, [7])], 5, MANY)).toEqual([9, 9, 9, 9, 7]);
  });

  it('still bounds and checks them', () => {
    expect(decoded([...frame, 0], 4, MANY)).toEqual({ clause: 'ZF-ZST-01', at: 1010, why: 'no ZSTD frame starts here' });
    expect(decoded([...frame, ...frame], 7, MANY)).toEqual({ clause: 'ZF-ZST-01', at: 1010, why: 'the frames hold more than the block’s 7 bytes' });
    expect(decoded([...frame, ...frame], 9, MANY)).toEqual({ clause: 'ZF-BLK-05', at: 1000, why: 'the block decodes to 8 bytes, not 9' });
    expect(decoded([...frame, ...plain(block(COMPRESSED, 8, times(8, 255)))], 8, MANY)).toEqual({ clause: 'ZF-ZST-01', at: 1010, why: 'a frame does not decode' });
    expect(decoded(skippable, 4, MANY)).toEqual({ clause: 'ZF-ZST-01', at: 1010, why: 'no ZSTD frame starts here' });
    expect(decoded(skippable.slice(0, -1), 4, MANY)).toEqual({ clause: 'ZF-ZST-01', at: 1000, why: 'a skippable frame runs past the end of the stored block' });
  });

  it('says where each stands', () => {
    expect(decoded([...skippable, ...skippable.slice(0, -1)], 4, MANY)).toEqual({ clause: 'ZF-ZST-01', at: 1010, why: 'a skippable frame runs past the end of the stored block' });
    expect(decoded([...frame, ...MAGIC, 0x20, 2, ...block(RAW, 1, [7])], 6, MANY)).toEqual({ clause: 'ZF-ZST-01', at: 1000, why: 'the stored block is no ZSTD frame that decodes' });
    const told: unknown[] = [];
    decodeZstdBlock(Uint8Array.from([...skippable, ...skippable, ...frame]), 4, 1000, collecting((v) => told.push([v.clause, v.at])));
    expect(told).toEqual([['ZF-ZST-05', 1000], ['ZF-ZST-05', 1010]]);
  });

  it('takes any window', () => {
    for (const window of [(13 << 3) | 1, 0xff]) expect(decoded([...MAGIC, 0, window, ...block(RLE, 4, [9])], 4, ['zf.zstd-large-window'])).toEqual(times(4, 9));
  });
});
