// SPDX-License-Identifier: MIT
/** Writes ZFiles in the layout of the reference implementation. Sizes and offsets are bytes. */
import {
  BLOCK_CRC_SEED, getBytes, getInteger, hasFlag, setBytes, setInteger, ZFILE_FLAG, ZFILE_HEADER, ZFILE_MAGIC0, ZFILE_MAGIC1, ZFILE_SPACE,
} from '../spec/index.ts';
import { writerCrc } from './checksum.ts';
import { randomBytes } from './content.ts';
import { craftedForms, emitBlock, encodeBlock } from './zfile-block.ts';
import { emitContainer } from './zfile-clauses.ts';
import type { ZFileRecipe } from './zfile-recipe.ts';

export { PLAIN_ZFILE, type ZFileRecipe } from './zfile-recipe.ts';

/**
 * The ZFile that holds `content`. `emit` is told of every clause that the file
 * shows to a reader of all of it, some more than once.
 */
export function writeZFile(content: Uint8Array, recipe: ZFileRecipe, emit?: (clause: string) => void): Uint8Array {
  const { blockSize, verify, dictBytes = 0 } = recipe;
  const parts: Uint8Array[] = [new Uint8Array(ZFILE_SPACE), randomBytes(dictBytes + 0xd1c7, dictBytes)];
  const crafted = craftedForms(recipe, Math.ceil(content.length / blockSize));
  const stored: number[] = [];
  for (let at = 0; at < content.length; at += blockSize) {
    const block = encodeBlock(content.subarray(at, at + blockSize), at / blockSize, recipe, crafted);
    if (emit) emitBlock(block, recipe.algo, emit);
    parts.push(block);
    stored.push(block.length);
    if (verify) parts.push(u32(writerCrc(block, BLOCK_CRC_SEED)));
  }
  if (emit) emitContainer(recipe, { size: content.length, stored }, emit);
  const index = new Uint8Array(stored.length * 4);
  const v = new DataView(index.buffer);
  stored.forEach((bytes, i) => v.setUint32(i * 4, bytes + (verify ? 4 : 0), true));
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

/** What header and trailer have in common. */
function fields(recipe: ZFileRecipe): Uint8Array {
  const h = new Uint8Array(ZFILE_SPACE);
  setBytes(h, ZFILE_HEADER, 'magic0', ZFILE_MAGIC0);
  setBytes(h, ZFILE_HEADER, 'magic1', ZFILE_MAGIC1);
  setInteger(h, ZFILE_HEADER, 'size', 96);
  setInteger(h, ZFILE_HEADER, 'block_size', recipe.blockSize);
  setInteger(h, ZFILE_HEADER, 'algo', recipe.algo === 'zstd' ? 2 : 1);
  setInteger(h, ZFILE_HEADER, 'verify', recipe.verify ? recipe.verifyByte ?? 1 : 0);
  if (recipe.dictBytes) setInteger(h, ZFILE_HEADER, 'dict_size', recipe.dictBytes);
  if (recipe.reserved) fillReserved(h, recipe.reserved);
  return h;
}

/** Noise wherever nothing may matter. */
function fillReserved(h: Uint8Array, seed: number): void {
  for (const [i, name] of (['reserved0', 'level', 'reserved1', 'reserved2'] as const).entries()) {
    const bytes = getBytes(h, ZFILE_HEADER, name);
    bytes.set(randomBytes(seed * 4 + i + 1, bytes.length));
  }
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
