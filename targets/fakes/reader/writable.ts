// SPDX-License-Identifier: MIT
/** Layers that can still be written: a pair of data and index file, and a sparse file. */
import { getInteger, hasFlag, LSMT_FLAG, LSMT_HEADER, LSMT_SPACE, SECTOR, SEGMENT_ENTRY } from '../../../spec/index.ts';
import type { Extent } from '../../../model/index.ts';
import type { Has } from './defects.ts';
import { checkCommon, hasMagic, liveEntries, openHeader, openSealed, sizeOf, toPieces, type Entry, type OpenLayer } from './lsmt.ts';
import { overlayAll, type Piece } from './merge.ts';
import { Refused, type Bytes } from './source.ts';

const FIRST = LSMT_SPACE / SECTOR;
const MAX_ENTRIES = 128_000_000;

/** Opens a pair. Throws Refused. */
export function openPair(data: Bytes, index: Bytes, has: Has): OpenLayer {
  if (has('pair-trailer-required')) return openSealed(data, null, has);
  const header = openHeader(data, 'pair', has);
  if (index.size < LSMT_SPACE) throw new Refused('LS-RW-02', 'no room for a header');
  const own = index.read(0, LSMT_SPACE);
  const flags = getInteger(own, LSMT_HEADER, 'flags');
  const kind = hasFlag(flags, LSMT_FLAG.header) && !hasFlag(flags, LSMT_FLAG.dataFile) && !hasFlag(flags, LSMT_FLAG.sealed);
  if (!hasMagic(own) && !has('pair-index-magic-unchecked')) throw new Refused('LS-RW-02', 'no index file');
  if (!kind && !has('pair-index-flags-unchecked')) throw new Refused('LS-RW-02', 'the flags are not those of an index file');
  if (getInteger(own, LSMT_HEADER, 'index_offset') !== BigInt(LSMT_SPACE) && !has('pair-index-offset-unchecked')) throw new Refused('LS-RW-02', 'the entries start elsewhere');
  checkCommon(own, has);
  const virtualSize = sizeOf(has('pair-size-from-data') ? header : own, has);
  const count = Math.floor((index.size - LSMT_SPACE) / SEGMENT_ENTRY);
  if (count > MAX_ENTRIES) throw new Refused('LS-RW-05', 'too many entries');
  if ((index.size - LSMT_SPACE) % SEGMENT_ENTRY !== 0 && has('pair-torn-entry-refused')) throw new Refused('LS-RW-06', 'an entry is cut short');
  const entries = liveEntries(index.read(LSMT_SPACE, count * SEGMENT_ENTRY), has);
  const limit = Math.floor(data.size / SECTOR);
  let end = 0;
  for (const e of entries) {
    if (isOutside(e, limit) && !has(e.zeroed ? 'lsmt-zeroed-moffset-ignored' : 'pair-moffset-unchecked')) {
      throw new Refused(e.zeroed ? 'LS-IDX-06' : 'LS-RW-04', 'an entry maps what is not there');
    }
    if (e.offset < end && has('pair-index-sorted')) throw new Refused('LS-RW-03', 'the entries do not ascend');
    end = e.offset + e.length;
  }
  const writes = toPieces(entries, has).map((p) => [{ ...p, source: 0 }]);
  return { virtualSize, files: [data], pieces: overlayAll(has('pair-earlier-wins') ? writes.reverse() : writes, has) };
}

/** Whether an entry is not about the data behind the header; `limit` is where the file ends, sectors. */
function isOutside({ moffset, length, zeroed }: Entry, limit: number): boolean {
  if (zeroed) return moffset < FIRST || moffset > limit;
  return moffset < FIRST || moffset >= limit || moffset + length <= FIRST || moffset + length > limit;
}

/** Opens a sparse layer; `extents` are the bytes of its file that are no holes. Throws Refused. */
export function openSparse(file: Bytes, extents: readonly Extent[], has: Has): OpenLayer {
  const header = openHeader(file, 'sparse', has);
  const virtualSize = sizeOf(header, has);
  const size = Math.floor(file.size / SECTOR);
  const known = has('sparse-hole-hides') ? [{ from: LSMT_SPACE, to: file.size }] : extents;
  const pieces: Piece[] = [];
  for (const { from, to } of known) {
    const first = Math.max(FIRST, from / SECTOR);
    const last = Math.min(size, Math.ceil(to / SECTOR));
    const shift = has('sparse-no-header') ? 0 : FIRST;
    if (first < last) pieces.push({ start: first - shift, end: last - shift, from: first, zeroed: false, source: 0 });
  }
  return { virtualSize, files: [file], pieces };
}
