// SPDX-License-Identifier: MIT
/** Reading and writing single fields by their table entry, without any judgement of the value. */
import { fieldOf, SEGMENT_BITS, SEGMENT_ENTRY, type Structure, type SegmentField } from './fields.ts';

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Value of an integer field of the structure that starts at byte `base`. */
export function getInteger<Name extends string>(bytes: Uint8Array, s: Structure<Name>, name: Name, base = 0): bigint {
  const f = fieldOf(s, name);
  const v = view(bytes);
  switch (f.type) {
    case 'u8': return BigInt(v.getUint8(base + f.offset));
    case 'u32': return BigInt(v.getUint32(base + f.offset, true));
    case 'u64': return v.getBigUint64(base + f.offset, true);
    default: throw new Error(`${f.name} is no integer`);
  }
}

/** Stores the low bits of `value` in an integer field of the structure that starts at byte `base`. */
export function setInteger<Name extends string>(
  bytes: Uint8Array, s: Structure<Name>, name: Name, value: bigint | number, base = 0,
): void {
  const f = fieldOf(s, name);
  const v = view(bytes);
  const big = BigInt.asUintN(f.size * 8, BigInt(value));
  switch (f.type) {
    case 'u8': v.setUint8(base + f.offset, Number(big)); return;
    case 'u32': v.setUint32(base + f.offset, Number(big), true); return;
    case 'u64': v.setBigUint64(base + f.offset, big, true); return;
    default: throw new Error(`${f.name} is no integer`);
  }
}

/** The raw bytes of a field, as a view into `bytes`. */
export function getBytes<Name extends string>(bytes: Uint8Array, s: Structure<Name>, name: Name, base = 0): Uint8Array {
  const f = fieldOf(s, name);
  return bytes.subarray(base + f.offset, base + f.offset + f.size);
}

/** Copies `value` into a field, the rest of the field zero. `value` must not be longer than the field. */
export function setBytes<Name extends string>(
  bytes: Uint8Array, s: Structure<Name>, name: Name, value: Uint8Array, base = 0,
): void {
  const target = getBytes(bytes, s, name, base);
  target.fill(0);
  target.set(value);
}

/** One LSMT index entry as it stands on disk. Offset, length and moffset are sectors. */
export interface Segment {
  readonly offset: bigint;
  readonly length: number;
  readonly moffset: bigint;
  readonly zeroed: boolean;
  readonly tag: number;
}

type Words = readonly [low: bigint, high: bigint];

// Functions of the module, not of each call: an index may have a million entries.
function bits(words: Words, name: SegmentField): bigint {
  const f = SEGMENT_BITS[name];
  return BigInt.asUintN(f.width, words[f.word] >> BigInt(f.shift));
}

/** The LSMT index entry at byte `at`. */
export function getSegment(bytes: Uint8Array, at: number): Segment {
  const v = view(bytes);
  const words: Words = [v.getBigUint64(at, true), v.getBigUint64(at + 8, true)];
  return {
    offset: bits(words, 'offset'),
    length: Number(bits(words, 'length')),
    moffset: bits(words, 'moffset'),
    zeroed: bits(words, 'zeroed') === 1n,
    tag: Number(bits(words, 'tag')),
  };
}

function put(words: [bigint, bigint], name: SegmentField, value: bigint): void {
  const f = SEGMENT_BITS[name];
  words[f.word] |= BigInt.asUintN(f.width, value) << BigInt(f.shift);
}

/** Stores an LSMT index entry at byte `at`; values are cut to their widths. */
export function setSegment(bytes: Uint8Array, at: number, s: Segment): void {
  const words: [bigint, bigint] = [0n, 0n];
  put(words, 'offset', s.offset);
  put(words, 'length', BigInt(s.length));
  put(words, 'moffset', s.moffset);
  put(words, 'zeroed', s.zeroed ? 1n : 0n);
  put(words, 'tag', BigInt(s.tag));
  const v = view(bytes.subarray(at, at + SEGMENT_ENTRY));
  v.setBigUint64(0, words[0], true);
  v.setBigUint64(8, words[1], true);
}

/** Whether the flags word has the bit. */
export function hasFlag(flags: bigint, bit: number): boolean {
  return ((flags >> BigInt(bit)) & 1n) === 1n;
}
