// SPDX-License-Identifier: MIT
/** The view of one LSMT file: a sealed layer, a sparse one, or either file of a writable pair. */
import { humanBytes, type FileView, type LevelView, type ListView, type EntryRow, type InvalidRow, type MarkView, type RegionView, type StopView } from '../../model/index.ts';
import {
  getBytes, getInteger, hasFlag, LSMT_FLAG, LSMT_HEADER, LSMT_MAGIC0, LSMT_MAGIC1, LSMT_SPACE, SECTOR, SEGMENT_ENTRY, type LsmtField,
} from '../../spec/index.ts';
import { sameBytes } from '../source.ts';
import { scanEntries, type EntryTable } from './entries.ts';
import { countSet, differing, flagWords, layoutOf, structureView, textOf, type FieldMark } from './fields.ts';
import { attempt, type Place } from './place.ts';
import type { InspectOptions } from './rows.ts';

const FLAG_NAMES = { 0: 'header', 1: 'data file', 2: 'sealed', 4: 'sparse' } as const;
/** Bits that the document names and no code has, beside those of which nothing is said. */
const KNOWN_BITS = 0b10111n;
const MAX_ENTRIES = { layer: 1_000_000n, index: 128_000_000n } as const;
const MAX_VIRTUAL_SIZE = 1n << 59n;

type Mark = FieldMark<LsmtField>;
type Form = 'sealed' | 'data' | 'index' | 'sparse';

/** Which of the two magic values these bytes start with. */
export function lsmtMagics(bytes: Uint8Array): number {
  if (bytes.length < 24) return 0;
  return Number(sameBytes(getBytes(bytes, LSMT_HEADER, 'magic0'), LSMT_MAGIC0))
    + Number(sameBytes(getBytes(bytes, LSMT_HEADER, 'magic1'), LSMT_MAGIC1));
}

/** What is known of the file's part in its image. */
export interface LsmtPart {
  readonly role: FileView['role'];
  /** Bytes of the pair's data file, for its index file. */
  readonly dataBytes?: number;
}

/** The level. Never throws for what the image holds. */
export function inspectLsmt(place: Place, part: LsmtPart, options: InspectOptions): LevelView {
  const { source, base, space } = place;
  const stops: StopView[] = [];
  const marks: MarkView[] = [];
  const stop = (what: string, at: number, clause: string, why: string): void => void stops.push({ what, at: base + at, space, clause, why });

  const readHeader = attempt(place, 'header', () => source.read(0, Math.min(LSMT_SPACE, source.size)));
  const header = 'got' in readHeader ? readHeader.got : new Uint8Array(0);
  if ('stop' in readHeader) stops.push(readHeader.stop);
  const whole = header.length === LSMT_SPACE;
  const trailerAt = source.size - LSMT_SPACE;
  const readTrailer = attempt(place, 'trailer', () => (trailerAt >= LSMT_SPACE ? source.read(trailerAt, LSMT_SPACE) : new Uint8Array(0)));
  if ('stop' in readTrailer) stops.push(readTrailer.stop);
  const trailer = 'got' in readTrailer && lsmtMagics(readTrailer.got) > 0 ? readTrailer.got : null;

  const form = formOf(part, header, trailer !== null);
  const headerMarks = whole ? [...commonMarks(header), ...headerFlagMarks(header, form)] : [];
  const trailerMarks = trailer ? [...commonMarks(trailer), ...trailerFlagMarks(trailer)] : [];
  const layout: RegionView[] = [{ region: 'header', offset: base, size: header.length }];
  if (trailer) layout.push({ region: 'trailer', offset: base + trailerAt, size: LSMT_SPACE });
  if (!whole && 'got' in readHeader) {
    stop('header', source.size, form === 'index' ? 'LS-RW-02' : 'LS-HDR-01', `the file ends after ${source.size} bytes, a header takes ${LSMT_SPACE}`);
  }
  if (form === 'sealed' && whole && trailer === null && 'got' in readTrailer) {
    stop('trailer', Math.max(trailerAt, 0), trailerAt < LSMT_SPACE ? 'LS-HDR-01' : 'LS-TRL-01', trailerAt < LSMT_SPACE
      ? `the file has ${source.size} bytes, no room for the trailer that must hold the fields`
      : 'the last 4096 bytes have no magic values, and only there the fields could be');
  }
  if (form === 'data' && trailer) marks.push({ clause: 'LS-RW-01', at: base + trailerAt, note: 'the data file of a writable pair ends in a trailer' });

  const from = form === 'sealed' ? (trailer ? 'trailer' : null) : form === 'data' ? null : whole ? 'header' : null;
  let entries: ListView<EntryRow | InvalidRow> | null = null;
  let facts: readonly string[] = [];
  if (from !== null && form !== 'sparse') {
    const table = form === 'sealed'
      ? layerTable(trailer!, source.size, (field, clause, note) => void trailerMarks.push({ field, clause, note }))
      : indexFileTable(header, source.size, part, marks, base, (field, clause, note) => void headerMarks.push({ field, clause, note }));
    if ('why' in table) {
      stop('index', table.at, 'LS-IDX-02', table.why);
    } else {
      layout.push({ region: 'index', offset: base + table.offset, size: table.count * SEGMENT_ENTRY });
      const end = table.offset + table.count * SEGMENT_ENTRY;
      if (form === 'sealed') {
        layout.push({ region: 'data', offset: base + LSMT_SPACE, size: Math.max(0, table.offset - LSMT_SPACE) });
        layout.push({ region: 'padding', offset: base + end, size: Math.max(0, trailerAt - end) });
      } else {
        layout.push({ region: 'part of an entry', offset: base + end, size: source.size - end });
      }
      ({ list: entries, facts } = scanEntries(place, table, options.limit));
    }
  }
  if (form === 'data' || form === 'sparse') {
    layout.push({ region: 'data', offset: base + LSMT_SPACE, size: Math.max(0, source.size - LSMT_SPACE - (trailer ? LSMT_SPACE : 0)) });
  }
  if (form === 'sparse' && whole) {
    virtualSizeMarks(header, (field, clause, note) => void headerMarks.push({ field, clause, note }));
    facts = ['what it maps are the extents that its file system keeps for the file; a copy may have lost them'];
  }

  const view = (bytes: Uint8Array, at: number, role: 'header' | 'trailer', fieldMarks: readonly Mark[]) => structureView(LSMT_HEADER, bytes, base + at, {
    title: `LSMT ${role}`, authoritative: from === role, hex: ['flags'], marks: fieldMarks,
    explain: (name) => explain(name, bytes, base, from === role),
  });
  const structures = [
    ...(header.length > 0 ? [view(header, 0, 'header', headerMarks)] : []),
    ...(trailer ? [view(trailer, trailerAt, 'trailer', trailerMarks)] : []),
  ];
  return {
    kind: 'lsmt', title: titleOf(form, whole ? header : null, trailer, part), space, offset: base, size: source.size, structures,
    differ: trailer ? differing(LSMT_HEADER, header, trailer) : [],
    layout: layoutOf(layout, base, source.size), facts,
    ...(entries && options.entries && { entries }),
    marks, stops,
  };
}

/** What the file is, from its part in the image, its header's flags and whether it ends in a trailer. */
function formOf(part: LsmtPart, header: Uint8Array, hasTrailer: boolean): Form {
  if (part.role !== 'layer') return part.role;
  if (header.length < LSMT_SPACE || lsmtMagics(header) < 2) return 'sealed';
  const flags = getInteger(header, LSMT_HEADER, 'flags');
  if (hasTrailer) return 'sealed';
  if (hasFlag(flags, LSMT_FLAG.sparse)) return 'sparse';
  if (hasFlag(flags, LSMT_FLAG.header) && !hasFlag(flags, LSMT_FLAG.dataFile)) return 'index';
  return hasFlag(flags, LSMT_FLAG.sealed) ? 'sealed' : 'data';
}

type MarkField = (field: LsmtField, clause: string, note: string) => void;

/** The index of a sealed layer; `why` where it cannot be looked at. */
function layerTable(trailer: Uint8Array, size: number, mark: MarkField): EntryTable | { readonly at: number; readonly why: string } {
  const count = getInteger(trailer, LSMT_HEADER, 'index_size');
  const offset = getInteger(trailer, LSMT_HEADER, 'index_offset');
  const end = offset + count * BigInt(SEGMENT_ENTRY);
  if (count > MAX_ENTRIES.layer) mark('index_size', 'LS-IDX-01', `is more than ${MAX_ENTRIES.layer}`);
  if (offset < BigInt(LSMT_SPACE)) mark('index_offset', 'LS-IDX-08', 'is inside the header');
  if (end > BigInt(size - LSMT_SPACE)) {
    mark('index_offset', 'LS-IDX-02', `an index of ${count} entries ends at byte ${end}, after byte ${size - LSMT_SPACE}, where the trailer starts`);
  }
  const virtualSize = virtualSizeMarks(trailer, mark);
  if (end > BigInt(size)) {
    return {
      at: offset < BigInt(size) ? Number(offset) : size,
      why: `an index of ${count} entries (${humanBytes(count * BigInt(SEGMENT_ENTRY))}) at byte ${offset} does not fit in the file of ${size} bytes`,
    };
  }
  return {
    offset: Number(offset), count: Number(count), ordered: true, sectors: offset / BigInt(SECTOR), sectorsOf: 'the file',
    boundsClause: 'LS-IDX-05', deviceSectors: virtualSize === 0n ? null : virtualSize / BigInt(SECTOR),
  };
}

/** The entries of an index file: all that follows its header. */
function indexFileTable(
  header: Uint8Array, size: number, part: LsmtPart, marks: MarkView[], base: number, mark: MarkField,
): EntryTable | { readonly at: number; readonly why: string } {
  const count = Math.floor((size - LSMT_SPACE) / SEGMENT_ENTRY);
  const cut = (size - LSMT_SPACE) % SEGMENT_ENTRY;
  const offset = getInteger(header, LSMT_HEADER, 'index_offset');
  if (offset !== BigInt(LSMT_SPACE)) mark('index_offset', 'LS-RW-02', `is not ${LSMT_SPACE}; shown are the entries from there`);
  if (BigInt(count) > MAX_ENTRIES.index) marks.push({ clause: 'LS-RW-05', at: base + LSMT_SPACE, note: `${count} entries are more than ${MAX_ENTRIES.index}` });
  if (cut > 0) marks.push({ clause: 'LS-RW-06', at: base + size - cut, note: `the file ends after ${cut} of an entry's ${SEGMENT_ENTRY} bytes` });
  const virtualSize = virtualSizeMarks(header, mark);
  return {
    offset: LSMT_SPACE, count, ordered: false, sectorsOf: 'the data file', boundsClause: 'LS-RW-04',
    sectors: part.dataBytes === undefined ? null : BigInt(Math.floor(part.dataBytes / SECTOR)),
    deviceSectors: virtualSize === 0n ? null : virtualSize / BigInt(SECTOR),
  };
}

function virtualSizeMarks(bytes: Uint8Array, mark: MarkField): bigint {
  const size = getInteger(bytes, LSMT_HEADER, 'virtual_size');
  if (size > MAX_VIRTUAL_SIZE) mark('virtual_size', 'LS-SIZE-01', 'is more than 2^59');
  else if (size % BigInt(SECTOR) !== 0n) mark('virtual_size', 'LS-SIZE-01', `is no multiple of ${SECTOR}`);
  return size;
}

/** What is unusual in a header or trailer, whichever of them it is. */
function* commonMarks(bytes: Uint8Array): Generator<Mark> {
  const field = (name: LsmtField): bigint => getInteger(bytes, LSMT_HEADER, name);
  const flags = field('flags');
  if (flags & ~KNOWN_BITS) yield { field: 'flags', clause: 'LS-FLG-01', note: 'bits other than 0, 1, 2 and 4 are set' };
  if (field('size') !== 390n) yield { field: 'size', clause: 'LS-HDR-05', note: 'is not 390' };
  for (const name of ['version', 'sub_version'] as const) {
    if (field(name) !== 1n) yield { field: name, clause: 'LS-VER-01', note: 'is not 1' };
  }
  for (const name of ['reserved0', 'reserved1'] as const) {
    const set = countSet(getBytes(bytes, LSMT_HEADER, name));
    if (set > 0) yield { field: name, clause: 'LS-RSV-01', note: `${set} ${set === 1 ? 'byte is' : 'bytes are'} not 0` };
  }
  for (const name of ['uuid', 'parent_uuid'] as const) {
    const text = textOf(getBytes(bytes, LSMT_HEADER, name));
    if (!/^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/.test(text)) yield { field: name, clause: 'LS-RSV-01', note: 'is no UUID' };
  }
}

function* headerFlagMarks(header: Uint8Array, form: Form): Generator<Mark> {
  yield* magicMarks(header, form === 'index' ? 'LS-RW-02' : 'LS-HDR-02');
  const flags = getInteger(header, LSMT_HEADER, 'flags');
  const has = (bit: number): boolean => hasFlag(flags, bit);
  if (form === 'index') {
    if (!has(LSMT_FLAG.header) || has(LSMT_FLAG.dataFile) || has(LSMT_FLAG.sealed)) {
      yield { field: 'flags', clause: 'LS-RW-02', note: 'of an index file bit 0 (header) is 1, bits 1 and 2 (data file, sealed) are 0' };
    }
    return;
  }
  if (!has(LSMT_FLAG.header)) yield { field: 'flags', clause: form === 'data' ? 'LS-RW-01' : 'LS-HDR-03', note: 'bit 0 (header) is 0' };
  if (!has(LSMT_FLAG.dataFile)) yield { field: 'flags', clause: 'LS-HDR-04', note: 'bit 1 (data file) is 0' };
}

function* trailerFlagMarks(trailer: Uint8Array): Generator<Mark> {
  yield* magicMarks(trailer, 'LS-TRL-01');
  const flags = getInteger(trailer, LSMT_HEADER, 'flags');
  if (hasFlag(flags, LSMT_FLAG.header)) yield { field: 'flags', clause: 'LS-TRL-02', note: 'bit 0 (header) is 1' };
  if (!hasFlag(flags, LSMT_FLAG.dataFile)) yield { field: 'flags', clause: 'LS-TRL-03', note: 'bit 1 (data file) is 0' };
  if (!hasFlag(flags, LSMT_FLAG.sealed)) yield { field: 'flags', clause: 'LS-TRL-04', note: 'bit 2 (sealed) is 0' };
}

function* magicMarks(bytes: Uint8Array, clause: string): Generator<Mark> {
  for (const [name, magic] of [['magic0', LSMT_MAGIC0], ['magic1', LSMT_MAGIC1]] as const) {
    if (!sameBytes(getBytes(bytes, LSMT_HEADER, name), magic)) yield { field: name, clause, note: 'is not the magic value' };
  }
}

function explain(name: LsmtField, bytes: Uint8Array, base: number, authoritative: boolean): string {
  const field = (n: LsmtField): bigint => getInteger(bytes, LSMT_HEADER, n);
  switch (name) {
    case 'magic0': return sameBytes(getBytes(bytes, LSMT_HEADER, 'magic0'), LSMT_MAGIC0) ? '"LSMT", 0, 1, 2, 0' : '';
    case 'magic1': return sameBytes(getBytes(bytes, LSMT_HEADER, 'magic1'), LSMT_MAGIC1) ? 'the fixed UUID' : '';
    case 'flags': return flagWords(field('flags'), FLAG_NAMES);
    case 'index_offset': return authoritative && base > 0 ? `byte ${field('index_offset') + BigInt(base)} of the file` : '';
    case 'index_size': {
      const count = field('index_size');
      // Where it is not consulted it is 0, which says nothing.
      return authoritative || count !== 0n ? `entries, ${humanBytes(count * BigInt(SEGMENT_ENTRY))}` : '';
    }
    case 'virtual_size': {
      const size = field('virtual_size');
      return size === 0n ? 'that of the layer below' : `${humanBytes(size)}, ${size / BigInt(SECTOR)} sectors`;
    }
    case 'parent_uuid': return /^[0-]+$/.test(textOf(getBytes(bytes, LSMT_HEADER, 'parent_uuid'))) ? 'none' : '';
    default: return '';
  }
}

function titleOf(form: Form, header: Uint8Array | null, trailer: Uint8Array | null, part: LsmtPart): string {
  const sizeIn = (bytes: Uint8Array): string => `a device of ${getInteger(bytes, LSMT_HEADER, 'virtual_size')} bytes`;
  switch (form) {
    case 'sealed': {
      const committed = header !== null && hasFlag(getInteger(header, LSMT_HEADER, 'flags'), LSMT_FLAG.sealed);
      const kind = committed ? 'committed layer' : 'sealed layer';
      return trailer ? `LSMT ${kind}: ${sizeIn(trailer)}, ${getInteger(trailer, LSMT_HEADER, 'index_size')} entries` : `LSMT ${kind}`;
    }
    case 'sparse': return `LSMT sparse writable layer${header ? `: ${sizeIn(header)}` : ''}`;
    case 'data': {
      const cut = part.role === 'layer' ? ', or a sealed layer that lost its trailer; its index would be in another file: DATA:INDEX shows both' : '';
      return `LSMT data file of a writable layer${cut}`;
    }
    case 'index': return `LSMT index file of a writable layer${header ? `: ${sizeIn(header)}` : ''}, entries in write order`;
  }
}
