// SPDX-License-Identifier: MIT
/** A layer inside a tar: one ustar member, with or without a pax header before it. */
import { windowSource, type ByteSource } from './source.ts';
import { Violation } from './violation.ts';

const BLOCK = 512;
const PAX_DATA_LIMIT = 64 * 1024;

/** Whether the file starts with a ustar header. */
export function looksLikeTar(source: ByteSource): boolean {
  return source.size >= BLOCK && ascii(source.read(257, 5)) === 'ustar';
}

/** The member's bytes. Throws Violation TR-TAR-01 or TR-TAR-02. */
export function unwrapTar(source: ByteSource): ByteSource {
  if (!looksLikeTar(source)) throw new Violation('TR-TAR-01', 0, 'the file does not start with a ustar header');
  let header = source.read(0, BLOCK);
  let at = BLOCK;
  let paxSize: number | null = null;
  if (header[156] === 'x'.charCodeAt(0)) {
    const length = octal(header, 124, 12, 0);
    if (length > PAX_DATA_LIMIT) throw new Violation('TR-TAR-02', 124, `the pax header claims ${length} bytes`);
    const padded = Math.ceil(length / BLOCK) * BLOCK;
    if (at + padded + BLOCK > source.size) throw new Violation('TR-TAR-01', at, 'the file ends inside the pax header');
    paxSize = paxSizeRecord(source.read(at, length), at);
    const next = at + padded;
    header = source.read(next, BLOCK);
    if (ascii(header.subarray(257, 262)) !== 'ustar') throw new Violation('TR-TAR-01', next, 'no ustar header follows the pax header');
    at = next + BLOCK;
  }
  const size = paxSize ?? octal(header, 124, 12, at - BLOCK);
  if (at + size > source.size) throw new Violation('TR-TAR-02', at - BLOCK + 124, `the member claims ${size} bytes, ${source.size - at} are there`);
  return windowSource(source, at, size);
}

/** The number in a `LEN size=N\n` record; null where there is none. */
function paxSizeRecord(data: Uint8Array, at: number): number | null {
  const text = ascii(data);
  for (let pos = 0; pos < text.length;) {
    const match = /^(\d{1,8}) ([^=]+)=/.exec(text.slice(pos, pos + 300));
    if (!match) return null;
    const length = Number(match[1]);
    if (length <= match[0].length || pos + length > text.length) {
      throw new Violation('TR-TAR-02', at + pos, `a pax record claims ${length} bytes`);
    }
    if (match[2] === 'size') {
      const value = text.slice(pos + match[0].length, pos + length - 1);
      if (!/^\d{1,15}$/.test(value)) throw new Violation('TR-TAR-02', at + pos, 'the pax size record holds no number');
      return Number(value);
    }
    pos += length;
  }
  return null;
}

function octal(header: Uint8Array, offset: number, length: number, base: number): number {
  const text = ascii(header.subarray(offset, offset + length)).replaceAll('\0', ' ').trim();
  if (!/^[0-7]{0,11}$/.test(text)) throw new Violation('TR-TAR-02', base + offset, 'the size field holds no octal number');
  return text === '' ? 0 : Number.parseInt(text, 8);
}

function ascii(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
