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
/** Bytes read on both sides of a border of a device that is not read whole. */
const AROUND = 8 * PAGE;
/** Borders of such a device that are read around, at the most. */
const MAX_AROUND = 40;

/**
 * The reads of a case: first the plainest ones, whole pages that cover the
 * device (of a huge one: its start, its end, and where something begins or
 * ends), so that what fails later is known to be the access and not the
 * content; then what the recipes say. `borders` are bytes where something begins or ends.
 */
export function planReads(recipes: readonly ReadRecipe[], deviceBytes: number, borders: readonly number[]): ReadPlan[] {
  const plain = deviceBytes <= WHOLE_LIMIT ? [{ from: 0, to: deviceBytes }] : windows(deviceBytes, borders);
  return [...plain.flatMap(wholePages), ...recipes.map((r) => planRead(r, deviceBytes, borders))];
}

function wholePages({ from, to }: { from: number; to: number }): ReadPlan[] {
  const end = Math.ceil(to / PAGE) * PAGE;
  const reads: ReadPlan[] = [];
  for (let offset = from; offset < end; offset += WHOLE_PIECE) {
    reads.push({ offset, length: Math.min(WHOLE_PIECE, end - offset), bufferOffset: 0, mode: 'direct' });
  }
  return reads;
}

/** Ranges around the borders of a huge device, ascending and apart, beginning at page borders. */
function windows(deviceBytes: number, borders: readonly number[]): { from: number; to: number }[] {
  const inside = borders.filter((b) => b <= deviceBytes);
  const step = Math.max(1, Math.ceil(inside.length / MAX_AROUND));
  const points = [0, ...inside.filter((_, i) => i % step === 0), deviceBytes].sort((a, b) => a - b);
  const out = [{ from: 0, to: WHOLE_PIECE }];
  for (const p of points) {
    const from = Math.max(0, p - (p % PAGE) - AROUND);
    const to = Math.min(deviceBytes, p - (p % PAGE) + PAGE + AROUND);
    const last = out.at(-1)!;
    if (from <= last.to) last.to = Math.max(last.to, to);
    else out.push({ from, to });
  }
  return out;
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
      return at(Math.min(border, end) - (r.b % 9), 1 + ((r.b >>> 4) % 24));
    }
    case 'tail': return at(end - 1 - (r.a % 9), 1 + (r.b % 16));
    case 'past': return at(end + (r.a % 16), 1 + (r.b % 8));
  }
}
