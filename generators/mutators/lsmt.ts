// SPDX-License-Identifier: MIT
/** Damage to committed, sealed and warp layers that aims at no clause: any value at the borders of any field, any byte. */
import { getInteger, fieldOf, LSMT_HEADER, LSMT_SPACE, SECTOR, SEGMENT_ENTRY, type LsmtField, type Segment } from '../../spec/index.ts';
import type { Damage, Mutator } from './damage.ts';
import { changeByte, cutAt, growBy } from './edits.ts';
import { entryBorders, setEntry, setField, type LsmtFile, type PlacedEntry, type SealedImage } from './lsmt-image.ts';
import { boundaryValues, pick } from './mutator.ts';

type Untargeted = Mutator<SealedImage>;

function untargeted(name: string, damage: Untargeted['damage']): Untargeted {
  return { name: `lsmt.${name}`, violates: null, damage };
}

/** Gives one field of the trailer a value from its borders. */
function fieldMutator(field: LsmtField, around: (i: SealedImage) => readonly number[]): Untargeted {
  return untargeted(field, (i, a) => {
    const width = (fieldOf(LSMT_HEADER, field).size * 8) as 8 | 32 | 64;
    return setField(i.bytes, field, pick(boundaryValues(getInteger(i.bytes, LSMT_HEADER, field, i.trailer), width, around(i)), a), i.trailer);
  });
}

/** Gives a field of the header, where nobody looks for it, another value; nothing may change. */
const otherCopy = untargeted('other-copy', (i, a, b) => {
  const field = pick(['index_offset', 'index_size', 'virtual_size'] as const, a);
  return setField(i.bytes, field, pick([0n, 1n, 512n, 4096n, (1n << 32n) - 1n, 1n << 60n, (1n << 64n) - 1n], b), 0);
});

/** Header and trailer disagree in one field, the trailer's value standing in the header or the other way. */
const disagree = untargeted('disagree', (i, a, b) => {
  const field = pick(['size', 'flags', 'index_offset', 'index_size', 'virtual_size', 'version', 'sub_version'] as const, a);
  const [from, to] = b % 2 === 0 ? [i.trailer, 0] : [0, i.trailer];
  const damage = setField(i.bytes, field, getInteger(i.bytes, LSMT_HEADER, field, from), to);
  return damage.edits.length > 0 ? damage : setField(i.bytes, field, getInteger(i.bytes, LSMT_HEADER, field, to) + 1n, to);
});

/** Changes one live entry; null where there is none or nothing changes. */
function entryMutator(name: string, change: (s: Segment, b: number, i: SealedImage) => Partial<Segment>): Untargeted {
  return untargeted(`entry.${name}`, (i, a, b) => {
    if (i.live.length === 0) return null;
    const entry = pick(i.live, a);
    return setEntry(entry, change(entry.segment, b, i));
  });
}

/** Gives one live entry another's place, and that one its own or none. */
const swapEntries = untargeted('entry.swap', (i, a, b) => {
  if (i.live.length < 2) return null;
  const first = pick(i.live, a);
  const second = pick(i.live.filter((e) => e !== first), b >>> 1);
  return moveEntry(second, first, b % 2 === 0);
});

/** Entry `from` in the place of `to`; with `swap` the other way too, else it stands twice. */
export function moveEntry(from: PlacedEntry, to: PlacedEntry, swap: boolean): Damage {
  const { edits } = setEntry({ ...to, segment: from.segment }, {});
  return { edits: swap ? [...edits, ...setEntry({ ...from, segment: to.segment }, {}).edits] : edits };
}

/** Any bit of a flags word. */
function flags(where: 'header' | 'trailer'): Untargeted {
  return untargeted(`${where}.flags`, (i, a) => {
    const base = where === 'header' ? 0 : i.trailer;
    return setField(i.bytes, 'flags', getInteger(i.bytes, LSMT_HEADER, 'flags', base) ^ (1n << BigInt(a % 32)), base);
  });
}

export const LSMT_ANYWHERE: readonly Untargeted[] = [
  flags('header'),
  flags('trailer'),
  otherCopy,
  disagree,
  fieldMutator('size', () => [390]),
  fieldMutator('index_offset', (i) => [LSMT_SPACE, i.trailer, i.bytes.length]),
  fieldMutator('index_size', (i) => [i.entries + 256, 1_000_000, 1 << 26, 1 << 28]),
  fieldMutator('virtual_size', () => [SECTOR, 4096]),
  entryMutator('offset', (s, b) => ({ offset: pick(entryBorders('offset', s.offset, [s.length]), b) })),
  entryMutator('length', (s, b) => ({ length: Number(pick(entryBorders('length', BigInt(s.length), [s.length]), b)) })),
  entryMutator('moffset', (s, b, i) => {
    const limit = i.indexOffset / SECTOR;
    return { moffset: pick(entryBorders('moffset', s.moffset, [LSMT_SPACE / SECTOR, limit, i.trailer / SECTOR, i.bytes.length / SECTOR, limit - s.length]), b) };
  }),
  entryMutator('zeroed', (s) => ({ zeroed: !s.zeroed })),
  entryMutator('tag', (s, b) => ({ tag: pick([0, 1, 2, 127, 128, 255].filter((t) => t !== s.tag), b) })),
  entryMutator('empty', () => ({ length: 0 })),
  entryMutator('overlap', (s, b) => ({ length: Math.min(16383, s.length + 1 + (b % 16)) })),
  swapEntries,
  untargeted('truncate', (i, a, b) => cutAt(i.bytes, [LSMT_SPACE, 2 * LSMT_SPACE, i.indexOffset, i.trailer, i.bytes.length, i.bytes.length >>> 1], a, b)),
  untargeted('append', (i, a) => growBy(i.bytes, a)),
  untargeted('trailer-byte', (i, a, b) => changeByte(i.bytes, i.trailer, i.trailer + 60, a, b)),
  untargeted('index-byte', (i, a, b) => {
    const { live } = i;
    return live.length === 0 ? null : changeByte(i.bytes, live[0]!.at, live.at(-1)!.at + SEGMENT_ENTRY, a, b);
  }),
  untargeted('byte', (i, a, b) => changeByte(i.bytes, 0, i.bytes.length, a, b)),
];

/** Damage to any file with an LSMT header that aims at no clause. */
export function fileAnywhere<F extends LsmtFile>(prefix: string): readonly Mutator<F>[] {
  const any = (name: string, damage: Mutator<F>['damage']): Mutator<F> => ({ name: `${prefix}.${name}`, violates: null, damage });
  return [
    any('truncate', (i, a, b) => cutAt(i.bytes, [LSMT_SPACE, i.bytes.length, i.bytes.length - SECTOR], a, b)),
    any('append', (i, a) => growBy(i.bytes, a)),
    any('header-byte', (i, a, b) => changeByte(i.bytes, 0, 60, a, b)),
    any('byte', (i, a, b) => changeByte(i.bytes, 0, i.bytes.length, a, b)),
  ];
}
