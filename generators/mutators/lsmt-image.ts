// SPDX-License-Identifier: MIT
/** What mutators must know of a sound LSMT file, and edits of its fields. The files are ours: their fields can be trusted here. */
import {
  fieldOf, getInteger, getSegment, INVALID_OFFSET, LSMT_HEADER, LSMT_SPACE, SECTOR, SEGMENT_BITS, SEGMENT_ENTRY, setSegment,
  type LsmtField, type Segment, type SegmentField,
} from '../../spec/index.ts';
import type { Damage, Edit } from './damage.ts';
import { boundaryValues } from './mutator.ts';

/** An entry and its byte position in its file. */
export interface PlacedEntry {
  readonly at: number;
  readonly segment: Segment;
}

/** A file with a header: bytes and whether its length must stay whole sectors (a ZFile around it makes it so). */
export interface LsmtFile {
  readonly bytes: Uint8Array;
  readonly wholeSectors: boolean;
}

/** A committed, sealed or warp layer. Positions are bytes. */
export interface SealedImage extends LsmtFile {
  readonly trailer: number;
  readonly indexOffset: number;
  /** INVALID ones included. */
  readonly entries: number;
  /** The entries that are not INVALID, in their order. */
  readonly live: readonly PlacedEntry[];
  /** Of a warp layer: whole sectors of its remote file; null for others. */
  readonly remoteSectors: number | null;
}

/** The index file of a pair, with the length of its data file in bytes. */
export interface IndexImage extends LsmtFile {
  readonly live: readonly PlacedEntry[];
  readonly dataBytes: number;
}

/** Entries that are looked at for damage, at the most. */
const MAX_LIVE = 4096;

export function sealedImage(bytes: Uint8Array, wholeSectors: boolean, remote: Uint8Array | null): SealedImage {
  const trailer = bytes.length - LSMT_SPACE;
  const field = (name: LsmtField): number => Number(getInteger(bytes, LSMT_HEADER, name, trailer));
  const indexOffset = field('index_offset');
  const entries = field('index_size');
  return {
    bytes, wholeSectors, trailer, indexOffset, entries, live: liveEntries(bytes, indexOffset, entries),
    remoteSectors: remote && Math.floor(remote.length / SECTOR),
  };
}

export function indexImage(bytes: Uint8Array, dataBytes: number): IndexImage {
  return { bytes, wholeSectors: false, live: liveEntries(bytes, LSMT_SPACE, Math.floor((bytes.length - LSMT_SPACE) / SEGMENT_ENTRY)), dataBytes };
}

function liveEntries(bytes: Uint8Array, indexOffset: number, entries: number): PlacedEntry[] {
  const out: PlacedEntry[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < entries && out.length < MAX_LIVE; i++) {
    const at = indexOffset + i * SEGMENT_ENTRY;
    // A million INVALID ones may stand before the first that is none.
    if ((view.getBigUint64(at, true) & INVALID_OFFSET) !== INVALID_OFFSET) out.push({ at, segment: getSegment(bytes, at) });
  }
  return out;
}

/** The field of the header (`base` 0) or trailer with another value: only the bytes that change. */
export function setField(bytes: Uint8Array, field: LsmtField, value: bigint | number, base: number): Damage {
  const { offset, size } = fieldOf(LSMT_HEADER, field);
  const wanted = BigInt.asUintN(size * 8, BigInt(value));
  const edits: Edit[] = [];
  for (let i = 0; i < size; i++) {
    const byte = Number(BigInt.asUintN(8, wanted >> BigInt(8 * i)));
    if (bytes[base + offset + i] !== byte) edits.push({ at: base + offset + i, bytes: Uint8Array.of(byte) });
  }
  return { edits };
}

/** The entry with other values. */
export function setEntry({ at, segment }: PlacedEntry, change: Partial<Segment>): Damage {
  const bytes = new Uint8Array(SEGMENT_ENTRY);
  setSegment(bytes, 0, { ...segment, ...change });
  return { edits: [{ at, bytes }] };
}

/** Values of an entry's field at its borders, and around `around`. */
export function entryBorders(field: SegmentField, current: bigint, around: readonly number[]): bigint[] {
  const max = (1n << BigInt(SEGMENT_BITS[field].width)) - 1n;
  return boundaryValues(current, 64, around).map((v) => (v > max ? max : v)).filter((v) => v !== current);
}
