// SPDX-License-Identifier: MIT
/** The strict reader of one sealed LSMT layer, and of a warp layer, which has the same container. Entry units are sectors of 512 bytes. */
import { getInteger, LSMT_HEADER, LSMT_SPACE, SECTOR, SEGMENT_ENTRY, type LsmtField } from '../spec/index.ts';
import { lazyLayer, type LsmtLayer } from './layer.ts';
import {
  checkedVirtualSize, checkRest, checkSizeField, hasLsmtFlag, hasMagic, headerOf, type LsmtFields,
} from './lsmt-header.ts';
import {
  checkDataBounds, checkInvalid, checkOrder, checkZeroedBounds, mapBase, sortedMappings, survey, touchTags, type EntryTable, type Survey,
} from './lsmt-index.ts';
import type { ByteSource } from './source.ts';
import { violate, Violation, type Leniency } from './violation.ts';

const MAX_ENTRIES = 1_000_000n;
/** What a reader without that limit is still held to: the limit of every other index (FORMAT.md section 3). */
const MAX_ENTRIES_OF_ANY = 128_000_000n;

/** A sealed container with its index in order. */
export interface Container {
  readonly virtualSize: number;
  readonly table: EntryTable;
  readonly seen: Survey;
}

/** Opens a committed or sealed layer. Throws Violation; allocates a bounded window of the index; its mappings are one an entry. */
export function openLsmt(source: ByteSource, lenient: Leniency): LsmtLayer {
  const { virtualSize, table, seen } = openContainer(source, lenient);
  const limit = Math.floor(table.start / SECTOR);
  const base = mapBase(seen, lenient);
  checkDataBounds(table, seen, limit, 'LS-IDX-05', base, lenient);
  checkZeroedBounds(table, seen, limit, lenient);
  touchTags(table, seen, lenient);
  const { invalidInside } = seen;
  return lazyLayer({ form: 'sealed', virtualSize, data: source, remote: null, entries: table.count, invalidInside }, () => sortedMappings(table, base));
}

/** Everything up to the order of the entries, which sealed and warp layers have in common. Throws Violation. */
export function openContainer(source: ByteSource, lenient: Leniency): Container {
  if (source.size < 2 * LSMT_SPACE) {
    throw new Violation('LS-HDR-01', 0, `the file has ${source.size} bytes, header and trailer take ${2 * LSMT_SPACE}`);
  }
  const header = headerOf(source);
  if (!hasMagic(header)) throw new Violation('LS-HDR-02', 0, 'the header lacks the magic values');
  if (!hasLsmtFlag(header, 'header')) violate(lenient, 'LS-HDR-03', 28, 'flag bit 0 of the header is 0, not 1');
  if (!hasLsmtFlag(header, 'dataFile')) violate(lenient, 'LS-HDR-04', 28, 'flag bit 1 of the header is 0, not 1');
  checkSizeField(header, lenient);
  const trailer = openTrailer(source, lenient);
  checkRest([header, trailer], lenient);

  const { base } = trailer;
  const field = (name: LsmtField): bigint => getInteger(trailer.bytes, LSMT_HEADER, name);
  const indexSize = field('index_size');
  const indexOffset = field('index_offset');
  const count = indexSize !== 0n && lenient.has('ls.index-size-bytes') ? indexSize / BigInt(SEGMENT_ENTRY) : indexSize;
  const most = count > MAX_ENTRIES && lenient.has('ls.index-limit') ? MAX_ENTRIES_OF_ANY : MAX_ENTRIES;
  if (count > most) throw new Violation('LS-IDX-01', base + 40, `the index has ${count} entries, more than ${most}`);
  if (indexOffset + count * BigInt(SEGMENT_ENTRY) > BigInt(base)) {
    throw new Violation('LS-IDX-02', base + 32, `an index of ${count} entries at byte ${indexOffset} does not end before byte ${base}`);
  }
  if (indexOffset < BigInt(LSMT_SPACE)) violate(lenient, 'LS-IDX-08', base + 32, `the index starts at byte ${indexOffset}, before byte ${LSMT_SPACE}`);
  const virtualSize = checkedVirtualSize(trailer, lenient);

  const table: EntryTable = { source, start: Number(indexOffset), count: Number(count) };
  const seen = survey(table);
  checkInvalid(table, seen, lenient);
  checkOrder(table, seen, lenient);
  return { virtualSize, table, seen };
}

function openTrailer(source: ByteSource, lenient: Leniency): LsmtFields {
  const base = source.size - LSMT_SPACE;
  const trailer: LsmtFields = { bytes: source.read(base, LSMT_SPACE), base, name: 'trailer' };
  if (!hasMagic(trailer)) throw new Violation('LS-TRL-01', base, 'the trailer lacks the magic values');
  if (hasLsmtFlag(trailer, 'header')) violate(lenient, 'LS-TRL-02', base + 28, 'flag bit 0 of the trailer is 1, not 0');
  if (!hasLsmtFlag(trailer, 'dataFile')) violate(lenient, 'LS-TRL-03', base + 28, 'flag bit 1 of the trailer is 0, not 1');
  if (!hasLsmtFlag(trailer, 'sealed')) violate(lenient, 'LS-TRL-04', base + 28, 'flag bit 2 of the trailer is 0, not 1');
  checkSizeField(trailer, lenient);
  return trailer;
}
