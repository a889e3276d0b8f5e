// SPDX-License-Identifier: MIT
/** From a table recipe to one wrong thing in the table of a sound case, and what that violates. Units are bytes. */
import { formOf, isWrongCount, type Case, type Slack, type TableFault } from '../model/index.ts';
import { LSMT_SPACE, SECTOR, ZFILE_SPACE } from '../spec/index.ts';
import { pick } from './mutators/mutator.ts';
import type { TableRecipe } from './recipe.ts';

const PAGE = 4096;
/** Bytes of garbage behind an image that has any (model/case.ts, Slack). */
const GARBAGE = 4 * PAGE;

const TEXTS = [
  '', '0', '-1', '-4096', '0x1000', '4096x', 'x', '1.5', '1e4', '18446744073709551615', '18446744073709551616', '9223372036854775808',
  '99999999999999999999999999', '4294967296', '9007199254740993',
] as const;

/** Arguments too many: as those of hundreds of layers and one word, and those of thousand. */
const MANY = [511, 512, 1999, 2000] as const;

/** Whether a table over the case's layers is something that a kernel is given. */
export function hasTable(c: Pick<Case, 'layers'>): boolean {
  return c.layers.every((l) => formOf(l) === null && !l.wrapping.includes('tar'));
}

/** The fault in the table of the case, and the clauses that it violates; null where the case has no table. `size`: bytes of the device’s content. */
export function tableFault(r: TableRecipe, c: Pick<Case, 'device' | 'layers'>, slack: Slack, size: number): { fault: TableFault; violates: string[] } | null {
  if (!hasTable(c)) return null;
  const layer = r.layer % c.layers.length;
  switch (r.kind) {
    case 'device': return { fault: { kind: 'device', layer }, violates: ['DM-TBL-07'] };
    case 'busy': return { fault: { kind: 'busy', layer }, violates: ['DM-TBL-10'] };
    case 'short': {
      const sectors = Math.ceil(imageBytes(c, layer) / SECTOR);
      if (sectors < 2) return { fault: { kind: 'busy', layer }, violates: ['DM-TBL-10'] };
      return { fault: { kind: 'short', layer, sectors: 1 + Math.min(sectors - 2, pick([0, 0, 6, 7, 8, r.a % (sectors - 1)], r.a >>> 4)) }, violates: ['DM-TBL-08'] };
    }
    case 'length': {
      const has = Math.floor(size / SECTOR);
      const longer = [1, 7, 8, 129, 2 ** 21];
      const shorter = [1, 2, 7, 8, has >>> 1, has - 1].filter((n) => n > 0 && n < has).map((n) => -n);
      return { fault: { kind: 'length', sectors: pick([...longer, ...shorter], r.a) }, violates: [] };
    }
    case 'count': {
      const deltas = [-1, 1, -2 * c.layers.length, 3, 2, -3, pick(MANY, r.a >>> 8)].filter((d) => isWrongCount(c.device, c.layers.length, d));
      return { fault: { kind: 'count', delta: pick(deltas, r.a) }, violates: ['DM-TBL-05'] };
    }
    case 'text': {
      const right = imageBytes(c, layer);
      const text = pick([...TEXTS, `${right}x`, `${right}.0`, `${right}k`, `0x${right.toString(16)}`, `-${right}`], r.a);
      return { fault: { kind: 'text', layer, text }, violates: violatedBySize(c, layer, /^[0-9]+$/.test(text) ? BigInt(text) : 0n, slack) };
    }
    case 'bytes': {
      const right = imageBytes(c, layer);
      const device = deviceBytes(c, layer, slack);
      const deltas = [-1, 1, -SECTOR, SECTOR, -PAGE, PAGE, -right, device - right, device - right + 1, device - right + SECTOR, 2 ** 40, 1 - right, -(right >>> 1)];
      const delta = pick(deltas.filter((d) => d !== 0), r.a);
      return { fault: { kind: 'bytes', layer, delta }, violates: violatedBySize(c, layer, BigInt(right + delta), slack) };
    }
  }
}

/** What a reader meets first where the image is said to have `bytes` bytes, which it has not. */
function violatedBySize(c: Pick<Case, 'device' | 'layers'>, layer: number, bytes: bigint, slack: Slack): string[] {
  if (bytes <= 0n || bytes >= 1n << 63n) return ['DM-TBL-06'];
  if (bytes > BigInt(deviceBytes(c, layer, slack))) return ['DM-TBL-08'];
  const size = Number(bytes);
  // Of a layer in a ZFile it is the decoded file that ends elsewhere.
  if (c.device === 'lsmt') return [size < 2 * LSMT_SPACE ? 'LS-HDR-01' : 'LS-TRL-01'];
  if (size < ZFILE_SPACE) return ['ZF-HDR-01'];
  const headerMode = (c.layers[0]!.bytes[32]! & 8) !== 0;
  if (!headerMode) return ['ZF-TRL-01'];
  return size < c.layers[0]!.bytes.length - ZFILE_SPACE ? ['ZF-IDX-02'] : [];
}

function overZFile(c: Pick<Case, 'device' | 'layers'>, layer: number): boolean {
  return c.device === 'lsmt' && c.layers[layer]!.wrapping.includes('zfile');
}

/** What a right table says that the layer has. */
function imageBytes(c: Pick<Case, 'device' | 'layers'>, layer: number): number {
  const l = c.layers[layer]!;
  return overZFile(c, layer) ? l.exposedBytes ?? 0 : l.bytes.length;
}

/** What the device under the layer has. */
function deviceBytes(c: Pick<Case, 'device' | 'layers'>, layer: number, slack: Slack): number {
  const bytes = imageBytes(c, layer);
  if (overZFile(c, layer)) return bytes - (bytes % SECTOR);
  const sectors = Math.max(1, Math.ceil(bytes / SECTOR)) * SECTOR;
  if (slack === 'exact') return sectors;
  return Math.ceil(sectors / PAGE) * PAGE + (slack === 'garbage' ? GARBAGE : 0);
}
