// SPDX-License-Identifier: MIT
/** From read recipes to reads of a device whose size and inner borders are known. Bytes. */
import { SECTOR } from '../spec/index.ts';
import { MAX_PIECES, type ReadPlan } from '../model/index.ts';
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

/**
 * Sectors where requests are cut, or may be: a page; 64, 128 and 512 KiB; 256 pages (BIO_MAX_VECS);
 * 1280 KiB (the block layer's usual max_sectors); a huge page; 4 MiB; the longest entry of an index.
 */
const LIMITS = [8, 128, 256, 1024, 2048, 2560, 4096, 8192, 16383];
/** Sectors that one request surely holds: 256 pages. */
const ONE_REQUEST = 2048;
/** Sectors that a large read asks for behind the end of the device, at the most. */
const BEYOND = 16;

function planRead(r: ReadRecipe, deviceBytes: number, borders: readonly number[]): ReadPlan {
  const end = Math.floor(deviceBytes / SECTOR);
  const at = (sector: number, sectors: number): ReadPlan => inManner(r, Math.max(0, sector) * SECTOR, sectors * SECTOR);
  switch (r.kind) {
    case 'sectors': return at(r.a % Math.max(1, end), 1 + (r.b % 8));
    case 'run': return end > ONE_REQUEST ? large(r, end, at) : at(r.a % Math.max(1, end), 1 + (r.b % 200));
    case 'border': {
      const border = Math.floor((borders.length > 0 ? borders[r.a % borders.length]! : 0) / SECTOR);
      return at(Math.min(border, end) - (r.b % 9), 1 + ((r.b >>> 4) % 24));
    }
    case 'tail': return at(end - 1 - (r.a % 9), 1 + (r.b % 16));
    case 'past': return at(end + (r.a % 16), 1 + (r.b % 8));
    case 'large': return large(r, end, at);
  }
}

/** A read about as long as some limit, near the start or across the end of the device. */
function large(r: ReadRecipe, end: number, at: (sector: number, sectors: number) => ReadPlan): ReadPlan {
  const limit = LIMITS[r.a % LIMITS.length]! - 1 + ((r.a >>> 4) % 3);
  const sectors = Math.min(limit, end + BEYOND);
  return at(r.b % 2 === 0 ? (r.b >>> 1) % 9 : end - sectors + ((r.b >>> 1) % BEYOND), sectors);
}

/** The range, read as the recipe says. */
function inManner(r: ReadRecipe, offset: number, length: number): ReadPlan {
  const bufferOffset = r.bufferSector * SECTOR;
  const fine = r.mode !== 'direct' && r.fine !== 0 && Number.isSafeInteger(offset + length + PAGE);
  // The first byte moves up, the last one up or down; a byte is left.
  const skipped = fine ? r.fine % SECTOR : 0;
  const cut = fine ? (r.fine >>> 9) % SECTOR : 0;
  const plan: ReadPlan = {
    offset: offset + skipped, length: Math.max(1, length - cut), bufferOffset: bufferOffset + (fine ? (r.fine >>> 3) % SECTOR : 0), mode: r.mode,
  };
  if (r.mode === 'mmap') return plan;
  const pieces = r.pieces === 0 ? [] : piecesOf(r.pieces, plan.length, r.mode === 'direct' || !fine ? SECTOR : 1);
  return { ...plan, ...(pieces.length > 1 ? { pieces } : {}), ...(r.huge ? { huge: true } : {}) };
}

/** Counts of buffers that a call is cut into: few, about the vectors of one request, and all that there may be. */
const PIECES = [2, 3, 5, 8, 16, 255, 256, 257, MAX_PIECES - 1, MAX_PIECES];

/** Odd lengths whose sum is `length`, multiples of `unit`; fewer of them where the length does not suffice. */
function piecesOf(seed: number, length: number, unit: number): number[] {
  const units = Math.floor(length / unit);
  const count = Math.min(PIECES[seed % PIECES.length]!, units);
  const pieces: number[] = [];
  let left = units;
  for (let i = 0; i + 1 < count; i++) {
    const most = left - (count - 1 - i);
    // Mostly a little, so that something is left for the others; at times nearly all of it.
    const share = Math.max(1, Math.floor((2 * left) / (count - i)));
    const taken = 1 + ((Math.imul(seed + i, 0x9e3779b1) >>> 8) % Math.min(most, share));
    pieces.push(taken * unit);
    left -= taken;
  }
  pieces.push(left * unit + (length - units * unit));
  return pieces;
}
