// SPDX-License-Identifier: MIT
/** The strict ZFile reader: opens in the specification's order, then decodes block by block. */
import {
  BLOCK_CRC_SEED, fieldOf, getBytes, getInteger, hasFlag, JUMP_ENTRY, ZFILE_FLAG, ZFILE_HEADER, ZFILE_MAGIC0, ZFILE_MAGIC1, ZFILE_SPACE,
  type ZFileField,
} from '../spec/index.ts';
import { rawCrc32c } from './crc32c.ts';
import { decodeLz4Block } from './lz4.ts';
import { checkRange, sameBytes, type ByteSource } from './source.ts';
import { violate, Violation, type Leniency } from './violation.ts';
import { decodeZstdBlock } from './zstd.ts';

export interface ZFileReader extends ByteSource {
  readonly blockSize: number;
  readonly algo: 'lz4' | 'zstd';
  /** Whether the fields came from the header (flag bit 3). */
  readonly headerMode: boolean;
  readonly dictBytes: number;
  /** Where block `i` stands in the file, its CRC excluded from `length`. */
  blockAt(i: number): { readonly offset: number; readonly length: number };
  readonly blocks: number;
}

const MAX_ENTRIES = 1_000_000_000n;
/** Everything behind the flags is the same in header and trailer, where both are filled in. */
const FIELDS_START = fieldOf(ZFILE_HEADER, 'index_offset').offset;
const MAX_SIZE = (1n << 63n) - 1n;

/** Whether the file starts with ZFile's magic values: the question "is this layer compressed?". */
export function looksLikeZFile(source: ByteSource): boolean {
  return source.size >= ZFILE_SPACE && hasMagic(source.read(0, ZFILE_SPACE));
}

function hasMagic(header: Uint8Array): boolean {
  return sameBytes(getBytes(header, ZFILE_HEADER, 'magic0'), ZFILE_MAGIC0)
    && sameBytes(getBytes(header, ZFILE_HEADER, 'magic1'), ZFILE_MAGIC1);
}

/** Opens a ZFile. Throws Violation where a clause is broken. Allocates no more than the index inside the file takes. */
export function openZFile(source: ByteSource, lenient: Leniency): ZFileReader {
  if (source.size < ZFILE_SPACE) {
    throw new Violation('ZF-HDR-01', 0, `the file has ${source.size} bytes, a header takes ${ZFILE_SPACE}`);
  }
  const header = source.read(0, ZFILE_SPACE);
  if (!hasMagic(header)) throw new Violation('ZF-HDR-02', 0, 'the header lacks the magic values');
  const headerFlags = getInteger(header, ZFILE_HEADER, 'flags');
  if (!hasFlag(headerFlags, ZFILE_FLAG.header)) throw new Violation('ZF-HDR-03', 32, 'flag bit 0 of the header is 0');
  if (hasFlag(headerFlags, ZFILE_FLAG.digest)) checkDigest(header, 0, 'ZF-HDR-04', lenient);
  checkSizeField(header, 0, lenient);

  // A reader that takes the trailer all the same can be told apart only where the two differ.
  const headerMode = hasFlag(headerFlags, ZFILE_FLAG.headerOverwrite)
    && (sameFields(header, source) || !lenient.has('zf.trailer-always'));
  const base = headerMode ? 0 : source.size - ZFILE_SPACE;
  const fields = headerMode ? header : openTrailer(source, lenient);
  const end = headerMode ? source.size : base;
  return openBlocks(source, fields, base, end, headerMode, lenient);
}

/** Whether the last 512 bytes are a sound trailer with the header's own fields. */
function sameFields(header: Uint8Array, source: ByteSource): boolean {
  if (source.size < 2 * ZFILE_SPACE) return false;
  const trailer = source.read(source.size - ZFILE_SPACE, ZFILE_SPACE);
  const flags = getInteger(trailer, ZFILE_HEADER, 'flags');
  const kind = [ZFILE_FLAG.header, ZFILE_FLAG.dataFile, ZFILE_FLAG.sealed].map((bit) => hasFlag(flags, bit)).join();
  return hasMagic(trailer) && kind === 'false,true,true' && sameBytes(header.subarray(FIELDS_START), trailer.subarray(FIELDS_START));
}

function openTrailer(source: ByteSource, lenient: Leniency): Uint8Array {
  const base = source.size - ZFILE_SPACE;
  if (base < ZFILE_SPACE) throw new Violation('ZF-TRL-01', 0, `the file has ${source.size} bytes, no room for a trailer`);
  const trailer = source.read(base, ZFILE_SPACE);
  if (!hasMagic(trailer)) throw new Violation('ZF-TRL-01', base, 'the trailer lacks the magic values');
  const flags = getInteger(trailer, ZFILE_HEADER, 'flags');
  if (hasFlag(flags, ZFILE_FLAG.header)) throw new Violation('ZF-TRL-02', base + 32, 'flag bit 0 of the trailer is 1');
  if (!hasFlag(flags, ZFILE_FLAG.dataFile)) throw new Violation('ZF-TRL-03', base + 32, 'flag bit 1 of the trailer is 0');
  if (!hasFlag(flags, ZFILE_FLAG.sealed)) throw new Violation('ZF-TRL-04', base + 32, 'flag bit 2 of the trailer is 0');
  if (hasFlag(flags, ZFILE_FLAG.digest)) checkDigest(trailer, base, 'ZF-TRL-05', lenient);
  checkSizeField(trailer, base, lenient);
  return trailer;
}

function checkDigest(header: Uint8Array, base: number, clause: string, lenient: Leniency): void {
  const stored = Number(getInteger(header, ZFILE_HEADER, 'digest'));
  // A copy, which `slice` of a Buffer is not: the image is not ours to write to.
  const copy = Uint8Array.from(header);
  getBytes(copy, ZFILE_HEADER, 'digest').fill(0);
  const computed = rawCrc32c(copy);
  if (computed !== stored) violate(lenient, clause, base + 28, `the digest is ${hex(stored)}, the bytes give ${hex(computed)}`);
}

function checkSizeField(header: Uint8Array, base: number, lenient: Leniency): void {
  const size = getInteger(header, ZFILE_HEADER, 'size');
  if (size !== 96n) violate(lenient, 'ZF-HDR-05', base + 24, `the size field is ${size}, not 96`);
}

function openBlocks(
  source: ByteSource, fields: Uint8Array, base: number, end: number, headerMode: boolean, lenient: Leniency,
): ZFileReader {
  const field = (name: ZFileField): bigint => getInteger(fields, ZFILE_HEADER, name);
  const flags = field('flags');
  if (flags >> 5n) violate(lenient, 'ZF-FLG-01', base + 32, `flag bits above 4 are set: ${hex(flags)}`);

  const size = field('original_file_size');
  if (size > MAX_SIZE) throw new Violation('ZF-SIZE-02', base + 56, `original_file_size is ${size}`);
  const blockSize = Number(field('block_size'));
  if (blockSize === 0 || blockSize > 65536 || (blockSize & (blockSize - 1)) !== 0) {
    throw new Violation('ZF-OPT-01', base + 72, `the block size is ${blockSize}`);
  }
  if (blockSize < 512) violate(lenient, 'ZF-OPT-05', base + 72, `the block size is ${blockSize}`);
  const algo = Number(field('algo'));
  if (algo !== 1 && algo !== 2) throw new Violation('ZF-OPT-02', base + 76, `the algorithm is ${algo}`);
  if (field('use_dict') !== 0n) violate(lenient, 'ZF-OPT-03', base + 78, 'the blocks need a dictionary');
  const dictSize = Number(field('dict_size'));
  const dictBytes = dictSize !== 0 && lenient.has('zf.dict-size-ignored') ? 0 : dictSize;
  const verify = field('verify') !== 0n;
  const dataStart = ZFILE_SPACE + dictBytes;

  const count = field('index_size');
  const indexOffset = field('index_offset');
  if (count > MAX_ENTRIES) throw new Violation('ZF-IDX-01', base + 48, `the index has ${count} entries`);
  if (indexOffset + count * BigInt(JUMP_ENTRY) > BigInt(end)) {
    throw new Violation('ZF-IDX-02', base + 40, `an index of ${count} entries at byte ${indexOffset} does not end before byte ${end}`);
  }
  if (indexOffset < BigInt(dataStart)) {
    violate(lenient, 'ZF-IDX-08', base + 40, `the index starts at byte ${indexOffset}, before byte ${dataStart}`);
  }
  const blocks = Number(count);
  const index = source.read(Number(indexOffset), blocks * JUMP_ENTRY);
  if (hasFlag(flags, ZFILE_FLAG.digest)) {
    const stored = Number(field('index_crc'));
    const computed = rawCrc32c(index);
    if (stored !== computed) throw new Violation('ZF-IDX-03', base + 64, `index_crc is ${hex(stored)}, the index gives ${hex(computed)}`);
  }

  const crcBytes = verify ? 4 : 0;
  const offsets = blockOffsets(index, blocks, dataStart, crcBytes, Number(indexOffset));
  const wanted = (size + BigInt(blockSize) - 1n) / BigInt(blockSize);
  if (wanted !== count) {
    violate(lenient, 'ZF-IDX-05', base + 48, `the index has ${count} entries, ${size} bytes in blocks of ${blockSize} need ${wanted}`);
  }
  if (offsets[blocks] !== Number(indexOffset)) {
    violate(lenient, 'ZF-IDX-06', base + 40, `the blocks end at byte ${offsets[blocks]}, the index starts at ${indexOffset}`);
  }
  checkGroupSums(offsets, blocks, blockSize, base, lenient);
  return blockReader({ source, size: Number(size), blockSize, algo, blocks, offsets, crcBytes, headerMode, dictBytes, lenient });
}

/** Byte offsets of the blocks and of the end of the last. Sums stay exact below 2^53; above, the block is outside any file anyway. */
function blockOffsets(index: Uint8Array, blocks: number, start: number, crcBytes: number, indexOffset: number): Float64Array {
  const v = new DataView(index.buffer, index.byteOffset, index.byteLength);
  const offsets = new Float64Array(blocks + 1);
  let at = start;
  for (let i = 0; i < blocks; i++) {
    offsets[i] = at;
    const stored = v.getUint32(i * JUMP_ENTRY, true);
    if (stored <= crcBytes) {
      throw new Violation('ZF-IDX-04', indexOffset + i * JUMP_ENTRY, `block ${i} is stored in ${stored} bytes`);
    }
    at += stored;
  }
  offsets[blocks] = at;
  return offsets;
}

/** The reference keeps 16-bit partial sums over groups of blocks and refuses what does not fit; that reading is the lenient side here. */
function checkGroupSums(offsets: Float64Array, blocks: number, blockSize: number, base: number, lenient: Leniency): void {
  const group = 65536 / blockSize;
  for (let first = 0; first < blocks; first += group) {
    const last = Math.min(first + group, blocks) - 1;
    if (offsets[last]! - offsets[first]! < 65535) continue;
    if (lenient.has('zf.group-sum-limit')) {
      throw new Violation('ZF-IDX-07', base + 40, `blocks ${first} to ${last - 1} take ${offsets[last]! - offsets[first]!} stored bytes`);
    }
    return;
  }
}

interface BlockLayout {
  readonly source: ByteSource;
  readonly size: number;
  readonly blockSize: number;
  readonly algo: 1 | 2;
  readonly blocks: number;
  readonly offsets: Float64Array;
  readonly crcBytes: number;
  readonly headerMode: boolean;
  readonly dictBytes: number;
  readonly lenient: Leniency;
}

function blockReader(layout: BlockLayout): ZFileReader {
  const { source, size, blockSize, offsets, crcBytes } = layout;
  let cachedIndex = -1;
  let cached: Uint8Array = new Uint8Array(0);

  const blockAt = (i: number): { offset: number; length: number } => {
    const offset = offsets[i]!;
    return { offset, length: offsets[i + 1]! - offset - crcBytes };
  };

  const block = (i: number): Uint8Array => {
    if (i === cachedIndex) return cached;
    if (i >= layout.blocks) throw new Violation('ZF-IDX-05', offsets[layout.blocks]!, `block ${i} is not in the index`);
    const { offset, length } = blockAt(i);
    if (offset + length + crcBytes > source.size) {
      throw new Violation('ZF-BLK-04', offset, `block ${i} ends at byte ${offset + length + crcBytes}, the file at ${source.size}`);
    }
    const stored = source.read(offset, length);
    if (crcBytes) checkBlockCrc(stored, source.read(offset + length, crcBytes), i, offset);
    const decodedBytes = Math.min(blockSize, size - i * blockSize);
    cached = layout.algo === 1
      ? decodeLz4Block(stored, decodedBytes, offset, layout.lenient)
      : decodeZstdBlock(stored, decodedBytes, offset);
    cachedIndex = i;
    return cached;
  };

  return {
    size, blockSize, blockAt,
    blocks: layout.blocks,
    algo: layout.algo === 1 ? 'lz4' : 'zstd',
    headerMode: layout.headerMode,
    dictBytes: layout.dictBytes,
    read(offset, length) {
      checkRange(size, offset, length);
      const first = Math.floor(offset / blockSize);
      if (length > 0 && Math.floor((offset + length - 1) / blockSize) === first) {
        const inBlock = offset - first * blockSize;
        return block(first).subarray(inBlock, inBlock + length);
      }
      const out = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const i = Math.floor((offset + done) / blockSize);
        const inBlock = offset + done - i * blockSize;
        const piece = block(i).subarray(inBlock, inBlock + length - done);
        out.set(piece, done);
        done += piece.length;
      }
      return out;
    },
  };
}

function checkBlockCrc(stored: Uint8Array, trailer: Uint8Array, i: number, offset: number): void {
  const recorded = new DataView(trailer.buffer, trailer.byteOffset, 4).getUint32(0, true);
  const computed = rawCrc32c(stored, BLOCK_CRC_SEED);
  if (recorded !== computed) {
    throw new Violation('ZF-BLK-03', offset, `the CRC of block ${i} is ${hex(recorded)}, its bytes give ${hex(computed)}`);
  }
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
