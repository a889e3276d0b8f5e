// SPDX-License-Identifier: MIT
/** The view of a tar around a layer, and its first member as it is there: cut short where the file is. */
import { humanBytes, type LevelView, type MarkView, type RegionView, type StopView, type StructureView } from '../../model/index.ts';
import { getBytes, USTAR_HEADER, type UstarField } from '../../spec/index.ts';
import { windowSource, type ByteSource } from '../source.ts';
import { layoutOf, structureView, textOf, type FieldMark } from './fields.ts';
import type { Place } from './place.ts';

const BLOCK = USTAR_HEADER.size;
/** Bytes of pax records that are looked at. */
const PAX_LIMIT = 1 << 16;
/** Pax records that are shown. */
const MAX_RECORDS = 64;
const TYPES: Readonly<Record<string, string>> = {
  '': 'a file', '0': 'a file', '1': 'a hard link', '2': 'a symbolic link', '5': 'a folder', 'g': 'a global pax header', 'L': 'a long name', 'x': 'a pax header',
};

/** Whether a ustar header could start here. */
export function startsTar(bytes: Uint8Array): boolean {
  return bytes.length >= BLOCK && Buffer.from(bytes.subarray(257, 262)).toString('latin1') === 'ustar';
}

/** The level, and where its member starts, bytes from the start of the level; no member where the headers do not end. */
export function inspectTar(place: Place): { readonly view: LevelView; readonly member: { readonly start: number; readonly source: ByteSource } | null } {
  const { source, base, space } = place;
  const structures: StructureView[] = [];
  const regions: RegionView[] = [];
  const stops: StopView[] = [];
  const stop = (what: string, at: number, clause: string, why: string): null => {
    stops.push({ what, at: base + at, space, clause, why });
    return null;
  };

  const pax = startsPax(source) ? readPax(place, structures, regions, stop) : { next: 0, size: null };
  let member: { start: number; source: ByteSource } | null = null;
  let title = 'tar';
  if (pax !== null) {
    const header = source.read(pax.next, BLOCK);
    const size = pax.size ?? numberOf(header, 'size');
    const start = pax.next + BLOCK;
    const there = source.size - start;
    const marks = [...headerMarks(header)];
    if (size === null) marks.push({ field: 'size', clause: 'TR-TAR-02', note: 'is no octal number' });
    else if (size > there) marks.push({ field: 'size', clause: 'TR-TAR-02', note: `the member claims ${size} bytes, ${there} are there` });
    if (!startsTar(header)) marks.push({ field: 'magic', clause: 'TR-TAR-01', note: 'is not "ustar": no ustar header follows the pax header' });
    structures.push(headerView(header, base + pax.next, 'ustar header', marks));
    const length = Math.min(size ?? there, there);
    member = { start, source: windowSource(source, start, length) };
    regions.push({ region: 'ustar header', offset: base + pax.next, size: BLOCK }, { region: 'member', offset: base + start, size: length });
    const behind = start + length;
    if (behind < source.size) regions.push({ region: 'behind the member', offset: base + behind, size: source.size - behind });
    title = `tar${pax.next > 0 ? ' with a pax header' : ''}: member "${textOf(getBytes(header, USTAR_HEADER, 'name'))}", ${length} bytes from byte ${base + start}`;
  }
  return {
    view: {
      kind: 'tar', title, space, offset: base, size: source.size, structures, differ: [],
      layout: layoutOf(regions, base, source.size), facts: [], marks: [] satisfies MarkView[], stops,
    },
    member,
  };
}

function startsPax(source: ByteSource): boolean {
  return source.read(156, 1)[0] === 'x'.charCodeAt(0);
}

/** The pax header and its records: where the next header starts, and the member's size if a record has it. */
function readPax(
  place: Place, structures: StructureView[], regions: RegionView[], stop: (what: string, at: number, clause: string, why: string) => null,
): { readonly next: number; readonly size: number | null } | null {
  const { source, base } = place;
  const header = source.read(0, BLOCK);
  const length = numberOf(header, 'size');
  structures.push(headerView(header, base, 'pax header', [...headerMarks(header)]));
  regions.push({ region: 'pax header', offset: base, size: BLOCK });
  if (length === null) return stop('pax records', 124, 'TR-TAR-02', 'the size field of the pax header holds no octal number');
  if (length > PAX_LIMIT) return stop('pax records', 124, 'TR-TAR-02', `the pax header claims ${length} bytes of records; more than ${PAX_LIMIT} are not looked at`);
  const next = BLOCK + Math.ceil(length / BLOCK) * BLOCK;
  if (next + BLOCK > source.size) {
    return stop('ustar header', BLOCK, 'TR-TAR-01', `the header after ${length} bytes of pax records would end at byte ${next + BLOCK}, the file at ${source.size}`);
  }
  regions.push({ region: 'pax records', offset: base + BLOCK, size: next - BLOCK });
  const records = paxRecords(source.read(BLOCK, length));
  for (const r of records.slice(0, MAX_RECORDS)) {
    const at = base + BLOCK + r.at;
    structures.push({
      structure: 'pax record', offset: at, size: r.size, authoritative: true,
      fields: [{
        name: r.key, offset: at, size: r.size, value: r.value, shown: `"${r.value}"`,
        text: r.key === 'size' && r.number !== null ? humanBytes(BigInt(r.number)) : '',
        marks: r.broken === null ? [] : [{ clause: 'TR-TAR-02', at, note: r.broken }],
      }],
    });
  }
  return { next, size: records.find((r) => r.key === 'size')?.number ?? null };
}

interface PaxRecord {
  readonly key: string;
  readonly value: string;
  /** The value of a size record; null where it is no number. */
  readonly number: number | null;
  /** Position in the records, and bytes. */
  readonly at: number;
  readonly size: number;
  /** What is wrong with it, after which the rest is not looked at. */
  readonly broken: string | null;
}

/** `LEN KEY=VALUE\n`, one after the other. A record that is none is the last. */
function paxRecords(bytes: Uint8Array): PaxRecord[] {
  const text = Buffer.from(bytes).toString('latin1');
  const records: PaxRecord[] = [];
  for (let at = 0; at < text.length && text[at] !== '\0';) {
    const match = /^(\d{1,8}) ([^=\0]{1,200})=/.exec(text.slice(at, at + 300));
    const length = Number(match?.[1] ?? 0);
    if (!match || length <= match[0].length || at + length > text.length) {
      const broken = match ? `claims ${length} bytes, ${text.length - at} are there` : 'is no record of the form LENGTH KEY=VALUE';
      records.push({ key: match?.[2] ?? '', value: '', number: null, at, size: text.length - at, broken });
      return records;
    }
    const value = text.slice(at + match[0].length, at + length - 1);
    const isNumber = /^\d{1,15}$/.test(value);
    records.push({
      key: match[2]!, value, number: isNumber ? Number(value) : null, at, size: length,
      broken: match[2] === 'size' && !isNumber ? 'holds no number' : null,
    });
    at += length;
  }
  return records;
}

function headerView(header: Uint8Array, at: number, title: string, marks: readonly FieldMark<UstarField>[]): StructureView {
  return structureView(USTAR_HEADER, header, at, {
    title, authoritative: true, hex: [], marks,
    explain: (name) => {
      switch (name) {
        case 'size': {
          const size = numberOf(header, 'size');
          return size === null ? '' : `${size} bytes`;
        }
        case 'typeflag': return TYPES[textOf(getBytes(header, USTAR_HEADER, 'typeflag'))] ?? 'unknown';
        case 'chksum': return numberOf(header, 'chksum') === checksumOf(header) ? 'right' : 'wrong';
        default: return '';
      }
    },
  });
}

function* headerMarks(header: Uint8Array): Generator<FieldMark<UstarField>> {
  const version = textOf(getBytes(header, USTAR_HEADER, 'version'));
  if (version !== '00') yield { field: 'version', clause: 'TR-TAR-03', note: 'is not "00"' };
  const sum = checksumOf(header);
  if (numberOf(header, 'chksum') !== sum) yield { field: 'chksum', clause: 'TR-TAR-03', note: `the bytes give ${sum.toString(8)} (octal)` };
}

function checksumOf(header: Uint8Array): number {
  const own = getBytes(header, USTAR_HEADER, 'chksum');
  const sum = (bytes: Uint8Array): number => bytes.reduce((total, b) => total + b, 0);
  return sum(header) - sum(own) + own.length * 0x20;
}

/** The octal number of a field, spaces and NULs around it left out; empty is 0, null where it is none. */
function numberOf(header: Uint8Array, name: UstarField): number | null {
  const text = Buffer.from(getBytes(header, USTAR_HEADER, name)).toString('latin1').replaceAll('\0', ' ').trim();
  return /^[0-7]{0,11}$/.test(text) ? Number.parseInt(text || '0', 8) : null;
}
