// SPDX-License-Identifier: MIT
/** A byte of an image in the format's terms: the structure and field, index entry or block that it belongs to. */
import type { EntryRow, FileView, InvalidRow, LevelView, PlaceView, Space } from '../../model/index.ts';
import { inspectImage, type NamedSource } from '../../oracles/inspect/inspect.ts';
import { JUMP_ENTRY, SEGMENT_ENTRY } from '../../spec/index.ts';

/** Rows of a list that are looked through for the one at a byte. */
const MAX_ROWS = 1 << 20;

/** The files of an image as they are inspected, lists whole. Never throws for what it holds. */
export function viewOf(data: NamedSource, index: NamedSource | null): readonly FileView[] {
  return inspectImage(data, index, { limit: null, blocks: true, entries: true }).files;
}

/** What stands at byte `at` of a file, or of what the ZFile in it decodes to. */
export function locate(file: FileView, space: Space, at: number, layer: number | null = null): PlaceView {
  const inside = file.levels.filter((l) => l.space === space && l.offset <= at && at <= l.offset + l.size);
  const level = inside.at(-1);
  const common = { layer, at, space };
  if (!level || at >= level.offset + level.size) return { ...common, text: `byte ${at}, behind the end of ${where(level, file)}` };
  const spot = inStructure(level, at) ?? inEntries(level, at) ?? inBlocks(level, at);
  if (spot) return { ...common, ...spot };
  const region = level.layout.find((r) => r.offset <= at && at < r.offset + r.size);
  const name = region?.region === 'index' && level.kind === 'zfile' ? jumpText(region.offset, at) : region?.region ?? 'some part';
  return { ...common, text: `byte ${at}, in ${name} of ${where(level, file)}` };
}

/** The jump table's entry at a byte. */
function jumpText(start: number, at: number): string {
  return `entry ${Math.floor((at - start) / JUMP_ENTRY)} of the jump table`;
}

function where(level: LevelView | undefined, file: FileView): string {
  const name = { tar: 'the tar', zfile: 'the ZFile', lsmt: 'the LSMT layer', raw: 'the file' }[level?.kind ?? 'raw'];
  return file.role === 'layer' ? name : `the ${file.role} file`;
}

type Spot = Omit<PlaceView, 'layer' | 'at' | 'space'>;

function inStructure(level: LevelView, at: number): Spot | null {
  const s = level.structures.find((x) => x.offset <= at && at < x.offset + x.size);
  if (!s) return null;
  const f = s.fields.find((x) => x.offset <= at && at < x.offset + x.size);
  if (!f) return { structure: s.structure, text: `byte ${at}, in the ${s.structure}, outside of its fields` };
  return {
    structure: s.structure, field: f.name,
    text: `byte ${at}, ${f.name} of the ${s.structure} (${f.size} bytes at ${f.offset}): ${f.shown}${f.text === '' ? '' : `, ${f.text}`}`,
  };
}

function inEntries(level: LevelView, at: number): Spot | null {
  const region = level.layout.find((r) => r.region === 'index' && r.offset <= at && at < r.offset + r.size);
  if (!level.entries || !region) return null;
  const number = Math.floor((at - region.offset) / SEGMENT_ENTRY);
  let looked = 0;
  for (const row of level.entries.rows) {
    if (++looked > MAX_ROWS || 'stop' in row) break;
    if ('invalid' in row) {
      if (row.number <= number && number < row.number + row.invalid) return { text: `byte ${at}, index entry ${number}: INVALID, padding` };
    } else if (row.number === number) {
      return { entry: entryOf(row), text: `byte ${at}, ${entryText(row)}` };
    }
  }
  return { text: `byte ${at}, index entry ${number}` };
}

function inBlocks(level: LevelView, at: number): Spot | null {
  if (!level.blocks) return null;
  let looked = 0;
  for (const row of level.blocks.rows) {
    if (++looked > MAX_ROWS || 'stop' in row || row.at > at) break;
    if (at >= row.at + row.stored) continue;
    const inCrc = row.crc !== null && at >= row.at + row.stored - 4;
    return {
      block: { number: row.number, at: row.at, stored: row.stored, decoded: row.decoded },
      text: `byte ${at}, ${inCrc ? 'the CRC' : `byte ${at - row.at}`} of block ${row.number} (${row.stored} bytes at ${row.at}, decoding to ${row.decoded})`,
    };
  }
  return null;
}

export function entryOf({ number, offset, length, moffset, zeroed, tag }: EntryRow): NonNullable<PlaceView['entry']> {
  return { number, offset, length, moffset, zeroed, tag };
}

/** `index entry 3: sectors 16 +8 map 24, tag 1`. */
export function entryText({ number, offset, length, moffset, zeroed, tag }: NonNullable<PlaceView['entry']>): string {
  return `index entry ${number}: sectors ${offset} +${length} ${zeroed ? `are zeroed (moffset ${moffset})` : `map ${moffset}`}${tag === 0 ? '' : `, tag ${tag}`}`;
}

/** The last entry of a level that covers a sector, as a writable layer's later ones hide its earlier ones; null where none does. */
export function entryCovering(level: LevelView, sector: number): EntryRow | null {
  let found: EntryRow | null = null;
  let looked = 0;
  for (const row of level.entries?.rows ?? []) {
    if (++looked > MAX_ROWS || 'stop' in row) break;
    if (isEntry(row) && Number(row.offset) <= sector && sector < Number(row.offset) + row.length) found = row;
  }
  return found;
}

function isEntry(row: EntryRow | InvalidRow): row is EntryRow {
  return !('invalid' in row);
}

/** Differences that are named of two files. */
const MOST_NAMED = 32;

/** What two files of one form hold differently, by the names of fields with both values; lists are told by how many of their rows differ. */
export function fieldsThatDiffer(a: FileView, b: FileView): string[] {
  const named: string[] = [];
  for (const [i, level] of a.levels.entries()) {
    const other = b.levels[i];
    if (!other || other.kind !== level.kind) {
      named.push(`${level.title} / ${other?.title ?? 'nothing'}`);
      break;
    }
    for (const s of level.structures) {
      const same = other.structures.find((o) => o.structure === s.structure);
      if (!same) {
        named.push(`${s.structure} / none`);
        continue;
      }
      for (const f of s.fields) {
        const value = same.fields.find((o) => o.name === f.name);
        if (value?.shown !== f.shown) named.push(`${s.structure}: ${f.name} ${f.shown} / ${value?.shown ?? 'none'}`);
      }
    }
    const rows = (l: LevelView, name: 'entries' | 'blocks'): string[] => {
      const texts: string[] = [];
      for (const row of l[name]?.rows ?? []) {
        if (texts.length >= MAX_ROWS) break;
        texts.push(JSON.stringify('stop' in row ? row.stop : { ...row, at: 0, marks: [] }));
      }
      return texts;
    };
    for (const [name, what] of [['entries', 'rows of the index'], ['blocks', 'rows of the jump table']] as const) {
      const [mine, others] = [rows(level, name), rows(other, name)];
      const differ = Array.from({ length: Math.max(mine.length, others.length) }, (_, k) => mine[k] !== others[k]).filter(Boolean).length;
      if (differ > 0) named.push(`${differ} ${what} (${mine.length} / ${others.length})`);
    }
  }
  return named.length <= MOST_NAMED ? named : [...named.slice(0, MOST_NAMED - 1), `${named.length - MOST_NAMED + 1} more`];
}
