// SPDX-License-Identifier: MIT
/** Damage to headers, trailers and indexes of ZFiles that breaks one clause each. */
import { fieldOf, JUMP_ENTRY, ZFILE_HEADER, ZFILE_SPACE, type ZFileField } from '../../spec/index.ts';
import type { Damage, Mutator } from './damage.ts';
import { pick } from './mutator.ts';
import type { ZFileImage } from './zfile-image.ts';

/** `value` in `size` bytes, little-endian. */
export function littleEndian(value: bigint | number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
}

/** A field of the header or trailer at `base` set to a value, whose low bits are taken. */
export function setField(base: number, field: ZFileField, value: bigint | number): Damage {
  const { offset, size } = fieldOf(ZFILE_HEADER, field);
  return { edits: [{ at: base + offset, bytes: littleEndian(value, size) }] };
}

/** Flag bit `bit` of the header or trailer at `base` turned over. */
export function flipFlag({ bytes }: ZFileImage, base: number, bit: number): Damage {
  const at = base + fieldOf(ZFILE_HEADER, 'flags').offset + (bit >>> 3);
  return { edits: [{ at, bytes: Uint8Array.of(bytes[at]! ^ (1 << (bit & 7))) }] };
}

/** A byte of the sound file turned into another one. */
export function otherByte({ bytes }: ZFileImage, at: number, b: number): Damage {
  const old = bytes[at]!;
  const values = [old ^ 1, old ^ 0x80, old ^ 0xff, 0, 0xff, old + 1, old ^ (1 << (b % 8))].map((v) => v & 0xff).filter((v) => v !== old);
  return { edits: [{ at, bytes: Uint8Array.of(pick(values, b)) }] };
}

function breaks(clause: string, name: string, damage: Mutator<ZFileImage>['damage']): Mutator<ZFileImage> {
  return { name: `zfile.${name}`, violates: clause, damage };
}

const MAGIC_BYTES = 24;

const headers: readonly Mutator<ZFileImage>[] = [
  breaks('ZF-HDR-01', 'cut-header', (_image, a) => ({ edits: [], length: pick([0, 1, 8, 24, 96, 511, a % ZFILE_SPACE], a) })),
  breaks('ZF-HDR-02', 'header-magic', (image, a, b) => otherByte(image, a % MAGIC_BYTES, b)),
  breaks('ZF-HDR-03', 'header-flag', (image) => flipFlag(image, 0, 0)),
  breaks('ZF-HDR-04', 'header-digest', (image, a, b) => (image.digest ? otherByte(image, 28 + (a % 4), b) : null)),
  breaks('ZF-HDR-05', 'header-size', (_image, a) => setField(0, 'size', pick([0n, 95n, 97n, 512n, 96n << 8n, (1n << 32n) - 1n], a))),
];

/** Damage that only a file whose trailer counts can have. */
function trailer(clause: string, name: string, damage: Mutator<ZFileImage>['damage']): Mutator<ZFileImage> {
  return breaks(clause, name, (image, a, b) => (image.headerMode ? null : damage(image, a, b)));
}

const trailers: readonly Mutator<ZFileImage>[] = [
  trailer('ZF-TRL-01', 'trailer-magic', (image, a, b) => otherByte(image, image.trailer + (a % MAGIC_BYTES), b)),
  trailer('ZF-TRL-01', 'no-trailer', ({ bytes }, a) => ({ edits: [], length: pick([ZFILE_SPACE, ZFILE_SPACE + 1, 1023, bytes.length - 1, bytes.length + 1], a) })),
  trailer('ZF-TRL-02', 'trailer-header-flag', (image) => flipFlag(image, image.trailer, 0)),
  trailer('ZF-TRL-03', 'trailer-data-flag', (image) => flipFlag(image, image.trailer, 1)),
  trailer('ZF-TRL-04', 'trailer-sealed-flag', (image) => flipFlag(image, image.trailer, 2)),
  trailer('ZF-TRL-05', 'trailer-digest', (image, a, b) => (image.digest ? otherByte(image, image.trailer + 28 + (a % 4), b) : null)),
];

const options: readonly Mutator<ZFileImage>[] = [
  breaks('ZF-FLG-01', 'reserved-flag', (image, a) => flipFlag(image, image.base, pick([5, 6, 7, 8, 31, 32, 62, 63, 5 + (a % 59)], a))),
  breaks('ZF-SIZE-02', 'size-sign', ({ base }, a) => setField(base, 'original_file_size', pick([1n << 63n, (1n << 63n) + 512n, (1n << 64n) - 512n, (1n << 64n) - 1n], a))),
  breaks('ZF-OPT-01', 'odd-block-size', ({ base }, a) => setField(base, 'block_size', pick([
    0n, 511n, 513n, 1000n, 4095n, 4097n, 12288n, 65535n, 65537n, 131072n, 1n << 31n, (1n << 32n) - 1n, 3n,
  ], a))),
  breaks('ZF-OPT-05', 'tiny-block-size', ({ base }, a) => setField(base, 'block_size', pick([256n, 128n, 64n, 2n, 1n], a))),
  breaks('ZF-OPT-02', 'algorithm', ({ base }, a) => setField(base, 'algo', pick([0n, 3n, 4n, 127n, 128n, 255n], a))),
  breaks('ZF-OPT-03', 'use-dict', ({ base }, a) => setField(base, 'use_dict', pick([1n, 2n, 128n, 255n], a))),
];

const entryEdit = (image: ZFileImage, i: number, value: number): Damage =>
  ({ edits: [{ at: image.indexOffset + i * JUMP_ENTRY, bytes: littleEndian(value, JUMP_ENTRY) }] });
const both = (one: Damage, other: Damage): Damage => ({ edits: [...one.edits, ...other.edits] });
const entryOf = (image: ZFileImage, i: number): number => image.blocks[i]!.stored + (image.verify ? 4 : 0);

/** An entry that is too small; what it lacks goes to one beside it, so that all blocks together end where they did. */
function smallEntry(image: ZFileImage, a: number, entry: number): Damage | null {
  const { length } = image.blocks;
  if (length === 0) return null;
  const i = a % length;
  const small = entryEdit(image, i, entry);
  if (length === 1) return small;
  const beside = i === length - 1 ? i - 1 : i + 1;
  return both(small, entryEdit(image, beside, entryOf(image, beside) + entryOf(image, i) - entry));
}

/** Both fields, the right one as well: who changes either makes another damage of it. */
const setIndex = ({ base }: ZFileImage, offset: number, count: bigint | number): Damage =>
  ({ edits: [...setField(base, 'index_offset', offset).edits, ...setField(base, 'index_size', count).edits] });

const indexes: readonly Mutator<ZFileImage>[] = [
  breaks('ZF-IDX-01', 'index-too-many', ({ base, blocks }, a) => setField(base, 'index_size', pick([BigInt(blocks.length) + (1n << 32n), BigInt(blocks.length) + (1n << 63n), 1_000_000_001n, 1n << 30n, 1n << 32n, 1n << 62n, (1n << 62n) + 1n, (1n << 64n) - 1n], a))),
  breaks('ZF-IDX-02', 'index-past-end', (image, a) => {
    const end = BigInt(image.headerMode ? image.bytes.length : image.trailer);
    const count = BigInt(image.blocks.length);
    const start = end - count * BigInt(JUMP_ENTRY);
    // Too far behind, or too long from where it is: the last one that does not fit, and far ones, up to sums that wrap.
    if (a % 2 === 0) return setField(image.base, 'index_offset', pick([start + 1n, start + 4n, start + 512n, end + 4096n, 1n << 32n, 1n << 63n, (1n << 64n) - (count > 0n ? count * 4n : 4n), (1n << 64n) - 1n], a >>> 1));
    const fits = (end - BigInt(image.indexOffset)) / BigInt(JUMP_ENTRY);
    return setIndex(image, image.indexOffset, pick([fits + 1n, fits + 2n, fits + 128n, 1_000_000_000n, 1n << 29n], a >>> 1));
  }),
  // Whoever keeps 32 bits of it finds the index where it is.
  breaks('ZF-IDX-02', 'index-offset-4-gib', ({ base, indexOffset }, a) => setField(base, 'index_offset', BigInt(indexOffset) + (pick([1n, 2n, 1n << 30n], a) << 32n))),
  breaks('ZF-IDX-08', 'index-in-header', (image, a) =>
    setIndex(image, pick([0, 4, ZFILE_SPACE - 4, image.dataStart - 4, image.dataStart - 1], a), image.blocks.length)),
  breaks('ZF-IDX-03', 'index-crc', (image, a, b) => (image.digest ? otherByte(image, image.base + 64 + (a % 4), b) : null)),
  breaks('ZF-IDX-04', 'empty-entry', (image, a, b) => smallEntry(image, a, image.verify ? pick([0, 0, 1, 3], b) : 0)),
  breaks('ZF-IDX-04', 'entry-for-crc', (image, a) => (image.verify ? smallEntry(image, a, 4) : null)),
  // One entry too many; or right for whoever keeps 32 bits of the size.
  breaks('ZF-IDX-05', 'size-nearly-right', ({ base, size, blockSize, blocks }, a) => {
    const fewer = BigInt(Math.max(0, blocks.length - 1) * blockSize);
    const other = BigInt(size) + (1n << 32n);
    return setField(base, 'original_file_size', blocks.length === 0 ? other : pick([fewer, other, fewer > 0n ? fewer - 1n : fewer], a));
  }),
  breaks('ZF-IDX-05', 'size-of-other-blocks', ({ base, size, blockSize, blocks }, a) => {
    const held = BigInt(blocks.length * blockSize);
    const fewer = held - BigInt(blockSize);
    const sizes = [held + 1n, held + BigInt(blockSize), BigInt(size) + (1n << 16n), BigInt(size) + (1n << 32n), 1n << 40n, 5n << 40n, (1n << 63n) - 1n,
      ...(fewer > 0n ? [fewer, fewer - 1n, 0n, 1n] : fewer === 0n ? [0n] : [])];
    const wanted = (bytes: bigint): bigint => (bytes + BigInt(blockSize) - 1n) / BigInt(blockSize);
    return setField(base, 'original_file_size', pick(sizes.filter((s) => wanted(s) !== BigInt(blocks.length)), a));
  }),
  // Only longer entries: two of them never make up for each other.
  breaks('ZF-IDX-06', 'longer-entry', (image, a, b) => {
    if (image.blocks.length === 0) return null;
    const i = a % image.blocks.length;
    return entryEdit(image, i, entryOf(image, i) + pick([1, 4, 512, 4096, 65536], b));
  }),
  // Their sum is right for whoever keeps 32 bits of it.
  breaks('ZF-IDX-06', 'two-entries-4-gib', (image, a, b) => {
    const { length } = image.blocks;
    if (length < 2) return null;
    const i = a % length;
    const j = (i + 1 + (b % (length - 1))) % length;
    return both(entryEdit(image, i, entryOf(image, i) + 2 ** 31), entryEdit(image, j, entryOf(image, j) + 2 ** 31));
  }),
  // What strict reading meets as ZF-IDX-06; who does not compare the two finds the block outside of the file.
  breaks('ZF-BLK-04', 'block-outside', (image, a, b) => {
    if (image.blocks.length === 0) return null;
    return entryEdit(image, a % image.blocks.length, pick([image.bytes.length, 1 << 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1], b));
  }),
];

/**
 * For files of no block or one, which have little else to damage: what a
 * reader meets only where the number of blocks stays right as well.
 */
export const SMALL_FILE_MUTATORS: readonly Mutator<ZFileImage>[] = [
  // Rounded up to blocks in 64 bits these sizes need none.
  breaks('ZF-SIZE-02', 'size-of-no-blocks', ({ base, size }, a) =>
    (size > 0 ? null : setField(base, 'original_file_size', (1n << 64n) - pick([1n, 2n, 511n], a)))),
  breaks('ZF-OPT-05', 'one-tiny-block', ({ base, size }, a) =>
    (size < 1 || size > 256 ? null : setField(base, 'block_size', pick([256, 128, 64, 16].filter((n) => n >= size), a)))),
];

/** Takes from both lists in turn. */
export function interleaved<T>(one: readonly T[], other: readonly T[]): T[] {
  return Array.from({ length: Math.max(one.length, other.length) }, (_, i) => [...one.slice(i, i + 1), ...other.slice(i, i + 1)]).flat();
}

/**
 * One mutator a clause at least, for every clause of what a reader looks at
 * before it reads a block. Where one has nothing to damage, the next takes its
 * place: those that only some files have room for stand apart.
 */
export const ZFILE_FIELD_MUTATORS: readonly Mutator<ZFileImage>[] = [...headers, ...interleaved(trailers, options), ...indexes];
