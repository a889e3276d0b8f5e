// SPDX-License-Identifier: MIT
/** The strict ZFile reader: opens in the specification's order, then decodes block by block. */
import {
  fieldOf, getBytes, getInteger, hasFlag, JUMP_ENTRY, ZFILE_FLAG, ZFILE_HEADER, ZFILE_MAGIC0, ZFILE_MAGIC1, ZFILE_SPACE, type ZFileField,
} from '../spec/index.ts';
import { groupTooLong, openBlockTable } from './block-table.ts';
import { Checksum } from './checksum.ts';
import { piecesOf, sameBytes, type ByteSource } from './source.ts';
import { mayRefuse, violate, Violation, type Leniency } from './violation.ts';
import { zfileReader, type ZFileReader } from './zfile-reader.ts';

export type { ZFileReader };

const MAX_ENTRIES = 1_000_000_000n;
const MAX_SIZE = (1n << 63n) - 1n;
const MAX_BLOCK = 65536;
/** Bytes of the index that are held at a time for its checksum. */
const INDEX_PIECE = 1 << 20;
/** Everything behind the flags is the same in header and trailer, where both are filled in. */
const FIELDS_START = fieldOf(ZFILE_HEADER, 'index_offset').offset;
/** First byte that a digest covers in the reading that the document suggests. */
const DIGEST_START = fieldOf(ZFILE_HEADER, 'digest').offset;

/** A header or trailer and where it stands in the file, bytes. */
interface Fields {
  readonly bytes: Uint8Array;
  readonly base: number;
  readonly name: 'header' | 'trailer';
}

/** Bytes of the magic values, which come first. */
const MAGIC_BYTES = ZFILE_MAGIC0.length + ZFILE_MAGIC1.length;

/** Whether the file starts with ZFile's magic values, however short it is: the question "is this layer compressed?". */
export function looksLikeZFile(source: ByteSource): boolean {
  return source.size >= MAGIC_BYTES && hasMagic(source.read(0, MAGIC_BYTES));
}

function hasMagic(header: Uint8Array): boolean {
  return sameBytes(getBytes(header, ZFILE_HEADER, 'magic0'), ZFILE_MAGIC0)
    && sameBytes(getBytes(header, ZFILE_HEADER, 'magic1'), ZFILE_MAGIC1);
}

/** Opens a ZFile. Throws Violation where a clause is broken. Allocates a bounded window of the index, and 8 bytes a 1024 of its entries. */
export function openZFile(source: ByteSource, lenient: Leniency): ZFileReader {
  if (source.size < ZFILE_SPACE) {
    throw new Violation('ZF-HDR-01', 0, `the file has ${source.size} bytes, a header takes ${ZFILE_SPACE}`);
  }
  const header: Fields = { bytes: source.read(0, ZFILE_SPACE), base: 0, name: 'header' };
  if (!hasMagic(header.bytes)) throw new Violation('ZF-HDR-02', 0, 'the header lacks the magic values');
  const headerFlags = flagsOf(header);
  if (!hasFlag(headerFlags, ZFILE_FLAG.header)) violate(lenient, 'ZF-HDR-03', 32, 'flag bit 0 of the header is 0, not 1');
  if (hasFlag(headerFlags, ZFILE_FLAG.digest)) {
    const wrong = wrongDigest(header, lenient);
    if (wrong) lenient.found(new Violation('ZF-HDR-04', DIGEST_START, wrong));
  }
  checkSizeField(header, lenient);

  // A reader that takes the trailer all the same can be told apart only where the two differ.
  const headerMode = hasFlag(headerFlags, ZFILE_FLAG.headerOverwrite)
    && (sameFields(header.bytes, source) || !lenient.has('zf.trailer-always'));
  const fields = headerMode ? header : openTrailer(source, lenient);
  const judged = headerMode ? [header] : [header, fields];
  for (const f of judged) checkReservedFlags(f, lenient);
  for (const f of judged) touchReserved(f, lenient);
  return openBlocks(source, fields, headerMode, lenient);
}

function flagsOf(fields: Fields): bigint {
  return getInteger(fields.bytes, ZFILE_HEADER, 'flags');
}

/** Whether the last 512 bytes are a sound trailer with the header's own fields. */
function sameFields(header: Uint8Array, source: ByteSource): boolean {
  if (source.size < 2 * ZFILE_SPACE) return false;
  const trailer = source.read(source.size - ZFILE_SPACE, ZFILE_SPACE);
  const flags = getInteger(trailer, ZFILE_HEADER, 'flags');
  const kind = [ZFILE_FLAG.header, ZFILE_FLAG.dataFile, ZFILE_FLAG.sealed].map((bit) => hasFlag(flags, bit)).join();
  return hasMagic(trailer) && kind === 'false,true,true' && sameBytes(header.subarray(FIELDS_START), trailer.subarray(FIELDS_START));
}

function openTrailer(source: ByteSource, lenient: Leniency): Fields {
  const base = source.size - ZFILE_SPACE;
  if (base < ZFILE_SPACE) throw new Violation('ZF-TRL-01', 0, `the file has ${source.size} bytes, header and trailer take ${2 * ZFILE_SPACE}`);
  const trailer: Fields = { bytes: source.read(base, ZFILE_SPACE), base, name: 'trailer' };
  if (!hasMagic(trailer.bytes)) throw new Violation('ZF-TRL-01', base, 'the trailer lacks the magic values');
  const flags = flagsOf(trailer);
  if (hasFlag(flags, ZFILE_FLAG.header)) violate(lenient, 'ZF-TRL-02', base + 32, 'flag bit 0 of the trailer is 1, not 0');
  if (!hasFlag(flags, ZFILE_FLAG.dataFile)) violate(lenient, 'ZF-TRL-03', base + 32, 'flag bit 1 of the trailer is 0, not 1');
  if (!hasFlag(flags, ZFILE_FLAG.sealed)) violate(lenient, 'ZF-TRL-04', base + 32, 'flag bit 2 of the trailer is 0, not 1');
  if (hasFlag(flags, ZFILE_FLAG.digest)) {
    const wrong = wrongDigest(trailer, lenient);
    if (wrong) violate(lenient, 'ZF-TRL-05', base + DIGEST_START, wrong);
  }
  checkSizeField(trailer, lenient);
  return trailer;
}

/** What is wrong with a digest; null where nothing is. */
function wrongDigest({ bytes, name }: Fields, lenient: Leniency): string | null {
  const stored = Number(getInteger(bytes, ZFILE_HEADER, 'digest'));
  // A copy, which `slice` of a Buffer is not: the image is not ours to write to.
  const copy = Uint8Array.from(bytes);
  getBytes(copy, ZFILE_HEADER, 'digest').fill(0);
  const covered = lenient.has('zf.digest-from-28') ? copy.subarray(DIGEST_START) : copy;
  const computed = new Checksum(lenient, 0).add(covered).value;
  return computed === stored ? null : `the digest is ${hex(stored)}, the ${name} gives ${hex(computed)}`;
}

function checkSizeField({ bytes, base }: Fields, lenient: Leniency): void {
  const size = getInteger(bytes, ZFILE_HEADER, 'size');
  if (size !== 96n) violate(lenient, 'ZF-HDR-05', base + 24, `the size field is ${size}, not 96`);
}

function checkReservedFlags(fields: Fields, lenient: Leniency): void {
  const flags = flagsOf(fields);
  if (flags >> 5n) violate(lenient, 'ZF-FLG-01', fields.base + 32, `flag bits above 4 are set in the ${fields.name}: ${hex(flags)}`);
}

const RESERVED: readonly ZFileField[] = ['reserved0', 'level', 'reserved1', 'reserved2'];

function touchReserved({ bytes, base, name }: Fields, lenient: Leniency): void {
  for (const field of RESERVED) {
    const used = getBytes(bytes, ZFILE_HEADER, field).findIndex((b) => b !== 0);
    if (used < 0) continue;
    const what = field === 'level' ? 'the level' : 'a reserved byte';
    mayRefuse(lenient, 'ZF-RSV-01', base + fieldOf(ZFILE_HEADER, field).offset + used, `${what} of the ${name} is not 0`);
  }
}

function openBlocks(source: ByteSource, fields: Fields, headerMode: boolean, lenient: Leniency): ZFileReader {
  const { base } = fields;
  const field = (name: ZFileField): bigint => getInteger(fields.bytes, ZFILE_HEADER, name);
  /** Behind such a violation a collecting reader walks the blocks and decodes none. */
  let undecodable: Violation | null = null;
  const cannotDecode = (clause: string, at: number, why: string): void => {
    undecodable ??= new Violation(clause, at, why);
    violate(lenient, clause, at, why);
  };

  const size = field('original_file_size');
  if (size > MAX_SIZE) cannotDecode('ZF-SIZE-02', base + 56, `original_file_size is ${size}, not below 2^63`);
  const blockSize = Number(field('block_size'));
  const isBlockSize = blockSize !== 0 && blockSize <= MAX_BLOCK && (blockSize & (blockSize - 1)) === 0;
  if (!isBlockSize) cannotDecode('ZF-OPT-01', base + 72, `the block size is ${blockSize}, no power of two up to ${MAX_BLOCK}`);
  else if (blockSize < 512) violate(lenient, 'ZF-OPT-05', base + 72, `the block size is ${blockSize}, below 512`);
  const algo = Number(field('algo'));
  if (algo !== 1 && algo !== 2) cannotDecode('ZF-OPT-02', base + 76, `the algorithm is ${algo}, neither 1 nor 2`);
  if (field('use_dict') !== 0n) violate(lenient, 'ZF-OPT-03', base + 78, `use_dict is ${field('use_dict')}, not 0: the blocks need a dictionary`);
  const dictSize = Number(field('dict_size'));
  const dictBytes = dictSize !== 0 && lenient.has('zf.dict-size-ignored') ? 0 : dictSize;
  const dataStart = ZFILE_SPACE + dictBytes;
  const crcBytes = field('verify') !== 0n ? 4 : 0;

  const indexOffset = field('index_offset');
  const indexSize = field('index_size');
  const entries = indexSize !== 0n && lenient.has('zf.index-size-bytes') ? indexSize / BigInt(JUMP_ENTRY) : indexSize;
  // No index of that length is walked but by a reader that is said to have no limit.
  if (entries > MAX_ENTRIES && !lenient.has('zf.index-limit')) {
    throw new Violation('ZF-IDX-01', base + 48, `the index has ${entries} entries, more than ${MAX_ENTRIES}`);
  }
  const end = headerMode ? source.size : base;
  if (indexOffset + entries * BigInt(JUMP_ENTRY) > BigInt(end)) {
    throw new Violation('ZF-IDX-02', base + 40, `an index of ${entries} entries at byte ${indexOffset} does not end before byte ${end}`);
  }
  if (indexOffset < BigInt(dataStart)) {
    violate(lenient, 'ZF-IDX-08', base + 40, `the index starts at byte ${indexOffset}, before byte ${dataStart}`);
  }
  const index = { indexOffset: Number(indexOffset), count: Number(entries), dataStart, crcBytes };
  if (hasFlag(flagsOf(fields), ZFILE_FLAG.digest)) checkIndexCrc(source, index, Number(field('index_crc')), base, lenient);
  const table = openBlockTable(source, index, lenient);

  const wanted = isBlockSize && size <= MAX_SIZE ? (size + BigInt(blockSize) - 1n) / BigInt(blockSize) : entries;
  if (wanted !== entries) {
    violate(lenient, 'ZF-IDX-05', base + 48, `the index has ${entries} entries, ${size} bytes in blocks of ${blockSize} need ${wanted}`);
  }
  if (table.end !== index.indexOffset) {
    violate(lenient, 'ZF-IDX-06', base + 40, `the blocks end at byte ${table.end}, the index starts at byte ${indexOffset}`);
  }
  // The reference refuses what its partial sums cannot hold; that reading is the lenient side here.
  const tooLong = isBlockSize ? groupTooLong(table, blockSize) : null;
  if (tooLong) {
    mayRefuse(lenient, 'ZF-IDX-07', index.indexOffset + tooLong.first * JUMP_ENTRY, `blocks ${tooLong.first} to ${tooLong.last} take ${tooLong.bytes} stored bytes`);
  }
  return zfileReader({
    source, table, size: Number(size), blockSize, algo: algo === 2 ? 'zstd' : 'lz4', crcBytes, headerMode, dictBytes, lenient, undecodable,
    indexOffset: index.indexOffset,
  });
}

function checkIndexCrc(
  source: ByteSource, { indexOffset, count }: { indexOffset: number; count: number }, stored: number, base: number, lenient: Leniency,
): void {
  const sum = new Checksum(lenient, 0);
  for (const { bytes } of piecesOf(source, indexOffset, count * JUMP_ENTRY, INDEX_PIECE)) sum.add(bytes);
  if (stored !== sum.value) violate(lenient, 'ZF-IDX-03', base + 64, `index_crc is ${hex(stored)}, the index gives ${hex(sum.value)}`);
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
