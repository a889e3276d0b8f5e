// SPDX-License-Identifier: MIT
/** Every field of an image as its Kaitai description sees it, beside the field tables that writer and reader share. */
import {
  getBytes, getInteger, getSegment, JUMP_ENTRY, LSMT_HEADER, LSMT_SPACE, SEGMENT_ENTRY, ZFILE_HEADER, ZFILE_SPACE, type Segment,
  type Structure,
} from '../../spec/index.ts';
import { parseLsmt, parseZFile, type KaitaiEntry, type KaitaiU64 } from './kaitai.ts';

/** One field in two opinions. */
export interface FieldPair {
  /** Structure and field. */
  readonly name: string;
  /** Byte position in the image. */
  readonly at: number;
  /** What the description gives, as text: decimal, or hexadecimal for bytes. */
  readonly described: string;
  /** What the table gives, likewise. */
  readonly tabled: string;
}

/** Every field of header, trailer and index of an image of `kind`; the image may be damaged in any way. */
export function crossFields(bytes: Uint8Array, kind: 'zfile' | 'lsmt'): FieldPair[] {
  return kind === 'zfile' ? zfileFields(bytes) : lsmtFields(bytes);
}

function zfileFields(bytes: Uint8Array): FieldPair[] {
  const parsed = parseZFile(bytes);
  const out: FieldPair[] = [];
  if (parsed.header) out.push(...structurePairs(ZFILE_HEADER, parsed.header, bytes, 0, 'header'));
  if (parsed.trailer) out.push(...structurePairs(ZFILE_HEADER, parsed.trailer, bytes, bytes.length - ZFILE_SPACE, 'trailer'));
  const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = parsed.fields?.indexOffset.value ?? 0;
  (parsed.jumpTable ?? []).forEach((stored, i) => {
    const at = start + i * JUMP_ENTRY;
    out.push({ name: `jump table ${i}`, at, described: String(stored), tabled: String(v.getUint32(at, true)) });
  });
  return out;
}

function lsmtFields(bytes: Uint8Array): FieldPair[] {
  const parsed = parseLsmt(bytes);
  const out: FieldPair[] = [];
  if (parsed.header) out.push(...structurePairs(LSMT_HEADER, parsed.header, bytes, 0, 'header'));
  if (parsed.last) out.push(...structurePairs(LSMT_HEADER, parsed.last, bytes, bytes.length - LSMT_SPACE, 'trailer'));
  const start = parsed.indexOffset ?? 0;
  (parsed.entries ?? []).forEach((entry, i) => {
    const at = start + i * SEGMENT_ENTRY;
    const tabled = getSegment(bytes, at);
    const described = describedSegment(entry);
    for (const name of Object.keys(described) as (keyof Segment)[]) {
      out.push({ name: `entry ${i} ${name}`, at, described: String(described[name]), tabled: String(tabled[name]) });
    }
    // What a reader counts with, which JavaScript rounds from 2^53 on: rounded, the two must still be the same.
    out.push({ name: `entry ${i} offset as a double`, at, described: String(entry.offset), tabled: String(Number(tabled.offset)) });
    out.push({ name: `entry ${i} moffset as a double`, at, described: String(entry.moffset), tabled: String(Number(tabled.moffset)) });
  });
  return out;
}

/** An entry from its halves. */
function describedSegment(e: KaitaiEntry): Segment {
  return { offset: joined(e.offsetHi, e.w0Lo), length: e.length, moffset: joined(e.moffsetHi, e.w1Lo), zeroed: e.zeroed, tag: e.tag };
}

function structurePairs<Name extends string>(
  s: Structure<Name>, described: object, bytes: Uint8Array, base: number, where: string,
): FieldPair[] {
  const fields = described as Readonly<Record<string, unknown>>;
  return s.fields.flatMap((f): FieldPair[] => {
    const value = fields[camelCase(f.name)];
    const pair = { name: `${where} ${f.name}`, at: base + f.offset };
    if (f.type === 'bytes') return [{ ...pair, described: hex(value), tabled: hex(getBytes(bytes, s, f.name, base)) }];
    if (f.type === 'ascii') return [{ ...pair, described: String(value), tabled: upToNul(getBytes(bytes, s, f.name, base)) }];
    const tabled = getInteger(bytes, s, f.name, base);
    if (f.type !== 'u64') return [{ ...pair, described: String(value), tabled: String(tabled) }];
    const halves = value as KaitaiU64;
    return [
      { ...pair, described: String(joined(halves.hi, halves.lo)), tabled: String(tabled) },
      { ...pair, name: `${pair.name} as a double`, described: String(halves.value), tabled: String(Number(tabled)) },
    ];
  });
}

function joined(hi: number, lo: number): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo);
}

function upToNul(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

function hex(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
}

/** Kaitai's JavaScript names. */
function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase());
}
