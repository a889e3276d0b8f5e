// SPDX-License-Identifier: MIT
/** The Kaitai Struct descriptions as parsers, made when this module is first loaded. */
import { compileParser, streamOf } from './compile.ts';

/** 64 bits in halves; `value` is their sum as a double, exact below 2^53. */
export interface KaitaiU64 {
  readonly lo: number;
  readonly hi: number;
  readonly value: number;
}

/** Header or trailer of a ZFile: its fields and what follows from them. */
export interface KaitaiZFileHeader {
  readonly digest: number;
  readonly flags: KaitaiU64;
  readonly indexOffset: KaitaiU64;
  readonly indexSize: KaitaiU64;
  readonly originalFileSize: KaitaiU64;
  readonly indexCrc: number;
  readonly blockSize: number;
  readonly algo: number;
  readonly dictSize: number;
  readonly isMagic: boolean;
  readonly flagHeader: boolean;
  readonly flagDataFile: boolean;
  readonly flagSealed: boolean;
  readonly flagDigest: boolean;
  readonly hasBlockCrc: boolean;
}

/** One stored block. */
export interface KaitaiBlock {
  readonly stored: Uint8Array;
  readonly lenStored: number;
  readonly crc?: number;
  readonly isWhole: boolean;
}

/** A ZFile. What the file is too short for is undefined. */
export interface KaitaiZFile {
  readonly header?: KaitaiZFileHeader;
  readonly trailer?: KaitaiZFileHeader;
  readonly isHeaderMode: boolean;
  readonly fields?: KaitaiZFileHeader;
  readonly isJumpTableWhole?: boolean;
  readonly jumpTable?: readonly number[];
  readonly jumpTableBytes?: Uint8Array;
  readonly blocks?: readonly KaitaiBlock[];
}

/** Header or trailer of an LSMT file. */
export interface KaitaiLsmtHeader {
  readonly flags: number;
  readonly indexOffset: KaitaiU64;
  readonly indexSize: KaitaiU64;
  readonly virtualSize: KaitaiU64;
  readonly isMagic: boolean;
  readonly flagHeader: boolean;
  readonly flagDataFile: boolean;
  readonly flagSealed: boolean;
  readonly flagSparse: boolean;
}

/** One entry of an LSMT index; sectors. */
export interface KaitaiEntry {
  readonly w0Lo: number;
  readonly offsetHi: number;
  readonly offset: number;
  readonly length: number;
  readonly w1Lo: number;
  readonly moffsetHi: number;
  readonly moffset: number;
  readonly zeroed: boolean;
  readonly tag: number;
  readonly isInvalid: boolean;
}

/** An LSMT file. What the file is too short for, or its kind has not, is undefined. */
export interface KaitaiLsmt {
  readonly header?: KaitaiLsmtHeader;
  readonly last?: KaitaiLsmtHeader;
  readonly trailer?: KaitaiLsmtHeader;
  /** Number in the enumeration `kind` of the description. */
  readonly kind: number;
  readonly isIndexInside: boolean;
  readonly indexOffset?: number;
  readonly lenEntries?: number;
  readonly entries?: readonly KaitaiEntry[];
}

/** The enumeration `kind` of spec/lsmt.ksy. */
export const LSMT_KIND = { none: 0, sealed: 1, dataFile: 2, indexFile: 3, sparse: 4 } as const;

/** The enumeration `algorithm` of spec/zfile.ksy. */
export const ALGORITHM = { lz4: 1, zstd: 2 } as const;

const [ZFileParser, LsmtParser] = await Promise.all([compileParser<KaitaiZFile>('zfile'), compileParser<KaitaiLsmt>('lsmt')]);

/** The ZFile as spec/zfile.ksy describes it. Nothing is parsed before it is asked for, and byte fields are views into `bytes`. */
export function parseZFile(bytes: Uint8Array): KaitaiZFile {
  return new ZFileParser(streamOf(bytes));
}

/** The LSMT file as spec/lsmt.ksy describes it. Nothing is parsed before it is asked for, and byte fields are views into `bytes`. */
export function parseLsmt(bytes: Uint8Array): KaitaiLsmt {
  return new LsmtParser(streamOf(bytes));
}
