// SPDX-License-Identifier: MIT
/** Small images made by hand for the tests of the strict reader: sound ones, in which a test then sets what it is about. */
import { lsmtHeader } from '../generators/lsmt-header.ts';
import { PLAIN_ZFILE, sealDigest, writeZFile, type ZFileRecipe } from '../generators/zfile-writer.ts';
import { Violation } from '../oracles/violation.ts';
import {
  INVALID_OFFSET, LSMT_HEADER, LSMT_SPACE, SECTOR, SEGMENT_ENTRY, setInteger, setSegment, ZFILE_HEADER, ZFILE_SPACE, type LsmtField,
  type Segment, type ZFileField,
} from '../spec/index.ts';

/** What a reader says against an image: clause, byte, reason. */
export type Refusal = readonly [clause: string, at: number, why: string];

/** The violation that `work` throws; null where it runs to its end. */
export function refusal(work: () => unknown): Refusal | null {
  try {
    work();
    return null;
  } catch (e) {
    if (e instanceof Violation) return [e.clause, e.at, e.message];
    throw e;
  }
}

/** A copy of the bytes with something done to it. */
export function edited(bytes: Uint8Array, edit: (copy: Uint8Array, view: DataView) => void): Uint8Array {
  const copy = Uint8Array.from(bytes);
  edit(copy, new DataView(copy.buffer));
  return copy;
}

/** `length` bytes, each sector of which says which one it is. */
export function sectors(count: number, first = 0): Uint8Array {
  const out = new Uint8Array(count * SECTOR);
  for (let i = 0; i < count; i++) out.fill((first + i) % 251 + 1, i * SECTOR, (i + 1) * SECTOR);
  return out;
}

export type LooseEntry = { readonly [Key in keyof Segment]?: Key extends 'offset' | 'moffset' ? number | bigint : Segment[Key] };

/** An index entry; what is not said is 0, and an entry without an offset is INVALID. */
export function entryBytes(entries: readonly LooseEntry[]): Uint8Array {
  const out = new Uint8Array(entries.length * SEGMENT_ENTRY);
  entries.forEach((e, i) => setSegment(out, i * SEGMENT_ENTRY, {
    offset: BigInt(e.offset ?? INVALID_OFFSET), length: e.length ?? 0, moffset: BigInt(e.moffset ?? 0), zeroed: e.zeroed ?? false, tag: e.tag ?? 0,
  }));
  return out;
}

export interface LayerParts {
  readonly entries?: readonly LooseEntry[];
  /** Sectors between header and index. */
  readonly dataSectors?: number;
  /** Bytes. */
  readonly virtualSize?: number;
  readonly headerFlags?: number;
}

/** Sectors of data in a layer, where nothing else is said: sectors 8 to 15 of its file. */
export const DATA_SECTORS = 8;

/** A sealed layer: header, data, entries, trailer. */
export function layer({ entries = [], dataSectors = DATA_SECTORS, virtualSize = 65536, headerFlags = 7 }: LayerParts = {}): Uint8Array {
  const index = entryBytes(entries);
  const indexOffset = LSMT_SPACE + dataSectors * SECTOR;
  return Uint8Array.from(Buffer.concat([
    lsmtHeader(headerFlags, { virtualSize }),
    sectors(dataSectors, 8),
    index,
    lsmtHeader(6, { virtualSize }, indexOffset, entries.length),
  ]));
}

/** The bytes with one field of header or trailer set. */
export function withLsmt(bytes: Uint8Array, where: 'header' | 'trailer', field: LsmtField, value: bigint | number): Uint8Array {
  return edited(bytes, (copy) => setInteger(copy, LSMT_HEADER, field, value, where === 'header' ? 0 : copy.length - LSMT_SPACE));
}

/** A ZFile in which, unless said otherwise, every sector of 4 KiB blocks is literal. */
export function zfile(content: Uint8Array, recipe: Partial<ZFileRecipe> = {}): Uint8Array {
  return writeZFile(content, { ...PLAIN_ZFILE, ...recipe });
}

/** The bytes with one field of header or trailer set, and its digest made right again. */
export function withZFile(bytes: Uint8Array, where: 'header' | 'trailer', field: ZFileField, value: bigint | number): Uint8Array {
  return edited(bytes, (copy) => {
    const at = where === 'header' ? 0 : copy.length - ZFILE_SPACE;
    setInteger(copy, ZFILE_HEADER, field, value, at);
    sealDigest(copy.subarray(at, at + ZFILE_SPACE));
  });
}
