// SPDX-License-Identifier: MIT
/** The layer inside a tar. */
import { need } from './unreadable.ts';

/** Bytes of pax records that are looked at. */
const MAX_RECORDS = 65536;

/** The bytes of the one member: after a ustar header, or after a pax header, its records and a ustar header. */
export function tarMember(file: Uint8Array): Uint8Array {
  const text = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const sizeField = (at: number): number => Number.parseInt(text.toString('latin1', at + 124, at + 136), 8) || 0;
  need(text.toString('latin1', 257, 262) === 'ustar', 'the file is no tar');
  if (text[156] !== 0x78) return cut(file, 512, sizeField(0));
  const member = 512 + Math.ceil(sizeField(0) / 512) * 512;
  return cut(file, member + 512, paxSize(text.toString('latin1', 512, 512 + Math.min(sizeField(0), MAX_RECORDS))) ?? sizeField(member));
}

/** The value of the size record among `LENGTH KEY=VALUE\n` records; null where there is none. */
function paxSize(records: string): number | null {
  for (let rest = records; rest !== '';) {
    const length = Number.parseInt(rest, 10);
    if (!(length > 0)) return null;
    const [, size] = / size=(\d{1,15})\n$/.exec(rest.slice(0, length)) ?? [];
    if (size !== undefined && rest.startsWith(`${length} size=`)) return Number(size);
    rest = rest.slice(length);
  }
  return null;
}

function cut(file: Uint8Array, start: number, length: number): Uint8Array {
  need(start + length <= file.length, `a tar member of ${length} bytes in a file of ${file.length}`);
  return file.subarray(start, start + length);
}
