// SPDX-License-Identifier: MIT
/** Damage to the blocks of ZFiles that breaks one clause each: the stored block is replaced by an illegal one of the same size. */
import { SECTOR } from '../../spec/index.ts';
import { ILLEGAL_LZ4 } from '../lz4-illegal.ts';
import { ILLEGAL_ZSTD } from '../zstd-illegal.ts';
import type { Mutator } from './damage.ts';
import { pick } from './mutator.ts';
import type { ZFileBlock, ZFileImage } from './zfile-image.ts';
import { interleaved, otherByte } from './zfile-fields.ts';

/** Blocks and forms that are tried before a mutator gives up. */
const TRIES = 12;

/** The blocks that reads of whole sectors reach. */
function readableBlocks({ size, blockSize, blocks }: ZFileImage): readonly ZFileBlock[] {
  return blocks.slice(0, Math.ceil((size - (size % SECTOR)) / blockSize));
}

interface Illegal {
  readonly clause: string;
  make(stored: number, length: number, n: number): Uint8Array | null;
}

function replaces(algo: ZFileImage['algo'], clause: string, all: readonly Illegal[]): Mutator<ZFileImage> {
  const forms = all.filter((f) => f.clause === clause);
  return {
    name: `zfile.${algo}-${clause.slice(3).toLowerCase()}`,
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

const clausesOf = (forms: readonly Illegal[]): string[] => [...new Set(forms.map((f) => f.clause))];

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

/** One mutator for each clause of a block and each algorithm that has it, in turn: one of them finds a block that it can damage. */
export const ZFILE_BLOCK_MUTATORS: readonly Mutator<ZFileImage>[] = [
  blockCrc,
  ...interleaved(
    clausesOf(ILLEGAL_ZSTD).map((clause) => replaces('zstd', clause, ILLEGAL_ZSTD)),
    clausesOf(ILLEGAL_LZ4).map((clause) => replaces('lz4', clause, ILLEGAL_LZ4)),
  ),
];
