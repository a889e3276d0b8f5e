// SPDX-License-Identifier: MIT
/** The clauses that a sound ZFile of ours shows by its layout. */
import type { ZFileRecipe } from './zfile-recipe.ts';

/** What the writer knows of the file when it is done. Bytes. */
export interface WrittenZFile {
  readonly size: number;
  /** Stored bytes of each block without its CRC. */
  readonly stored: readonly number[];
}

/** In every ZFile, whatever it holds. */
const ALWAYS = [
  'ZF-HDR-01', 'ZF-HDR-02', 'ZF-HDR-03', 'ZF-HDR-05', 'ZF-FLG-01', 'ZF-SIZE-02', 'ZF-OPT-01', 'ZF-OPT-02', 'ZF-OPT-03', 'ZF-OPT-05',
  'ZF-IDX-01', 'ZF-IDX-02', 'ZF-IDX-05', 'ZF-IDX-06', 'ZF-IDX-08',
] as const;

/** In every ZFile that has blocks. */
const WITH_BLOCKS = ['ZF-IDX-04', 'ZF-IDX-09', 'ZF-BLK-01', 'ZF-BLK-04', 'ZF-BLK-05'] as const;

/** Names the clauses of header, trailer and index that the file leans on. */
export function emitContainer(recipe: ZFileRecipe, { size, stored }: WrittenZFile, emit: (clause: string) => void): void {
  const all = (...clauses: readonly string[]): void => clauses.forEach(emit);
  all(...ALWAYS);
  if (recipe.headerMode) all('ZF-TRL-06');
  else all('ZF-TRL-01', 'ZF-TRL-02', 'ZF-TRL-03', 'ZF-TRL-04');
  if (recipe.digest) all('ZF-CRC-01', 'ZF-HDR-04', 'ZF-IDX-03');
  if (recipe.digest && !recipe.headerMode) all('ZF-TRL-05');
  if (recipe.reserved) all('ZF-RSV-01');
  if (recipe.dictBytes) all('ZF-OPT-04');
  if (stored.length === 0) return;
  all(...WITH_BLOCKS);
  if (recipe.verify) all('ZF-CRC-01', 'ZF-CRC-02', 'ZF-BLK-03');
  const last = size % recipe.blockSize;
  if (last !== 0) all('ZF-BLK-02');
  if (recipe.blockSize !== 4096) all('ZF-BLK-06');
  if (stored.some((bytes, i) => bytes > (i === stored.length - 1 && last !== 0 ? last : recipe.blockSize))) all('ZF-BLK-07');
  if (reachesGroupLimit(recipe, stored)) all('ZF-IDX-07');
}

/** Whether a group of 64 KiB of content has blocks that start 65535 stored bytes or more behind its first one. */
function reachesGroupLimit({ blockSize, verify }: ZFileRecipe, stored: readonly number[]): boolean {
  const group = Math.max(1, 65536 / blockSize);
  let sum = 0;
  return stored.some((bytes, i) => {
    if (i % group === 0) sum = 0;
    const reached = sum >= 65535;
    sum += bytes + (verify ? 4 : 0);
    return reached;
  });
}
