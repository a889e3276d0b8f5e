// SPDX-License-Identifier: MIT
/** Damage that needs no knowledge of the format beyond where its parts lie. */
import { SECTOR } from '../../spec/index.ts';
import { pick } from './mutator.ts';

/** Cuts the file at one of its borders, or a byte or a sector off one. */
export function truncate(bytes: Uint8Array, borders: readonly number[], a: number, b: number): Uint8Array {
  const cut = pick(borders, a) + pick([0, -1, 1, -SECTOR, SECTOR, -4, 4], b);
  return bytes.slice(0, Math.max(0, Math.min(cut, bytes.length - 1)));
}

/** Puts bytes behind the end, so that the trailer is no longer where it is looked for. */
export function append(bytes: Uint8Array, a: number): Uint8Array {
  const out = new Uint8Array(bytes.length + pick([1, 4, SECTOR - 1, SECTOR, 4096], a));
  out.set(bytes);
  return out;
}

/** Changes one byte of [from, to): a flipped bit or a telling value. */
export function damageByte(bytes: Uint8Array, from: number, to: number, a: number, b: number): Uint8Array {
  if (to <= from) return bytes;
  const out = bytes.slice();
  const at = from + (a % (to - from));
  const old = out[at]!;
  out[at] = pick([old ^ 1, old ^ 0x80, old ^ 0xff, 0, 0xff, old + 1, old ^ (1 << (b % 8))], b);
  return out;
}
