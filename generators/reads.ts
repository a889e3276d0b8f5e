// SPDX-License-Identifier: MIT
/** From read recipes to reads of a device whose size and inner borders are known. Bytes. */
import { SECTOR } from '../spec/index.ts';
import type { ReadPlan } from '../model/index.ts';
import type { ReadRecipe } from './recipe.ts';

const PAGE = 4096;
/** Bytes of one of the reads that together cover the device. */
const WHOLE_PIECE = 1 << 20;
/** Bytes that these cover at the most. */
const WHOLE_LIMIT = 12 << 20;

/**
 * The reads of a case: first the plainest ones, whole pages that cover the
 * device, so that what fails later is known to be the access and not the
 * content; then what the recipes say. `borders` are bytes where something begins or ends.
 */
export function planReads(recipes: readonly ReadRecipe[], deviceBytes: number, borders: readonly number[]): ReadPlan[] {
  return [...wholeDevice(deviceBytes), ...recipes.map((r) => planRead(r, deviceBytes, borders))];
}

function wholeDevice(deviceBytes: number): ReadPlan[] {
  const end = Math.min(Math.ceil(deviceBytes / PAGE) * PAGE, WHOLE_LIMIT);
  const reads: ReadPlan[] = [];
  for (let offset = 0; offset < end; offset += WHOLE_PIECE) {
    reads.push({ offset, length: Math.min(WHOLE_PIECE, end - offset), bufferOffset: 0, mode: 'direct' });
  }
  return reads;
}

function planRead(r: ReadRecipe, deviceBytes: number, borders: readonly number[]): ReadPlan {
  const end = Math.floor(deviceBytes / SECTOR);
  const common = { bufferOffset: r.bufferSector * SECTOR, mode: r.mode };
  const at = (sector: number, sectors: number): ReadPlan => ({ offset: Math.max(0, sector) * SECTOR, length: sectors * SECTOR, ...common });
  switch (r.kind) {
    case 'sectors': return at(r.a % Math.max(1, end), 1 + (r.b % 8));
    case 'run': return at(r.a % Math.max(1, end), 1 + (r.b % 200));
    case 'border': {
      const border = Math.floor((borders.length > 0 ? borders[r.a % borders.length]! : 0) / SECTOR);
      return at(border - (r.b % 9), 1 + ((r.b >>> 4) % 24));
    }
    case 'tail': return at(end - 1 - (r.a % 9), 1 + (r.b % 16));
    case 'past': return at(end + (r.a % 16), 1 + (r.b % 8));
  }
}
