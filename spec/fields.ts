// SPDX-License-Identifier: MIT
/**
 * Field tables of the on-disk structures: the one source of offsets for writer,
 * reader, mutators and views. Offsets and sizes are bytes; integers are
 * little-endian. Source: FORMAT.md sections 2 and 3 (public format documents,
 * checked against images of the reference implementation).
 */

export type FieldType = 'u8' | 'u32' | 'u64' | 'bytes' | 'ascii';

export interface Field {
  readonly name: string;
  /** Bytes from the start of the structure. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  readonly type: FieldType;
  readonly doc: string;
}

export interface Structure<Name extends string = string> {
  readonly name: string;
  /** Bytes the structure takes up on disk, reserved space included. */
  readonly size: number;
  readonly fields: readonly (Field & { readonly name: Name })[];
}

type Row<Name extends string> = readonly [name: Name, offset: number, size: number, type: FieldType, doc: string];

function structure<const Name extends string>(name: string, size: number, rows: readonly Row<Name>[]): Structure<Name> {
  return { name, size, fields: rows.map(([n, offset, s, type, doc]) => ({ name: n, offset, size: s, type, doc })) };
}

/** ZFile header and trailer have the same 512 bytes. */
export const ZFILE_HEADER = structure('ZFile header or trailer', 512, [
  ['magic0', 0, 8, 'bytes', '"ZFile", 0, 1, 0'],
  ['magic1', 8, 16, 'bytes', '"tuji.yyf@Alibaba"'],
  ['size', 24, 4, 'u32', '96'],
  ['digest', 28, 4, 'u32', 'raw CRC-32C, seed 0, of the 512 bytes with this field zero; when flag bit 4 is set'],
  ['flags', 32, 8, 'u64', 'bit 0 header, 1 data file, 2 sealed, 3 header is authoritative, 4 digest recorded'],
  ['index_offset', 40, 8, 'u64', 'where the index (jump table) starts, bytes'],
  ['index_size', 48, 8, 'u64', 'number of u32 index entries'],
  ['original_file_size', 56, 8, 'u64', 'uncompressed bytes'],
  ['index_crc', 64, 4, 'u32', 'raw CRC-32C, seed 0, of the index'],
  ['reserved0', 68, 4, 'u32', '0'],
  ['block_size', 72, 4, 'u32', 'uncompressed bytes a block'],
  ['algo', 76, 1, 'u8', '1 LZ4, 2 ZSTD'],
  ['level', 77, 1, 'u8', '0'],
  ['use_dict', 78, 1, 'u8', 'whether blocks need the dictionary'],
  ['reserved1', 79, 5, 'bytes', '0'],
  ['dict_size', 84, 4, 'u32', 'bytes between the header and the first block'],
  ['verify', 88, 1, 'u8', 'nonzero: 4 CRC bytes follow each block'],
  ['reserved2', 89, 423, 'bytes', '0'],
]);

/** LSMT header and trailer have the same 4096 bytes. */
export const LSMT_HEADER = structure('LSMT header or trailer', 4096, [
  ['magic0', 0, 8, 'bytes', '"LSMT", 0, 1, 2, 0'],
  ['magic1', 8, 16, 'bytes', 'a fixed UUID'],
  ['size', 24, 4, 'u32', '390'],
  ['flags', 28, 4, 'u32', 'bit 0 header, 1 data file, 2 sealed, 4 sparse'],
  ['index_offset', 32, 8, 'u64', 'where the index starts, bytes'],
  ['index_size', 40, 8, 'u64', 'number of 16-byte entries, padding entries included'],
  ['virtual_size', 48, 8, 'u64', 'bytes'],
  ['uuid', 56, 37, 'ascii', '36 characters and NUL'],
  ['parent_uuid', 93, 37, 'ascii', '36 characters and NUL'],
  ['reserved0', 130, 2, 'bytes', '0'],
  ['version', 132, 1, 'u8', '1'],
  ['sub_version', 133, 1, 'u8', '1'],
  ['user_tag', 134, 256, 'ascii', 'commit message'],
  ['reserved1', 390, 3706, 'bytes', '0'],
]);

/** The header of a tar member, POSIX ustar; a pax header has the same form. Numbers are octal digits. */
export const USTAR_HEADER = structure('ustar header', 512, [
  ['name', 0, 100, 'ascii', 'name of the member'],
  ['mode', 100, 8, 'ascii', 'permissions, octal'],
  ['uid', 108, 8, 'ascii', 'owner, octal'],
  ['gid', 116, 8, 'ascii', 'group, octal'],
  ['size', 124, 12, 'ascii', 'bytes of the member, octal; a pax record "size" takes its place'],
  ['mtime', 136, 12, 'ascii', 'seconds since 1970, octal'],
  ['chksum', 148, 8, 'ascii', 'sum of the 512 bytes, this field taken as spaces, octal'],
  ['typeflag', 156, 1, 'ascii', '"0" a file, "x" a pax header of the member that follows'],
  ['linkname', 157, 100, 'ascii', 'where a link points'],
  ['magic', 257, 6, 'ascii', '"ustar", 0'],
  ['version', 263, 2, 'ascii', '"00"'],
  ['uname', 265, 32, 'ascii', 'owner'],
  ['gname', 297, 32, 'ascii', 'group'],
  ['devmajor', 329, 8, 'ascii', 'of a device file, octal'],
  ['devminor', 337, 8, 'ascii', 'of a device file, octal'],
  ['prefix', 345, 155, 'ascii', 'goes before the name'],
  ['padding', 500, 12, 'bytes', '0'],
]);

export type ZFileField = (typeof ZFILE_HEADER)['fields'][number]['name'];
export type LsmtField = (typeof LSMT_HEADER)['fields'][number]['name'];
export type UstarField = (typeof USTAR_HEADER)['fields'][number]['name'];

export const ZFILE_MAGIC0 = Uint8Array.of(0x5a, 0x46, 0x69, 0x6c, 0x65, 0x00, 0x01, 0x00);
export const ZFILE_MAGIC1 = Uint8Array.of(
  0x74, 0x75, 0x6a, 0x69, 0x2e, 0x79, 0x79, 0x66, 0x40, 0x41, 0x6c, 0x69, 0x62, 0x61, 0x62, 0x61,
);
export const LSMT_MAGIC0 = Uint8Array.of(0x4c, 0x53, 0x4d, 0x54, 0x00, 0x01, 0x02, 0x00);
export const LSMT_MAGIC1 = Uint8Array.of(
  0x65, 0x7e, 0x63, 0xd2, 0x94, 0x44, 0x08, 0x4c, 0xa2, 0xd2, 0xc8, 0xec, 0x4f, 0xcf, 0xae, 0x8a,
);

/** Bits of the ZFile flags field. */
export const ZFILE_FLAG = { header: 0, dataFile: 1, sealed: 2, headerOverwrite: 3, digest: 4 } as const;
/** Bits of the LSMT flags field. */
export const LSMT_FLAG = { header: 0, dataFile: 1, sealed: 2, sparse: 4 } as const;

/** Bytes of a device sector: the unit of LSMT offsets and lengths. */
export const SECTOR = 512;
/** Bytes of the ZFile header, and of its trailer. */
export const ZFILE_SPACE = 512;
/** Bytes of the LSMT header, and of its trailer. */
export const LSMT_SPACE = 4096;
/** Bytes of one ZFile index entry. */
export const JUMP_ENTRY = 4;
/** Bytes of one LSMT index entry. */
export const SEGMENT_ENTRY = 16;
/** Offset that marks an LSMT index entry as INVALID, sectors. */
export const INVALID_OFFSET = (1n << 50n) - 1n;
/** Longest LSMT segment, sectors (14 bits). */
export const MAX_SEGMENT_SECTORS = 16383;

/** Seed of the CRC of each block; headers and index use 0. */
export const BLOCK_CRC_SEED = 100007;

/** Bit fields of one LSMT index entry: which u64 word, lowest bit, width. */
export const SEGMENT_BITS = {
  offset: { word: 0, shift: 0, width: 50 },
  length: { word: 0, shift: 50, width: 14 },
  moffset: { word: 1, shift: 0, width: 55 },
  zeroed: { word: 1, shift: 55, width: 1 },
  tag: { word: 1, shift: 56, width: 8 },
} as const;

export type SegmentField = keyof typeof SEGMENT_BITS;

/** Finds a field by name. Throws when the structure has none of that name: a mistake of ours, not of an image. */
export function fieldOf<Name extends string>(s: Structure<Name>, name: Name): Field {
  const found = s.fields.find((f) => f.name === name);
  if (!found) throw new Error(`${s.name} has no field ${name}`);
  return found;
}
