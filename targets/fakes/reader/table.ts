// SPDX-License-Identifier: MIT
/** What the arguments of a table say of the images (spec/clauses/device.ts); bytes. */
import { SECTOR } from '../../../spec/index.ts';
import type { Case, Layer, Slack } from '../../../model/index.ts';
import type { Has } from './defects.ts';
import { bytesOf, Refused, resized, type Bytes } from './source.ts';

const PAGE = 4096;
const GARBAGE = 4 * PAGE;
const GARBAGE_BYTE = 0xdb;

/** Throws Refused for a table that is wrong whatever the images hold. */
export function checkTable({ access: { table } }: Case, has: Has): void {
  if (table?.kind === 'count' && !has(table.delta > 0 ? 'table-more-arguments' : 'table-fewer-arguments')) throw new Refused('DM-TBL-05', 'another number of arguments');
  if (table?.kind === 'device' && !has('table-no-device')) throw new Refused('DM-TBL-07', 'no such device');
}

/** The file of a layer, as long as its table says where the table is about the file. */
export function fileOf(c: Case, layer: number, has: Has): Bytes {
  const { bytes } = c.layers[layer]!;
  const sectors = Math.max(1, Math.ceil(bytes.length / SECTOR)) * SECTOR;
  if (c.access.slack === 'exact' && sectors % PAGE !== 0 && has('device-whole-pages')) throw new Refused('DM-BACK-01', 'the device ends inside a page');
  const device = deviceBytes(sectors, c.access.slack);
  if (device > bytes.length && has('table-bytes-ignored')) return bytesOf(padded(bytes, sectors, device));
  if (overZFile(c, c.layers[layer]!)) return bytesOf(bytes);
  const said = argument(c, layer, bytes.length, device, has);
  return said === bytes.length ? bytesOf(bytes) : resized(bytesOf(bytes), said);
}

/** The decoded layer, as long as its table says where the table is about the device over its ZFile. */
export function decodedAs(c: Case, layer: number, decoded: Bytes, has: Has): Bytes {
  const exposed = c.layers[layer]!.exposedBytes ?? 0;
  if (!overZFile(c, c.layers[layer]!) || !isNamed(c, layer)) return decoded;
  return resized(decoded, argument(c, layer, exposed, exposed - (exposed % SECTOR), has));
}

function overZFile(c: Case, layer: Layer): boolean {
  return c.device === 'lsmt' && layer.wrapping.includes('zfile');
}

function isNamed({ access: { table } }: Case, layer: number): boolean {
  return table !== undefined && 'layer' in table && table.layer === layer;
}

/** The bytes argument of a layer, on a device of `device` bytes. */
function argument(c: Case, layer: number, right: number, device: number, has: Has): number {
  const { table } = c.access;
  if (!table || !('layer' in table) || table.layer !== layer || table.kind === 'device') return right;
  const said = table.kind === 'bytes' ? String(right + table.delta) : table.text;
  const digits = has('table-number-prefix') ? /^[0-9]*/.exec(said)![0] : said;
  if (!/^[0-9]{1,30}$/.test(digits) && !has('table-no-number')) throw new Refused('DM-TBL-06', 'no number of bytes');
  const bytes = /^[0-9]+$/.test(digits) ? BigInt(digits) : BigInt(right);
  if (bytes === 0n && has('table-zero-bytes')) return right;
  if (bytes === 0n || bytes >= 2n ** 63n) throw new Refused('DM-TBL-06', 'no number of bytes that an image has');
  if (bytes > BigInt(device)) {
    if (!has('table-more-than-device')) throw new Refused('DM-TBL-08', 'more bytes than the device has');
    return right;
  }
  return Number(bytes);
}

function deviceBytes(sectors: number, slack: Slack): number {
  if (slack === 'exact') return sectors;
  return Math.ceil(sectors / PAGE) * PAGE + (slack === 'garbage' ? GARBAGE : 0);
}

function padded(bytes: Uint8Array, sectors: number, device: number): Uint8Array {
  const out = new Uint8Array(device).fill(GARBAGE_BYTE, Math.ceil(sectors / PAGE) * PAGE);
  out.set(bytes);
  return out;
}
