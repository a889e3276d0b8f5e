// SPDX-License-Identifier: MIT
/**
 * ZSTD frames with header and framing of our own (RFC 8878, 3.1.1); what is
 * entropy-coded in them comes from a library's frame. Sizes are bytes.
 */
import { xxh64 } from './xxh64.ts';
import { encodeZstdBlock } from './zstd-block.ts';

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd] as const;
/** Window descriptor of 128 KiB: as large as the largest ZSTD block. */
export const PLAIN_WINDOW = 7 << 3;

/** Bytes that a frame header has for the content size; 0: none. */
export type ContentSizeBytes = 0 | 1 | 2 | 4 | 8;

export interface FrameHeader {
  /** The window descriptor byte; null for a frame whose window is its content (a single segment). */
  readonly window: number | null;
  readonly sizeBytes: ContentSizeBytes;
  /** What the header says, right or wrong. */
  readonly contentSize: number;
  /** Bytes of the dictionary id, and the id. */
  readonly dictionary?: { readonly bytes: 1 | 2 | 4; readonly id: number };
  readonly checksum: boolean;
  /** Bits to set in the descriptor beyond what the rest says: bit 3 is reserved, bit 4 unused. */
  readonly bits?: number;
}

/** Block types as they stand in a block header; 3 is reserved. */
export const BLOCK = { raw: 0, rle: 1, compressed: 2, reserved: 3 } as const;

export interface FrameBlock {
  readonly type: number;
  /** What the block header says: decoded bytes of a raw or RLE block, stored ones of a compressed block. */
  readonly size: number;
  readonly body: Uint8Array;
}

/** `value` in `width` bytes, little-endian. */
function little(value: number | bigint, width: number): number[] {
  return Array.from({ length: width }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
}

/** The frame header's bytes. A content size in 2 bytes is stored less 256, as the format says. */
export function frameHeader(h: FrameHeader): number[] {
  const single = h.window === null;
  const sizeCode = { 0: 0, 1: 0, 2: 1, 4: 2, 8: 3 }[h.sizeBytes];
  const dictCode = { 0: 0, 1: 1, 2: 2, 4: 3 }[h.dictionary?.bytes ?? 0];
  const descriptor = (sizeCode << 6) | (single ? 0x20 : 0) | (h.checksum ? 4 : 0) | dictCode | (h.bits ?? 0);
  return [
    ...MAGIC, descriptor,
    ...(h.window === null ? [] : [h.window]),
    ...(h.dictionary ? little(h.dictionary.id, h.dictionary.bytes) : []),
    ...little(BigInt.asUintN(64, BigInt(h.contentSize) - (h.sizeBytes === 2 ? 256n : 0n)), h.sizeBytes),
  ];
}

/** The blocks' bytes, the last-block bit on the last of them unless `open`. */
export function frameBlocks(blocks: readonly FrameBlock[], open = false): Uint8Array {
  return Buffer.concat(blocks.flatMap((b, i) => {
    const last = !open && i === blocks.length - 1 ? 1 : 0;
    return [Uint8Array.from(little((b.size << 3) | (b.type << 1) | last, 3)), b.body];
  }));
}

export const rawBlock = (body: Uint8Array): FrameBlock => ({ type: BLOCK.raw, size: body.length, body });
export const rleBlock = (value: number, size: number): FrameBlock => ({ type: BLOCK.rle, size, body: Uint8Array.of(value) });

/** The 4 bytes behind the blocks of a frame that has a checksum of `content`. */
export function contentChecksum(content: Uint8Array): Uint8Array {
  return Uint8Array.from(little(xxh64(content) & 0xffffffffn, 4));
}

/** A frame that decoders skip: any of 16 magic values, its length, its bytes. */
export function skippableFrame(body: Uint8Array, kind = 0): Uint8Array {
  return Uint8Array.of(0x50 | (kind & 15), 0x2a, 0x4d, 0x18, ...little(body.length, 4), ...body);
}

/** How a legal frame is put together. */
export interface FrameRecipe {
  /** Content bytes of each ZSTD block; 0: all in one. */
  readonly piece: number;
  /** `best`: a run as RLE, the first other piece compressed where that is shorter, the rest raw. */
  readonly blocks: 'best' | 'raw';
  /** At least so many bytes hold the content size. */
  readonly sizeBytes: ContentSizeBytes;
  readonly checksum: boolean;
  /** An empty raw block ends the frame. */
  readonly emptyLast: boolean;
}

/** One frame that decodes to `content`, which has at most 64 KiB. */
export function encodeFrame(content: Uint8Array, recipe: FrameRecipe): Uint8Array {
  const blocks: FrameBlock[] = [];
  const piece = recipe.piece === 0 ? content.length : recipe.piece;
  for (let at = 0; at < content.length; at += piece) blocks.push(frameBlock(content.subarray(at, at + piece), recipe, blocks));
  if (recipe.emptyLast || blocks.length === 0) blocks.push(rawBlock(new Uint8Array(0)));
  const sizeBytes = fittingSize(recipe.sizeBytes, content.length);
  const header = frameHeader({
    window: sizeBytes === 1 ? null : PLAIN_WINDOW, sizeBytes, contentSize: content.length, checksum: recipe.checksum,
  });
  return Buffer.concat([Uint8Array.from(header), frameBlocks(blocks), recipe.checksum ? contentChecksum(content) : new Uint8Array(0)]);
}

/** A field of 1 byte ends at 255, one of 2 goes from 256 to 65791. */
function fittingSize(wanted: ContentSizeBytes, size: number): ContentSizeBytes {
  return (wanted === 1 && size > 255) || (wanted === 2 && size < 256) ? 4 : wanted;
}

function frameBlock(piece: Uint8Array, recipe: FrameRecipe, before: readonly FrameBlock[]): FrameBlock {
  if (recipe.blocks === 'raw') return rawBlock(piece);
  if (piece.every((byte) => byte === piece[0])) return rleBlock(piece[0]!, piece.length);
  // A compressed block leans on the offsets and tables of the compressed one before it; a library's first block has none before it.
  if (before.some((b) => b.type === BLOCK.compressed)) return rawBlock(piece);
  return compressedBlock(piece) ?? rawBlock(piece);
}

/** The one compressed block of a library's frame around `content`; null where the library stores it otherwise. */
function compressedBlock(content: Uint8Array): FrameBlock | null {
  const frame = encodeZstdBlock(content);
  const [block, ...more] = parseFrame(frame).blocks;
  return block?.type === BLOCK.compressed && more.length === 0 ? block : null;
}

export interface ParsedFrame {
  readonly sized: boolean;
  readonly checksum: boolean;
  readonly blocks: readonly FrameBlock[];
}

/** What a sound frame consists of: ours or a library's, never one from outside. */
export function parseFrame(frame: Uint8Array): ParsedFrame {
  const descriptor = frame[4]!;
  const single = (descriptor & 0x20) !== 0;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const blocks: FrameBlock[] = [];
  let at = 5 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]! + sizeBytes;
  for (let last = false; !last;) {
    const word = frame[at]! | (frame[at + 1]! << 8) | (frame[at + 2]! << 16);
    last = (word & 1) === 1;
    const type = (word >> 1) & 3;
    const size = word >>> 3;
    const body = frame.subarray(at + 3, at + 3 + (type === BLOCK.rle ? 1 : size));
    blocks.push({ type, size, body });
    at += 3 + body.length;
  }
  return { sized: sizeBytes > 0, checksum: (descriptor & 4) !== 0, blocks };
}
