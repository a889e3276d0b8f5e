// SPDX-License-Identifier: MIT
/** A ZFile as the bytes it decodes to. Everything that can be refused is refused when it is opened, but for its blocks. */
import {
  BLOCK_CRC_SEED, getBytes, getInteger, hasFlag, JUMP_ENTRY, ZFILE_FLAG, ZFILE_HEADER, ZFILE_MAGIC0, ZFILE_MAGIC1, ZFILE_SPACE, type ZFileField,
} from '../../../spec/index.ts';
import { checksum } from './crc.ts';
import type { Has } from './defects.ts';
import { decodeLz4 } from './lz4.ts';
import { Hung, OutOfBounds, Refused, type Bytes } from './source.ts';
import { decodeZstd } from './zstd.ts';

const MAX_ENTRIES = 1_000_000_000n;
const MAX_BLOCK = 65536;
const MIN_BLOCK = 512;
const LZ4 = 1;
const ZSTD = 2;

/** Opens a ZFile. Throws Refused. */
export function openZFile(file: Bytes, has: Has): Bytes {
  if (file.size < ZFILE_SPACE && !has('zfile-short-file')) throw new Refused('ZF-HDR-01', 'no room for a header');
  const header = file.read(0, ZFILE_SPACE);
  const magic = magicOf(header);
  if (magic !== 'both' && !(magic === 'first' && has('zfile-magic1-unchecked'))) throw new Refused('ZF-HDR-02', 'no ZFile');
  const flags = getInteger(header, ZFILE_HEADER, 'flags');
  if (!hasFlag(flags, ZFILE_FLAG.header) && !has('zfile-header-bit-unchecked')) throw new Refused('ZF-HDR-03', 'the header is none');
  if (hasFlag(flags, ZFILE_FLAG.digest)) {
    if (!digestIsRight(header, has) && !has('zfile-digest-unchecked')) throw new Refused('ZF-HDR-04', 'the digest is wrong');
  } else if (has('zfile-digest-always') && !digestIsRight(header, has)) throw new Refused('ZF-HDR-04', 'the digest is wrong');
  checkCommon(header, has);

  const overwrite = hasFlag(flags, ZFILE_FLAG.headerOverwrite);
  const headerMode = overwrite ? !has('zfile-trailer-always') : has('zfile-header-always');
  return headerMode ? openFields(file, header, file.size, has) : openFields(file, trailerOf(file, has), file.size - ZFILE_SPACE, has);
}

function magicOf(space: Uint8Array): 'both' | 'first' | 'none' {
  if (Buffer.compare(getBytes(space, ZFILE_HEADER, 'magic0'), ZFILE_MAGIC0) !== 0) return 'none';
  return Buffer.compare(getBytes(space, ZFILE_HEADER, 'magic1'), ZFILE_MAGIC1) === 0 ? 'both' : 'first';
}

function trailerOf(file: Bytes, has: Has): Uint8Array {
  if (file.size < 2 * ZFILE_SPACE) throw new Refused('ZF-TRL-01', 'no room for a trailer');
  const trailer = file.read(file.size - ZFILE_SPACE, ZFILE_SPACE);
  if (magicOf(trailer) !== 'both' && !has('zfile-trailer-magic-unchecked')) throw new Refused('ZF-TRL-01', 'no trailer');
  const flags = getInteger(trailer, ZFILE_HEADER, 'flags');
  if (hasFlag(flags, ZFILE_FLAG.header) && !has('zfile-trailer-header-bit')) throw new Refused('ZF-TRL-02', 'the trailer is a header');
  if (!hasFlag(flags, ZFILE_FLAG.dataFile) && !has('zfile-trailer-data-bit')) throw new Refused('ZF-TRL-03', 'the trailer is of no data file');
  if (!hasFlag(flags, ZFILE_FLAG.sealed) && !has('zfile-trailer-sealed-bit')) throw new Refused('ZF-TRL-04', 'the trailer is not sealed');
  if (hasFlag(flags, ZFILE_FLAG.digest) && !digestIsRight(trailer, has) && !has('zfile-trailer-digest-unchecked')) {
    throw new Refused('ZF-TRL-05', 'the digest of the trailer is wrong');
  }
  checkCommon(trailer, has);
  return trailer;
}

/** What must hold in a header and in a trailer that counts. */
function checkCommon(space: Uint8Array, has: Has): void {
  if (getInteger(space, ZFILE_HEADER, 'size') !== 96n && !has('zfile-size-field-ignored')) throw new Refused('ZF-HDR-05', 'another size field');
  if (getInteger(space, ZFILE_HEADER, 'flags') >= 32n && !has('zfile-reserved-flags-ignored')) throw new Refused('ZF-FLG-01', 'flags that are reserved');
}

function digestIsRight(space: Uint8Array, has: Has): boolean {
  const bytes = Uint8Array.from(space);
  if (!has('zfile-digest-of-itself')) getBytes(bytes, ZFILE_HEADER, 'digest').fill(0);
  const seed = has('crc-header-seed') ? BLOCK_CRC_SEED : 0;
  return BigInt(checksum(has('zfile-digest-from-28') ? bytes.subarray(28) : bytes, seed, has)) === getInteger(space, ZFILE_HEADER, 'digest');
}

/** What header or trailer say, checked as far as that needs no index. Sizes are bytes. */
interface Fields {
  readonly size: number;
  readonly blockSize: number;
  readonly algorithm: number;
  /** Bytes of checksum after each block. */
  readonly crc: number;
  readonly dataStart: number;
}

function openFields(file: Bytes, space: Uint8Array, end: number, has: Has): Bytes {
  const get = (name: ZFileField): bigint => getInteger(space, ZFILE_HEADER, name);
  const flags = get('flags');
  if (isAnySet(space, has)) throw new Refused('ZF-RSV-01', 'reserved bytes that are not 0');
  const fields = { ...sizesOf(get, has), ...optionsOf(get, has) };
  const { size, blockSize, crc, dataStart } = fields;

  let count = get('index_size');
  let indexOffset = get('index_offset');
  if (has('zfile-index-size-bytes')) count /= 4n;
  if (count >= 2n ** 32n && has('zfile-index-size-32-bits')) count = BigInt.asUintN(32, count);
  if (indexOffset >= 2n ** 32n && has('zfile-index-offset-32-bits')) indexOffset = BigInt.asUintN(32, indexOffset);
  if (count > MAX_ENTRIES) throw new Refused('ZF-IDX-01', 'too many entries');
  if (indexOffset + count * BigInt(JUMP_ENTRY) > BigInt(end) && !has('zfile-index-end-unchecked')) throw new Refused('ZF-IDX-02', 'the index ends behind the file');
  const before = indexOffset < BigInt(dataStart);
  if (before && !has('zfile-index-in-header')) throw new Refused('ZF-IDX-08', 'the index starts too early');
  const index = file.read(Number(indexOffset), Number(count) * JUMP_ENTRY);
  if (hasFlag(flags, ZFILE_FLAG.digest)) {
    const right = BigInt(checksum(index, has('crc-header-seed') ? BLOCK_CRC_SEED : 0, has)) === get('index_crc');
    if (!right && !has('zfile-index-crc-unchecked')) throw new Refused('ZF-IDX-03', 'index_crc is wrong');
  } else if (has('zfile-index-crc-always') && BigInt(checksum(index, 0, has)) !== get('index_crc')) throw new Refused('ZF-IDX-03', 'index_crc is wrong');

  const starts = blockStarts(index, Number(count), fields, has);
  const wanted = BigInt.asUintN(64, size + BigInt(blockSize) - 1n) / BigInt(blockSize);
  if (wanted !== count && !has('zfile-index-count-unchecked') && !(has('zfile-index-count-one-more') && count === wanted + 1n)) {
    throw new Refused('ZF-IDX-05', 'another number of blocks');
  }
  if (starts.at(-1) !== Number(indexOffset) && !before && !has('zfile-index-gap')) throw new Refused('ZF-IDX-06', 'the blocks end elsewhere');
  return decoded(file, starts, { ...fields, size: exposedSize(size, blockSize, has) }, has);

  function blockStarts(table: Uint8Array, entries: number, f: Omit<Fields, 'size'>, hasDefect: Has): Float64Array {
    const view = new DataView(table.buffer, table.byteOffset, table.length);
    const out = new Float64Array(entries + 1);
    const group = 65536 / f.blockSize;
    let at = out[0] = f.dataStart;
    for (let i = 0; i < entries; i++) {
      const stored = view.getUint32(i * JUMP_ENTRY, true);
      if (stored <= crc && !(stored === 0 && hasDefect('zfile-entry-0')) && !(stored > 0 && stored === crc && hasDefect('zfile-entry-crc-only'))) {
        throw new Refused('ZF-IDX-04', 'an entry that is too small');
      }
      at += stored;
      if (at >= 2 ** 32 && hasDefect('zfile-block-sum-32-bits')) at -= 2 ** 32;
      out[i + 1] = at;
      const inGroup = at - out[i - (i % group)]!;
      if (i + 1 < entries && (i + 1) % group !== 0 && inGroup >= 65535) {
        if (hasDefect('zfile-group-sum-limit')) throw new Refused('ZF-IDX-07', 'a group of blocks is too long');
        if (inGroup >= 65536 && hasDefect('zfile-group-sum-16-bits')) out[i + 1] = at - 65536;
      }
    }
    return out;
  }
}

function isAnySet(space: Uint8Array, has: Has): boolean {
  const some = (name: ZFileField): boolean => getBytes(space, ZFILE_HEADER, name).some((b) => b !== 0);
  if (some('level') && has('zfile-level-refused')) return true;
  return (some('reserved0') || some('reserved1') || some('reserved2')) && has('zfile-reserved-refused');
}

function sizesOf(get: (name: ZFileField) => bigint, has: Has): { size: bigint; blockSize: number } {
  let size = get('original_file_size');
  if (size >= 2n ** 32n && has('zfile-size-32-bits')) size = BigInt.asUintN(32, size);
  if (size >= 2n ** 63n && !has('zfile-size-wraps')) throw new Refused('ZF-SIZE-02', 'a size of 2^63 and more');
  const blockSize = Number(get('block_size'));
  const odd = blockSize === 0 || (blockSize & (blockSize - 1)) !== 0;
  if (odd && !has('zfile-block-size-odd')) throw new Refused('ZF-OPT-01', 'a block size that is no power of two');
  if (blockSize > MAX_BLOCK && !odd && !has('zfile-block-size-large')) throw new Refused('ZF-OPT-01', 'a block size that is too large');
  if (blockSize < MIN_BLOCK && !odd && !has('zfile-block-size-small')) throw new Refused('ZF-OPT-05', 'a block size that is too small');
  if (blockSize === 0) throw new OutOfBounds('a division by 0');
  if (blockSize !== 4096 && has('zfile-block-size-4096-only')) throw new Refused('ZF-BLK-06', 'another block size');
  return { size, blockSize };
}

function optionsOf(get: (name: ZFileField) => bigint, has: Has): { algorithm: number; crc: number; dataStart: number } {
  let algorithm = Number(get('algo'));
  if (algorithm === ZSTD && has('zfile-zstd-refused')) throw new Refused('ZF-OPT-02', 'ZSTD');
  if (algorithm !== LZ4 && algorithm !== ZSTD) {
    if (!has('zfile-algorithm-unchecked')) throw new Refused('ZF-OPT-02', 'another algorithm');
    algorithm = LZ4;
  }
  if (get('use_dict') !== 0n && !has('zfile-use-dict-ignored')) throw new Refused('ZF-OPT-03', 'a dictionary');
  const verify = get('verify');
  const crc = verify === 0n || (verify !== 1n && has('zfile-verify-only-1')) ? 0 : 4;
  const dict = Number(get('dict_size'));
  return { algorithm, crc, dataStart: ZFILE_SPACE + (dict !== 0 && has('zfile-dict-size-ignored') ? 0 : dict) };
}

/** What is said to be there, from what the fields say. */
function exposedSize(size: bigint, blockSize: number, has: Has): number {
  const bytes = Number(size);
  const tail = bytes % blockSize;
  if (tail !== 0 && has('zfile-tail-lost')) return bytes - tail;
  if (tail !== 0 && has('zfile-size-of-whole-blocks')) return bytes - tail + blockSize;
  if (bytes % 512 !== 0 && has('zfile-size-of-whole-sectors')) return bytes - (bytes % 512) + 512;
  return bytes;
}

function decoded(file: Bytes, starts: Float64Array, f: Fields, has: Has): Bytes {
  const { size, blockSize, crc } = f;
  const scratch = new Uint8Array(blockSize);
  let held = -1;
  let content: Uint8Array = scratch.subarray(0, 0);

  const block = (i: number): Uint8Array => {
    if (i === held) return content;
    held = -1;
    const at = starts[i]!;
    const stored = starts[i + 1]! - at;
    if (i + 1 >= starts.length) throw new Refused('ZF-IDX-05', 'a block that is not in the index');
    if (at + stored > file.size) throw new Refused('ZF-BLK-04', 'a block behind the file');
    if (stored - crc > blockSize && has('zfile-block-grown-refused')) throw new Refused('ZF-BLK-07', 'a block that grew');
    const compressed = file.read(at, stored - crc);
    if (crc > 0 && !crcIsRight(compressed, file.read(at, stored), has) && !has('zfile-block-crc-unchecked')) throw new Refused('ZF-BLK-03', 'a block is damaged');
    const left = size - i * blockSize;
    const bytes = left < blockSize && !has('zfile-tail-padded') ? left : blockSize;
    content = scratch.subarray(0, bytes);
    if (f.algorithm === LZ4 || has('zfile-zstd-as-lz4')) decodeLz4(compressed, content, has);
    else decodeZstd(compressed, content, has);
    held = i;
    return content;
  };

  return {
    size,
    read(at, length) {
      const out = new Uint8Array(length);
      if (!(at >= 0 && at + length <= size)) throw new OutOfBounds(`${length} bytes at ${at} of a ZFile of ${size}`);
      for (let done = 0; done < length;) {
        const number = Math.floor((at + done) / blockSize);
        const inside = at + done - number * blockSize;
        const piece = block(number).subarray(inside, inside + length - done);
        out.set(piece, done);
        done += piece.length;
        if (done < length && has('zfile-read-one-block')) break;
        if (piece.length === 0) throw new Hung('no progress');
      }
      return out;
    },
  };
}

function crcIsRight(compressed: Uint8Array, stored: Uint8Array, has: Has): boolean {
  const said = new DataView(stored.buffer, stored.byteOffset + compressed.length, 4).getUint32(0, true);
  return checksum(has('crc-of-stored') ? stored : compressed, has('crc-block-seed-0') ? 0 : BLOCK_CRC_SEED, has) === said;
}
