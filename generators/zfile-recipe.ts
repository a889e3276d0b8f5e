// SPDX-License-Identifier: MIT
/** How a ZFile is written: small independent choices, the plainest of each known. Sizes are bytes. */
import type { FrameRecipe } from './zstd-frames.ts';

/** One LZ4 block whose sequences are given instead of found. Numbers are taken modulo what is there. */
export interface CraftedBlock {
  readonly block: number;
  /** Which of the legal forms. */
  readonly form: number;
}

export interface ZFileRecipe {
  readonly algo: 'lz4' | 'zstd';
  /** Who finds the sequences of an LZ4 block: a library, nobody (literals only), or a compressor of ours. */
  readonly encoder: 'library' | 'literals' | 'greedy';
  readonly blockSize: number;
  readonly verify: boolean;
  /** What the field holds where blocks carry CRCs: anything but 0. Absent: 1. */
  readonly verifyByte?: number;
  /** Flag bit 3: the header carries the fields. */
  readonly headerMode: boolean;
  /** Flag bit 4 in header and trailer. */
  readonly digest: boolean;
  /** Noise between the header and the first block; absent: none. */
  readonly dictBytes?: number;
  /** Seed of what reserved bytes and the level hold; 0 or absent: zeros. */
  readonly reserved?: number;
  /** Absent: none. Only blocks whose content is what their sequences make are written so. */
  readonly crafted?: readonly CraftedBlock[];
  /** Framing of ZSTD blocks; null or absent: the library's. */
  readonly frame?: FrameRecipe | null;
}

/** The plainest ZFile: what the kernel patches support. */
export const PLAIN_ZFILE: ZFileRecipe = {
  algo: 'lz4', encoder: 'library', blockSize: 4096, verify: true, headerMode: false, digest: true,
};

/** The recipe without what says nothing. */
function tidied(z: ZFileRecipe): ZFileRecipe {
  const { verifyByte, dictBytes, reserved, crafted, frame, ...needed } = z;
  return {
    ...needed,
    ...(z.verify && verifyByte !== undefined && verifyByte !== 1 ? { verifyByte } : {}),
    ...(dictBytes ? { dictBytes } : {}),
    ...(reserved ? { reserved } : {}),
    ...(crafted && crafted.length > 0 ? { crafted } : {}),
    ...(frame ? { frame } : {}),
  };
}

/** Recipes with one choice plainer, the boldest first. */
export function* plainerZFiles(recipe: ZFileRecipe): Iterable<ZFileRecipe> {
  const z = tidied(recipe);
  const without = (key: 'verifyByte' | 'dictBytes' | 'reserved' | 'crafted' | 'frame'): ZFileRecipe => {
    const { [key]: _, ...rest } = z;
    return rest;
  };
  const keys = Object.keys(PLAIN_ZFILE) as (keyof ZFileRecipe)[];
  const unusual = (['verifyByte', 'dictBytes', 'reserved', 'crafted', 'frame'] as const).filter((key) => z[key] !== undefined);
  const other = keys.filter((key) => z[key] !== PLAIN_ZFILE[key]);
  if (unusual.length + other.length === 0) return;
  yield PLAIN_ZFILE;
  if (z.crafted) {
    for (const c of z.crafted) yield { ...PLAIN_ZFILE, crafted: [{ ...c, block: 0 }] };
    if (z.crafted.length > 1) for (const c of z.crafted) yield { ...z, crafted: [c] };
    if (z.crafted.some((c) => c.block !== 0)) yield { ...z, crafted: z.crafted.map((c) => ({ ...c, block: 0 })) };
  }
  for (const key of unusual) yield without(key);
  for (const key of other) yield { ...z, [key]: PLAIN_ZFILE[key] };
  if (z.frame) {
    if (z.frame.piece !== 0) yield { ...z, frame: { ...z.frame, piece: 0 } };
    if (z.frame.checksum) yield { ...z, frame: { ...z.frame, checksum: false } };
    if (z.frame.emptyLast) yield { ...z, frame: { ...z.frame, emptyLast: false } };
    if (z.frame.blocks !== 'raw') yield { ...z, frame: { ...z.frame, blocks: 'raw' } };
  }
  // What a reader may lack is left out together, whatever else is needed.
  if (z.algo === 'lz4' && other.length > 1) yield { ...PLAIN_ZFILE, encoder: z.encoder, ...(z.crafted ? { crafted: z.crafted } : {}) };
}

/** Sizes of content below `bytes` that keep its tail or have none, of up to three blocks, and half of it. */
export function smallerSizes(bytes: number, blockSize: number): number[] {
  const tail = bytes % blockSize;
  const sizes = [512, 4096, ...[0, 1, 2].flatMap((blocks) => [blocks * blockSize + tail, (blocks + 1) * blockSize]), Math.floor(bytes / 2 / blockSize) * blockSize + tail];
  return [...new Set(sizes)].filter((n) => n > 0 && n < bytes).sort((a, b) => a - b);
}
