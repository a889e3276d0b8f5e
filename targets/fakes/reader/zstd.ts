// SPDX-License-Identifier: MIT
/** One ZSTD frame: its framing is read here (RFC 8878, 3.1.1), its blocks are decoded by a library. */
import { Zstd } from '@hpcc-js/wasm-zstd';
import type { Has } from './defects.ts';
import { Refused } from './source.ts';

const library = await Zstd.load();

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const MAX_WINDOW = 8 << 20;
const BLOCK = { raw: 0, rle: 1, compressed: 2 } as const;

interface Frame {
  /** Bytes of the frame. */
  readonly length: number;
  readonly checksum: boolean;
  /** Bytes that it says it decodes to; null where it does not say. */
  readonly contentSize: number | null;
  /** Bytes; null for a frame of a single segment. */
  readonly window: number | null;
  readonly blocks: readonly number[];
}

/** Decodes the one frame that `src` is so that it fills `out`. Throws Refused. */
export function decodeZstd(src: Uint8Array, out: Uint8Array, has: Has): void {
  const start = isSkippable(src) && has('zstd-skippable-frame') ? skippable(src) : 0;
  const frame = frameAt(src.subarray(start));
  if (start + frame.length !== src.length && !has('zstd-more-frames')) throw new Refused('ZF-ZST-05', 'the frame is not all of the block');
  if (frame.contentSize !== null && frame.contentSize > out.length && !has('zstd-long-content')) throw new Refused('ZF-ZST-01', 'the frame is too long');
  if ((frame.window ?? 0) > MAX_WINDOW && !has('zstd-any-window')) throw new Refused('ZF-ZST-06', 'the window is too large');
  if (frame.contentSize === null && has('zstd-content-size-required')) throw new Refused('ZF-ZST-03', 'the frame has no content size');
  if (!frame.checksum && has('zstd-checksum-required')) throw new Refused('ZF-ZST-03', 'the frame has no checksum');
  if (frame.blocks.includes(BLOCK.rle) && has('zstd-no-rle')) throw new Refused('ZF-ZST-02', 'an RLE block');
  if (frame.blocks.includes(BLOCK.raw) && has('zstd-no-raw')) throw new Refused('ZF-ZST-02', 'a raw block');
  if (frame.blocks.length > 1 && has('zstd-one-block')) throw new Refused('ZF-ZST-02', 'more than one block');
  const bytes = decode(src.slice(start, start + frame.length), frame, has);
  if (bytes.length < out.length && !has('zstd-short-block')) throw new Refused('ZF-BLK-05', 'the block is short');
  if (bytes.length > out.length && !has('zstd-long-content')) throw new Refused('ZF-ZST-01', 'the frame is too long');
  out.set(bytes.subarray(0, out.length));
}

function decode(bytes: Uint8Array, frame: Frame, has: Has): Uint8Array {
  try {
    return library.decompress(bytes);
  } catch {
    if (!frame.checksum || !has('zstd-checksum-ignored')) throw new Refused('ZF-ZST-01', 'the frame does not decode');
    // The same frame without its checksum.
    const plain = bytes.slice(0, -4);
    plain[4]! &= ~4;
    return decode(plain, { ...frame, checksum: false }, has);
  }
}

function u32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(at, true);
}

function isSkippable(src: Uint8Array): boolean {
  return src.length >= 8 && (u32(src, 0) & 0xfffffff0) >>> 0 === SKIPPABLE && 8 + u32(src, 4) <= src.length;
}

function skippable(src: Uint8Array): number {
  return 8 + u32(src, 4);
}

function frameAt(src: Uint8Array): Frame {
  const need = (end: number): void => {
    if (end > src.length) throw new Refused('ZF-ZST-01', 'the frame is cut short');
  };
  need(5);
  if (u32(src, 0) !== MAGIC) throw new Refused('ZF-ZST-01', 'no ZSTD frame');
  const descriptor = src[4]!;
  const single = (descriptor & 32) !== 0;
  const checksum = (descriptor & 4) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeBytes = descriptor >= 64 ? 1 << (descriptor >>> 6) : single ? 1 : 0;
  let at = 5;
  let window: number | null = null;
  need(at + (single ? 0 : 1) + dictionaryBytes + sizeBytes);
  if (!single) {
    const base = 2 ** (10 + (src[at]! >>> 3));
    window = base + (base / 8) * (src[at]! & 7);
    at++;
  }
  if (src.subarray(at, at + dictionaryBytes).some((b) => b !== 0)) throw new Refused('ZF-ZST-01', 'the frame needs a dictionary');
  at += dictionaryBytes;
  let contentSize: number | null = null;
  if (sizeBytes > 0) {
    contentSize = src.subarray(at, at + sizeBytes).reduceRight((n, b) => n * 256 + b, 0) + (sizeBytes === 2 ? 256 : 0);
    at += sizeBytes;
  }
  const blocks: number[] = [];
  for (let last = false; !last;) {
    need(at + 3);
    const header = src[at]! + src[at + 1]! * 256 + src[at + 2]! * 65536;
    last = (header & 1) === 1;
    const type = (header >>> 1) & 3;
    blocks.push(type);
    at += 3 + (type === BLOCK.rle ? 1 : header >>> 3);
    need(at);
  }
  if (checksum) at += 4;
  need(at);
  return { length: at, checksum, contentSize, window, blocks };
}
