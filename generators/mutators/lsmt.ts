// SPDX-License-Identifier: MIT
/** Damage to LSMT layers. They are ours and sound when they come in, so their fields can be trusted here. */
import {
  fieldOf, getInteger, getSegment, INVALID_OFFSET, LSMT_HEADER, LSMT_SPACE, SECTOR, SEGMENT_BITS, SEGMENT_ENTRY, setInteger, setSegment,
  type LsmtField, type Segment, type SegmentField,
} from '../../spec/index.ts';
import { append, damageByte, truncate } from './common.ts';
import { boundaryValues, pick, type Mutator } from './mutator.ts';

interface Layout {
  readonly trailer: number;
  readonly indexOffset: number;
  readonly entries: number;
}

function layoutOf(bytes: Uint8Array): Layout {
  const trailer = bytes.length - LSMT_SPACE;
  const field = (name: LsmtField): number => Number(getInteger(bytes, LSMT_HEADER, name, trailer));
  return { trailer, indexOffset: field('index_offset'), entries: field('index_size') };
}

/** Byte position of every entry that is not INVALID. */
function liveEntries(bytes: Uint8Array): number[] {
  const { indexOffset, entries } = layoutOf(bytes);
  const positions = Array.from({ length: entries }, (_, i) => indexOffset + i * SEGMENT_ENTRY);
  return positions.filter((at) => getSegment(bytes, at).offset !== INVALID_OFFSET);
}

function fieldMutator(field: LsmtField, violates: readonly string[], around: (l: Layout, bytes: Uint8Array) => readonly number[]): Mutator {
  return {
    name: `lsmt.${field}`,
    on: 'lsmt',
    violates,
    apply(bytes, a) {
      const out = bytes.slice();
      const layout = layoutOf(out);
      const width = (fieldOf(LSMT_HEADER, field).size * 8) as 8 | 32 | 64;
      const values = boundaryValues(getInteger(out, LSMT_HEADER, field, layout.trailer), width, around(layout, out));
      setInteger(out, LSMT_HEADER, field, pick(values, a), layout.trailer);
      return out;
    },
  };
}

/** Gives a field of the header, where nobody looks for it, another value; nothing may change. */
const otherCopy: Mutator = {
  name: 'lsmt.other-copy',
  on: 'lsmt',
  violates: [],
  apply(bytes, a, b) {
    const out = bytes.slice();
    setInteger(out, LSMT_HEADER, pick(['index_offset', 'index_size', 'virtual_size'] as const, a), pick([0n, 1n, 512n, 4096n, (1n << 32n) - 1n], b));
    return out;
  },
};

function flagMutator(where: 'header' | 'trailer', bits: readonly number[], violates: readonly string[]): Mutator {
  return {
    name: `lsmt.${where}.flags`,
    on: 'lsmt',
    violates,
    apply(bytes, a) {
      const out = bytes.slice();
      const base = where === 'header' ? 0 : layoutOf(out).trailer;
      setInteger(out, LSMT_HEADER, 'flags', getInteger(out, LSMT_HEADER, 'flags', base) ^ (1n << BigInt(pick(bits, a))), base);
      return out;
    },
  };
}

function magicMutator(where: 'header' | 'trailer', violates: readonly string[]): Mutator {
  return {
    name: `lsmt.${where}.magic`,
    on: 'lsmt',
    violates,
    apply(bytes, a, b) {
      const base = where === 'header' ? 0 : layoutOf(bytes).trailer;
      return damageByte(bytes, base, base + 24, a, b);
    },
  };
}

/** Changes one live entry. */
function entryMutator(name: string, violates: readonly string[], change: (s: Segment, b: number, l: Layout) => Segment): Mutator {
  return {
    name: `lsmt.entry.${name}`,
    on: 'lsmt',
    violates,
    apply(bytes, a, b) {
      const live = liveEntries(bytes);
      if (live.length === 0) return bytes;
      const out = bytes.slice();
      const at = pick(live, a);
      setSegment(out, at, change(getSegment(out, at), b, layoutOf(out)));
      return out;
    },
  };
}

function segmentBorders(field: SegmentField, current: bigint, around: readonly number[]): bigint[] {
  const max = (1n << BigInt(SEGMENT_BITS[field].width)) - 1n;
  return boundaryValues(current, 64, around).map((v) => (v > max ? max : v)).filter((v) => v !== current);
}

/** Gives one live entry another's place: order, overlap, duplicates. */
const swapEntries: Mutator = {
  name: 'lsmt.entry.swap',
  on: 'lsmt',
  violates: ['LS-IDX-04'],
  apply(bytes, a, b) {
    const live = liveEntries(bytes);
    if (live.length < 2) return bytes;
    const out = bytes.slice();
    const first = pick(live, a);
    const second = pick(live.filter((at) => at !== first), b >>> 1);
    const one = out.slice(first, first + SEGMENT_ENTRY);
    const other = out.slice(second, second + SEGMENT_ENTRY);
    out.set(other, first);
    if (b % 2 === 0) out.set(one, second); // Otherwise the other entry stands twice.
    return out;
  },
};

function anywhere(name: string, apply: Mutator['apply']): Mutator {
  return { name, on: 'lsmt', violates: [], apply };
}

export const LSMT_MUTATORS: readonly Mutator[] = [
  magicMutator('header', ['LS-HDR-02']),
  magicMutator('trailer', ['LS-TRL-01']),
  flagMutator('header', [0, 1], ['LS-HDR-03', 'LS-HDR-04']),
  flagMutator('trailer', [0, 1, 2], ['LS-TRL-02', 'LS-TRL-03', 'LS-TRL-04']),
  otherCopy,
  fieldMutator('size', ['LS-HDR-05'], () => [390]),
  fieldMutator('index_offset', ['LS-IDX-02', 'LS-IDX-05'], (l, b) => [LSMT_SPACE, l.trailer, b.length]),
  fieldMutator('index_size', ['LS-IDX-01', 'LS-IDX-02'], (l) => [l.entries + 256, 1_000_000, 1 << 26, 1 << 28]),
  fieldMutator('virtual_size', ['LS-SIZE-01', 'ST-SIZE-02'], () => [SECTOR, 4096]),
  entryMutator('offset', ['LS-IDX-04', 'LS-IDX-03'], (s, b) => ({ ...s, offset: pick(segmentBorders('offset', s.offset, [s.length]), b) })),
  entryMutator('length', ['LS-IDX-04', 'LS-IDX-05'], (s, b) => ({
    ...s, length: Number(pick(segmentBorders('length', BigInt(s.length), [s.length]), b)),
  })),
  entryMutator('moffset', ['LS-IDX-05', 'LS-IDX-06'], (s, b, l) => ({
    ...s,
    moffset: pick(segmentBorders('moffset', s.moffset, [LSMT_SPACE / SECTOR, l.indexOffset / SECTOR, l.trailer / SECTOR, l.indexOffset / SECTOR - s.length]), b),
  })),
  entryMutator('zeroed', ['LS-MAP-02'], (s) => ({ ...s, zeroed: !s.zeroed })),
  entryMutator('tag', [], (s, b) => ({ ...s, tag: pick([1, 2, 127, 128, 255], b) })),
  entryMutator('empty', [], (s) => ({ ...s, length: 0 })),
  entryMutator('overlap', ['LS-IDX-04'], (s, b) => ({ ...s, length: Math.min(16383, s.length + 1 + (b % 16)) })),
  swapEntries,
  anywhere('lsmt.truncate', (bytes, a, b) => {
    const { indexOffset, trailer } = layoutOf(bytes);
    return truncate(bytes, [LSMT_SPACE, 2 * LSMT_SPACE, indexOffset, trailer, bytes.length, bytes.length >>> 1], a, b);
  }),
  anywhere('lsmt.append', (bytes, a) => append(bytes, a)),
  anywhere('lsmt.trailer-byte', (bytes, a, b) => damageByte(bytes, layoutOf(bytes).trailer, layoutOf(bytes).trailer + 60, a, b)),
  anywhere('lsmt.index-byte', (bytes, a, b) => {
    const live = liveEntries(bytes);
    return live.length === 0 ? bytes : damageByte(bytes, live[0]!, live.at(-1)! + SEGMENT_ENTRY, a, b);
  }),
  anywhere('lsmt.byte', (bytes, a, b) => damageByte(bytes, 0, bytes.length, a, b)),
];
