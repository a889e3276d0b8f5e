// SPDX-License-Identifier: MIT
/** The bytes of a layer with names on them: which are shown, what they are called, and which are wrong. */
import type { EntryRow, BlockRow, FileView, Layer, LevelView, MarkView } from '../../model/index.ts';
import { JUMP_ENTRY, SEGMENT_ENTRY } from '../../spec/index.ts';
import { BLOCK_CLAUSES, clausesOfField, ENTRY_CLAUSES, JUMP_CLAUSES, ZEROED_CLAUSES } from './field-clauses.ts';
import type { Examined, HexFault, HexField, HexPiece, HexView } from './view.ts';

/** Bytes of a row. */
const ROW = 16;
/** Rows of one file that are shown; those with names and faults come first. */
const MAX_ROWS = 384;
/** Fields and faults of one file. */
const MAX_FIELDS = 400;
const MAX_FAULTS = 100;
/** A field of more bytes than these is no place where reading its rows helps. */
const LONG = 256;

/** What the expectation says is wrong. */
export interface Named {
  readonly layer: number;
  readonly at: number;
  readonly clause: string;
  readonly why: string;
}

/** The files of one layer, each as it is stored, and what a ZFile in it decodes to where a level lies in there. */
export function hexOfLayer(layer: Layer, n: number, examined: Examined, named: readonly Named[]): HexView[] {
  const stored: Readonly<Record<FileView['role'], readonly [name: string, bytes: Uint8Array | undefined]>> = {
    layer: [`layer${n}.img`, layer.bytes], data: [`layer${n}.img`, layer.bytes], index: [`layer${n}.index`, layer.index],
  };
  return examined.view.files.flatMap(({ role, levels }): HexView[] => {
    const [file, bytes] = stored[role];
    if (bytes === undefined) return [];
    const inFile = levels.filter((l) => l.space === 'file');
    // What a ZFile holds that is no layer has no fields: nothing to show beside the file itself.
    const inside = levels.filter((l) => l.space === 'decoded' && l.kind !== 'raw');
    const shown = (space: HexView['space'], some: readonly LevelView[], of: Uint8Array): HexView => ({
      file: space === 'file' ? file : `${file}, decoded`, layer: n, space,
      title: some.map((l) => l.title).join('; '), size: of.length, ...annotate(of, some, namedIn(space, levels, role, layer, n, named)),
    });
    return [
      shown('file', inFile, bytes),
      ...(inside.length > 0 && examined.decoded !== undefined ? [shown('decoded', inside, examined.decoded)] : []),
    ];
  });
}

/** The places that the expectation names in this file. It counts in the innermost file that was judged: behind a tar's header, inside a ZFile. */
function namedIn(space: HexView['space'], levels: readonly LevelView[], role: FileView['role'], layer: Layer, n: number, named: readonly Named[]): HexFault[] {
  return named.filter((one) => {
    if (one.layer !== n) return false;
    // Clauses of pairs speak of the index file, unless of the header of the data file.
    if (layer.index !== undefined && (role === 'index') === (one.clause === 'LS-RW-01' || one.clause.startsWith('LS-HDR'))) return false;
    const insideZFile = layer.wrapping.includes('zfile') && /^(LS|ST)-/.test(one.clause) && levels.some((l) => l.space === 'decoded');
    return (space === 'decoded') === insideZFile;
  }).map(({ at, clause, why }) => {
    const base = space === 'decoded' ? 0 : levels.find((l) => l.space === 'file' && l.kind !== 'tar')?.offset ?? 0;
    return { at: base + at, size: 1, clause, note: why, named: true };
  });
}

function annotate(bytes: Uint8Array, levels: readonly LevelView[], named: readonly HexFault[]): Pick<HexView, 'pieces' | 'fields' | 'faults'> {
  const fields = levels.flatMap(fieldsOf).filter((f) => f.at >= 0 && f.size > 0 && f.at + f.size <= bytes.length).sort((a, b) => a.at - b.at).slice(0, MAX_FIELDS);
  const marks = levels.flatMap(marksOf).map((m): HexFault => ({ at: m.at, size: 1, clause: m.clause, note: m.note, named: false }));
  const isNamed = (m: HexFault): boolean => named.some((one) => one.at === m.at && one.clause === m.clause);
  const faults = [...named, ...marks.filter((m) => !isNamed(m))].slice(0, MAX_FAULTS)
    .map((fault): HexFault => ({ ...fault, at: Math.min(fault.at, bytes.length), size: sizeAt(fields, fault.at, bytes.length) }));
  return { fields, faults, pieces: piecesOf(bytes, rowsWanted(bytes, fields, faults)) };
}

/** The bytes of the smallest field that begins there, else of the one around it where that is short; else one. */
function sizeAt(fields: readonly HexField[], at: number, end: number): number {
  if (at >= end) return 0;
  const around = fields.filter((f) => f.at <= at && at < f.at + f.size).sort((a, b) => Number(b.at === at) - Number(a.at === at) || a.size - b.size)[0];
  return around !== undefined && around.at === at && around.size <= LONG ? around.size : 1;
}

function fieldsOf(level: LevelView): HexField[] {
  const fields: HexField[] = level.structures.flatMap((s) => s.fields.map((f): HexField => ({
    structure: s.structure, name: f.name, at: f.offset, size: f.size, shown: f.shown, text: f.text, clauses: clausesOfField(s.structure, f.name),
  })));
  for (const row of level.entries?.rows ?? []) if ('moffset' in row) fields.push(...entryFields(row));
  for (const row of level.blocks?.rows ?? []) if ('stored' in row) fields.push(blockField(row));
  const index = level.kind === 'zfile' ? level.layout.find((r) => r.region === 'index') : undefined;
  for (let i = 0; index !== undefined && i < Math.min(index.size / JUMP_ENTRY, 64); i++) {
    const block = fields.find((f) => f.structure === 'blocks' && f.name === `block ${i}`);
    fields.push({
      structure: 'index', name: `size of block ${i}`, at: index.offset + i * JUMP_ENTRY, size: JUMP_ENTRY, shown: block ? `${block.size} bytes` : '', text: '', clauses: JUMP_CLAUSES,
    });
  }
  return fields;
}

function entryFields({ number, at, offset, length, moffset, zeroed, tag }: EntryRow): HexField[] {
  return [{
    structure: 'index', name: `entry ${number}`, at, size: SEGMENT_ENTRY,
    shown: `sectors ${offset} + ${length} ${zeroed ? 'zeroed' : `→ ${moffset}`}`, text: `offset ${offset}, length ${length}, moffset ${moffset}, zeroed ${zeroed ? 1 : 0}, tag ${tag}`,
    clauses: zeroed ? ZEROED_CLAUSES : ENTRY_CLAUSES,
  }];
}

function blockField({ number, at, stored, decoded, crc }: BlockRow): HexField {
  return {
    structure: 'blocks', name: `block ${number}`, at, size: stored, shown: `${stored} bytes for ${decoded}`,
    text: crc === null ? '' : `checksum 0x${crc.toString(16)}`, clauses: BLOCK_CLAUSES,
  };
}

function marksOf(level: LevelView): MarkView[] {
  const rows = [...level.entries?.rows ?? [], ...level.blocks?.rows ?? []].flatMap((row) => ('marks' in row ? row.marks : []));
  const stops = level.stops.flatMap((s): MarkView[] => (s.clause !== undefined && s.space === level.space ? [{ clause: s.clause, at: s.at, note: s.why }] : []));
  const all = [...level.marks, ...level.structures.flatMap((s) => s.fields.flatMap((f) => f.marks)), ...rows, ...stops];
  return [...new Map(all.map((m) => [`${m.clause} ${m.at} ${m.note}`, m])).values()];
}

/** Numbers of the rows that are shown: those of faults, those of named bytes that hold something, then the others from the start that do. */
function rowsWanted(bytes: Uint8Array, fields: readonly HexField[], faults: readonly HexFault[]): ReadonlySet<number> {
  const last = Math.max(0, Math.ceil(bytes.length / ROW) - 1);
  const rows = new Set<number>();
  const take = (from: number, to: number): void => {
    for (let row = Math.max(0, from); row <= Math.min(to, last) && rows.size < MAX_ROWS; row++) rows.add(row);
  };
  if (bytes.length === 0) return rows;
  for (const { at } of faults) take(Math.floor(Math.min(at, bytes.length - 1) / ROW) - 1, Math.floor(Math.min(at, bytes.length - 1) / ROW) + 1);
  const isBlank = (row: number): boolean => fillOf(bytes.subarray(row * ROW, (row + 1) * ROW)) === 0;
  for (const f of fields) {
    if (f.size > LONG) take(Math.floor(f.at / ROW), Math.floor(f.at / ROW));
    else for (let row = Math.floor(f.at / ROW); row <= Math.floor((f.at + f.size - 1) / ROW); row++) if (!isBlank(row) || row === Math.floor(f.at / ROW)) take(row, row);
  }
  const isRepeat = (row: number): boolean => row > 0 && isLike(bytes, row * ROW, Math.min(bytes.length, (row + 1) * ROW));
  for (let row = 0; row <= last && rows.size < MAX_ROWS; row++) if (!isBlank(row) && !isRepeat(row)) rows.add(row);
  return rows;
}

function piecesOf(bytes: Uint8Array, rows: ReadonlySet<number>): HexPiece[] {
  const pieces: HexPiece[] = [];
  const wanted = [...rows].sort((a, b) => a - b);
  let at = 0;
  const gapUntil = (end: number): void => {
    if (end <= at) return;
    const fill = fillOf(bytes.subarray(at, end));
    pieces.push({ at, skipped: end - at, ...(fill !== undefined ? { fill } : isLike(bytes, at, end) ? { repeated: true as const } : {}) });
  };
  for (let i = 0; i < wanted.length;) {
    let j = i;
    while (wanted[j + 1] === wanted[j]! + 1) j++;
    gapUntil(wanted[i]! * ROW);
    const end = Math.min(bytes.length, (wanted[j]! + 1) * ROW);
    pieces.push({ at: wanted[i]! * ROW, base64: Buffer.from(bytes.subarray(wanted[i]! * ROW, end)).toString('base64') });
    at = end;
    i = j + 1;
  }
  gapUntil(bytes.length);
  return pieces;
}

/** Whether the bytes go on as the row before them. */
function isLike(bytes: Uint8Array, from: number, to: number): boolean {
  if (from < ROW) return false;
  for (let i = from; i < to; i++) if (bytes[i] !== bytes[i - ROW]) return false;
  return true;
}

/** The value that all bytes have; undefined where they differ. */
function fillOf(bytes: Uint8Array): number | undefined {
  const first = bytes[0];
  return bytes.every((b) => b === first) ? first : undefined;
}
