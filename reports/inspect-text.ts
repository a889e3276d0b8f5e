// SPDX-License-Identifier: MIT
/** Views of images as text: at most 100 columns, aligned, colour where it is wanted. */
import {
  humanBytes,
  type BlockRow, type EntryRow, type FieldView, type FileView, type ImageView, type InvalidRow, type LevelView, type ListView, type MarkView,
  type StopRow, type StructureView,
} from '../model/index.ts';
import { oneLine, wrap } from './text.ts';

/** Columns. */
const WIDTH = 100;

const RED = '31';
const YELLOW = '33';
const CYAN = '36';
const BOLD = '1';
const DIM = '2';

type Paint = (code: string, text: string) => string;

/** The image line by line, without line ends. Rows of long lists are taken as they are printed. */
export function* inspectLines(image: ImageView, colour: boolean): Generator<string> {
  const paint: Paint = (code, text) => (colour && text !== '' ? `\x1b[${code}m${text}\x1b[0m` : text);
  for (const [i, file] of image.files.entries()) {
    if (i > 0) yield '';
    const role = file.role === 'layer' ? '' : ` (${file.role} file of the pair)`;
    yield* wrapped('', `${file.path}${role}: ${sized(file.size)}`).map((line) => paint(BOLD, line));
    for (const level of file.levels) {
      yield '';
      yield* levelLines(level, file, paint);
    }
  }
}

function* levelLines(level: LevelView, file: FileView, paint: Paint): Generator<string> {
  yield* wrapped('', level.title).map((line) => paint(BOLD, line));
  const where = level.space === 'decoded' ? `${sized(level.size)}; positions count the ZFile's decoded bytes`
    : level.offset > 0 || level.size < file.size ? `bytes ${level.offset} to ${level.offset + level.size} of the file; positions count the file's bytes`
      : '';
  if (where) yield* wrapped('  ', where);
  yield* structures(level, paint);
  yield* layout(level, paint);
  if (level.facts.length > 0) yield '';
  for (const fact of level.facts) yield* wrapped('  ', fact);
  if (level.blocks) yield* list('blocks', level.blocks, blockTable(level), paint);
  if (level.entries) yield* list('entries', level.entries, entryTable(level), paint);
  const unusual = [...marks(level, paint)];
  yield* unusual;
  if (unusual.length === 0 && level.stops.length > 0) yield '';
  for (const stop of level.stops) {
    const place = `${stop.space === level.space ? '' : 'of the file '}`;
    yield* entry(paint(RED, '  stopped  '), 11, `${stop.what}: byte ${stop.at} ${place}${stop.clause ? `(${stop.clause})` : ''}: ${stop.why}`.replace(' :', ':'));
  }
}

/** One line without anything that moves the cursor. */
function safe(text: string): string {
  return oneLine(text.replaceAll('\t', '\\t'));
}

function sized(bytes: number): string {
  return bytes < 1024 ? humanBytes(BigInt(bytes)) : `${bytes} bytes (${humanBytes(BigInt(bytes))})`;
}

function wrapped(indent: string, text: string): string[] {
  return hardWrap(safe(text), WIDTH - indent.length).map((line) => indent + line);
}

/** A head of `width` columns, and text that is wrapped beside it. */
function entry(head: string, width: number, text: string): string[] {
  return hardWrap(safe(text), WIDTH - width).map((line, i) => (i === 0 ? head : ' '.repeat(width)) + line);
}

/** Like `wrap`, but cuts words that are longer than the line: names and values come from images. */
function hardWrap(text: string, width: number): string[] {
  return wrap(text, width).flatMap((line) => {
    const pieces: string[] = [];
    for (let at = 0; at < line.length || at === 0; at += width) pieces.push(line.slice(at, at + width));
    return pieces;
  });
}

/** Header beside trailer, everything else by itself. */
function* structures(level: LevelView, paint: Paint): Generator<string> {
  const [header, trailer] = level.structures;
  if (level.kind !== 'tar' && level.structures.length === 2) {
    yield* besides(header!, trailer!, new Set(level.differ), paint);
    return;
  }
  const [plain, records] = [level.structures.filter((s) => s.fields.length > 1), level.structures.filter((s) => s.fields.length === 1)];
  for (const s of plain) {
    yield '';
    yield paint(BOLD, `  ${s.structure} at byte ${s.offset}, ${s.size} bytes`);
    yield* fieldTable(s, paint);
    // Records stand between the headers they belong to.
    if (s.structure === 'pax header' && records.length > 0) {
      yield '';
      yield paint(BOLD, '  pax records');
      for (const r of records) {
        const f = r.fields[0]!;
        yield* entry(`${flag(f.marks.length > 0, false, paint)}${String(f.offset).padStart(6)}  ${String(f.size).padStart(4)}  `, 16,
          `${f.name} = ${f.shown}${f.text === '' ? '' : `  ${f.text}`}`);
      }
    }
  }
}

/** `!` for what is unusual, `≠` for what differs between header and trailer, two columns and a space. */
function flag(unusual: boolean, differs: boolean, paint: Paint): string {
  return `${unusual ? paint(YELLOW, '!') : ' '}${differs ? paint(CYAN, '≠') : ' '} `;
}

const OFFSET = 4;
const SIZE = 4;
const NAME = 18;
/** Columns before the value: flags, offset, size, name, and the spaces between them. */
const LEAD = 3 + OFFSET + 2 + SIZE + 2 + NAME + 2;
const VALUE = 20;

function lead(f: FieldView, base: number, unusual: boolean, differs: boolean, paint: Paint): string {
  return `${flag(unusual, differs, paint)}${`+${f.offset - base}`.padStart(OFFSET)}  ${String(f.size).padStart(SIZE)}  ${safe(f.name).padEnd(NAME)}  `;
}

function* fieldTable(s: StructureView, paint: Paint): Generator<string> {
  yield paint(DIM, `   ${'at'.padStart(OFFSET)}  size  ${'field'.padEnd(NAME)}  ${'value'.padEnd(VALUE)}  meaning`);
  for (const f of s.fields) {
    const head = lead(f, s.offset, f.marks.length > 0, false, paint);
    yield* cells(head, [safe(f.shown)], f.text);
  }
}

function* besides(header: StructureView, trailer: StructureView, differ: ReadonlySet<string>, paint: Paint): Generator<string> {
  const role = (s: StructureView): string => (s.authoritative ? ', which the fields are taken from' : '');
  yield '';
  yield paint(BOLD, `  ${header.structure} at byte ${header.offset}${role(header)}`);
  yield paint(BOLD, `  ${trailer.structure} at byte ${trailer.offset}${role(trailer)}, ${trailer.size} bytes each`);
  yield paint(DIM, `   ${'at'.padStart(OFFSET)}  size  ${'field'.padEnd(NAME)}  ${'header'.padEnd(VALUE)}  ${'trailer'.padEnd(VALUE)}  meaning`);
  for (const [i, h] of header.fields.entries()) {
    const t = trailer.fields[i]!;
    const differs = differ.has(h.name);
    const head = lead(h, header.offset, h.marks.length + t.marks.length > 0, differs, paint);
    if (!differs) {
      const meaning = h.text === t.text ? h.text : trailer.authoritative ? t.text : h.text;
      yield* cells(head, [safe(h.shown), '='], meaning);
    } else if (h.text === '' || t.text === '' || h.text === t.text) {
      yield* cells(head, [safe(h.shown), safe(t.shown)], h.text === '' ? t.text : h.text);
    } else {
      yield* cells(head, [safe(h.shown), safe(t.shown)], '');
      yield* wrapped(' '.repeat(LEAD), `header: ${h.text}`);
      yield* wrapped(' '.repeat(LEAD), `trailer: ${t.text}`);
    }
  }
}

/** Values beside each other and what they mean; what is too long goes below. */
function* cells(head: string, values: readonly string[], meaning: string): Generator<string> {
  const long = values.some((v) => v.length > VALUE);
  if (long) {
    const shown = values.length === 2 && values[1] === '=' ? values.slice(0, 1) : values;
    const [first, ...others] = shown.flatMap((v) => hardWrap(v, WIDTH - LEAD));
    // A value that is longer than its column may still leave room for what it means.
    const room = shown.length === 1 && others.length === 0 ? WIDTH - LEAD - first!.length - 2 : 0;
    if (meaning !== '' && meaning.length <= room) {
      yield `${head}${first}  ${safe(meaning)}`;
      return;
    }
    yield head + first;
    for (const line of others) yield ' '.repeat(LEAD) + line;
    if (meaning !== '') yield* wrapped(' '.repeat(LEAD), meaning);
    return;
  }
  const columns = values.map((v) => `${v.padEnd(VALUE)}  `).join('');
  const width = WIDTH - LEAD - columns.length;
  if (meaning.length <= width) {
    yield (head + columns + safe(meaning)).trimEnd();
    return;
  }
  yield (head + columns).trimEnd();
  yield* wrapped(' '.repeat(LEAD), meaning);
}

function* layout(level: LevelView, paint: Paint): Generator<string> {
  if (level.layout.length === 0) return;
  yield '';
  yield paint(BOLD, '  layout');
  const end = level.offset + level.size;
  const width = String(end).length;
  for (const r of level.layout) {
    const size = `${String(r.size).padStart(width)} bytes`;
    const human = r.size < 1024 ? '' : `, ${humanBytes(BigInt(r.size))}`;
    yield `    ${String(r.offset).padStart(width)}  ${size}  ${r.region}${human}`;
  }
}

interface Column<Row> {
  readonly head: string;
  /** Columns it takes where not all rows are known. */
  readonly width: number;
  cell(row: Row): string;
}

/** The columns of a list of rows that carry their own number, place and marks. */
interface Table<Row> {
  readonly columns: readonly Column<Row>[];
}

function blockTable(level: LevelView): Table<BlockRow> {
  const at = String(level.offset + level.size).length;
  return {
    columns: [
      { head: 'at byte', width: Math.max(7, at), cell: (r) => String(r.at) },
      { head: 'stored', width: 10, cell: (r) => String(r.stored) },
      { head: 'decoded', width: 10, cell: (r) => String(r.decoded) },
      { head: 'ratio', width: 8, cell: (r) => (r.decoded === 0 ? '' : `${((r.stored * 100) / r.decoded).toFixed(1)} %`) },
      { head: 'CRC', width: 10, cell: (r) => (r.crc === null ? '' : `0x${r.crc.toString(16).padStart(8, '0')}`) },
    ],
  };
}

function entryTable(level: LevelView): Table<EntryRow> {
  const at = String(level.offset + level.size).length;
  return {
    columns: [
      { head: 'at byte', width: Math.max(7, at), cell: (r) => String(r.at) },
      { head: 'offset', width: 16, cell: (r) => String(r.offset) },
      { head: 'length', width: 6, cell: (r) => String(r.length) },
      { head: 'moffset', width: 17, cell: (r) => String(r.moffset) },
      { head: 'zeroed', width: 6, cell: (r) => (r.zeroed ? 'yes' : '') },
      { head: 'tag', width: 3, cell: (r) => String(r.tag) },
    ],
  };
}

function* list<Row extends BlockRow | EntryRow>(
  name: string, view: ListView<Row | InvalidRow>, table: Table<Row>, paint: Paint,
): Generator<string> {
  yield '';
  const units = name === 'entries' ? ' (offset, length, moffset in sectors of 512 bytes)' : '';
  yield paint(BOLD, `  ${view.total} ${name}${units}`);
  if (view.total === 0) return;
  const isRow = (r: Row | InvalidRow | StopRow): r is Row => 'marks' in r;
  const known = Array.isArray(view.rows) ? (view.rows as (Row | InvalidRow | StopRow)[]).filter(isRow) : null;
  const number = Math.max(6, String(view.total).length);
  const columns = table.columns.map((c) => ({ ...c, width: known ? Math.max(c.head.length, ...known.map((r) => c.cell(r).length)) : c.width }));
  yield paint(DIM, `   ${'number'.padStart(number)}${columns.map((c) => `  ${c.head.padStart(c.width)}`).join('')}`);
  let next = 0;
  for (const row of view.rows) {
    if (row.number > next) yield paint(DIM, `   ${'…'.padStart(number)}  ${row.number - next} more`);
    const head = `${flag(isRow(row) && row.marks.length > 0, false, paint)}${String(row.number).padStart(number)}`;
    if ('stop' in row) {
      const { stop } = row;
      yield* entry(`${head}  `, number + 5, `cannot be read: byte ${stop.at} of the file${stop.clause ? ` (${stop.clause})` : ''}: ${stop.why}`);
      return;
    }
    if ('invalid' in row) {
      yield `${head}  ${row.invalid === 1 ? 'INVALID' : `INVALID, ${row.invalid} of them to number ${row.number + row.invalid - 1}`}`;
      next = row.number + row.invalid;
      continue;
    }
    yield head + columns.map((c) => `  ${c.cell(row).padStart(c.width)}`).join('').trimEnd();
    for (const m of row.marks) yield* entry(' '.repeat(number + 5) + paint(YELLOW, `${m.clause}  `), number + 5 + m.clause.length + 2, m.note);
    next = row.number + 1;
  }
  if (next < view.total) yield paint(DIM, `   ${'…'.padStart(number)}  ${view.total - next} more`);
}

/** What is unusual in fields and in the level as a whole; rows have said it themselves. */
function* marks(level: LevelView, paint: Paint): Generator<string> {
  const found: { readonly what: string; readonly mark: MarkView }[] = [
    ...level.structures.flatMap((s) => s.fields.flatMap((f) => f.marks.map((mark) => ({ what: `${s.structure}, ${f.name}: `, mark })))),
    ...level.marks.map((mark) => ({ what: '', mark })),
  ];
  if (found.length === 0) return;
  yield '';
  yield paint(BOLD, '  unusual');
  for (const { what, mark } of found) {
    yield* entry(`  ${paint(YELLOW, '!')} ${mark.clause.padEnd(10)}  `, 16, `byte ${mark.at}: ${what}${mark.note}`);
  }
}
