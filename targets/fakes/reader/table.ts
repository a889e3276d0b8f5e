// SPDX-License-Identifier: MIT
/** What the arguments of a table say of the images (spec/clauses/device.ts); bytes. */
import { SECTOR } from '../../../spec/index.ts';
import type { Case, Layer, Slack } from '../../../model/index.ts';
import type { Has } from './defects.ts';
import { bytesOf, Refused, resized, type Bytes } from './source.ts';

const PAGE = 4096;
const GARBAGE = 4 * PAGE;
const GARBAGE_BYTE = 0xdb;

/** Which read the reader is at; -1: it opens the device. */
export interface Clock {
  read: number;
}

/** Throws Refused for a table that is wrong whatever the images hold. */
export function checkTable({ device, layers, access: { table, shared, attempts } }: Case, has: Has): void {
  if (table?.kind === 'count' && !has(table.delta > 0 ? 'table-more-arguments' : 'table-fewer-arguments')) throw new Refused('DM-TBL-05', 'another number of arguments');
  if (table?.kind === 'busy' && !has('table-busy-device')) throw new Refused('DM-TBL-10', 'somebody else holds the device');
  if (table?.kind === 'length' && has('table-length-must-fit')) throw new Refused('DM-TBL-11', 'the table has another length than the image');
  if (shared && has('device-taken-once')) throw new Refused('DM-TBL-12', 'the device is taken');
  if (device === 'zfile' && layers[0]!.wrapping.length > 1 && has('zfile-on-zfile-refused')) throw new Refused('DM-TBL-13', 'the device is one of ours');
  if (attempts?.writable && has('table-writable-refused')) throw new Refused('DM-WR-02', 'the table is loaded for writing');
  if (table?.kind === 'device' && !has('table-no-device')) throw new Refused('DM-TBL-07', 'no such device');
}

/** The file of a layer, as long as its table says where the table is about the file. */
export function fileOf(c: Case, layer: number, has: Has, clock: Clock): Bytes {
  return failing(fileAsSaid(c, layer, has), c, layer, has, clock);
}

/** The file on a device that fails, or is slow, as the case says. */
function failing(file: Bytes, { access: { fault } }: Case, layer: number, has: Has, clock: Clock): Bytes {
  if (fault?.layer !== layer) return file;
  return {
    size: file.size,
    read(at, length) {
      const there = clock.read >= fault.since && clock.read < (fault.until ?? Infinity);
      if (!there || at >= fault.to || at + length <= fault.from) return file.read(at, length);
      if (fault.kind === 'delay') {
        if (has('fault-late-is-error')) throw new Refused('DM-FLT-02', 'no answer in time');
        return file.read(at, length);
      }
      if (!has('fault-gives-zeros')) throw new Refused('DM-FLT-01', 'the device under the image fails');
      const bytes = Uint8Array.from(file.read(at, length));
      return bytes.fill(0, Math.max(0, fault.from - at), Math.min(length, fault.to - at));
    },
  };
}

function fileAsSaid(c: Case, layer: number, has: Has): Bytes {
  const { bytes } = c.layers[layer]!;
  const sectors = Math.max(1, Math.ceil(bytes.length / SECTOR)) * SECTOR;
  if (c.access.slack === 'exact' && sectors % PAGE !== 0 && has('device-whole-pages')) throw new Refused('DM-BACK-01', 'the device ends inside a page');
  const device = tooShort(c, layer) ?? deviceBytes(sectors, c.access.slack);
  if (device > bytes.length && has('table-bytes-ignored')) return bytesOf(padded(bytes, sectors, device));
  if (overZFile(c, c.layers[layer]!)) return bytesOf(bytes);
  const said = argument(c, layer, bytes.length, device, has);
  return said === bytes.length ? bytesOf(bytes) : resized(bytesOf(bytes), said);
}

/** The decoded layer, as long as its table says where the table is about the device over its ZFile. */
export function decodedAs(c: Case, layer: number, decoded: Bytes, has: Has): Bytes {
  const exposed = c.layers[layer]!.exposedBytes ?? 0;
  if (!overZFile(c, c.layers[layer]!) || !isNamed(c, layer)) return decoded;
  return resized(decoded, argument(c, layer, exposed, tooShort(c, layer) ?? exposed - (exposed % SECTOR), has));
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
  const said = table.kind === 'bytes' ? String(right + table.delta) : table.kind === 'text' ? table.text : String(right);
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

/** Bytes of a device that ends before its image; null where it does not. */
function tooShort(c: Case, layer: number): number | null {
  const { table } = c.access;
  if (table?.kind !== 'short' || table.layer !== layer) return null;
  const bytes = overZFile(c, c.layers[layer]!) ? c.layers[layer]!.exposedBytes ?? 0 : c.layers[layer]!.bytes.length;
  return (Math.ceil(bytes / SECTOR) - table.sectors) * SECTOR;
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
