// SPDX-License-Identifier: MIT
/** All damage to ZFiles: one mutator a clause, and what aims at no clause. The files are ours and sound when they come in. */
import { fieldOf, getInteger, JUMP_ENTRY, SECTOR, ZFILE_HEADER, ZFILE_SPACE, type ZFileField } from '../../spec/index.ts';
import type { Damage, Mutator } from './damage.ts';
import { boundaryValues, pick } from './mutator.ts';
import { ZFILE_BLOCK_MUTATORS } from './zfile-blocks.ts';
import { flipFlag, littleEndian, otherByte, setField, ZFILE_FIELD_MUTATORS } from './zfile-fields.ts';
import type { ZFileImage } from './zfile-image.ts';

export { resealZFile, zfileImage, type ZFileImage } from './zfile-image.ts';

function untargeted(name: string, damage: Mutator<ZFileImage>['damage']): Mutator<ZFileImage> {
  return { name: `zfile.${name}`, violates: null, damage };
}

/** Gives one field of the header or trailer that counts a value from its borders. */
function fieldBorders(field: ZFileField, around: (image: ZFileImage) => readonly number[] = () => []): Mutator<ZFileImage> {
  const width = (fieldOf(ZFILE_HEADER, field).size * 8) as 8 | 32 | 64;
  return untargeted(field, (image, a) => {
    const current = getInteger(image.bytes, ZFILE_HEADER, field, image.base);
    return setField(image.base, field, pick(boundaryValues(current, width, around(image)), a));
  });
}

function fieldValues(field: ZFileField, values: (image: ZFileImage) => readonly bigint[]): Mutator<ZFileImage> {
  return untargeted(field, (image, a) => setField(image.base, field, pick(values(image), a)));
}

const OTHER_FIELDS = ['index_offset', 'index_size', 'original_file_size', 'block_size', 'verify', 'dict_size', 'index_crc', 'size'] as const;

const fields: readonly Mutator<ZFileImage>[] = [
  untargeted('header-flags', (image, a) => flipFlag(image, 0, pick([0, 1, 2, 3, 4, 5, 63], a))),
  untargeted('trailer-flags', (image, a) => flipFlag(image, image.trailer, pick([0, 1, 2, 3, 4, 5], a))),
  untargeted('trailer-magic-byte', (image, a, b) => otherByte(image, image.trailer + (a % 24), b)),
  // A field of the copy that does not count; nothing may change.
  untargeted('other-copy', (image, a, b) => setField(image.headerMode ? image.trailer : 0, pick(OTHER_FIELDS, a), pick([0n, 1n, 512n, 8192n, (1n << 32n) - 1n], b))),
  // Reserved bytes: with a digest left stale, that is what is wrong.
  untargeted('reserved-byte', (image, a, b) => otherByte(image, pick([0, image.trailer], b >>> 3) + fieldOf(ZFILE_HEADER, 'reserved2').offset + (a % fieldOf(ZFILE_HEADER, 'reserved2').size), b)),
  fieldBorders('index_offset', ({ bytes }) => [ZFILE_SPACE, bytes.length - ZFILE_SPACE, bytes.length]),
  fieldBorders('index_size', ({ bytes }) => [bytes.length >>> 2, 1 << 28, 1_000_000_000, 1 << 20]),
  fieldBorders('original_file_size', () => [4096, 65536]),
  fieldValues('block_size', () => [0n, 1n, 256n, 511n, 512n, 513n, 1000n, 4095n, 4096n, 4097n, 8192n, 65535n, 65536n, 65537n, 131072n, 1n << 31n]),
  fieldValues('algo', () => [0n, 1n, 2n, 3n, 255n]),
  fieldValues('use_dict', () => [1n, 255n]),
  fieldValues('dict_size', () => [0n, 1n, 4n, 512n, 4096n, (1n << 31n) - 1n, (1n << 32n) - 1n]),
  fieldValues('verify', ({ verify }) => (verify ? [0n, 2n] : [1n, 255n])),
  fieldValues('index_crc', () => [0n, 1n, (1n << 32n) - 1n]),
  fieldValues('size', () => [0n, 95n, 97n, 512n]),
];

const blocks: readonly Mutator<ZFileImage>[] = [
  untargeted('jump-table', ({ bytes, blocks: list, indexOffset, verify }, a, b) => {
    if (list.length === 0) return null;
    const i = a % list.length;
    const entry = BigInt(list[i]!.stored + (verify ? 4 : 0));
    const value = pick(boundaryValues(entry, 32, [3, 5, 4096, 65536, bytes.length]), b);
    return { edits: [{ at: indexOffset + i * JUMP_ENTRY, bytes: littleEndian(value, JUMP_ENTRY) }] };
  }),
  untargeted('block-byte', (image, a, b) => {
    if (image.blocks.length === 0) return null;
    const { offset, stored } = pick(image.blocks, a);
    // The first bytes steer the decoder; the rest is mostly literals.
    return otherByte(image, offset + ((b >>> 3) % (b % 3 === 0 ? stored : Math.min(stored, 24))), b);
  }),
];

/** Cuts the file at one of its borders, or a little off one. */
function truncate({ bytes, indexOffset, trailer }: ZFileImage, a: number, b: number): Damage {
  const cut = pick([ZFILE_SPACE, indexOffset, trailer, bytes.length, bytes.length >>> 1], a) + pick([0, -1, 1, -SECTOR, SECTOR, -4, 4], b);
  return { edits: [], length: Math.max(0, Math.min(cut, bytes.length - 1)) };
}

/** Every mutator of ZFiles. */
export const ZFILE_MUTATORS: readonly Mutator<ZFileImage>[] = [
  ...ZFILE_FIELD_MUTATORS,
  ...ZFILE_BLOCK_MUTATORS,
  ...fields,
  ...blocks,
  untargeted('truncate', truncate),
  untargeted('append', ({ bytes }, a) => ({ edits: [], length: bytes.length + pick([1, 4, SECTOR - 1, SECTOR, 4096], a) })),
  untargeted('byte', (image, a, b) => otherByte(image, a % image.bytes.length, b)),
];
