// SPDX-License-Identifier: MIT
/** One LSMT layer that is sealed: its own file, or a warp file with the remote file beside it. */
import {
  getBytes, getInteger, getSegment, hasFlag, INVALID_OFFSET, LSMT_FLAG, LSMT_HEADER, LSMT_MAGIC0, LSMT_MAGIC1, LSMT_SPACE, SECTOR, SEGMENT_ENTRY,
  type LsmtField,
} from '../../../spec/index.ts';
import type { Has } from './defects.ts';
import type { Piece } from './merge.ts';
import { Refused, type Bytes } from './source.ts';

/** A layer that is open. */
export interface OpenLayer {
  /** Bytes; 0: the layer below knows. */
  readonly virtualSize: number;
  /** Ascending and apart; `source` is an index into `files`. */
  readonly pieces: readonly Piece[];
  readonly files: readonly Bytes[];
}

/** One live index entry; sectors. */
export interface Entry {
  readonly offset: number;
  readonly length: number;
  readonly moffset: number;
  readonly zeroed: boolean;
  readonly tag: number;
}

const FIRST = LSMT_SPACE / SECTOR;
const MAX_ENTRIES = 1_000_000n;

/** Opens a sealed layer, or, with `remote`, a warp file. Throws Refused. */
export function openSealed(file: Bytes, remote: Bytes | null, has: Has): OpenLayer {
  if (file.size < 2 * LSMT_SPACE && !has('lsmt-short-file')) throw new Refused('LS-HDR-01', 'no room for header and trailer');
  if (file.size === 2 * LSMT_SPACE && has('lsmt-smallest-file')) throw new Refused('LS-HDR-01', 'no room for anything');
  const header = openHeader(file, 'sealed', has);
  if (!hasFlag(getInteger(header, LSMT_HEADER, 'flags'), LSMT_FLAG.sealed) && has('lsmt-header-sealed-required')) throw new Refused('LS-HDR-06', 'not sealed');
  const end = file.size - LSMT_SPACE;
  const trailer = openTrailer(file.read(end, LSMT_SPACE), has);
  const get = (name: LsmtField): bigint => getInteger(trailer, LSMT_HEADER, name);

  let count = get('index_size');
  let indexOffset = get('index_offset');
  if (has('lsmt-index-size-bytes')) count /= BigInt(SEGMENT_ENTRY);
  if (count >= 2n ** 32n && has('lsmt-index-size-32-bits')) count = BigInt.asUintN(32, count);
  if (indexOffset >= 2n ** 32n && has('lsmt-index-offset-32-bits')) indexOffset = BigInt.asUintN(32, indexOffset);
  if (count > MAX_ENTRIES) throw new Refused('LS-IDX-01', 'too many entries');
  if (count === MAX_ENTRIES && has('lsmt-index-limit-off-by-one')) throw new Refused('LS-IDX-01', 'too many entries');
  const indexEnd = indexOffset + count * BigInt(SEGMENT_ENTRY);
  if (indexEnd > BigInt(end) && !has('lsmt-index-end-unchecked') && !(indexEnd >= 2n ** 64n && has('lsmt-index-end-wraps'))) {
    throw new Refused('LS-IDX-02', 'the index does not end before the trailer');
  }
  if (indexOffset < BigInt(LSMT_SPACE) && !has('lsmt-index-in-header')) throw new Refused('LS-IDX-08', 'the index starts in the header');
  const virtualSize = sizeOf(has('lsmt-size-from-header') ? header : trailer, has);
  if (count === 0n && has('lsmt-no-entries-refused')) throw new Refused('LS-IDX-07', 'no entries');
  if (count % 256n !== 0n && has('lsmt-count-of-256')) throw new Refused('LS-PAD-02', 'no multiple of 256 entries');
  const after = Number(indexEnd);
  if (has('lsmt-padding-zero') && file.read(after, end - after).some((b) => b !== 0)) throw new Refused('LS-PAD-01', 'padding that is not 0');

  const entries = inOrder(liveEntries(file.read(Number(indexOffset), Number(count) * SEGMENT_ENTRY), has), has);
  const limit = Math.floor(Number(indexOffset) / SECTOR);
  const files = remote ? [file, remote] : [file];
  const tagBase = remote && has('warp-tags-relative') ? Math.min(...entries.map((e) => e.tag)) : 0;
  for (const e of entries) {
    if (remote) checkWarp(e, files[e.tag], has);
    else checkMapping(e, limit, has);
    if (!remote && e.tag !== 0 && has('lsmt-tag-refused')) throw new Refused('LS-TAG-01', 'a tag');
  }
  const pieces = toPieces(entries, has).map((p) => ({ ...p, source: remote ? Math.max(0, Math.min(1, p.source - tagBase)) : p.source }));
  return { virtualSize, files, pieces: remote && has('warp-tag-ignored') ? pieces.map((p) => ({ ...p, source: 0 })) : remote ? pieces : own(pieces, has) };
}

/** The pieces of a layer with one file, whatever their tags are. */
function own(pieces: readonly Piece[], has: Has): Piece[] {
  return pieces.map((p) => (p.source !== 0 && !has('lsmt-tag-trusted') ? { ...p, source: 0 } : p));
}

/** The header that a file with data has; its bytes. Throws Refused. */
export function openHeader(file: Bytes, form: 'sealed' | 'pair' | 'sparse', has: Has): Uint8Array {
  if (file.size < LSMT_SPACE && !has('lsmt-short-file')) throw new Refused('LS-HDR-01', 'no room for a header');
  const header = file.read(0, LSMT_SPACE);
  if (!hasMagic(header) && !has('lsmt-magic-unchecked')) throw new Refused('LS-HDR-02', 'no LSMT layer');
  const flags = getInteger(header, LSMT_HEADER, 'flags');
  if (!hasFlag(flags, LSMT_FLAG.header) && !has('lsmt-header-bit-unchecked')) throw new Refused('LS-HDR-03', 'the header is none');
  // Clause LS-RW-01 asks for no more of the data file of a pair.
  if (form !== 'pair' && !hasFlag(flags, LSMT_FLAG.dataFile) && !has('lsmt-data-bit-unchecked')) throw new Refused('LS-HDR-04', 'no data file');
  if (form === 'sparse' && !hasFlag(flags, LSMT_FLAG.sparse) && !has('sparse-flag-unchecked')) throw new Refused('LS-SPR-01', 'no sparse layer');
  checkCommon(header, has);
  return header;
}

function openTrailer(trailer: Uint8Array, has: Has): Uint8Array {
  if (!hasMagic(trailer) && !has('lsmt-trailer-magic-unchecked')) throw new Refused('LS-TRL-01', 'no trailer');
  const flags = getInteger(trailer, LSMT_HEADER, 'flags');
  if (hasFlag(flags, LSMT_FLAG.header) && !has('lsmt-trailer-header-bit')) throw new Refused('LS-TRL-02', 'the trailer is a header');
  if (!hasFlag(flags, LSMT_FLAG.dataFile) && !has('lsmt-trailer-data-bit')) throw new Refused('LS-TRL-03', 'the trailer is of no data file');
  if (!hasFlag(flags, LSMT_FLAG.sealed) && !has('lsmt-trailer-sealed-bit')) throw new Refused('LS-TRL-04', 'the trailer is not sealed');
  checkCommon(trailer, has);
  return trailer;
}

export function hasMagic(space: Uint8Array): boolean {
  return Buffer.compare(getBytes(space, LSMT_HEADER, 'magic0'), LSMT_MAGIC0) === 0 && Buffer.compare(getBytes(space, LSMT_HEADER, 'magic1'), LSMT_MAGIC1) === 0;
}

/** What must hold in each header, and in a trailer. */
export function checkCommon(space: Uint8Array, has: Has): void {
  const get = (name: LsmtField): bigint => getInteger(space, LSMT_HEADER, name);
  if (get('size') !== 390n && !has('lsmt-size-field-ignored')) throw new Refused('LS-HDR-05', 'another size field');
  if ((get('version') !== 1n || get('sub_version') !== 1n) && !has('lsmt-version-ignored')) throw new Refused('LS-VER-01', 'another version');
  if ((get('flags') & ~0b10111n) !== 0n && has('lsmt-other-flags-refused')) throw new Refused('LS-FLG-01', 'a flag without a meaning');
  const isSet = (name: LsmtField): boolean => getBytes(space, LSMT_HEADER, name).some((b) => b !== 0);
  if ((isSet('reserved0') || isSet('reserved1')) && has('lsmt-reserved-refused')) throw new Refused('LS-RSV-01', 'reserved bytes that are not 0');
  if ((isSet('uuid') || isSet('parent_uuid') || isSet('user_tag')) && has('lsmt-names-refused')) throw new Refused('LS-RSV-01', 'a UUID or a tag');
}

/** The virtual size, bytes. */
export function sizeOf(space: Uint8Array, has: Has): number {
  let size = getInteger(space, LSMT_HEADER, 'virtual_size');
  if (size >= 2n ** 32n && has('lsmt-virtual-size-32-bits')) size = BigInt.asUintN(32, size);
  if (size > 2n ** 59n && !has('lsmt-virtual-size-unbounded')) throw new Refused('LS-SIZE-01', 'a virtual size that is too large');
  if (size % BigInt(SECTOR) !== 0n && !has('lsmt-virtual-size-odd')) throw new Refused('LS-SIZE-01', 'a virtual size that ends in a sector');
  return Number(size);
}

/** The entries that are not INVALID, in their order. */
export function liveEntries(index: Uint8Array, has: Has): Entry[] {
  const entries: Entry[] = [];
  const count = Math.floor(index.length / SEGMENT_ENTRY);
  for (let i = 0; i < count; i++) {
    const s = getSegment(index, i * SEGMENT_ENTRY);
    const invalid = s.offset === INVALID_OFFSET;
    if (invalid && has('lsmt-invalid-ends-index')) break;
    if (invalid && !has('lsmt-invalid-kept') && !(has('lsmt-invalid-dropped-at-end') && followedByLive(index, i))) continue;
    if (i >= 256 && has('lsmt-256-entries')) break;
    if (i >= 65536 && has('lsmt-65536-entries')) break;
    entries.push({
      offset: Number(s.offset >= 2n ** 32n && has('lsmt-offset-32-bits') ? BigInt.asUintN(32, s.offset) : s.offset),
      length: s.length > 8191 && has('lsmt-length-13-bits') ? s.length - 8192 : s.length,
      // Exact below 2^53; above it, outside of every file anyway.
      moffset: Number(s.moffset >= 2n ** 32n && has('lsmt-moffset-32-bits') ? BigInt.asUintN(32, s.moffset) : s.moffset),
      zeroed: s.zeroed, tag: s.tag,
    });
  }
  if (entries.length > 0 && has('lsmt-first-entry-lost')) entries.shift();
  if (entries.length > 0 && has('lsmt-last-entry-lost')) entries.pop();
  return entries;
}

function followedByLive(index: Uint8Array, at: number): boolean {
  for (let i = (at + 1) * SEGMENT_ENTRY; i < index.length; i += SEGMENT_ENTRY) if (getSegment(index, i).offset !== INVALID_OFFSET) return true;
  return false;
}

function inOrder(entries: readonly Entry[], has: Has): readonly Entry[] {
  let end = 0;
  for (const [i, e] of entries.entries()) {
    if (e.offset < end) {
      const disorder = e.offset < entries[i - 1]!.offset;
      if (!(disorder ? has('lsmt-disorder') : has('lsmt-overlap') || (e.offset === end - 1 && has('lsmt-overlap-of-one')))) throw new Refused('LS-IDX-04', 'entries that overlap or do not ascend');
    }
    end = e.offset + e.length;
  }
  return entries;
}

function checkMapping(e: Entry, limit: number, has: Has): void {
  const end = e.moffset + e.length;
  if (e.zeroed) {
    if (e.moffset < FIRST && !has('lsmt-zeroed-moffset-ignored') && !(e.moffset === FIRST - 1 && has('lsmt-zeroed-moffset-7'))) throw new Refused('LS-IDX-06', 'zeros before the data');
    if (e.moffset > limit && !has('lsmt-zeroed-moffset-ignored') && !(e.moffset === limit + 1 && has('lsmt-zeroed-moffset-past'))) throw new Refused('LS-IDX-06', 'zeros behind the data');
    if (e.moffset === limit && has('lsmt-zeroed-moffset-at-end')) throw new Refused('LS-IDX-06', 'zeros behind the data');
    return;
  }
  if (e.moffset < FIRST && !(e.moffset === FIRST - 1 && has('lsmt-moffset-7')) && !has('lsmt-moffset-in-header')) throw new Refused('LS-IDX-05', 'data in the header');
  if (e.moffset >= limit && e.length === 0 && !has('lsmt-moffset-empty-at-end')) throw new Refused('LS-IDX-05', 'nothing behind the data');
  if (end <= FIRST && e.length === 0 && !has('lsmt-moffset-empty-at-start')) throw new Refused('LS-IDX-05', 'nothing before the data');
  if (end > limit && !(end === limit + 1 && has('lsmt-moffset-end-past')) && !has('lsmt-moffset-end-unchecked')) throw new Refused('LS-IDX-05', 'data behind the index');
  if (end === limit && has('lsmt-moffset-end-exclusive')) throw new Refused('LS-IDX-05', 'data up to the index');
}

/** The entries of a warp file may map all of a file. */
function checkWarp(e: Entry, file: Bytes | undefined, has: Has): void {
  if (!file && !has('warp-other-tags')) throw new Refused('LS-WRP-03', 'a tag of no file');
  if (file && !e.zeroed && e.moffset + e.length > Math.floor(file.size / SECTOR) && !has('warp-unbounded')) throw new Refused('LS-WRP-04', 'data behind the file');
}

/** Entries as pieces whose source is their tag. */
export function toPieces(entries: readonly Entry[], has: Has): Piece[] {
  const pieces: Piece[] = [];
  let packed = FIRST;
  for (const e of entries) {
    if (e.length === 0) {
      if (has('lsmt-empty-refused')) throw new Refused('LS-IDX-10', 'an entry of no length');
      if (!has('lsmt-empty-hides')) continue;
    }
    let from = e.moffset;
    if (!e.zeroed && from !== packed && has('lsmt-data-in-order')) from = packed;
    if (!e.zeroed) packed += e.length;
    if (has('lsmt-moffset-from-data')) from += FIRST;
    pieces.push({ start: e.offset, end: e.offset + Math.max(1, e.length), from, zeroed: e.zeroed && !has('lsmt-zeroed-ignored'), source: e.tag });
  }
  return pieces;
}
