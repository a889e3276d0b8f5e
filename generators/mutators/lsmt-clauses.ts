// SPDX-License-Identifier: MIT
/** One mutator a clause for committed, sealed and warp layers: each gives an image that violates that clause, and meets none before it. */
import { fieldOf, getInteger, LSMT_FLAG, LSMT_HEADER, LSMT_SPACE, SECTOR, SEGMENT_ENTRY, type LsmtField } from '../../spec/index.ts';
import type { Damage, Mutator } from './damage.ts';
import { changeByte } from './edits.ts';
import { moveEntry } from './lsmt.ts';
import { setEntry, setField, type LsmtFile, type SealedImage } from './lsmt-image.ts';
import { pick } from './mutator.ts';

const FIRST = BigInt(LSMT_SPACE / SECTOR);
const MAX_ENTRIES = 1_000_000n;
const MAX_LENGTH = 16383;
const U64 = 1n << 64n;

/** Flips one flag bit of the header. */
export function headerFlag<F extends LsmtFile>(violates: string, name: string, bit: number): Mutator<F> {
  return { name, violates, damage: (i) => setField(i.bytes, 'flags', getInteger(i.bytes, LSMT_HEADER, 'flags') ^ (1n << BigInt(bit)), 0) };
}

/** Changes a byte of the header's magic values. */
export function headerMagic<F extends LsmtFile>(violates: string, name: string): Mutator<F> {
  return { name, violates, damage: (i, a, b) => changeByte(i.bytes, 0, 24, a, b) };
}

/** The values of `field` in a header or trailer that is at one of `bases`. */
export function fieldValues<F extends LsmtFile>(
  violates: string, name: string, fields: readonly LsmtField[], values: readonly bigint[], bases: (i: F) => readonly number[],
): Mutator<F> {
  return { name, violates, damage: (i, a, b) => setField(i.bytes, pick(fields, b >>> 4), pick(values, a), pick(bases(i), b)) };
}

/** Cuts the file to fewer than `least` bytes. */
export function tooShort<F extends LsmtFile>(violates: string, name: string, least: number): Mutator<F> {
  return {
    name, violates,
    damage(i, a) {
      const lengths = [0, 1, 24, 56, SECTOR, least - SECTOR, least - 1, least - 4096].filter((n) => n >= 0);
      const length = pick(lengths, a);
      return { edits: [], length: i.wholeSectors ? length - (length % SECTOR) : length };
    },
  };
}

export const SIZES = [390 - 1, 390 + 1, 0, 4096, 0xffffffff].map(BigInt);
export const VERSIONS = [0n, 2n, 255n];
export const VIRTUAL_SIZES = [1n, 511n, 513n, 4097n, (1n << 59n) + 512n, (1n << 60n) - 1n, 1n << 63n, U64 - 512n, U64 - 1n];

function mutator(name: string, violates: string, damage: Mutator<SealedImage>['damage']): Mutator<SealedImage> {
  return { name: `lsmt.${name}`, violates, damage };
}

function trailerFlag(violates: string, name: string, bit: number): Mutator<SealedImage> {
  return mutator(name, violates, (i) =>
    setField(i.bytes, 'flags', getInteger(i.bytes, LSMT_HEADER, 'flags', i.trailer) ^ (1n << BigInt(bit)), i.trailer));
}

const noTrailer = mutator('trailer.magic', 'LS-TRL-01', (i, a, b) => {
  if (b % 4 === 0) return { edits: [], length: i.bytes.length + pick(i.wholeSectors ? [SECTOR, LSMT_SPACE] : [1, SECTOR - 1, SECTOR, LSMT_SPACE], a) };
  if (b % 4 === 1) {
    const lengths = [i.bytes.length - SECTOR, i.bytes.length - LSMT_SPACE, i.bytes.length - 1, 2 * LSMT_SPACE]
      .filter((n) => n >= 2 * LSMT_SPACE && n < i.bytes.length && (!i.wholeSectors || n % SECTOR === 0));
    if (lengths.length > 0) return { edits: [], length: pick(lengths, a) };
  }
  return changeByte(i.bytes, i.trailer, i.trailer + 24, a, b >>> 2);
});

/** Too many entries: also counts whose bytes are few again for whoever keeps 32 or 64 bits of them. */
const tooMany = mutator('index_size.limit', 'LS-IDX-01', (i, a) => {
  const n = BigInt(i.entries);
  const values = [MAX_ENTRIES + 1n, 1n << 20n, 128_000_001n, (1n << 28n) + n, (1n << 32n) + n, (1n << 60n) + n, (1n << 60n) - 1n, 1n << 63n, U64 - 1n];
  return setField(i.bytes, 'index_size', pick(values, a), i.trailer);
});

/** The damage to one of two fields, the other written again as it is: damage to that one would undo it. */
function holding(damage: Damage, i: SealedImage, field: LsmtField): Damage {
  const at = i.trailer + fieldOf(LSMT_HEADER, field).offset;
  return { ...damage, edits: [...damage.edits, { at, bytes: i.bytes.slice(at, at + fieldOf(LSMT_HEADER, field).size) }] };
}

/** An index that runs into the trailer: a little, by far, or so far that its end wraps. */
const pastTrailer = mutator('index.past-trailer', 'LS-IDX-02', (i, a, b) => {
  const size = BigInt(i.entries * SEGMENT_ENTRY);
  const trailer = BigInt(i.trailer);
  if (b % 2 === 0) {
    const least = (i.trailer - i.indexOffset) / SEGMENT_ENTRY;
    const counts = [Math.floor(least) + 1, Math.ceil(least) + 256, Math.floor(least) + 2, Number(MAX_ENTRIES)].filter((n) => n > least && n <= Number(MAX_ENTRIES));
    if (counts.length > 0) return holding(setField(i.bytes, 'index_size', pick(counts, a), i.trailer), i, 'index_offset');
  }
  const ends = [trailer + 1n, trailer + 8n, trailer + 16n, trailer + 4096n, trailer + 4097n, 1n << 32n, 1n << 63n].map((end) => end - size);
  const wrapped = BigInt(i.indexOffset) + (1n << 32n);
  const values = [wrapped, wrapped, wrapped, wrapped, ...ends.filter((v) => v > trailer - size), trailer + 1n, U64 - size, U64 - size + BigInt(LSMT_SPACE), U64 - 1n, 1n << 63n]
    .filter((v) => v < U64 && v + size > trailer);
  return holding(setField(i.bytes, 'index_offset', pick(values, a), i.trailer), i, 'index_size');
});

const disorder = mutator('entry.disorder', 'LS-IDX-04', (i, a, b) => {
  const live = i.live.filter((e) => e.segment.length > 0);
  if (live.length < 2) return null;
  const k = a % (live.length - 1);
  const [first, second] = [live[k]!, live[k + 1]!];
  const gap = Number(second.segment.offset - first.segment.offset);
  const kinds: (Damage | null)[] = [
    moveEntry(second, first, true),
    moveEntry(first, second, false),
    moveEntry(second, first, false),
    setEntry(second, { offset: second.segment.offset - BigInt(gap - first.segment.length + 1) }),
    setEntry(second, { offset: first.segment.offset }),
    gap < MAX_LENGTH ? setEntry(first, { length: gap + 1 }) : null,
    setEntry(first, { offset: second.segment.offset + 1n }),
  ];
  return pick(kinds.filter((d) => d !== null), b);
});

const dataPlace = mutator('entry.moffset', 'LS-IDX-05', (i, a, b) => {
  const data = i.live.filter((e) => !e.segment.zeroed);
  if (data.length === 0) return null;
  const entry = pick(data, a);
  const length = BigInt(entry.segment.length);
  const limit = BigInt(i.indexOffset / SECTOR);
  const values = [
    0n, 1n, FIRST - 1n, FIRST - 1n, FIRST - 1n, FIRST - 1n, FIRST - 1n, limit, limit + 1n, limit - length + 1n, limit - length + 1n, limit - length + 1n, limit - 1n, BigInt(Math.floor(i.trailer / SECTOR)), BigInt(i.bytes.length) / BigInt(SECTOR),
    (1n << 32n) + entry.segment.moffset, (1n << 54n) - 1n, 1n << 54n, (1n << 55n) - 1n, (1n << 55n) - length,
  ].filter((m) => m >= 0n && m < 1n << 55n && (m < FIRST || m >= limit || m + length > limit));
  // One that maps nothing, at the first sector of the data or behind the last one.
  if (b % 8 === 7) return setEntry(entry, { length: 0, moffset: (b & 8) === 0 ? FIRST : limit });
  return setEntry(entry, { moffset: pick(values, b) });
});

const zeroedPlace = mutator('entry.zeroed-moffset', 'LS-IDX-06', (i, a, b) => {
  const zeroed = i.live.filter((e) => e.segment.zeroed);
  if (zeroed.length === 0) return null;
  const limit = BigInt(i.indexOffset / SECTOR);
  return setEntry(pick(zeroed, a), { moffset: pick([0n, FIRST - 1n, limit + 1n, FIRST - 1n, limit + 1n, 1n << 32n, (1n << 54n) + FIRST, (1n << 55n) - 1n], b) });
});

/** Clauses that every layer with a trailer can violate. */
export const LSMT_CLAUSE_MUTATORS: readonly Mutator<SealedImage>[] = [
  tooShort('LS-HDR-01', 'lsmt.short', 2 * LSMT_SPACE),
  headerMagic('LS-HDR-02', 'lsmt.header.magic'),
  headerFlag('LS-HDR-03', 'lsmt.header.flag0', LSMT_FLAG.header),
  headerFlag('LS-HDR-04', 'lsmt.header.flag1', LSMT_FLAG.dataFile),
  fieldValues('LS-HDR-05', 'lsmt.size-field', ['size'], SIZES, (i) => [i.trailer, 0]),
  noTrailer,
  trailerFlag('LS-TRL-02', 'trailer.flag0', LSMT_FLAG.header),
  trailerFlag('LS-TRL-03', 'trailer.flag1', LSMT_FLAG.dataFile),
  trailerFlag('LS-TRL-04', 'trailer.flag2', LSMT_FLAG.sealed),
  fieldValues('LS-VER-01', 'lsmt.version', ['version', 'sub_version'], VERSIONS, (i) => [i.trailer, 0]),
  tooMany,
  pastTrailer,
  mutator('index.in-header', 'LS-IDX-08', (i, a) => setField(i.bytes, 'index_offset', pick([0, 1, 16, 390, 4080, 4088, 4095], a), i.trailer)),
  fieldValues('LS-SIZE-01', 'lsmt.virtual_size', ['virtual_size'], VIRTUAL_SIZES, (i) => [i.trailer]),
  disorder,
];

/** Clauses of committed and sealed layers only. */
export const PLACE_MUTATORS: readonly Mutator<SealedImage>[] = [dataPlace, zeroedPlace];

/** Clauses of warp layers only. */
export const WARP_MUTATORS: readonly Mutator<SealedImage>[] = [
  mutator('warp.tag', 'LS-WRP-03', (i, a, b) => {
    const data = i.live.filter((e) => !e.segment.zeroed);
    return data.length === 0 ? null : setEntry(pick(data, a), { tag: pick([2, 3, 127, 128, 255], b) });
  }),
  mutator('warp.beyond', 'LS-WRP-04', (i, a, b) => {
    const data = i.live.filter((e) => !e.segment.zeroed);
    if (data.length === 0) return null;
    const entry = pick(data, a);
    const end = entry.segment.tag === 1 ? BigInt(i.remoteSectors!) : BigInt(Math.floor(i.bytes.length / SECTOR));
    const length = BigInt(entry.segment.length);
    const values = [end, end + 1n, end - length + 1n, 1n << 32n, (1n << 54n) - 1n, (1n << 55n) - 1n].filter((m) => m >= 0n && m + length > end);
    return setEntry(entry, { moffset: pick(values, b) });
  }),
];
