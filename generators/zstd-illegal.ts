// SPDX-License-Identifier: MIT
/**
 * ZSTD blocks that break exactly one rule first, made to take up the very
 * stored bytes of the block whose place they take. Bytes.
 */
import { randomBytes } from './content.ts';
import {
  BLOCK, contentChecksum, frameBlocks, frameHeader, PLAIN_WINDOW, rawBlock, rleBlock, skippableFrame, type ContentSizeBytes, type FrameBlock,
  type FrameHeader,
} from './zstd-frames.ts';

export interface IllegalZstd {
  readonly name: string;
  /** The clause that a reader meets first in such a block. */
  readonly clause: string;
  /** Forms of one clause that are drawn together; absent: those without one. */
  readonly kind?: string;
  /**
   * A block of `stored` bytes in the place of one that decodes to `length`
   * bytes; null where there is none of that size. `n` chooses among several.
   */
  make(stored: number, length: number, n: number): Uint8Array | null;
}

const PLAIN: FrameHeader = { window: PLAIN_WINDOW, sizeBytes: 0, contentSize: 0, checksum: false };

interface Filled {
  readonly blocks: readonly FrameBlock[];
  readonly content: Uint8Array;
}

/** Raw and RLE blocks that take up `stored` bytes, block headers included, and decode to `length`; null where none do. */
function filling(stored: number, length: number, n: number): Filled | null {
  const noise = randomBytes(n + 1, length);
  const value = noise[0] ?? 0;
  // Empty raw blocks take up 3 bytes each, one of RLE 4, a raw one 3 and its bytes.
  for (let raw = Math.min(length - 1, stored - 7); raw >= Math.max(0, Math.min(length, stored - 7) - 4); raw--) {
    const rest = stored - 7 - raw;
    if (rest % 3 !== 0) continue;
    const empty = Array.from({ length: rest / 3 }, () => rawBlock(new Uint8Array(0)));
    const content = noise.fill(value, raw);
    return { blocks: [...empty, rawBlock(content.subarray(0, raw)), rleBlock(value, length - raw)], content };
  }
  if (stored === 4 && length > 0) return { blocks: [rleBlock(value, length)], content: noise.fill(value) };
  return null;
}

interface Frame {
  readonly header?: Partial<FrameHeader>;
  /** Decoded bytes of its blocks. */
  readonly decoded: number;
  /** Bytes that the frame must leave for what comes before or behind it. */
  readonly leave?: number;
  readonly open?: boolean;
  readonly checksum?: (right: Uint8Array) => Uint8Array;
}

/** A frame that takes up `stored` bytes less those to leave; null where none does. */
function frame(stored: number, n: number, { header, decoded, leave = 0, open = false, checksum }: Frame): Uint8Array | null {
  const head = frameHeader({ ...PLAIN, ...header });
  const behind = checksum ? 4 : 0;
  const filled = filling(stored - leave - head.length - behind, decoded, n);
  if (!filled) return null;
  const end = checksum ? checksum(contentChecksum(filled.content)) : new Uint8Array(0);
  return Buffer.concat([Uint8Array.from(head), frameBlocks(filled.blocks, open), end]);
}

function joined(stored: number, parts: readonly (Uint8Array | null)[]): Uint8Array | null {
  if (parts.some((p) => p === null)) return null;
  const out = Buffer.concat(parts as Uint8Array[]);
  return out.length === stored ? new Uint8Array(out) : null;
}

function form(
  name: string, clause: string, make: (stored: number, length: number, n: number) => readonly (Uint8Array | null)[], kind?: string,
): IllegalZstd {
  return { name, clause, ...(kind === undefined ? {} : { kind }), make: (stored, length, n) => joined(stored, make(stored, length, n)) };
}

/** A frame header and one block header, and then noise. */
function broken(name: string, header: Partial<FrameHeader>, block: (length: number, left: number) => readonly [type: number, size: number]): IllegalZstd {
  return {
    name, clause: 'ZF-ZST-01',
    make(stored, length, n) {
      const head = frameHeader({ ...PLAIN, ...header });
      const left = stored - head.length - 3;
      if (left < 1) return null;
      const [type, size] = block(length, left);
      const out = randomBytes(n + 1, stored).slice();
      out.set(head);
      out.set(frameBlocks([{ type, size, body: new Uint8Array(0) }]), head.length);
      return out;
    },
  };
}

/** A sound frame, `cut` bytes of which are not there. */
function truncated(name: string, cut: (n: number) => number, checksum: boolean): IllegalZstd {
  return {
    name, clause: 'ZF-ZST-01',
    make(stored, length, n) {
      const whole = frame(stored + cut(n), n, { decoded: length, header: { checksum }, ...(checksum ? { checksum: (right: Uint8Array) => right } : {}) });
      return whole && new Uint8Array(whole.subarray(0, stored));
    },
  };
}

const flipped = (right: Uint8Array): Uint8Array => Uint8Array.from(right, (byte, i) => (i === 0 ? byte ^ 1 : byte));
const sizes: readonly ContentSizeBytes[] = [2, 4, 8];
/** Content sizes that a field of that width can hold. */
const sizeField = (n: number, size: number): ContentSizeBytes => (size < 256 ? ([4, 8] as const)[n % 2]! : sizes[n % 3]!);

const headers: readonly IllegalZstd[] = [
  {
    name: 'no magic', clause: 'ZF-ZST-01',
    make(stored, length, n) {
      const sound = frame(stored, n, { decoded: length });
      if (sound) sound[n % 4]! ^= 1 << (n % 7);
      return sound && new Uint8Array(sound);
    },
  },
  form('a dictionary', 'ZF-ZST-01', (s, length, n) => [frame(s, n, { decoded: length, header: { dictionary: { bytes: ([1, 2, 4] as const)[n % 3]!, id: 1 + (n % 200) } } })]),
  form('the reserved bit', 'ZF-ZST-01', (s, length, n) => [frame(s, n, { decoded: length, header: { bits: 8 } })]),
  form('no last block', 'ZF-ZST-01', (s, length, n) => [frame(s, n, { decoded: length, open: true })]),
  form('one byte too much', 'ZF-ZST-01', (s, length, n) => [frame(s, n, { decoded: length + 1 })], 'long'),
  form('a content size of one byte too much', 'ZF-ZST-01', (s, length, n) => [frame(s, n, {
    decoded: length + (n % 2), header: { sizeBytes: sizeField(n >>> 1, length + 1), contentSize: length + 1 },
  })], 'long'),
  broken('a block of the reserved type', {}, () => [BLOCK.reserved, 1]),
  broken('a block of 128 KiB and one byte', {}, () => [BLOCK.rle, (128 << 10) + 1]),
  broken('a raw block one byte past the end', {}, (_length, left) => [BLOCK.raw, left + 1]),
  broken('a compressed block past the end', {}, (_length, left) => [BLOCK.compressed, left + 1]),
  {
    name: 'a compressed block that leans on one before it', clause: 'ZF-ZST-01',
    make(stored) {
      const head = frameHeader(PLAIN);
      const left = stored - head.length - 3;
      if (left < 3) return null;
      // Literals of type 3 need the table of an earlier block (RFC 8878, 3.1.1.3.1.1).
      return joined(stored, [Uint8Array.from(head), frameBlocks([{ type: BLOCK.compressed, size: left, body: new Uint8Array(left).fill(255) }])]);
    },
  },
  truncated('a frame cut in its blocks', (n) => 1 + (n % 3), false),
  truncated('a frame cut in its checksum', (n) => 1 + (n % 4), true),
  { name: 'a frame cut in its header', clause: 'ZF-ZST-01', make: (stored, length) => (stored > 13 ? null : new Uint8Array(frameHeader({ ...PLAIN, sizeBytes: 8, contentSize: length })).slice(0, stored)) },
];

const others: readonly IllegalZstd[] = [
  form('a wrong checksum', 'ZF-ZST-04', (s, length, n) => [frame(s, n, { decoded: length, header: { checksum: true }, checksum: flipped })]),
  form('a wrong checksum, with the content size', 'ZF-ZST-04', (s, length, n) => [frame(s, n, {
    decoded: length, header: { checksum: true, sizeBytes: sizeField(n, length), contentSize: length }, checksum: flipped,
  })]),
  form('a skippable frame before', 'ZF-ZST-05', (s, length, n) => [
    skippableFrame(new Uint8Array(n % 9), n >>> 3), frame(s, n, { decoded: length, leave: 8 + (n % 9) }),
  ], 'before'),
  form('a skippable frame behind', 'ZF-ZST-05', (s, length, n) => [
    frame(s, n, { decoded: length, leave: 8 + (n % 9) }), skippableFrame(new Uint8Array(n % 9), n >>> 3),
  ]),
  form('an empty frame behind', 'ZF-ZST-05', (s, length, n) => [
    frame(s, n, { decoded: length, leave: 9 }), Uint8Array.from(frameHeader(PLAIN)), frameBlocks([rawBlock(new Uint8Array(0))]),
  ]),
  form('two frames that share the content', 'ZF-ZST-05', (s, length, n) => [
    length < 2 ? null : frame(s, n, { decoded: length - 1, leave: 10 }), Uint8Array.from(frameHeader(PLAIN)), frameBlocks([rleBlock(n & 255, 1)]),
  ]),
  form('a byte behind', 'ZF-ZST-05', (s, length, n) => [frame(s, n, { decoded: length, leave: 1 + (n % 5) }), randomBytes(n + 1, 1 + (n % 5))]),
  form('a window of more than 8 MiB', 'ZF-ZST-06', (s, length, n) => [
    frame(s, n, { decoded: length, header: { window: [(13 << 3) | 1, 14 << 3, (17 << 3) | 7, 0xff][n % 4]! } }),
  ]),
  form('one byte too few', 'ZF-BLK-05', (s, length, n) => [length < 2 ? null : frame(s, n, { decoded: length - 1 })]),
  form('half of the content', 'ZF-BLK-05', (s, length, n) => [length < 2 ? null : frame(s, n, { decoded: length >>> 1 })]),
  form('a content size of one byte too few', 'ZF-BLK-05', (s, length, n) => [length < 2 ? null : frame(s, n, {
    decoded: length - (n % 2), header: { sizeBytes: sizeField(n >>> 1, length - 1), contentSize: length - 1 },
  })]),
];

/** Every illegal form. */
export const ILLEGAL_ZSTD: readonly IllegalZstd[] = [...headers, ...others];
