// SPDX-License-Identifier: MIT
/**
 * ZSTD blocks. Frame headers and block headers are walked by us (RFC 8878,
 * 3.1.1); only then does a library decode, from a header of ours that gives
 * it no more to allocate than the block's length.
 */
import { Zstd } from '@hpcc-js/wasm-zstd';
import { violate, Violation, type Leniency } from './violation.ts';

const zstd = await Zstd.load();

// The library gives its results number by number through an array, which takes ten times as long as all the rest of it.
const memory = (zstd as unknown as { readonly _mainModule?: { heapView?(at: unknown): Uint8Array; heapToUint8Array(at: unknown): Uint8Array } })._mainModule;
if (memory?.heapView) memory.heapToUint8Array = (at) => memory.heapView!(at).slice();

const MAGIC = 0xfd2fb528;
/** The 16 magic values of skippable frames, their low 4 bits zero. */
const SKIPPABLE = 0x184d2a50;
/** Bytes of the largest block of a frame, decoded or stored. */
const MAX_BLOCK = 128 << 10;
/** Bytes of the largest window that decoders are asked for. */
const MAX_WINDOW = 8 << 20;
/** Largest stored block for which the length of what cannot be decoded to its block's length is found out: that allocates. */
const MEASURED = 128 << 10;

/** One frame as its headers describe it; positions are bytes from the start of the stored block. */
interface Frame {
  readonly start: number;
  readonly declared: bigint | null;
  readonly blocksAt: number;
  readonly blocksEnd: number;
  readonly checksum: boolean;
  readonly end: number;
}

/**
 * Decodes one stored block, which must be one frame, to exactly `length`
 * bytes. `at` is its position in its file. Throws Violation: ZF-ZST-01 for
 * what is no frame, needs a dictionary, or holds more than the block;
 * ZF-ZST-04, -05 and -06; ZF-BLK-05 for what decodes to less.
 */
export function decodeZstdBlock(src: Uint8Array, length: number, at: number, lenient: Leniency): Uint8Array {
  const frames = walkFrames(src, at, lenient);
  const total = frames.reduce((n, f) => n + (f.declared ?? 0n), 0n);
  if (total > BigInt(length)) throw new Violation('ZF-ZST-01', at, `the frame declares ${total} bytes, the block has ${length}`);
  if (total < BigInt(length) && frames.every((f) => f.declared !== null)) {
    throw new Violation('ZF-BLK-05', at, `the frame declares ${total} bytes, the block has ${length}`);
  }
  if (frames.length === 1) return decodeFrame(src, frames[0]!, length, at);
  return decodeFrames(src, frames, length, at);
}

/** The frames of a stored block, at least one, skippable ones left out. Bounded by the stored bytes. */
function walkFrames(src: Uint8Array, at: number, lenient: Leniency): Frame[] {
  const v = new DataView(src.buffer, src.byteOffset, src.byteLength);
  const frames: Frame[] = [];
  for (let pos = 0; pos < src.length || frames.length === 0;) {
    if (frames.length > 0) violate(lenient, 'ZF-ZST-05', at + pos, `${src.length - pos} bytes follow the frame`);
    const skipped = skippableEnd(v, pos);
    if (skipped !== null) {
      violate(lenient, 'ZF-ZST-05', at + pos, 'a skippable frame precedes the frame');
      if (skipped > src.length) throw new Violation('ZF-ZST-01', at + pos, 'a skippable frame runs past the end of the stored block');
      pos = skipped;
      continue;
    }
    const frame = walkFrame(v, pos, at, lenient);
    frames.push(frame);
    pos = frame.end;
  }
  return frames;
}

/** Where the skippable frame at `pos` ends; null where none starts. */
function skippableEnd(v: DataView, pos: number): number | null {
  if (pos + 8 > v.byteLength || (v.getUint32(pos, true) & ~15) !== SKIPPABLE) return null;
  return pos + 8 + v.getUint32(pos + 4, true);
}

function walkFrame(v: DataView, start: number, at: number, lenient: Leniency): Frame {
  const bad = (pos: number, why: string): Violation => new Violation('ZF-ZST-01', at + pos, why);
  if (start + 5 > v.byteLength || v.getUint32(start, true) !== MAGIC) throw bad(start, 'no ZSTD frame starts here');
  const descriptor = v.getUint8(start + 4);
  const single = (descriptor & 0x20) !== 0;
  const checksum = (descriptor & 4) !== 0;
  const dictBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const windowAt = start + 5;
  const dictAt = windowAt + (single ? 0 : 1);
  const sizeAt = dictAt + dictBytes;
  const blocksAt = sizeAt + sizeBytes;
  if (blocksAt > v.byteLength) throw bad(start + 4, 'the frame header runs past the end of the stored block');
  if (descriptor & 8) throw bad(start + 4, 'the reserved bit of the frame header is set');
  const id = little(v, dictAt, dictBytes);
  if (id !== 0n) throw bad(dictAt, `the frame needs dictionary ${id}`);
  // A field of 2 bytes starts at 256: 3.1.1.1.4.
  const declared = sizeBytes === 0 ? null : little(v, sizeAt, sizeBytes) + (sizeBytes === 2 ? 256n : 0n);
  const window = single ? declared! : windowBytes(v.getUint8(windowAt));
  if (window > BigInt(MAX_WINDOW)) violate(lenient, 'ZF-ZST-06', at + windowAt, `the frame asks for a window of ${window} bytes`);

  let pos = blocksAt;
  for (let last = false; !last;) {
    if (pos + 3 > v.byteLength) throw bad(pos, 'a block header runs past the end of the stored block');
    const word = Number(little(v, pos, 3));
    last = (word & 1) === 1;
    const type = (word >> 1) & 3;
    const size = word >>> 3;
    if (type === 3) throw bad(pos, 'a block of the reserved type');
    if (size > MAX_BLOCK) throw bad(pos, `a block of ${size} bytes`);
    const stored = type === 1 ? 1 : size;
    if (pos + 3 + stored > v.byteLength) throw bad(pos, `a block of ${stored} stored bytes, but ${v.byteLength - pos - 3} are left`);
    pos += 3 + stored;
  }
  const end = pos + (checksum ? 4 : 0);
  if (end > v.byteLength) throw bad(pos, 'the checksum runs past the end of the stored block');
  return { start, declared, blocksAt, blocksEnd: pos, checksum, end };
}

/** What a window descriptor asks for, bytes (RFC 8878, 3.1.1.1.2). */
function windowBytes(descriptor: number): bigint {
  const base = 1n << BigInt(10 + (descriptor >> 3));
  return base + (base / 8n) * BigInt(descriptor & 7);
}

function little(v: DataView, at: number, bytes: number): bigint {
  let value = 0n;
  for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(v.getUint8(at + i));
  return value;
}

/** Decodes a frame that must hold `length` bytes. */
function decodeFrame(src: Uint8Array, f: Frame, length: number, at: number): Uint8Array {
  const whole = library(src, f, length, f.checksum);
  if (whole && whole.length === length) return whole;
  const content = f.checksum ? library(src, f, length, false) : null;
  if (content && content.length === length) throw wrongChecksum(f, at);
  const measured = f.declared === null ? measure(src, f, at) : null;
  if (measured && measured.length < length) throw new Violation('ZF-BLK-05', at, `the block decodes to ${measured.length} bytes, not ${length}`);
  if (measured) throw new Violation('ZF-ZST-01', at, `the frame holds ${measured.length} bytes, the block has ${length}`);
  throw new Violation('ZF-ZST-01', at, 'the stored block is no ZSTD frame that decodes');
}

/** Several frames in a row: only where a target declares to read them so. */
function decodeFrames(src: Uint8Array, frames: readonly Frame[], length: number, at: number): Uint8Array {
  const out = new Uint8Array(length);
  let done = 0;
  for (const f of frames) {
    const piece = f.declared === null ? measure(src, f, at) : decodeFrame(src, f, Number(f.declared), at);
    if (!piece) throw new Violation('ZF-ZST-01', at + f.start, 'a frame does not decode');
    if (piece.length > length - done) throw new Violation('ZF-ZST-01', at + f.start, `the frames hold more than the block’s ${length} bytes`);
    out.set(piece, done);
    done += piece.length;
  }
  if (done < length) throw new Violation('ZF-BLK-05', at, `the block decodes to ${done} bytes, not ${length}`);
  return out;
}

/** What a frame without a declared size decodes to, whatever its length; null where it does not. Allocates 20 times its stored bytes or 1 MiB. */
function measure(src: Uint8Array, f: Frame, at: number): Uint8Array | null {
  if (f.blocksEnd - f.blocksAt > MEASURED) return null;
  const content = library(src, f, null, false);
  if (content && f.checksum && !library(src, f, null, true)) throw wrongChecksum(f, at);
  return content;
}

function wrongChecksum(f: Frame, at: number): Violation {
  return new Violation('ZF-ZST-04', at + f.blocksEnd, 'the frame’s checksum is not that of its content');
}

/** The frame's blocks under a header of ours, decoded by the library; null where it refuses them. */
function library(src: Uint8Array, f: Frame, length: number | null, checksum: boolean): Uint8Array | null {
  // Window 128 KiB, no dictionary, and the content size in 8 bytes or none.
  const header = new Uint8Array(length === null ? 6 : 14);
  const v = new DataView(header.buffer);
  v.setUint32(0, MAGIC, true);
  header[4] = (length === null ? 0 : 0xc0) | (checksum ? 4 : 0);
  header[5] = 7 << 3;
  if (length !== null) v.setBigUint64(6, BigInt(length), true);
  const blocks = src.subarray(f.blocksAt, checksum ? f.end : f.blocksEnd);
  const frame = new Uint8Array(header.length + blocks.length);
  frame.set(header);
  frame.set(blocks, header.length);
  try {
    return zstd.decompress(frame);
  } catch {
    return null;
  }
}
