// SPDX-License-Identifier: MIT
/** The view of a ZFile: header beside trailer, its parts, its blocks, and the way to what is inside. */
import { humanBytes, type BlockRow, type LevelView, type ListView, type MarkView, type RegionView, type StopView } from '../../model/index.ts';
import {
  getBytes, getInteger, hasFlag, JUMP_ENTRY, ZFILE_FLAG, ZFILE_HEADER, ZFILE_MAGIC0, ZFILE_MAGIC1, ZFILE_SPACE, type ZFileField,
} from '../../spec/index.ts';
import { rawCrc32c } from '../crc32c.ts';
import { sameBytes, type ByteSource } from '../source.ts';
import { STRICT } from '../violation.ts';
import { openZFile } from '../zfile.ts';
import { scanBlocks, type Blocks, type JumpTable } from './blocks.ts';
import { countSet, differing, flagWords, hex, layoutOf, structureView, type FieldMark } from './fields.ts';
import { attempt, type Place } from './place.ts';
import type { InspectOptions } from './rows.ts';

const FLAG_NAMES = { 0: 'header', 1: 'data file', 2: 'sealed', 3: 'header is authoritative', 4: 'digest recorded', 5: 'index compressed' } as const;
const ALGORITHMS: Readonly<Record<string, string>> = { 0: 'LZO, retired', 1: 'LZ4', 2: 'ZSTD' };
const HEX_FIELDS: readonly ZFileField[] = ['flags', 'digest', 'index_crc'];
const MAX_ENTRIES = 1_000_000_000n;
/** Entries of the largest jump table with which the strict reader is asked for what is inside: it looks at all of them once. */
const OPENED = 1 << 26;

type Mark = FieldMark<ZFileField>;

/** Which of the two magic values these bytes start with. */
export function zfileMagics(bytes: Uint8Array): number {
  if (bytes.length < 24) return 0;
  return Number(sameBytes(getBytes(bytes, ZFILE_HEADER, 'magic0'), ZFILE_MAGIC0))
    + Number(sameBytes(getBytes(bytes, ZFILE_HEADER, 'magic1'), ZFILE_MAGIC1));
}

/** The level, and its decoded bytes where the strict reader opens it. Never throws for what the image holds. */
export function inspectZFile(place: Place, options: InspectOptions): { readonly view: LevelView; readonly inner: ByteSource | null } {
  const { source, base, space } = place;
  const stops: StopView[] = [];
  const stop = (what: string, at: number, clause: string, why: string): void => void stops.push({ what, at: base + at, space, clause, why });

  const header = source.read(0, Math.min(ZFILE_SPACE, source.size));
  const trailerAt = source.size - ZFILE_SPACE;
  const tail = trailerAt >= ZFILE_SPACE ? source.read(trailerAt, ZFILE_SPACE) : new Uint8Array(0);
  const trailer = zfileMagics(tail) > 0 ? tail : null;
  const whole = header.length === ZFILE_SPACE;
  const headerMode = whole && zfileMagics(header) > 0 && hasFlag(getInteger(header, ZFILE_HEADER, 'flags'), ZFILE_FLAG.headerOverwrite);
  const from = headerMode ? 'header' : trailer ? 'trailer' : null;

  const headerMarks = whole ? [...commonMarks(header, 'header')] : [];
  const trailerMarks = trailer ? [...commonMarks(trailer, 'trailer')] : [];
  const marks: MarkView[] = [];
  const facts: string[] = [];
  let layout: RegionView[] = [{ region: 'header', offset: base, size: header.length }];
  let blocks: Blocks | null = null;
  if (!whole) stop('header', source.size, 'ZF-HDR-01', `the file ends after ${source.size} bytes, a header takes ${ZFILE_SPACE}`);
  else if (from === null) {
    stop('trailer', Math.max(trailerAt, 0), 'ZF-TRL-01', trailerAt < ZFILE_SPACE
      ? `the file has ${source.size} bytes, no room for the trailer that must hold the fields`
      : 'the last 512 bytes have no magic values, and only there the fields could be: flag bit 3 of the header is 0');
  }
  if (trailer) layout.push({ region: 'trailer', offset: base + trailerAt, size: ZFILE_SPACE });

  if (from !== null) {
    const fields = headerMode ? header : trailer!;
    const fieldMarks = headerMode ? headerMarks : trailerMarks;
    const mark = (field: ZFileField, clause: string, note: string): void => void fieldMarks.push({ field, clause, note });
    const table = jumpTable(fields, source.size, headerMode ? source.size : trailerAt, mark);
    layout = [...layout, ...table.regions.map((r) => ({ ...r, offset: base + r.offset }))];
    if ('why' in table) {
      stop('index', table.at, 'ZF-IDX-02', table.why);
    } else {
      blocks = scanBlocks(place, table.table, options.limit);
      markTable(blocks, table.table, fields, mark);
      facts.push(...blockFacts(blocks, table.table));
      const blocksEnd = Math.min(blocks.end ?? table.table.offset, source.size);
      layout.push({ region: 'blocks', offset: base + table.table.dataStart, size: Math.max(0, blocksEnd - table.table.dataStart) });
      if (blocks.fullGroup !== null) {
        marks.push({
          clause: 'ZF-IDX-07', at: base + table.table.offset + blocks.fullGroup * JUMP_ENTRY,
          note: `at block ${blocks.fullGroup} the sizes of its group reach 65535: sound, but the reference refuses it`,
        });
      }
    }
  }

  const view = (bytes: Uint8Array, at: number, role: 'header' | 'trailer', fieldMarks: readonly Mark[]) => structureView(ZFILE_HEADER, bytes, base + at, {
    title: `ZFile ${role}`, authoritative: from === role, hex: HEX_FIELDS, marks: fieldMarks,
    explain: (name) => explain(name, bytes, base, from === role),
  });
  const structures = [view(header, 0, 'header', headerMarks), ...(trailer ? [view(trailer, trailerAt, 'trailer', trailerMarks)] : [])];
  const inner = blocks === null ? null : openInside(place, blocks, stops);
  return {
    view: {
      kind: 'zfile', title: titleOf(from === null ? null : headerMode ? header : trailer!, from), space, offset: base, size: source.size,
      structures,
      differ: trailer ? differing(ZFILE_HEADER, header, trailer) : [],
      layout: layoutOf(layout, base, source.size),
      facts,
      ...(blocks && options.blocks && { blocks: blocks.list satisfies ListView<BlockRow> }),
      marks, stops,
    },
    inner,
  };
}

function openInside(place: Place, blocks: Blocks, stops: StopView[]): ByteSource | null {
  if (blocks.list.total > OPENED) {
    stops.push({ what: 'inside the ZFile', at: place.base, space: place.space, why: `${blocks.list.total} blocks are more than are decoded here` });
    return null;
  }
  const opened = attempt(place, 'inside the ZFile', () => openZFile(place.source, STRICT));
  if ('got' in opened) return opened.got;
  stops.push(opened.stop);
  return null;
}

/** Where the jump table says it is. Marks what is unusual; `why` where it cannot be looked at. Positions from the start of the level. */
function jumpTable(
  fields: Uint8Array, size: number, end: number, mark: (field: ZFileField, clause: string, note: string) => void,
): { readonly regions: RegionView[] } & ({ readonly table: JumpTable } | { readonly at: number; readonly why: string }) {
  const field = (name: ZFileField): bigint => getInteger(fields, ZFILE_HEADER, name);
  const count = field('index_size');
  const offset = field('index_offset');
  const originalSize = field('original_file_size');
  const blockSize = Number(field('block_size'));
  const dictBytes = Number(field('dict_size'));
  const dataStart = ZFILE_SPACE + dictBytes;
  if (originalSize >> 63n) mark('original_file_size', 'ZF-SIZE-02', 'is 2^63 or more');
  if (!isLegalBlockSize(blockSize)) mark('block_size', 'ZF-OPT-01', 'is no power of two up to 65536');
  else if (blockSize < 512) mark('block_size', 'ZF-OPT-05', 'is below 512');
  if (field('algo') !== 1n && field('algo') !== 2n) mark('algo', 'ZF-OPT-02', 'is neither 1 nor 2');
  if (field('use_dict') !== 0n) mark('use_dict', 'ZF-OPT-03', 'is not 0: nothing decodes with a dictionary');
  if (dictBytes !== 0) mark('dict_size', 'ZF-OPT-04', `is not 0: the first block starts at byte ${dataStart}`);
  if (count > MAX_ENTRIES) mark('index_size', 'ZF-IDX-01', `is more than ${MAX_ENTRIES}`);
  const wanted = blockSize === 0 ? null : (originalSize + BigInt(blockSize) - 1n) / BigInt(blockSize);
  if (wanted !== null && wanted !== count) mark('index_size', 'ZF-IDX-05', `${originalSize} bytes in blocks of ${blockSize} are ${wanted} blocks`);
  if (offset < BigInt(dataStart)) mark('index_offset', 'ZF-IDX-08', `is before byte ${dataStart}, where the blocks start`);
  const dictionary = { region: 'dictionary', offset: ZFILE_SPACE, size: Math.max(0, Math.min(dictBytes, size - ZFILE_SPACE)) };
  const bytes = count * BigInt(JUMP_ENTRY);
  if (offset + bytes > BigInt(end)) {
    mark('index_offset', 'ZF-IDX-02', `an index of ${count} entries ends at byte ${offset + bytes}, after byte ${end}`);
  }
  if (offset + bytes > BigInt(size)) {
    return {
      regions: [dictionary], at: offset < BigInt(size) ? Number(offset) : size,
      why: `an index of ${count} entries (${humanBytes(bytes)}) at byte ${offset} does not fit in the file of ${size} bytes`,
    };
  }
  return {
    regions: [dictionary, { region: 'index', offset: Number(offset), size: Number(bytes) }],
    table: {
      offset: Number(offset), count: Number(count), dataStart, crcBytes: field('verify') === 0n ? 0 : 4, blockSize, originalSize,
      wanted: wanted === null ? Infinity : Number(wanted),
    },
  };
}

function isLegalBlockSize(size: number): boolean {
  return size > 0 && size <= 65536 && (size & (size - 1)) === 0;
}

/** What only a look at the whole table shows. */
function markTable(blocks: Blocks, table: JumpTable, fields: Uint8Array, mark: (field: ZFileField, clause: string, note: string) => void): void {
  const stored = Number(getInteger(fields, ZFILE_HEADER, 'index_crc'));
  const recorded = hasFlag(getInteger(fields, ZFILE_HEADER, 'flags'), ZFILE_FLAG.digest);
  if (recorded && blocks.crc !== null && blocks.crc !== stored) mark('index_crc', 'ZF-IDX-03', `the index gives ${hex(blocks.crc)}`);
  if (blocks.end !== null && blocks.end !== table.offset) mark('index_offset', 'ZF-IDX-06', `the blocks end at byte ${blocks.end}`);
}

function blockFacts(blocks: Blocks, table: JumpTable): string[] {
  const { total, marked } = blocks.list;
  const facts: string[] = [];
  if (blocks.end !== null && total > 0) {
    const stored = BigInt(blocks.end - table.dataStart);
    const percent = table.originalSize === 0n ? '' : `, ${(Number((stored * 1000n) / table.originalSize) / 10).toFixed(1)} %`;
    facts.push(`${table.originalSize} bytes are stored in ${stored}${percent}${table.crcBytes ? ', CRCs included' : ''}`);
  }
  if (blocks.range) facts.push(`stored sizes from ${blocks.range.smallest} to ${blocks.range.largest} bytes`);
  if (marked > 0) facts.push(`${marked} of the blocks ${marked === 1 ? 'is' : 'are'} unusual`);
  if (blocks.end === null) facts.push('not all of the index was looked at: it is longer than 2^26 entries');
  return facts;
}

/** What is unusual in a header or trailer, whichever of them is authoritative. */
function* commonMarks(bytes: Uint8Array, role: 'header' | 'trailer'): Generator<Mark> {
  const field = (name: ZFileField): bigint => getInteger(bytes, ZFILE_HEADER, name);
  const magicClause = role === 'header' ? 'ZF-HDR-02' : 'ZF-TRL-01';
  for (const [name, magic] of [['magic0', ZFILE_MAGIC0], ['magic1', ZFILE_MAGIC1]] as const) {
    if (!sameBytes(getBytes(bytes, ZFILE_HEADER, name), magic)) yield { field: name, clause: magicClause, note: 'is not the magic value' };
  }
  const flags = field('flags');
  if (role === 'header') {
    if (!hasFlag(flags, ZFILE_FLAG.header)) yield { field: 'flags', clause: 'ZF-HDR-03', note: 'bit 0 (header) is 0' };
  } else {
    if (hasFlag(flags, ZFILE_FLAG.header)) yield { field: 'flags', clause: 'ZF-TRL-02', note: 'bit 0 (header) is 1' };
    if (!hasFlag(flags, ZFILE_FLAG.dataFile)) yield { field: 'flags', clause: 'ZF-TRL-03', note: 'bit 1 (data file) is 0' };
    if (!hasFlag(flags, ZFILE_FLAG.sealed)) yield { field: 'flags', clause: 'ZF-TRL-04', note: 'bit 2 (sealed) is 0' };
  }
  if (flags >> 5n) yield { field: 'flags', clause: 'ZF-FLG-01', note: 'bits above 4 are set' };
  if (field('size') !== 96n) yield { field: 'size', clause: 'ZF-HDR-05', note: 'is not 96' };
  if (hasFlag(flags, ZFILE_FLAG.digest)) {
    const computed = digestOf(bytes);
    if (field('digest') !== BigInt(computed)) {
      yield { field: 'digest', clause: role === 'header' ? 'ZF-HDR-04' : 'ZF-TRL-05', note: `the bytes give ${hex(computed)}` };
    }
  }
  for (const name of ['reserved0', 'level', 'reserved1', 'reserved2'] as const) {
    const set = countSet(getBytes(bytes, ZFILE_HEADER, name));
    if (set > 0) yield { field: name, clause: 'ZF-RSV-01', note: name === 'level' ? 'is not 0' : `${set} ${set === 1 ? 'byte is' : 'bytes are'} not 0` };
  }
}

function digestOf(header: Uint8Array): number {
  // A copy, which `slice` of a Buffer is not: the image is not ours to write to.
  const copy = Uint8Array.from(header);
  getBytes(copy, ZFILE_HEADER, 'digest').fill(0);
  return rawCrc32c(copy);
}

function explain(name: ZFileField, bytes: Uint8Array, base: number, authoritative: boolean): string {
  const field = (n: ZFileField): bigint => getInteger(bytes, ZFILE_HEADER, n);
  // What takes more than the field itself is left out where the file ends inside the header.
  const whole = bytes.length === ZFILE_SPACE;
  const recorded = (): boolean => hasFlag(field('flags'), ZFILE_FLAG.digest);
  // A header that is not consulted leaves these 0, which says nothing.
  const says = (n: ZFileField, text: (value: bigint) => string): string => (authoritative || field(n) !== 0n ? text(field(n)) : '');
  switch (name) {
    case 'magic0': return sameBytes(getBytes(bytes, ZFILE_HEADER, 'magic0'), ZFILE_MAGIC0) ? '"ZFile", 0, 1, 0' : '';
    case 'magic1': return sameBytes(getBytes(bytes, ZFILE_HEADER, 'magic1'), ZFILE_MAGIC1) ? '"tuji.yyf@Alibaba"' : '';
    case 'flags': return flagWords(field('flags'), FLAG_NAMES);
    case 'digest': return !whole ? '' : !recorded() ? 'not recorded' : field('digest') === BigInt(digestOf(bytes)) ? 'right' : 'wrong';
    case 'index_crc': return !whole || recorded() ? '' : 'not recorded';
    case 'index_offset': return authoritative && base > 0 ? `byte ${field('index_offset') + BigInt(base)} of the file` : '';
    case 'index_size': return says('index_size', (n) => `entries, ${humanBytes(n * BigInt(JUMP_ENTRY))}`);
    case 'original_file_size': return says('original_file_size', sizeText);
    case 'block_size': return sizeText(field('block_size'));
    case 'dict_size': return field('dict_size') === 0n ? 'none' : sizeText(field('dict_size'));
    case 'algo': return ALGORITHMS[field('algo').toString()] ?? 'unknown';
    case 'use_dict': return field('use_dict') === 0n ? 'no dictionary' : 'blocks need the dictionary';
    case 'verify': return field('verify') === 0n ? 'no CRCs' : 'CRCs behind blocks';
    default: return '';
  }
}

function sizeText(size: bigint): string {
  return size < 1024n ? 'bytes' : humanBytes(size);
}

function titleOf(fields: Uint8Array | null, from: string | null): string {
  if (fields === null) return 'ZFile';
  const field = (n: ZFileField): bigint => getInteger(fields, ZFILE_HEADER, n);
  const algorithm = ALGORITHMS[field('algo').toString()] ?? `algorithm ${field('algo')}`;
  return `ZFile: ${field('original_file_size')} bytes in ${field('index_size')} blocks of ${field('block_size')}, ${algorithm}, `
    + `${field('verify') === 0n ? 'without' : 'with'} CRCs; the fields are those of the ${from}`;
}
