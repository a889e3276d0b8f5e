// SPDX-License-Identifier: MIT
/** Damage to the blocks of ZFiles that breaks one clause each: the stored block is replaced by an illegal one of the same size. */
import { SECTOR } from '../../spec/index.ts';
import { ILLEGAL_LZ4 } from '../lz4-illegal.ts';
import { ILLEGAL_ZSTD } from '../zstd-illegal.ts';
import type { Mutator } from './damage.ts';
import { pick } from './mutator.ts';
import type { ZFileBlock, ZFileImage } from './zfile-image.ts';
import { interleaved, otherByte, SMALL_FILE_MUTATORS } from './zfile-fields.ts';

/** Blocks and forms that are tried before a mutator gives up. */
const TRIES = 12;

/** The blocks that reads of whole sectors reach. */
function readableBlocks({ size, blockSize, blocks }: ZFileImage): readonly ZFileBlock[] {
  return blocks.slice(0, Math.ceil((size - (size % SECTOR)) / blockSize));
}

interface Illegal {
  readonly clause: string;
  readonly kind?: string;
  make(stored: number, length: number, n: number): Uint8Array | null;
}

function replaces(algo: ZFileImage['algo'], clause: string, kind: string | undefined, forms: readonly Illegal[]): Mutator<ZFileImage> {
  return {
    name: `zfile.${algo}-${clause.slice(3).toLowerCase()}${kind === undefined ? '' : `-${kind}`}`,
    violates: clause,
    damage(image, a, b) {
      const blocks = image.algo === algo ? readableBlocks(image) : [];
      if (blocks.length === 0) return null;
      for (let i = 0; i < TRIES; i++) {
        const { offset, stored, length } = pick(blocks, a + i);
        const bytes = pick(forms, b + i).make(stored, length, (b >>> 4) + i);
        if (bytes) return { edits: [{ at: offset, bytes }] };
      }
      return null;
    },
  };
}

/** One mutator for each clause and kind of forms. */
function allKinds(algo: ZFileImage['algo'], all: readonly Illegal[]): Mutator<ZFileImage>[] {
  const keyOf = (f: Illegal): string => `${f.clause} ${f.kind ?? ''}`;
  return [...new Set(all.map(keyOf))].map((key) => {
    const forms = all.filter((f) => keyOf(f) === key);
    return replaces(algo, forms[0]!.clause, forms[0]!.kind, forms);
  });
}

const blockCrc: Mutator<ZFileImage> = {
  name: 'zfile.block-crc',
  violates: 'ZF-BLK-03',
  damage(image, a, b) {
    const blocks = image.verify ? readableBlocks(image) : [];
    if (blocks.length === 0) return null;
    const { offset, stored } = pick(blocks, a);
    return otherByte(image, offset + stored + (b % 4), b >>> 2);
  },
};

const lz4 = allKinds('lz4', ILLEGAL_LZ4);
const zstd = allKinds('zstd', ILLEGAL_ZSTD);

/**
 * A mutator for each clause of a block, algorithm and kind of forms, in turn:
 * one of them finds a block that it can damage. Those of ZSTD stand there
 * again to keep step, and at the end those of files that have no such block.
 * All of it twice: only some of the files have any one kind of block, and a
 * reader has more to get wrong in a block than in a field.
 */
export const ZFILE_BLOCK_MUTATORS: readonly Mutator<ZFileImage>[] = [0, 1].flatMap(() => [
  blockCrc,
  ...interleaved([...zstd, ...zstd.slice(1)].slice(0, lz4.length), lz4),
  ...SMALL_FILE_MUTATORS,
]);
