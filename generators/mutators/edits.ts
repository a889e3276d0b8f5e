// SPDX-License-Identifier: MIT
/** Damage that needs no knowledge of the format beyond where its parts lie. */
import { SECTOR } from '../../spec/index.ts';
import type { Damage } from './damage.ts';
import { pick } from './mutator.ts';

/** Cuts the file at one of its borders, or a byte or a sector off one. */
export function cutAt(bytes: Uint8Array, borders: readonly number[], a: number, b: number): Damage | null {
  if (bytes.length === 0) return null;
  const cut = pick(borders, a) + pick([0, -1, 1, -SECTOR, SECTOR, -4, 4], b);
  return { edits: [], length: Math.max(0, Math.min(cut, bytes.length - 1)) };
}

/** Puts zeros behind the end, so that what stands there is no longer where it is looked for. */
export function growBy(bytes: Uint8Array, a: number): Damage {
  return { edits: [], length: bytes.length + pick([1, 4, SECTOR - 1, SECTOR, 4096], a) };
}

/** Changes one byte of [from, to): a flipped bit or a telling value. */
export function changeByte(bytes: Uint8Array, from: number, to: number, a: number, b: number): Damage | null {
  if (to <= from || from >= bytes.length) return null;
  const at = from + (a % (Math.min(to, bytes.length) - from));
  const old = bytes[at]!;
  const values = [old ^ 1, old ^ 0x80, old ^ 0xff, 0, 0xff, (old + 1) & 0xff, old ^ (1 << (b % 8))].filter((v) => v !== old);
  return { edits: [{ at, bytes: Uint8Array.of(pick(values, b)) }] };
}
