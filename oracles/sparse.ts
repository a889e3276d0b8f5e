// SPDX-License-Identifier: MIT
/** The strict reader of a sparse writable layer: one file, whose holes and extents are the mapping. */
import { LSMT_SPACE, SECTOR } from '../spec/index.ts';
import type { Extent } from '../model/index.ts';
import type { LsmtLayer, Mapping } from './layer.ts';
import { FIRST_DATA_SECTOR } from './lsmt-index.ts';
import { checkedVirtualSize, checkRest, checkSizeField, hasLsmtFlag, hasMagic, headerOf } from './lsmt-header.ts';
import { piecesOf, type ByteSource } from './source.ts';
import { violate, Violation, type Leniency } from './violation.ts';

/** Bytes of the smallest hole that a file system keeps. */
const PAGE = 4096;
const WINDOW = 1 << 20;

/**
 * Opens a sparse layer. `extents` say where its file has data, bytes, ascending
 * and apart; what they say of the header or behind the file's end is left out.
 * Throws Violation; allocates a mapping an extent.
 */
export function openSparse(source: ByteSource, extents: readonly Extent[], lenient: Leniency): LsmtLayer {
  if (source.size < LSMT_SPACE) throw new Violation('LS-SPR-01', 0, `the file has ${source.size} bytes, a header takes ${LSMT_SPACE}`);
  const header = headerOf(source);
  if (!hasMagic(header)) throw new Violation('LS-SPR-01', 0, 'the header lacks the magic values');
  if (!hasLsmtFlag(header, 'header')) violate(lenient, 'LS-SPR-01', 28, 'flag bit 0 of the header is 0, not 1');
  if (!hasLsmtFlag(header, 'dataFile')) violate(lenient, 'LS-SPR-01', 28, 'flag bit 1 of the header is 0, not 1');
  if (!hasLsmtFlag(header, 'sparse')) violate(lenient, 'LS-SPR-01', 28, 'flag bit 4 of the header is 0, not 1');
  checkSizeField(header, lenient);
  checkRest([header], lenient);
  const virtualSize = checkedVirtualSize(header, lenient);
  const mappings = extents.map((e) => toMapping(e, source.size)).filter((m) => m.start < m.end);
  return { form: 'sparse', virtualSize, mappings, data: source, remote: null, entries: 0, invalidInside: 0 };
}

function toMapping({ from, to }: Extent, size: number): Mapping {
  const moffset = Math.floor(Math.max(from, LSMT_SPACE) / SECTOR);
  const start = moffset - FIRST_DATA_SECTOR;
  return { start, end: Math.floor(Math.min(to, size) / SECTOR) - FIRST_DATA_SECTOR, moffset, zeroed: false, file: 0 };
}

/**
 * The pages of a file that are not all zeros, as extents. Node cannot ask a
 * file system for its holes; in a layer by itself a page of zeros reads as a
 * hole does, so that these stand in for the extents there.
 */
export function zeroPageExtents(source: ByteSource): Extent[] {
  const extents: { from: number; to: number }[] = [];
  for (const { at, bytes } of piecesOf(source, 0, source.size, WINDOW)) {
    for (let page = 0; page < bytes.length; page += PAGE) {
      if (isZero(bytes, page, Math.min(page + PAGE, bytes.length))) continue;
      const last = extents.at(-1);
      const to = Math.min(at + page + PAGE, source.size);
      if (last?.to === at + page) last.to = to;
      else extents.push({ from: at + page, to });
    }
  }
  return extents;
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}
