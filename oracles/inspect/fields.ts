// SPDX-License-Identifier: MIT
/** Views of single fields, made from the tables of the specification. */
import { exact, type FieldView, type MarkView, type RegionView, type StructureView } from '../../model/index.ts';
import { getBytes, getInteger, type Field, type Structure } from '../../spec/index.ts';
import { sameBytes } from '../source.ts';

/** What is unusual about a field. */
export interface FieldMark<Name extends string = string> {
  readonly field: Name;
  readonly clause: string;
  readonly note: string;
}

/** Bytes of a field that are told whole; a longer one is told without its trailing zeros, up to so many. */
const SHOWN_BYTES = 64;

/**
 * The structure that stands at byte `base`. Fields that do not lie inside
 * `bytes` are left out. `explain` says what a field's value means.
 */
export function structureView<Name extends string>(
  s: Structure<Name>, bytes: Uint8Array, base: number,
  how: {
    readonly title: string;
    readonly authoritative: boolean;
    readonly hex: readonly Name[];
    explain(name: Name): string;
    readonly marks: readonly FieldMark<Name>[];
  },
): StructureView {
  const inside = s.fields.filter((f) => f.offset + f.size <= bytes.length);
  return {
    structure: how.title,
    offset: base,
    size: Math.min(s.size, bytes.length),
    authoritative: how.authoritative,
    fields: inside.map((f): FieldView => ({
      name: f.name,
      offset: base + f.offset,
      size: f.size,
      ...valueOf(s, f, bytes, how.hex.includes(f.name)),
      text: how.explain(f.name),
      marks: how.marks.filter((m) => m.field === f.name).map((m): MarkView => ({ clause: m.clause, at: base + f.offset, note: m.note })),
    })),
  };
}

function valueOf(s: Structure, f: Field, bytes: Uint8Array, inHex: boolean): Pick<FieldView, 'value' | 'shown'> {
  const raw = bytes.subarray(f.offset, f.offset + f.size);
  if (f.type === 'bytes') {
    const value = hexOf(raw);
    return { value, shown: value === '' ? 'all zero' : value };
  }
  if (f.type === 'ascii') {
    const value = textOf(raw);
    return { value, shown: `"${value}"` };
  }
  const value = getInteger(bytes, s, f.name);
  return { value: exact(value), shown: inHex ? hex(value) : value.toString() };
}

/** Text up to its first NUL; bytes that are no UTF-8 become U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function hexOf(bytes: Uint8Array): string {
  if (bytes.length <= SHOWN_BYTES) return Buffer.from(bytes).toString('hex');
  const end = bytes.findLastIndex((b) => b !== 0) + 1;
  return Buffer.from(bytes.subarray(0, Math.min(end, SHOWN_BYTES))).toString('hex') + (end > SHOWN_BYTES ? '…' : '');
}

/** How many bytes are not zero. */
export function countSet(bytes: Uint8Array): number {
  return bytes.reduce((n, b) => n + (b === 0 ? 0 : 1), 0);
}

/** `0x1f`. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** Names of the bits that are set, `bit 7` for one without a name; `no bit set`. */
export function flagWords(flags: bigint, names: Readonly<Record<number, string>>): string {
  const words: string[] = [];
  for (let bit = 0; bit < 64; bit++) {
    if ((flags >> BigInt(bit)) & 1n) words.push(names[bit] ?? `bit ${bit}`);
  }
  return words.join(', ') || 'no bit set';
}

/** Names of the fields that two structures of one form hold differently, whatever of them a view shows. */
export function differing(s: Structure, a: Uint8Array, b: Uint8Array): string[] {
  const inside = s.fields.filter((f) => f.offset + f.size <= Math.min(a.length, b.length));
  return inside.filter((f) => !sameBytes(getBytes(a, s, f.name), getBytes(b, s, f.name))).map((f) => f.name);
}

/** Regions in the order of the file; what none of them covers is one too. Empty ones are left out. */
export function layoutOf(known: readonly RegionView[], base: number, size: number): RegionView[] {
  const regions: RegionView[] = [];
  let at = base;
  const gapUntil = (end: number): void => {
    if (end > at) regions.push({ region: 'not accounted for', offset: at, size: end - at });
  };
  for (const region of known.filter((r) => r.size > 0).sort((a, b) => a.offset - b.offset)) {
    gapUntil(region.offset);
    regions.push(region);
    at = Math.max(at, region.offset + region.size);
  }
  gapUntil(base + size);
  return regions;
}
