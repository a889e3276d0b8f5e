// SPDX-License-Identifier: MIT
/** A wrong device-mapper table: what it makes of the image, or the clause by which it is refused. Units are bytes. */
import { SECTOR } from '../spec/index.ts';
import { isWrongCount, type Case, type Layer, type TableFault } from '../model/index.ts';
import { checkRange, type ByteSource } from './source.ts';
import { inLayer, Violation } from './violation.ts';

const PAGE = 4096;
/** Bytes of garbage that may follow an image on its device (model/case.ts, Slack). */
const GARBAGE = 4 * PAGE;
/** No device is larger: sector numbers have 55 bits and a sign. */
const MAX_BYTES = 1n << 63n;

/**
 * What the table says that the layer's image has, in bytes; null where the
 * table is right about the sizes. Throws Violation (DM-TBL-05 to DM-TBL-10)
 * for a table that must be refused whatever the images hold.
 */
export function tableBytes(c: Case): { readonly layer: number; readonly bytes: number } | null {
  const { table } = c.access;
  if (!table || table.kind === 'length') return null;
  const layer = 'layer' in table ? table.layer : 0;
  return inLayer(layer, () => ({ layer, bytes: fitting(argumentOf(c, table), deviceBytes(c, table, c.layers[layer]!)) }));
}

/** Faults of a table in what it says of a layer, or in how much it says. */
type ArgumentFault = Exclude<TableFault, { kind: 'length' }>;

function argumentOf(c: Case, table: ArgumentFault): bigint {
  switch (table.kind) {
    case 'count':
      return refuseCount(c, table.delta);
    case 'device':
      throw new Violation('DM-TBL-07', 0, 'the table names a device that is not there');
    case 'text':
      if (!/^[0-9]{1,30}$/.test(table.text)) throw new Violation('DM-TBL-06', 0, `"${table.text.slice(0, 40)}" is no number of bytes`);
      return BigInt(table.text);
    case 'busy':
      throw new Violation('DM-TBL-10', 0, 'somebody else holds the device');
    case 'short':
      return BigInt(rightBytes(c, c.layers[table.layer]!));
    case 'bytes':
      return BigInt(rightBytes(c, c.layers[table.layer]!) + table.delta);
  }
}

function refuseCount(c: Case, delta: number): never {
  const right = 2 * c.layers.length;
  if (!isWrongCount(c.device, c.layers.length, delta)) throw new Error(`${delta} arguments more make no wrong table`);
  throw new Violation('DM-TBL-05', 0, `the table has ${Math.max(0, right + delta)} arguments, not ${right}`);
}

function fitting(bytes: bigint, device: number): number {
  if (bytes <= 0n || bytes >= MAX_BYTES) throw new Violation('DM-TBL-06', 0, `an image cannot have ${bytes} bytes`);
  if (bytes > BigInt(device)) throw new Violation('DM-TBL-08', 0, `the table says ${bytes} bytes, the device has ${device}`);
  return Number(bytes);
}

/** Sectors by which the device is longer than its content; what it is short of is negative. */
export function tableExtra(c: Case): number {
  return c.access.table?.kind === 'length' ? c.access.table.sectors : 0;
}

/** Whether the table's argument is about a device over the layer's ZFile rather than over its file. */
export function overZFile(c: Case, layer: Layer): boolean {
  return c.device === 'lsmt' && layer.wrapping.includes('zfile');
}

function rightBytes(c: Case, layer: Layer): number {
  return overZFile(c, layer) ? layer.exposedBytes ?? 0 : layer.bytes.length;
}

/** Bytes of the device that the argument is about. */
function deviceBytes(c: Case, table: ArgumentFault, layer: Layer): number {
  const bytes = rightBytes(c, layer);
  if (table.kind === 'short') return (Math.ceil(bytes / SECTOR) - table.sectors) * SECTOR;
  if (overZFile(c, layer)) return bytes - (bytes % SECTOR);
  const sectors = Math.max(1, Math.ceil(bytes / SECTOR)) * SECTOR;
  if (c.access.slack === 'exact') return sectors;
  return Math.ceil(sectors / PAGE) * PAGE + (c.access.slack === 'garbage' ? GARBAGE : 0);
}

/**
 * The first `size` bytes of a device that begins with `source`. What follows
 * the source there is given as zeros: garbage is not zeros, but neither of
 * them is a trailer.
 */
export function resizedSource(source: ByteSource, size: number): ByteSource {
  return {
    size,
    read(offset, length) {
      checkRange(size, offset, length);
      if (offset + length <= source.size) return source.read(offset, length);
      const out = new Uint8Array(length);
      if (offset < source.size) out.set(source.read(offset, source.size - offset));
      return out;
    },
  };
}
