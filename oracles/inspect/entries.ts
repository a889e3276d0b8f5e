// SPDX-License-Identifier: MIT
/** The index entries of an LSMT layer or of a writable pair's index file, looked at one after the other. */
import { exact, humanBytes, type EntryRow, type InvalidRow, type ListView, type MarkView, type StopRow } from '../../model/index.ts';
import { getSegment, INVALID_OFFSET, SECTOR, SEGMENT_ENTRY, type Segment } from '../../spec/index.ts';
import { attempt, type Place } from './place.ts';
import { cutRows } from './rows.ts';

type Row = EntryRow | InvalidRow | StopRow;

/** A table of entries that lies inside its file, and what its entries must keep to. */
export interface EntryTable {
  /** Bytes from the start of the level. */
  readonly offset: number;
  readonly count: number;
  /** Whether entries ascend (a sealed layer) or stand in write order (an index file). */
  readonly ordered: boolean;
  /** Sectors that data entries may map, from 8 on; null where that is not known. */
  readonly sectors: bigint | null;
  /** Which file those are of, for messages. */
  readonly sectorsOf: string;
  readonly boundsClause: string;
  /** Sectors of the device, cut off; null where mappings beyond them are nothing unusual. */
  readonly deviceSectors: bigint | null;
}

/** Entries that are looked at unless all are asked for: more than a read-only layer may have. */
const SCANNED = 1 << 20;
/** Entries at the end of a longer table that are looked at too. */
const SCANNED_AT_END = 4096;
/** Entries read at once. */
const PIECE = 4096;
const FIRST_DATA_SECTOR = 8n;

/** The list, and what it comes to. Memory is bounded by what is shown. */
export function scanEntries(place: Place, table: EntryTable, limit: number | null): { readonly list: ListView<EntryRow | InvalidRow>; readonly facts: readonly string[] } {
  const tally = newTally();
  const ranges: [number, number][] = table.count <= SCANNED + SCANNED_AT_END
    ? [[0, table.count]]
    : [[0, SCANNED], [table.count - SCANNED_AT_END, table.count]];
  const shown = cutRows(rowsOf(place, table, ranges, tally), limit ?? 0);
  const list = limit === null
    ? { rows: { [Symbol.iterator]: () => rowsOf(place, table, [[0, table.count]], newTally()) }, cut: false }
    : { rows: shown.rows, cut: shown.cut || ranges.length > 1 };
  const facts = factsOf(tally, table, shown.marked);
  if (ranges.length > 1) facts.push(`counted are the first ${SCANNED} and the last ${SCANNED_AT_END} entries only`);
  return { list: { total: table.count, marked: shown.marked, ...list }, facts };
}

interface Tally {
  data: number;
  zeroed: number;
  empty: number;
  invalid: number;
  invalidInside: number;
  dataSectors: bigint;
  zeroedSectors: bigint;
  readonly tags: Map<number, number>;
}

function newTally(): Tally {
  return { data: 0, zeroed: 0, empty: 0, invalid: 0, invalidInside: 0, dataSectors: 0n, zeroedSectors: 0n, tags: new Map() };
}

function* rowsOf(place: Place, table: EntryTable, ranges: readonly (readonly [number, number])[], tally: Tally): Generator<Row> {
  const entryAt = (i: number): number => place.base + table.offset + i * SEGMENT_ENTRY;
  let previousEnd = 0n;
  let invalidFrom = -1;
  for (const [from, to] of ranges) {
    const endRun = function* (next: number): Generator<InvalidRow> {
      if (invalidFrom >= 0) yield { number: invalidFrom, at: entryAt(invalidFrom), invalid: next - invalidFrom };
      invalidFrom = -1;
    };
    for (let first = from; first < to; first += PIECE) {
      const count = Math.min(PIECE, to - first);
      const read = attempt(place, 'index', () => place.source.read(table.offset + first * SEGMENT_ENTRY, count * SEGMENT_ENTRY));
      if ('stop' in read) {
        yield* endRun(first);
        yield { number: first, stop: read.stop };
        return;
      }
      for (let i = 0; i < count; i++) {
        const s = getSegment(read.got, i * SEGMENT_ENTRY);
        if (s.offset === INVALID_OFFSET) {
          if (invalidFrom < 0) invalidFrom = first + i;
          tally.invalid++;
          continue;
        }
        yield* endRun(first + i);
        tally.invalidInside = tally.invalid;
        addTo(tally, s);
        yield {
          number: first + i, at: entryAt(first + i), offset: exact(s.offset), length: s.length, moffset: exact(s.moffset),
          zeroed: s.zeroed, tag: s.tag, marks: marksOf(s, table, previousEnd, entryAt(first + i)),
        };
        previousEnd = s.offset + BigInt(s.length);
      }
    }
    yield* endRun(to);
  }
}

function addTo(tally: Tally, s: Segment): void {
  if (s.zeroed) tally.zeroed++;
  else tally.data++;
  if (s.length === 0) tally.empty++;
  if (s.zeroed) tally.zeroedSectors += BigInt(s.length);
  else tally.dataSectors += BigInt(s.length);
  tally.tags.set(s.tag, (tally.tags.get(s.tag) ?? 0) + 1);
}

function marksOf(s: Segment, table: EntryTable, previousEnd: bigint, at: number): MarkView[] {
  const marks: MarkView[] = [];
  const mark = (clause: string, note: string): void => void marks.push({ clause, at, note });
  const end = s.offset + BigInt(s.length);
  if (table.ordered && s.offset < previousEnd) mark('LS-IDX-04', `starts at sector ${s.offset}, the entry before it ends at ${previousEnd}`);
  if (table.sectors !== null) {
    const limit = table.sectors;
    const mapped = s.moffset + BigInt(s.length);
    const outside = s.moffset < FIRST_DATA_SECTOR || mapped > limit;
    if (!s.zeroed && (outside || (table.ordered && (s.moffset >= limit || mapped <= FIRST_DATA_SECTOR)))) {
      const warp = s.tag === 1 ? ', unless they are a warp layer’s remote file’s' : '';
      mark(table.boundsClause, `maps sectors ${s.moffset} to ${mapped}, outside ${FIRST_DATA_SECTOR} to ${limit} of ${table.sectorsOf}${warp}`);
    }
    if (s.zeroed && table.ordered && (s.moffset < FIRST_DATA_SECTOR || s.moffset > limit)) {
      mark('LS-IDX-06', `is zeroed with moffset ${s.moffset}, not from ${FIRST_DATA_SECTOR} to ${limit}`);
    }
  }
  if (table.deviceSectors !== null && end > table.deviceSectors) mark('ST-SIZE-02', `ends at sector ${end}, the device at ${table.deviceSectors}`);
  return marks;
}

function factsOf(t: Tally, table: EntryTable, marked: number): string[] {
  if (table.count === 0) return ['no entries: the layer maps nothing'];
  const facts: string[] = [];
  const live = t.data + t.zeroed;
  const kinds = [`${t.data} data`, `${t.zeroed} zeroed`, `${t.invalid} INVALID${t.invalidInside > 0 ? ` (${t.invalidInside} of them before a live entry)` : ''}`];
  facts.push(`${t.data + t.zeroed + t.invalid} entries: ${kinds.join(', ')}${t.empty > 0 ? `; ${t.empty} of length 0` : ''}`);
  if (live > 0) {
    const bytes = (sectors: bigint): string => humanBytes(sectors * BigInt(SECTOR));
    facts.push(`data entries map ${t.dataSectors} sectors (${bytes(t.dataSectors)}), zeroed ones hide ${t.zeroedSectors} (${bytes(t.zeroedSectors)})`);
    const tags = [...t.tags].sort(([a], [b]) => a - b);
    const most = tags.slice(0, 8).map(([tag, n]) => `${tag} (${n} times)`).join(', ');
    if (tags.length > 1 || tags[0]![0] !== 0) facts.push(`tags: ${most}${tags.length > 8 ? ` and ${tags.length - 8} others` : ''}`);
  }
  if (marked > 0) facts.push(`${marked} of the entries ${marked === 1 ? 'is' : 'are'} unusual`);
  return facts;
}
