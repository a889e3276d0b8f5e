// SPDX-License-Identifier: MIT
/** A ZFile by its Kaitai description, its blocks by libraries. */
import type { Bytes } from './bytes.ts';
import { libraryLz4, libraryZstd, MAX_BLOCK } from './codec.ts';
import { libraryCrc, libraryCrcWithout } from './crc.ts';
import { ALGORITHM, parseZFile, type KaitaiBlock, type KaitaiZFileHeader } from './kaitai.ts';
import { need, Unreadable } from './unreadable.ts';

/** Where the digest stands in a header, bytes. */
const DIGEST_AT = 28;
/** Seed of the CRC of a block. */
const BLOCK_SEED = 100007;

/** Opens a ZFile: checks what reading it rests on, and every checksum of header, trailer and jump table. Throws Unreadable. */
export function readZFile(file: Uint8Array): Bytes {
  const parsed = parseZFile(file);
  const { header } = parsed;
  need(header !== undefined, 'the file is too short for a header');
  need(header.isMagic && header.flagHeader, 'the header is none of a ZFile');
  need(digestHolds(header, file.subarray(0, 512)), 'the digest of the header differs');
  const { fields } = parsed;
  need(fields !== undefined, 'the file is too short for a trailer');
  if (!parsed.isHeaderMode) {
    need(fields.isMagic && !fields.flagHeader && fields.flagDataFile && fields.flagSealed, 'the last bytes are no trailer');
    need(digestHolds(fields, file.subarray(file.length - 512)), 'the digest of the trailer differs');
  }
  need(parsed.isJumpTableWhole === true, 'the jump table does not end inside the file');
  need(!fields.flagDigest || fields.indexCrc === libraryCrc(parsed.jumpTableBytes!), 'index_crc differs');
  const { blockSize } = fields;
  const size = fields.originalFileSize.value;
  need(blockSize > 0 && blockSize <= MAX_BLOCK, `the block size is ${blockSize}`);
  need(fields.indexSize.value === Math.ceil(size / blockSize), `${fields.indexSize.value} blocks for ${size} bytes`);
  need(fields.algo === ALGORITHM.lz4 || fields.algo === ALGORITHM.zstd, `the algorithm is ${fields.algo}`);
  return decoded(fields, parsed.blocks!);
}

function digestHolds(header: KaitaiZFileHeader, bytes: Uint8Array): boolean {
  return !header.flagDigest || header.digest === libraryCrcWithout(bytes, DIGEST_AT);
}

function decoded(fields: KaitaiZFileHeader, blocks: readonly KaitaiBlock[]): Bytes {
  const { blockSize } = fields;
  const size = fields.originalFileSize.value;
  const known: (Uint8Array | Unreadable)[] = [];
  const block = (i: number): Uint8Array => {
    const bytes = (known[i] ??= decodeBlock(fields, blocks[i]!, i, Math.min(blockSize, size - i * blockSize)));
    if (bytes instanceof Unreadable) throw bytes;
    return bytes;
  };
  return {
    size,
    read(offset, length) {
      need(offset + length <= size, `${length} bytes at ${offset} of a decoded file of ${size}`);
      const out = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const i = Math.floor((offset + done) / blockSize);
        const from = offset + done - i * blockSize;
        const piece = block(i).subarray(from, from + length - done);
        out.set(piece, done);
        done += piece.length;
      }
      return out;
    },
  };
}

function decodeBlock(fields: KaitaiZFileHeader, block: KaitaiBlock, i: number, length: number): Uint8Array | Unreadable {
  if (!block.isWhole || block.lenStored === 0) return new Unreadable(`block ${i} does not lie inside the file`);
  if (fields.hasBlockCrc && block.crc !== libraryCrc(block.stored, BLOCK_SEED)) return new Unreadable(`the CRC of block ${i} differs`);
  const bytes = fields.algo === ALGORITHM.zstd ? libraryZstd(block.stored, length) : libraryLz4(block.stored, length);
  return bytes?.length === length ? bytes : new Unreadable(`block ${i} does not decode to ${length} bytes`);
}
