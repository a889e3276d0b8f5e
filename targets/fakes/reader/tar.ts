// SPDX-License-Identifier: MIT
/** The layer in a tar: the content of its first member. */
import type { Has } from './defects.ts';
import { part, Refused, type Bytes } from './source.ts';

const BLOCK = 512;
/** Fields of a ustar header: where they start, how many bytes they have (POSIX, pax interchange format). */
const SIZE = [124, 12] as const;
const CHECKSUM = [148, 8] as const;
const TYPE = 156;
const MAGIC = [257, 5] as const;
const VERSION = [263, 2] as const;
/** Bytes of pax records that are looked at. */
const MAX_RECORDS = 65536;

/** What the tar holds. Throws Refused. */
export function untar(file: Bytes, has: Has): Bytes {
  const header = headerAt(file, 0, has);
  if (header[TYPE] !== 0x78 || has('tar-pax-not-skipped')) return member(file, BLOCK, number(header, SIZE), has);
  const length = number(header, SIZE);
  if (length > MAX_RECORDS) throw new Refused('TR-TAR-02', 'a pax header of that length');
  const next = BLOCK + (has('tar-pax-512') ? BLOCK : Math.ceil(length / BLOCK) * BLOCK);
  if (next + BLOCK > file.size || BLOCK + length > file.size) throw new Refused('TR-TAR-01', 'the file ends in its pax header');
  const own = number(headerAt(file, next, has), SIZE);
  const said = sizeRecord(latin1(file.read(BLOCK, length)));
  return member(file, next + BLOCK, said === null || (said !== own && has('tar-ustar-size')) ? own : said, has);
}

function member(file: Bytes, start: number, size: number, has: Has): Bytes {
  if (start + size > file.size) throw new Refused('TR-TAR-02', 'the member ends behind the file');
  if (start + size < file.size && has('tar-to-the-end')) return part(file, start, file.size - start);
  return part(file, start, size);
}

function headerAt(file: Bytes, at: number, has: Has): Uint8Array {
  if (file.size < at + BLOCK) throw new Refused('TR-TAR-01', 'no room for a ustar header');
  const header = file.read(at, BLOCK);
  if (text(header, MAGIC) !== 'ustar') throw new Refused('TR-TAR-01', 'no ustar header');
  if (text(header, VERSION) !== '00' && !has('tar-version-ignored')) throw new Refused('TR-TAR-03', 'another version of ustar');
  const sum = header.reduce((n, b, i) => n + (i >= CHECKSUM[0] && i < CHECKSUM[0] + CHECKSUM[1] ? 0x20 : b), 0);
  if (number(header, CHECKSUM) !== sum && !has('tar-checksum-ignored')) throw new Refused('TR-TAR-03', 'a ustar checksum that is wrong');
  return header;
}

/** The last `size` record; null where there is none. A record is its own length in digits, a space, key=value and a line feed. */
function sizeRecord(records: string): number | null {
  let size: number | null = null;
  for (let at = 0; at < records.length;) {
    const space = records.indexOf(' ', at);
    const digits = records.slice(at, space < 0 ? at : space);
    const length = Number(digits);
    if (!/^[0-9]{1,8}$/.test(digits)) return size;
    if (length <= digits.length + 1 || at + length > records.length) throw new Refused('TR-TAR-02', 'a pax record of that length');
    const record = records.slice(space + 1, at + length - 1);
    if (record.startsWith('size=')) {
      if (!/^size=[0-9]{1,15}$/.test(record)) throw new Refused('TR-TAR-02', 'a pax size that is no number');
      size = Number(record.slice(5));
    }
    at += length;
  }
  return size;
}

type Field = readonly [at: number, bytes: number];

function text(header: Uint8Array, [at, bytes]: Field): string {
  return latin1(header.subarray(at, at + bytes));
}

function number(header: Uint8Array, field: Field): number {
  const digits = text(header, field).replace(/[ \0]+$/, '').replace(/^ +/, '');
  if (!/^[0-7]*$/.test(digits)) throw new Refused('TR-TAR-02', 'a field that is no octal number');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
