// SPDX-License-Identifier: MIT
/** The 4096 bytes that begin every LSMT file and end a sealed one. */
import {
  fieldOf, getBytes, getInteger, hasFlag, LSMT_FLAG, LSMT_HEADER, LSMT_MAGIC0, LSMT_MAGIC1, LSMT_SPACE, SECTOR, type LsmtField,
} from '../spec/index.ts';
import { sameBytes, type ByteSource } from './source.ts';
import { mayRefuse, violate, type Leniency } from './violation.ts';

/** A header or trailer and where it stands in its file, bytes. */
export interface LsmtFields {
  readonly bytes: Uint8Array;
  readonly base: number;
  readonly name: string;
}

const MAX_VIRTUAL_SIZE = 1n << 59n;
/** Flag bits with a meaning: 0, 1, 2 and 4. */
const KNOWN_FLAGS = Object.values(LSMT_FLAG).reduce((mask, bit) => mask | 1n << BigInt(bit), 0n);

/** Whether the file starts with LSMT's magic values. */
export function looksLikeLsmt(source: ByteSource): boolean {
  return source.size >= LSMT_SPACE && hasMagic(headerOf(source));
}

/** Whether the file starts as a sparse writable layer does: with flag bit 4. */
export function looksSparse(source: ByteSource): boolean {
  return looksLikeLsmt(source) && hasLsmtFlag(headerOf(source), 'sparse');
}

/** The header of a file that is long enough to have one. */
export function headerOf(source: ByteSource, name = 'header'): LsmtFields {
  return { bytes: source.read(0, LSMT_SPACE), base: 0, name };
}

export function hasMagic({ bytes }: LsmtFields): boolean {
  return sameBytes(getBytes(bytes, LSMT_HEADER, 'magic0'), LSMT_MAGIC0) && sameBytes(getBytes(bytes, LSMT_HEADER, 'magic1'), LSMT_MAGIC1);
}

export function hasLsmtFlag({ bytes }: LsmtFields, flag: keyof typeof LSMT_FLAG): boolean {
  return hasFlag(getInteger(bytes, LSMT_HEADER, 'flags'), LSMT_FLAG[flag]);
}

/** LS-HDR-05. */
export function checkSizeField({ bytes, base }: LsmtFields, lenient: Leniency): void {
  const size = getInteger(bytes, LSMT_HEADER, 'size');
  if (size !== 390n) violate(lenient, 'LS-HDR-05', base + 24, `the size field is ${size}, not 390`);
}

/** LS-FLG-01, LS-VER-01 and LS-RSV-01, each for all of the file's headers and trailers before the next. */
export function checkRest(all: readonly LsmtFields[], lenient: Leniency): void {
  for (const f of all) touchReservedFlags(f, lenient);
  for (const f of all) checkVersion(f, lenient);
  for (const f of all) touchReserved(f, lenient);
}

function touchReservedFlags({ bytes, base, name }: LsmtFields, lenient: Leniency): void {
  const flags = getInteger(bytes, LSMT_HEADER, 'flags');
  if (flags & ~KNOWN_FLAGS) mayRefuse(lenient, 'LS-FLG-01', base + 28, `the flags of the ${name} are 0x${flags.toString(16)}: other bits than 0, 1, 2 and 4 are set`);
}

function checkVersion({ bytes, base }: LsmtFields, lenient: Leniency): void {
  for (const field of ['version', 'sub_version'] as const) {
    const value = getInteger(bytes, LSMT_HEADER, field);
    if (value !== 1n) violate(lenient, 'LS-VER-01', base + fieldOf(LSMT_HEADER, field).offset, `${field} is ${value}, not 1`);
  }
}

/** For each field that has no meaning: the first byte that a reader may take offence at, or −1. */
const UNUSUAL: readonly (readonly [LsmtField, string, (bytes: Uint8Array) => number])[] = [
  ['uuid', 'the UUID is none', unusualUuid],
  ['parent_uuid', 'the parent’s UUID is none', unusualUuid],
  ['reserved0', 'a reserved byte is not 0', firstNonZero],
  ['user_tag', 'the user tag is no text with NULs behind it', unusualText],
  ['reserved1', 'a reserved byte is not 0', firstNonZero],
];

/** A loop, since a header has thousands of such bytes. */
function firstNonZero(bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return i;
  return -1;
}

function unusualUuid(bytes: Uint8Array): number {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\0$/i.test(Buffer.from(bytes).toString('latin1')) ? -1 : 0;
}

function unusualText(bytes: Uint8Array): number {
  const length = bytes.indexOf(0);
  if (length < 0) return isText(bytes) ? -1 : 0;
  if (!isText(bytes.subarray(0, length))) return 0;
  const stray = firstNonZero(bytes.subarray(length));
  return stray < 0 ? -1 : length + stray;
}

function isText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function touchReserved({ bytes, base, name }: LsmtFields, lenient: Leniency): void {
  for (const [field, what, firstUnusual] of UNUSUAL) {
    const at = firstUnusual(getBytes(bytes, LSMT_HEADER, field));
    if (at >= 0) mayRefuse(lenient, 'LS-RSV-01', base + fieldOf(LSMT_HEADER, field).offset + at, `${what} (${name})`);
  }
}

/** The virtual size in bytes, LS-SIZE-01. */
export function checkedVirtualSize({ bytes, base }: LsmtFields, lenient: Leniency): number {
  const size = getInteger(bytes, LSMT_HEADER, 'virtual_size');
  if (size > MAX_VIRTUAL_SIZE) violate(lenient, 'LS-SIZE-01', base + 48, `virtual_size is ${size}, more than 2^59`);
  else if (size % BigInt(SECTOR) !== 0n) violate(lenient, 'LS-SIZE-01', base + 48, `virtual_size is ${size}, no multiple of ${SECTOR}`);
  return Number(size);
}
