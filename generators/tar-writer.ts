// SPDX-License-Identifier: MIT
/** Puts a layer into a tar: one ustar member, with or without a pax header before it, and what may follow. */
import { randomBytes } from './content.ts';
import type { LayerRecipe } from './recipe.ts';

/** Bytes of a tar's blocks. */
export const TAR_BLOCK = 512;

/**
 * The member, padded to whole blocks, with `tail` behind it: two empty blocks, another member and these, or noise.
 * With `pax`, its size stands in the pax header only.
 */
export function writeTar(content: Uint8Array, pax: boolean, tail: LayerRecipe['tarTail'] = 'end'): Uint8Array {
  const parts: Uint8Array[] = [];
  if (pax) {
    const record = sizeRecord(content.length);
    parts.push(ustar('overlaybd.pax', record.length, 'x'), padded(record));
  }
  parts.push(ustar('overlaybd.commit', pax ? 0 : content.length, '0'), padded(content));
  if (tail === 'member') parts.push(ustar('another', 700, '0'), padded(randomBytes(content.length, 700)));
  parts.push(tail === 'noise' ? randomBytes(content.length, 1500) : new Uint8Array(2 * TAR_BLOCK));
  return new Uint8Array(Buffer.concat(parts));
}

/** A pax record counts its own length digits. */
function sizeRecord(size: number): Uint8Array {
  const body = ` size=${size}\n`;
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length++;
  return Buffer.from(`${length}${body}`, 'latin1');
}

function ustar(name: string, size: number, type: string): Uint8Array {
  const h = Buffer.alloc(TAR_BLOCK);
  h.write(name, 0, 'latin1');
  h.write('0000644\0' + '0000000\0' + '0000000\0', 100, 'latin1');
  h.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  h.write(`${'0'.repeat(11)}\0`, 136, 'latin1');
  h.write(type, 156, 'latin1');
  h.write('ustar\u000000', 257, 'latin1');
  sealTar(h);
  return h;
}

/** Makes the checksum of a ustar header right. */
export function sealTar(header: Uint8Array): void {
  const h = Buffer.from(header.buffer, header.byteOffset, TAR_BLOCK);
  h.write(' '.repeat(8), 148, 'latin1');
  const sum = h.reduce((n, b) => n + b, 0);
  h.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

function padded(content: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(content.length / TAR_BLOCK) * TAR_BLOCK);
  out.set(content);
  return out;
}
