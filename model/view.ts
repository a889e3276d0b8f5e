// SPDX-License-Identifier: MIT
/**
 * What an image holds, for people and for tools that show it: structures with
 * their fields, lists of blocks and entries, what is unusual, and where looking
 * further was not possible. Nothing here is a verdict.
 */

/** Name and version of the documents that are made of views. */
export const VIEW_SCHEMA = 'ovbd-inspect/1';

/**
 * A non-negative integer of an image: a number where that is exact, up to
 * 2^53 − 1, and its decimal digits as a string above.
 */
export type Exact = number | string;

/** The integer as JSON can carry it without loss. */
export function exact(value: bigint): Exact {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();
}

/** `512 bytes`, `4 KiB`, `112.5 KiB`: a size for people; a decimal where the unit does not divide it, cut and not rounded. */
export function humanBytes(size: bigint): string {
  if (size < 1024n) return size === 1n ? '1 byte' : `${size} bytes`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;
  let unit = 0;
  let divisor = 1024n;
  while (size / divisor >= 1024n && unit < units.length - 1) {
    divisor *= 1024n;
    unit++;
  }
  const decimal = size % divisor === 0n ? '' : `.${((size % divisor) * 10n) / divisor}`;
  return `${size / divisor}${decimal} ${units[unit]!}`;
}

/** Something that is other than a clause says, or that a reader may stumble over. */
export interface MarkView {
  readonly clause: string;
  /** Byte position in the level's space. */
  readonly at: number;
  readonly note: string;
}

/** Where looking further was not possible, and why. */
export interface StopView {
  /** What is missing for it: `index`, `trailer`, `inside the ZFile`. */
  readonly what: string;
  readonly at: number;
  /** Which bytes `at` counts: what is inside a ZFile ends where a block of the file cannot be decoded. */
  readonly space: Space;
  readonly clause?: string;
  readonly why: string;
}

/** One field as it stands on disk. */
export interface FieldView {
  readonly name: string;
  /** Bytes from the start of the level's space. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /**
   * An integer, or text up to its first NUL, or bytes in hexadecimal: all of
   * a field of up to 64 bytes; of a longer one up to 64 bytes, trailing zeros
   * left out, and `…` where there is more.
   */
  readonly value: Exact;
  /** The value as people write it: flags and checksums in hexadecimal, text in quotes. */
  readonly shown: string;
  /** What the value means; empty where it says so itself. */
  readonly text: string;
  readonly marks: readonly MarkView[];
}

/** A run of bytes of a known form. */
export interface StructureView {
  /** `ZFile header`, `LSMT trailer`, `pax record`. */
  readonly structure: string;
  /** Bytes from the start of the level's space. */
  readonly offset: number;
  /** Bytes; fewer than its form has where the file ends inside it. */
  readonly size: number;
  /** Whether a reader takes the fields from here; false for the one of header and trailer that is not consulted. */
  readonly authoritative: boolean;
  readonly fields: readonly FieldView[];
}

/** A part of a level, in the order of the file. Parts that overlap in a damaged image are told as they are. */
export interface RegionView {
  readonly region: string;
  /** Bytes from the start of the level's space. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/** A compressed block, from the jump table alone: it was not decoded. */
export interface BlockRow {
  readonly number: number;
  /** Where it stands: bytes from the start of the level's space. */
  readonly at: number;
  /** Bytes in the file, its CRC included. */
  readonly stored: number;
  /** Bytes that it must decode to. */
  readonly decoded: number;
  /** The checksum behind it; null where blocks carry none, or where it lies outside of the file. */
  readonly crc: number | null;
  readonly marks: readonly MarkView[];
}

/** An LSMT index entry. Offset, length and moffset are sectors of 512 bytes. */
export interface EntryRow {
  readonly number: number;
  /** Where the entry itself stands: bytes from the start of the level's space. */
  readonly at: number;
  readonly offset: Exact;
  readonly length: number;
  readonly moffset: Exact;
  readonly zeroed: boolean;
  readonly tag: number;
  readonly marks: readonly MarkView[];
}

/** Neighbouring INVALID entries. */
export interface InvalidRow {
  /** Number of the first. */
  readonly number: number;
  readonly at: number;
  /** How many. */
  readonly invalid: number;
}

/** The list could not be read further than this. */
export interface StopRow {
  readonly number: number;
  readonly stop: StopView;
}

/** Blocks or entries. Rows that are left out show in the gap between two rows' numbers. */
export interface ListView<Row> {
  /** How many there are, shown or not. */
  readonly total: number;
  /** Whether rows are left out. */
  readonly cut: boolean;
  /** How many rows have marks, among those that were looked at. */
  readonly marked: number;
  /** The first, the first with marks, and the last; or all, read as they are taken. */
  readonly rows: Iterable<Row | StopRow>;
}

/** Which bytes a level's positions count: the file's, or those that the ZFile around it decodes to. */
export type Space = 'file' | 'decoded';

/** One envelope, or what is in the innermost. */
export interface LevelView {
  readonly kind: 'tar' | 'zfile' | 'lsmt' | 'raw';
  /** What it is, in one line. */
  readonly title: string;
  readonly space: Space;
  /** Where it starts and how long it is, bytes of its space. */
  readonly offset: number;
  readonly size: number;
  readonly structures: readonly StructureView[];
  /** Names of the fields that the first two structures, header and trailer, hold differently. */
  readonly differ: readonly string[];
  readonly layout: readonly RegionView[];
  /** What the lists come to, a line each. */
  readonly facts: readonly string[];
  readonly blocks?: ListView<BlockRow>;
  readonly entries?: ListView<EntryRow | InvalidRow>;
  /** What is unusual beyond single fields and rows. */
  readonly marks: readonly MarkView[];
  readonly stops: readonly StopView[];
}

/** One file of an image, from the outermost envelope inwards. */
export interface FileView {
  /** `layer`, or `data` and `index` of a writable pair. */
  readonly role: 'layer' | 'data' | 'index';
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly levels: readonly LevelView[];
}

/** One image on the command line: a file or a writable pair. */
export interface ImageView {
  /** Whether it has anything of OverlayBD in it, however damaged. */
  readonly recognised: boolean;
  readonly files: readonly FileView[];
}
