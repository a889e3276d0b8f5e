// SPDX-License-Identifier: MIT
/** One stored block of a ZFile, and the clauses that it shows. Bytes. */
import { encodeLz4Block } from './lz4-block.ts';
import { lz4Plan } from './lz4-forms.ts';
import { greedySequences } from './lz4-greedy.ts';
import { copyMatches, decodesTo, encodeSequences, parseSequences } from './lz4-tokens.ts';
import type { ZFileRecipe } from './zfile-recipe.ts';
import { encodeZstdBlock } from './zstd-block.ts';
import { BLOCK, encodeFrame, parseFrame } from './zstd-frames.ts';

/** Forms of the crafted blocks by block number; of two for one block, the first. */
export type Crafted = ReadonlyMap<number, number>;

/** Which blocks of a file of `blocks` are crafted. */
export function craftedForms(recipe: ZFileRecipe, blocks: number): Crafted {
  if (recipe.algo !== 'lz4' || blocks === 0) return new Map();
  return new Map((recipe.crafted ?? []).map((c) => [c.block % blocks, c.form] as const).reverse());
}

/**
 * The content of a ZFile with its crafted blocks: theirs is what their
 * sequences make of it. The same array where there are none.
 */
export function craftedContent(content: Uint8Array, recipe: ZFileRecipe): Uint8Array {
  const forms = craftedForms(recipe, Math.ceil(content.length / recipe.blockSize));
  if (forms.size === 0) return content;
  const out = content.slice();
  for (const [block, form] of forms) {
    const piece = out.subarray(block * recipe.blockSize, (block + 1) * recipe.blockSize);
    copyMatches(lz4Plan(form, piece.length), piece);
  }
  return out;
}

/** The stored form of block `i`, which decodes to `content` (at least one byte). */
export function encodeBlock(content: Uint8Array, i: number, recipe: ZFileRecipe, crafted: Crafted): Uint8Array {
  if (recipe.algo === 'zstd') return recipe.frame ? encodeFrame(content, recipe.frame) : encodeZstdBlock(content);
  const form = crafted.get(i);
  const plan = form === undefined ? null : lz4Plan(form, content.length);
  if (plan && decodesTo(plan, content)) return encodeSequences(plan, content);
  if (recipe.encoder === 'greedy') return encodeSequences(greedySequences(content), content);
  return encodeLz4Block(content, recipe.encoder);
}

/** A match from at least that far back needs both bytes of its offset and a decoder that keeps the whole block. */
const FAR = 32768;

/** Names the clauses that a sound block of ours shows by what is in it. */
export function emitBlock(block: Uint8Array, algo: ZFileRecipe['algo'], emit: (clause: string) => void): void {
  if (algo === 'zstd') {
    emitFrame(block, emit);
    return;
  }
  for (const clause of ['ZF-LZ4-06', 'ZF-LZ4-03', 'ZF-LZ4-04']) emit(clause);
  for (const { literals, match } of parseSequences(block)) {
    if (literals >= 15 || (match && match.length >= 15 + 4)) emit('ZF-LZ4-07');
    if (!match) continue;
    for (const clause of ['ZF-LZ4-01', 'ZF-LZ4-02', 'ZF-LZ4-05']) emit(clause);
    if (match.length > match.offset || match.offset >= FAR) emit('ZF-LZ4-08');
  }
}

function emitFrame(block: Uint8Array, emit: (clause: string) => void): void {
  for (const clause of ['ZF-ZST-01', 'ZF-ZST-05', 'ZF-ZST-06']) emit(clause);
  const { sized, checksum, blocks } = parseFrame(block);
  if (blocks.length > 1 || blocks[0]!.type !== BLOCK.compressed) emit('ZF-ZST-02');
  if (!sized || !checksum) emit('ZF-ZST-03');
  if (checksum) emit('ZF-ZST-04');
}
