// SPDX-License-Identifier: MIT
/** From a trouble recipe to what else happens to the devices of a sound case. Units are bytes. */
import type { AccessPlan, Attempt, BackingFault, Case, Layer } from '../model/index.ts';
import { getInteger, LSMT_HEADER, LSMT_SPACE, SECTOR, ZFILE_HEADER, ZFILE_SPACE } from '../spec/index.ts';
import { pick } from './mutators/mutator.ts';
import type { TroubleRecipe } from './recipe.ts';

type Plan = Pick<AccessPlan, 'fault' | 'attempts' | 'shared'>;

/** What the recipe adds to the access plan; `reads` is the number of its reads. */
export function troubleOf(r: TroubleRecipe, { device, layers }: Pick<Case, 'device' | 'layers'>, deviceBytes: number, reads: number): Plan {
  switch (r.kind) {
    case 'fault': return { fault: faultIn(r, layers, reads, pick(['error', 'dust', 'flakey'] as const, r.c >>> 8)) };
    case 'slow': return { fault: faultIn(r, layers, reads, 'delay') };
    case 'changes': return { attempts: { writable: r.c % 2 === 1, list: attempts(r, deviceBytes) } };
    case 'again': return { shared: device === 'lsmt' ? 'device' : 'twin' };
    case 'twin': return { shared: 'twin' };
    // The rest of it is in the images.
    case 'deep': return device === 'lsmt' ? { shared: 'device' } : {};
  }
}

function faultIn(r: TroubleRecipe, layers: readonly Layer[], reads: number, kind: BackingFault['kind']): BackingFault {
  const layer = r.layer % layers.length;
  const { bytes } = layers[layer]!;
  const sectors = Math.max(1, Math.ceil(bytes.length / SECTOR));
  const last = sectors - 1;
  const from = Math.min(last, pick([0, last - (r.b % 8), indexSector(layers[layer]!) + (r.b % 3), r.b % sectors, r.b % sectors], r.a));
  const length = pick([1, 1, 8, 1 + (r.b % 64)], r.a >>> 4);
  const since = pick([-1, -1, 0, 0, r.c % Math.max(1, reads)], r.a >>> 8);
  // Most stay; some are over when the device is open, or later.
  const until = reads > since + 1 && r.c % 3 === 0 ? since + 1 + ((r.c >>> 4) % (reads - since)) : undefined;
  const start = Math.max(0, from) * SECTOR;
  return { layer, from: start, to: start + length * SECTOR, kind, since, ...(until === undefined ? {} : { until }) };
}

/** The sector of the layer's file in which its outermost format has its index, as the file says; some sector where it says none. */
function indexSector({ bytes, wrapping }: Layer): number {
  const zfile = wrapping[0] === 'zfile';
  const space = zfile ? ZFILE_SPACE : LSMT_SPACE;
  if (bytes.length < 2 * space) return 0;
  const inHeader = zfile && (bytes[32]! & 8) !== 0;
  const base = inHeader ? 0 : bytes.length - space;
  const at = zfile ? getInteger(bytes, ZFILE_HEADER, 'index_offset', base) : getInteger(bytes, LSMT_HEADER, 'index_offset', base);
  return Number((at / BigInt(SECTOR)) % BigInt(Math.ceil(bytes.length / SECTOR)));
}

const KINDS = ['write', 'discard', 'secure-discard', 'zero-out', 'flush', 'ioctls'] as const;

function attempts(r: TroubleRecipe, deviceBytes: number): Attempt[] {
  const sectors = Math.max(1, Math.floor(deviceBytes / SECTOR));
  const sector = r.b % sectors;
  const length = Math.min(pick([1, 8, 64], r.c >>> 4), sectors - sector) * SECTOR;
  const kinds = pick<readonly (typeof KINDS)[number][]>([['write'], KINDS, KINDS, KINDS, ['discard', 'zero-out'], ['flush', 'ioctls']], r.a);
  return kinds.map((kind) => ({ kind, offset: sector * SECTOR, length }));
}
