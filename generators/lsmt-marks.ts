// SPDX-License-Identifier: MIT
/** What headers and trailers may say without meaning anything (LS-RSV-01, LS-FLG-01, LS-HDR-07). */
import { getBytes, getInteger, LSMT_HEADER, setBytes, setInteger } from '../spec/index.ts';
import { randomBytes } from './content.ts';
import type { MarksRecipe } from './recipe.ts';

/** A plain writer's: nothing. */
export const NO_MARKS: MarksRecipe = { identity: 0, flags: 0, header: 0, tags: 0, zeroed: 0 };

/** Flag bits that mean nothing. */
const FREE_FLAGS = [3, 5, 6, 7, 8, 15, 16, 31] as const;

/** Puts UUIDs, a user tag, reserved bytes and free flag bits into a header or trailer. */
export function mark(header: Uint8Array, { identity, flags }: MarksRecipe): void {
  if (identity !== 0) {
    setBytes(header, LSMT_HEADER, 'uuid', uuid(identity));
    setBytes(header, LSMT_HEADER, 'parent_uuid', uuid(identity + 1));
    setBytes(header, LSMT_HEADER, 'user_tag', Buffer.from(`message ${identity}`, 'latin1'));
    if (identity % 3 === 0) for (const name of ['reserved0', 'reserved1', 'user_tag'] as const) fillNoise(getBytes(header, LSMT_HEADER, name), identity);
  }
  FREE_FLAGS.forEach((bit, i) => {
    if ((flags >>> i) & 1) setInteger(header, LSMT_HEADER, 'flags', getInteger(header, LSMT_HEADER, 'flags') | (1n << BigInt(bit)));
  });
}

/** Gives the header of a layer with a trailer an index and a size that are not the layer's. */
export function markSizes(header: Uint8Array, { header: seed }: MarksRecipe): void {
  if (seed === 0) return;
  const values = [0n, 1n, 4096n, 1n << 31n, (1n << 64n) - 1n];
  (['index_offset', 'index_size', 'virtual_size'] as const).forEach((name, i) => {
    const choice = Math.floor(seed / 6 ** i) % 6;
    if (choice > 0) setInteger(header, LSMT_HEADER, name, values[choice - 1]!);
  });
}

/** The tag of entry `i` in a layer where tags mean nothing. */
export function markedTag({ tags }: MarksRecipe, i: number): number {
  return tags === 0 ? 0 : (tags * (i + 1)) & 0xff;
}

function uuid(seed: number): Uint8Array {
  const hex = Buffer.from(randomBytes(seed, 16)).toString('hex').toUpperCase();
  return Buffer.from([hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-'), 'latin1');
}

function fillNoise(into: Uint8Array, seed: number): void {
  into.set(randomBytes(seed, into.length));
}
