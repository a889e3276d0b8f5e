// SPDX-License-Identifier: MIT
/** Writes ZFiles in the layout of the reference implementation. Sizes and offsets are bytes. */
import {
  BLOCK_CRC_SEED, getInteger, hasFlag, setBytes, setInteger, ZFILE_FLAG, ZFILE_HEADER, ZFILE_MAGIC0, ZFILE_MAGIC1, ZFILE_SPACE,
} from '../spec/index.ts';
import { writerCrc } from './checksum.ts';
import { encodeLz4Block, type Lz4Encoder } from './lz4-block.ts';
import { encodeZstdBlock } from './zstd-block.ts';

export interface ZFileRecipe {
  readonly algo: 'lz4' | 'zstd';
  readonly encoder: Lz4Encoder;
  readonly blockSize: number;
  readonly verify: boolean;
  /** Flag bit 3: the header carries the fields. */
  readonly headerMode: boolean;
  /** Flag bit 4 in header and trailer. */
  readonly digest: boolean;
}

/** The plainest ZFile: what the kernel patches support. */
export const PLAIN_ZFILE: ZFileRecipe = {
  algo: 'lz4', encoder: 'library', blockSize: 4096, verify: true, headerMode: false, digest: true,
};

export function writeZFile(content: Uint8Array, recipe: ZFileRecipe): Uint8Array {
  const parts: Uint8Array[] = [new Uint8Array(ZFILE_SPACE)];
  const sizes: number[] = [];
  for (let at = 0; at < content.length; at += recipe.blockSize) {
    const block = encodeBlock(content.subarray(at, at + recipe.blockSize), recipe);
    parts.push(block);
    sizes.push(block.length);
    if (recipe.verify) {
      parts.push(u32(writerCrc(block, BLOCK_CRC_SEED)));
      sizes[sizes.length - 1]! += 4;
    }
  }
  const index = new Uint8Array(sizes.length * 4);
  const v = new DataView(index.buffer);
  sizes.forEach((s, i) => v.setUint32(i * 4, s, true));
  const indexOffset = parts.reduce((n, p) => n + p.length, 0);
  parts.push(index);

  const flag = (...bits: number[]): number => bits.reduce((n, b) => n | (1 << b), 0) | (recipe.digest ? 1 << ZFILE_FLAG.digest : 0);
  const trailer = fields(recipe);
  setInteger(trailer, ZFILE_HEADER, 'flags', flag(ZFILE_FLAG.dataFile, ZFILE_FLAG.sealed));
  setSizes(trailer, indexOffset, index, content.length);
  const header = parts[0]!;
  header.set(fields(recipe));
  if (recipe.headerMode) {
    setInteger(header, ZFILE_HEADER, 'flags', flag(ZFILE_FLAG.header, ZFILE_FLAG.dataFile, ZFILE_FLAG.headerOverwrite));
    setSizes(header, indexOffset, index, content.length);
  } else {
    setInteger(header, ZFILE_HEADER, 'flags', flag(ZFILE_FLAG.header, ZFILE_FLAG.dataFile));
  }
  sealDigest(header);
  sealDigest(trailer);
  parts.push(trailer);
  return new Uint8Array(Buffer.concat(parts));
}

function encodeBlock(content: Uint8Array, recipe: ZFileRecipe): Uint8Array {
  return recipe.algo === 'zstd' ? encodeZstdBlock(content) : encodeLz4Block(content, recipe.encoder);
}

function fields(recipe: ZFileRecipe): Uint8Array {
  const h = new Uint8Array(ZFILE_SPACE);
  setBytes(h, ZFILE_HEADER, 'magic0', ZFILE_MAGIC0);
  setBytes(h, ZFILE_HEADER, 'magic1', ZFILE_MAGIC1);
  setInteger(h, ZFILE_HEADER, 'size', 96);
  setInteger(h, ZFILE_HEADER, 'block_size', recipe.blockSize);
  setInteger(h, ZFILE_HEADER, 'algo', recipe.algo === 'zstd' ? 2 : 1);
  setInteger(h, ZFILE_HEADER, 'verify', recipe.verify ? 1 : 0);
  return h;
}

function setSizes(h: Uint8Array, indexOffset: number, index: Uint8Array, size: number): void {
  setInteger(h, ZFILE_HEADER, 'index_offset', indexOffset);
  setInteger(h, ZFILE_HEADER, 'index_size', index.length / 4);
  setInteger(h, ZFILE_HEADER, 'original_file_size', size);
  setInteger(h, ZFILE_HEADER, 'index_crc', writerCrc(index, 0));
}

/** Recomputes the digest of a header or trailer, where flag bit 4 says that it has one. */
export function sealDigest(header: Uint8Array): void {
  if (!hasFlag(getInteger(header, ZFILE_HEADER, 'flags'), ZFILE_FLAG.digest)) return;
  setInteger(header, ZFILE_HEADER, 'digest', 0);
  setInteger(header, ZFILE_HEADER, 'digest', writerCrc(header, 0));
}

function u32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value, true);
  return out;
}
