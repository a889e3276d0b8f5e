// SPDX-License-Identifier: MIT
/** A layer inside a tar: one ustar member, with or without a pax header before it. */
import { windowSource, type ByteSource } from './source.ts';
import { STRICT, violate, Violation, type Leniency } from './violation.ts';

const BLOCK = 512;
/** Bytes of the longest pax header that is read; a size record is near its start. */
const PAX_DATA_LIMIT = 64 * 1024;
/** Fields of a ustar header: offset and length, bytes (POSIX.1-1988). */
const SIZE = [124, 12] as const;
const CHECKSUM = [148, 8] as const;
const TYPE = 156;
const MAGIC = [257, 5] as const;
const VERSION = [263, 2] as const;

/** The member's bytes. */
export interface TarMember extends ByteSource {
  /** Where they start in the tar, bytes. */
  readonly start: number;
}

/** Whether the file starts with a ustar header. */
export function looksLikeTar(source: ByteSource): boolean {
  return source.size >= BLOCK && hasMagic(source.read(0, BLOCK));
}

function hasMagic(header: Uint8Array): boolean {
  return text(header, MAGIC) === 'ustar';
}

/** The member's bytes. Throws Violation TR-TAR-01, TR-TAR-03 or TR-TAR-02. */
export function unwrapTar(source: ByteSource, lenient: Leniency = STRICT): TarMember {
  if (!looksLikeTar(source)) throw new Violation('TR-TAR-01', 0, 'the file does not start with a ustar header');
  let header = source.read(0, BLOCK);
  checkHeader(header, 0, lenient);
  let at = BLOCK;
  let paxSize: number | null = null;
  if (header[TYPE] === 'x'.charCodeAt(0)) {
    const length = octal(header, 0);
    if (length > PAX_DATA_LIMIT) throw new Violation('TR-TAR-02', SIZE[0], `the pax header claims ${length} bytes, more than ${PAX_DATA_LIMIT}`);
    const next = at + Math.ceil(length / BLOCK) * BLOCK;
    if (next + BLOCK > source.size) throw new Violation('TR-TAR-01', at, `the file ends at byte ${source.size}, inside the pax header or the ustar header after it`);
    paxSize = paxSizeRecord(source.read(at, length), at);
    header = source.read(next, BLOCK);
    if (!hasMagic(header)) throw new Violation('TR-TAR-01', next, 'no ustar header follows the pax header');
    checkHeader(header, next, lenient);
    at = next + BLOCK;
  }
  const size = paxSize ?? octal(header, at - BLOCK);
  const left = source.size - at;
  if (size > left) lenient.found(new Violation('TR-TAR-02', at - BLOCK + SIZE[0], `the member claims ${size} bytes, ${left} are there`));
  return { start: at, ...windowSource(source, at, Math.min(size, left)) };
}

function checkHeader(header: Uint8Array, base: number, lenient: Leniency): void {
  const version = text(header, VERSION);
  if (version !== '00') violate(lenient, 'TR-TAR-03', base + VERSION[0], `the version is ${JSON.stringify(version)}, not "00"`);
  const stored = text(header, CHECKSUM).replaceAll('\0', ' ').trim();
  const computed = checksum(header);
  if (!/^[0-7]+$/.test(stored) || Number.parseInt(stored, 8) !== computed) {
    violate(lenient, 'TR-TAR-03', base + CHECKSUM[0], `the checksum is ${JSON.stringify(stored)}, the header gives ${computed.toString(8)} (octal)`);
  }
}

/** The sum of the header's bytes, its checksum field taken as spaces. */
function checksum(header: Uint8Array): number {
  const [from, length] = CHECKSUM;
  return header.reduce((sum, byte, i) => sum + (i >= from && i < from + length ? 0x20 : byte), 0);
}

/** The number in a `LEN size=N\n` record; null where there is none. */
function paxSizeRecord(data: Uint8Array, at: number): number | null {
  const records = text(data, [0, data.length]);
  for (let pos = 0; pos < records.length;) {
    const match = /^(\d{1,8}) ([^=]+)=/.exec(records.slice(pos, pos + 300));
    if (!match) return null;
    const length = Number(match[1]);
    if (length <= match[0].length || pos + length > records.length) {
      throw new Violation('TR-TAR-02', at + pos, `a pax record claims ${length} bytes`);
    }
    if (match[2] === 'size') {
      const value = records.slice(pos + match[0].length, pos + length - 1);
      if (!/^\d{1,15}$/.test(value)) throw new Violation('TR-TAR-02', at + pos, 'the pax size record holds no number');
      return Number(value);
    }
    pos += length;
  }
  return null;
}

/** The size field of the header at byte `base`. */
function octal(header: Uint8Array, base: number): number {
  const digits = text(header, SIZE).replaceAll('\0', ' ').trim();
  if (!/^[0-7]{0,11}$/.test(digits)) throw new Violation('TR-TAR-02', base + SIZE[0], 'the size field holds no octal number');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

function text(bytes: Uint8Array, [offset, length]: readonly [number, number]): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('latin1');
}
