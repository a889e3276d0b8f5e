// SPDX-License-Identifier: MIT
/** The strict reader of a writable layer: a data file, and an index file that logs the writes. Entry units are sectors. */
import { getInteger, LSMT_HEADER, LSMT_SPACE, SECTOR, SEGMENT_ENTRY } from '../spec/index.ts';
import { lazyLayer, type LsmtLayer, type Mapping } from './layer.ts';
import {
  checkedVirtualSize, checkRest, checkSizeField, hasLsmtFlag, hasMagic, headerOf, type LsmtFields,
} from './lsmt-header.ts';
import {
  checkDataBounds, checkInvalid, checkZeroedBounds, firstOutOfOrder, liveEntries, mapBase, survey, toMapping, touchTags, type EntryTable,
} from './lsmt-index.ts';
import { mergeLayers, type Piece } from './merge.ts';
import type { ByteSource } from './source.ts';
import { inIndexFile, mayRefuse, violate, Violation, type Leniency } from './violation.ts';

/** Entries of the longest index file (reference). */
const MAX_ENTRIES = 128_000_000;

/** Opens a pair. Throws Violation; allocates a bounded window of the index file; its mappings are one an entry. */
export function openPair(data: ByteSource, index: ByteSource, lenient: Leniency): LsmtLayer {
  const dataHeader = openDataHeader(data, lenient);
  return inIndexFile(lenient, (inside) => openIndexFile(data, dataHeader, index, inside));
}

/** The data file's header. Nothing in the layer depends on it, so that a collecting reader does without. */
function openDataHeader(data: ByteSource, lenient: Leniency): LsmtFields | null {
  if (data.size < LSMT_SPACE) {
    violate(lenient, 'LS-RW-01', 0, `the data file has ${data.size} bytes, a header takes ${LSMT_SPACE}`);
    return null;
  }
  const header = headerOf(data, 'data file’s header');
  if (!hasMagic(header)) {
    violate(lenient, 'LS-RW-01', 0, 'the data file’s header lacks the magic values');
    return null;
  }
  if (!hasLsmtFlag(header, 'header')) violate(lenient, 'LS-RW-01', 28, 'flag bit 0 of the data file’s header is 0, not 1');
  checkSizeField(header, lenient);
  checkRest([header], lenient);
  return header;
}

function openIndexFile(data: ByteSource, dataHeader: LsmtFields | null, index: ByteSource, lenient: Leniency): LsmtLayer {
  const header = openIndexHeader(index, lenient);
  let virtualSize = checkedVirtualSize(header, lenient);

  const bytes = index.size - LSMT_SPACE;
  const torn = bytes % SEGMENT_ENTRY;
  const count = (bytes - torn) / SEGMENT_ENTRY;
  if (count > MAX_ENTRIES) throw new Violation('LS-RW-05', LSMT_SPACE, `the index file has ${count} entries, more than ${MAX_ENTRIES}`);
  if (torn > 0) mayRefuse(lenient, 'LS-RW-06', index.size - torn, `the index file ends with ${torn} bytes of an entry of ${SEGMENT_ENTRY}`);

  const table: EntryTable = { source: index, start: LSMT_SPACE, count };
  const limit = Math.floor(data.size / SECTOR);
  const seen = survey(table);
  checkInvalid(table, seen, lenient);
  checkZeroedBounds(table, seen, limit, lenient);
  const base = mapBase(seen, lenient);
  touchTags(table, seen, lenient);
  const unsorted = firstOutOfOrder(table, seen);
  if (unsorted) mayRefuse(lenient, 'LS-RW-03', unsorted.at, `entry ${unsorted.i} starts at sector ${unsorted.offset}, before the one before it ends`);
  checkDataBounds(table, seen, limit, 'LS-RW-04', base, lenient);
  if (dataHeader && sizeOf(dataHeader) !== sizeOf(header) && lenient.has('ls.pair-size-from-data')) {
    virtualSize = checkedVirtualSize(dataHeader, lenient);
  }
  return lazyLayer({ form: 'pair', virtualSize, data, remote: null, entries: count, invalidInside: seen.invalidInside }, () => visible(table, base));
}

function openIndexHeader(index: ByteSource, lenient: Leniency): LsmtFields {
  if (index.size < LSMT_SPACE) throw new Violation('LS-RW-02', 0, `the index file has ${index.size} bytes, a header takes ${LSMT_SPACE}`);
  const header = headerOf(index, 'index file’s header');
  if (!hasMagic(header)) throw new Violation('LS-RW-02', 0, 'the index file’s header lacks the magic values');
  if (!hasLsmtFlag(header, 'header')) violate(lenient, 'LS-RW-02', 28, 'flag bit 0 of the index file’s header is 0, not 1');
  if (hasLsmtFlag(header, 'dataFile')) violate(lenient, 'LS-RW-02', 28, 'flag bit 1 of the index file’s header is 1, not 0');
  if (hasLsmtFlag(header, 'sealed')) violate(lenient, 'LS-RW-02', 28, 'flag bit 2 of the index file’s header is 1, not 0');
  const indexOffset = getInteger(header.bytes, LSMT_HEADER, 'index_offset');
  if (indexOffset !== BigInt(LSMT_SPACE)) violate(lenient, 'LS-RW-02', 32, `index_offset of the index file is ${indexOffset}, not ${LSMT_SPACE}`);
  checkSizeField(header, lenient);
  checkRest([header], lenient);
  return header;
}

function sizeOf(header: LsmtFields): bigint {
  return getInteger(header.bytes, LSMT_HEADER, 'virtual_size');
}

/** What the entries leave visible, each one hiding what it covers of those before it. */
function visible(table: EntryTable, base: number): Mapping[] {
  const writes: Piece[][] = [];
  for (const e of liveEntries(table)) {
    const m = toMapping(e, base);
    if (m) writes.push([{ ...m, layer: 0, cut: false }]);
  }
  return mergeLayers(writes).map(({ start, end, moffset, zeroed, file }) => ({ start, end, moffset, zeroed, file }));
}
