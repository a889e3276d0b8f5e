// SPDX-License-Identifier: MIT
/** The layout of a sound ZFile, for those who damage it, and its checksums made right again afterwards. Bytes. */
import {
  BLOCK_CRC_SEED, fieldOf, getInteger, hasFlag, JUMP_ENTRY, setInteger, ZFILE_FLAG, ZFILE_HEADER, ZFILE_SPACE, type ZFileField,
} from '../../spec/index.ts';
import { writerCrc } from '../checksum.ts';
import { sealDigest } from '../zfile-writer.ts';

/** One block of a ZFile; its CRC, where it has one, stands behind `stored` bytes. */
export interface ZFileBlock {
  readonly offset: number;
  readonly stored: number;
  /** Bytes that it decodes to. */
  readonly length: number;
}

export interface ZFileImage {
  readonly bytes: Uint8Array;
  readonly headerMode: boolean;
  /** Where the header or trailer stands whose fields count. */
  readonly base: number;
  /** Where the trailer stands. */
  readonly trailer: number;
  /** Whether header and trailer carry digests and the index a CRC. */
  readonly digest: boolean;
  readonly verify: boolean;
  readonly algo: 'lz4' | 'zstd';
  readonly size: number;
  readonly blockSize: number;
  /** Where the first block starts. */
  readonly dataStart: number;
  readonly indexOffset: number;
  readonly blocks: readonly ZFileBlock[];
}

/** The layout of a sound ZFile of ours: its fields are trusted. */
export function zfileImage(bytes: Uint8Array): ZFileImage {
  const headerMode = hasFlag(getInteger(bytes, ZFILE_HEADER, 'flags'), ZFILE_FLAG.headerOverwrite);
  const trailer = bytes.length - ZFILE_SPACE;
  const base = headerMode ? 0 : trailer;
  const field = (name: ZFileField): number => Number(getInteger(bytes, ZFILE_HEADER, name, base));
  const verify = field('verify') !== 0;
  const [size, blockSize, indexOffset] = [field('original_file_size'), field('block_size'), field('index_offset')];
  const dataStart = ZFILE_SPACE + field('dict_size');
  const v = new DataView(bytes.buffer, bytes.byteOffset);
  const blocks: ZFileBlock[] = [];
  for (let i = 0, offset = dataStart; i < field('index_size'); i++) {
    const entry = v.getUint32(indexOffset + i * JUMP_ENTRY, true);
    blocks.push({ offset, stored: entry - (verify ? 4 : 0), length: Math.min(blockSize, size - i * blockSize) });
    offset += entry;
  }
  return {
    bytes, headerMode, base, trailer, verify, size, blockSize, dataStart, indexOffset, blocks,
    digest: hasFlag(BigInt(field('flags')), ZFILE_FLAG.digest),
    algo: field('algo') === 2 ? 'zstd' : 'lz4',
  };
}

const DIGEST = fieldOf(ZFILE_HEADER, 'digest');
const INDEX_CRC = fieldOf(ZFILE_HEADER, 'index_crc');

/**
 * Makes the checksums of a damaged copy of `image` right again: block CRCs,
 * index_crc, digests. A checksum that the damage itself changed stays wrong,
 * and so does one of bytes that are no longer in the file.
 */
export function resealZFile(bytes: Uint8Array, image: ZFileImage): void {
  const asBefore = (at: number, length: number): boolean =>
    Buffer.compare(bytes.subarray(at, at + length), image.bytes.subarray(at, at + length)) === 0;
  const inFile = (end: number): boolean => end <= bytes.length;
  if (image.verify) {
    for (const { offset, stored } of image.blocks) {
      const end = offset + stored;
      if (inFile(end + 4) && !asBefore(offset, stored) && asBefore(end, 4)) {
        new DataView(bytes.buffer, bytes.byteOffset).setUint32(end, writerCrc(bytes.subarray(offset, end), BLOCK_CRC_SEED), true);
      }
    }
  }
  if (inFile(image.base + ZFILE_SPACE) && asBefore(image.base + INDEX_CRC.offset, INDEX_CRC.size)) sealIndex(bytes, image.base);
  for (const base of [0, image.trailer]) {
    if (inFile(base + ZFILE_SPACE) && asBefore(base + DIGEST.offset, DIGEST.size) && !asBefore(base, ZFILE_SPACE)) {
      sealDigest(bytes.subarray(base, base + ZFILE_SPACE));
    }
  }
}

/** Makes index_crc right for the index that the fields at `base` name, where that lies in the file. */
function sealIndex(bytes: Uint8Array, base: number): void {
  const start = getInteger(bytes, ZFILE_HEADER, 'index_offset', base);
  const end = start + getInteger(bytes, ZFILE_HEADER, 'index_size', base) * BigInt(JUMP_ENTRY);
  if (end > BigInt(bytes.length)) return;
  setInteger(bytes, ZFILE_HEADER, 'index_crc', writerCrc(bytes.subarray(Number(start), Number(end)), 0), base);
}
