// SPDX-License-Identifier: MIT
/** The specification as a document: clauses by family with their cases, and the field tables; Markdown or JSON. */
import {
  CLAUSES, LSMT_FLAG, LSMT_HEADER, SEGMENT_BITS, SEGMENT_ENTRY, USTAR_HEADER, ZFILE_FLAG, ZFILE_HEADER,
  type Clause, type SegmentField, type Structure,
} from '../spec/index.ts';

/** Name and version of the JSON document. */
export const SPEC_SCHEMA = 'ovbd-spec/1';

/** Which cases touch a clause in sound images, and which break it: case ids, or names of mutators and defects. */
export interface CasesOfClause {
  readonly exercisedBy: readonly string[];
  readonly violatedBy: readonly string[];
}

/** By clause id; a document made with an empty map says nothing of cases. */
export type CasesByClause = ReadonlyMap<string, CasesOfClause>;

/** What the first part of an id stands for, in the order of the document. */
const AREAS: Readonly<Record<string, string>> = {
  TR: 'How layers travel', ZF: 'ZFile', LS: 'LSMT', ST: 'Stacks', DM: 'Block devices',
};

/** What the first two parts of an id stand for. */
const FAMILIES: Readonly<Record<string, string>> = {
  'TR-TAR': 'layers in a tar',
  'ZF-HDR': 'header', 'ZF-CRC': 'checksums', 'ZF-TRL': 'trailer', 'ZF-FLG': 'reserved flags', 'ZF-RSV': 'reserved fields', 'ZF-SIZE': 'size',
  'ZF-OPT': 'options', 'ZF-IDX': 'index (jump table)', 'ZF-BLK': 'blocks', 'ZF-LZ4': 'LZ4 blocks', 'ZF-ZST': 'ZSTD blocks',
  'LS-HDR': 'header', 'LS-TRL': 'trailer', 'LS-FLG': 'reserved flags', 'LS-VER': 'version', 'LS-RSV': 'reserved fields', 'LS-IDX': 'index',
  'LS-SIZE': 'virtual size', 'LS-PAD': 'padding', 'LS-MAP': 'mapping', 'LS-TAG': 'tag', 'LS-RW': 'writable pairs', 'LS-SPR': 'sparse layers',
  'LS-WRP': 'warp files',
  'ST-CNT': 'number of layers', 'ST-WRAP': 'layers in envelopes', 'ST-SIZE': 'size of the device', 'ST-MRG': 'merging', 'ST-DUP': 'repeated files',
  'DM-TBL': 'tables', 'DM-BACK': 'backing devices', 'DM-RD': 'reads', 'DM-LIVE': 'devices in use', 'DM-FLT': 'failing devices', 'DM-WR': 'attempts to write', 'DM-SAFE': 'safety', 'DM-FREE': 'release',
};

const SEGMENT_DOC: Readonly<Record<SegmentField, string>> = {
  offset: 'first sector of the device; 2^50 − 1: INVALID',
  length: 'sectors',
  moffset: 'first sector of the file, counted from its start',
  zeroed: '1: reads as zeros, whatever lies below',
  tag: 'set by readers when they load; in warp files which file is mapped',
};

const STRUCTURES: readonly Structure[] = [ZFILE_HEADER, LSMT_HEADER, USTAR_HEADER];

interface Family {
  /** `ZF-IDX`. */
  readonly id: string;
  readonly area: string;
  readonly title: string;
  readonly clauses: readonly Clause[];
}

/** The first two parts of a clause's id. */
function familyOf(c: Clause): string {
  return c.id.slice(0, c.id.lastIndexOf('-'));
}

/** The clauses whose ids start with `prefix`, by family; within a family in the order in which a reader meets them. */
function families(prefix: string): Family[] {
  const wanted = CLAUSES.filter((c) => c.id.startsWith(prefix.toUpperCase()));
  const ids = [...new Set(wanted.map(familyOf))];
  const order = Object.keys(AREAS);
  const areaOf = (id: string): string => id.slice(0, id.indexOf('-'));
  return ids
    .map((id) => ({ id, area: AREAS[areaOf(id)] ?? areaOf(id), title: FAMILIES[id] ?? id, clauses: wanted.filter((c) => familyOf(c) === id) }))
    .sort((a, b) => order.indexOf(areaOf(a.id)) - order.indexOf(areaOf(b.id)));
}

/**
 * The document as JSON. `prefix` chooses clauses by the start of their ids; an
 * empty one means all, and the field tables too. Undefined where none has it.
 */
export function specJson(cases: CasesByClause, prefix: string): object | undefined {
  const chosen = families(prefix);
  if (chosen.length === 0) return undefined;
  return {
    schema: SPEC_SCHEMA,
    families: chosen.map((f) => ({
      id: f.id, area: f.area, title: f.title,
      clauses: f.clauses.map((c) => ({ ...c, ...(cases.size > 0 && { cases: casesOf(cases, c) }) })),
    })),
    ...(prefix === '' && {
      structures: STRUCTURES,
      indexEntry: {
        name: 'LSMT index entry', size: SEGMENT_ENTRY,
        bits: segmentFields().map((name) => ({ name, ...SEGMENT_BITS[name], doc: SEGMENT_DOC[name] })),
      },
      flags: { zfile: ZFILE_FLAG, lsmt: LSMT_FLAG },
    }),
  };
}

/** The document as Markdown, line by line; what `prefix` means as above. Undefined where no clause has it. */
export function specMarkdown(cases: CasesByClause, prefix: string): string[] | undefined {
  const chosen = families(prefix);
  if (chosen.length === 0) return undefined;
  const lines = prefix === '' ? introduction() : [];
  let area = '';
  for (const f of chosen) {
    if (f.area !== area) {
      area = f.area;
      lines.push(`## ${area}`, '');
    }
    lines.push(`### ${f.id}: ${f.title}`, '', ...clauseTable(f.clauses, cases), '');
  }
  if (prefix === '') {
    lines.push('## Field tables', '', 'Offsets and sizes are bytes; integers are little-endian.', '');
    for (const s of STRUCTURES) lines.push(...fieldTable(s), '');
    lines.push(...entryTable(), '');
  }
  return lines.slice(0, -1);
}

function introduction(): string[] {
  const open = CLAUSES.filter((c) => c.contested);
  const strict = open.filter((c) => c.undeclared === 'strict');
  return [
    '# OverlayBD: ZFile and LSMT, clause by clause', '',
    `${CLAUSES.length} clauses, ${open.length} of them contested: documents and implementations differ, or none of them says. The statement is`,
    'then the reading that this suite takes, and the flag is what an implementation that takes the other one declares.',
    `One that declares nothing may take either side, except of ${strict.length} points that the reference's own files settle: there the`,
    'statement holds unless the flag is declared.', '',
    'Broken by: an `image` by its bytes, a `table` by its arguments, or a `reader` only, by what it does with sound bytes.',
    'Source: `doc` the public format documents, `ref` the reference implementation, `rfc` the dm-overlaybd patches, `lz4` the LZ4',
    'block format, `zstd` RFC 8878, `ustar` POSIX tar, `kernel` the block layer, `suite` this suite, where all of them are silent.', '',
  ];
}

function clauseTable(clauses: readonly Clause[], cases: CasesByClause): string[] {
  const withCases = cases.size > 0;
  const rows = clauses.map((c) => {
    const found = casesOf(cases, c);
    return [
      c.id, c.level, c.binds, c.text, c.source.join(', '), contestedText(c),
      ...(withCases ? [found.exercisedBy.join(', '), found.violatedBy.join(', ')] : []),
    ];
  });
  return table(['Clause', 'Level', 'Broken by', 'Statement', 'Source', 'Contested', ...(withCases ? ['Exercised by', 'Violated by'] : [])], rows);
}

function contestedText(c: Clause): string {
  if (!c.contested) return '';
  const undeclared = c.undeclared === 'strict' ? 'Undeclared: as stated only.' : 'Undeclared: either side.';
  return `\`${c.flag ?? ''}\`: ${c.why ?? ''} ${undeclared}`;
}

function casesOf(cases: CasesByClause, c: Clause): CasesOfClause {
  return cases.get(c.id) ?? { exercisedBy: [], violatedBy: [] };
}

function fieldTable(s: Structure): string[] {
  return [
    `### ${s.name}: ${s.size} bytes`, '',
    ...table(['Offset', 'Size', 'Type', 'Field', 'Meaning'], s.fields.map((f) => [`${f.offset}`, `${f.size}`, f.type, f.name, f.doc])),
  ];
}

function entryTable(): string[] {
  return [
    `### LSMT index entry: ${SEGMENT_ENTRY} bytes, two u64`, '',
    ...table(['Word', 'Bits', 'Field', 'Meaning'], segmentFields().map((name) => {
      const { word, shift, width } = SEGMENT_BITS[name];
      return [`${word}`, width === 1 ? `${shift}` : `${shift}–${shift + width - 1}`, name, SEGMENT_DOC[name]];
    })),
  ];
}

function segmentFields(): SegmentField[] {
  return Object.keys(SEGMENT_BITS) as SegmentField[];
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), `|${heads.map(() => '---|').join('')}`, ...rows.map(line)];
}
