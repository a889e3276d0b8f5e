// SPDX-License-Identifier: MIT
/** Puts a layer into a tar: one ustar member, with or without a pax header before it, and what may follow. */
import { randomBytes } from './content.ts';
import type { LayerRecipe } from './recipe.ts';

/** Bytes of a tar's blocks. */
export const TAR_BLOCK = 512;

/** A tar of ours. Positions and lengths are bytes. */
export interface WrittenTar {
  readonly bytes: Uint8Array;
  /** Where the ustar header of the layer stands: 0, or behind a pax header and its records. */
  readonly header: number;
  /** Bytes of the pax records; 0 without a pax header. */
  readonly records: number;
  /** Bytes of the layer in it. */
  readonly size: number;
}

/** The bytes of a tar around the content, with or without a pax header. */
export function writeTar(content: Uint8Array, pax: boolean): Uint8Array {
  return tarAround(content, pax ? 'pax' : 'ustar').bytes;
}

/**
 * The member, padded to whole blocks, with `tail` behind it: two empty blocks, another member and these, or noise.
 * With a pax header, its size stands in that only.
 */
export function tarAround(content: Uint8Array, kind: Exclude<LayerRecipe['tar'], 'no'>, tail: LayerRecipe['tarTail'] = 'end'): WrittenTar {
  const parts: Uint8Array[] = [];
  const records = kind === 'ustar' ? new Uint8Array(0) : paxRecords(content.length, kind === 'pax-long' ? 600 : 0);
  if (kind !== 'ustar') parts.push(ustar('overlaybd.pax', records.length, 'x'), padded(records));
  const header = parts.reduce((n, p) => n + p.length, 0);
  parts.push(ustar('overlaybd.commit', kind === 'ustar' ? content.length : 0, '0'), padded(content));
  if (tail === 'member') parts.push(ustar('another', 700, '0'), padded(randomBytes(content.length, 700)));
  parts.push(tail === 'noise' ? randomBytes(content.length, 1500) : new Uint8Array(2 * TAR_BLOCK));
  return { bytes: new Uint8Array(Buffer.concat(parts)), header, records: records.length, size: content.length };
}

/** The size, after a comment of so many characters where that is not 0. */
function paxRecords(size: number, comment: number): Uint8Array {
  const before = comment > 0 ? paxRecord('comment', 'x'.repeat(comment)) : '';
  return Buffer.from(before + paxRecord('size', String(size)), 'latin1');
}

/** A pax record counts its own length digits. */
function paxRecord(name: string, value: string): string {
  const body = ` ${name}=${value}\n`;
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length++;
  return `${length}${body}`;
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
