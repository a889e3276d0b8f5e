// SPDX-License-Identifier: MIT
/** The layer inside a tar. */
import { need } from './unreadable.ts';

/** The bytes of the one member: after a ustar header, or after a pax header, its records and a ustar header. */
export function tarMember(file: Uint8Array): Uint8Array {
  const text = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const sizeField = (at: number): number => Number.parseInt(text.toString('latin1', at + 124, at + 136), 8) || 0;
  need(text.toString('latin1', 257, 262) === 'ustar', 'the file is no tar');
  if (text[156] !== 0x78) return cut(file, 512, sizeField(0));
  const records = text.toString('latin1', 512, 512 + Math.min(sizeField(0), 65536));
  const member = 512 + Math.ceil(sizeField(0) / 512) * 512;
  const size = /(?:^|\n)\d+ size=(\d{1,15})\n/.exec(records);
  return cut(file, member + 512, size ? Number(size[1]) : sizeField(member));
}

function cut(file: Uint8Array, start: number, length: number): Uint8Array {
  need(start + length <= file.length, `a tar member of ${length} bytes in a file of ${file.length}`);
  return file.subarray(start, start + length);
}
