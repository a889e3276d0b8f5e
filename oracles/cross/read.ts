// SPDX-License-Identifier: MIT
/** A case read a second time, with nothing of the first reader: descriptions compiled by Kaitai, blocks decoded by libraries, layers painted one over the other. */
import type { Case, Layer } from '../../model/index.ts';
import { bytesOf, type Bytes } from './bytes.ts';
import { pairLayer, sealedLayer, sparseLayer, type Painting } from './lsmt.ts';
import { tarMember } from './tar.ts';
import { need, Unreadable } from './unreadable.ts';
import { readZFile } from './zfile.ts';

/** What could not be read, and why. */
export interface CrossRefusal {
  readonly outcome: 'refuse';
  readonly why: string;
}

/** What the second reader makes of a case. It looks for no fault that it can read past: only of a valid case are its bytes an opinion. */
export type CrossReading = CrossRefusal | {
  readonly outcome: 'open';
  /** Bytes of the decoded file or of the merged device. */
  readonly size: number;
  /** All of the device's bytes, painted when first asked for; null where it is larger than the bound, or where some of it cannot be read. */
  readonly bytes: Uint8Array | null;
  /** For each read of the case's plan its bytes, cut at the size. */
  readonly reads: readonly (Uint8Array | CrossRefusal)[];
};

/** Bytes of a sector. */
const SECTOR = 512;
/** Bytes of the largest device that is painted as a whole. */
const WHOLE = 64 << 20;

/** Does the case's reads, and reads all of a device that has at most `bound` bytes. Never throws for what an image holds. */
export function crossRead(c: Case, bound = WHOLE): CrossReading {
  const device = attempt(() => openDevice(c));
  if ('outcome' in device) return device;
  const { size } = device;
  let painted: Uint8Array | CrossRefusal | null | undefined;
  const whole = (): Uint8Array | null => {
    if (painted === undefined) painted = size <= bound ? attempt(() => device.read(0, size)) : null;
    return painted instanceof Uint8Array ? painted : null;
  };
  const plans = c.access.reads.map((r) => {
    const offset = Math.min(r.offset, size);
    return { offset, length: Math.min(r.length, size - offset) };
  });
  // To paint the device once is less than to paint that much of it again and again.
  const all = plans.reduce((n, p) => n + p.length, 0) >= size ? whole() : null;
  const reads = plans.map(({ offset, length }) => {
    if (all) return all.subarray(offset, offset + length);
    // What is read past the end says nothing of the last sector.
    if (length === 0) return new Uint8Array(0);
    const skipped = offset % SECTOR;
    return attempt(() => device.read(offset - skipped, skipped + length).subarray(skipped));
  });
  return {
    outcome: 'open', size, reads,
    get bytes() { return whole(); },
  };
}

function attempt<T extends object>(work: () => T): T | CrossRefusal {
  try {
    return work();
  } catch (e) {
    if (e instanceof Unreadable) return { outcome: 'refuse', why: e.message };
    throw e;
  }
}

function openDevice(c: Case): Bytes {
  if (c.device === 'zfile') return unwrap(c.layers[0]!);
  const layers = c.layers.map(openLayer);
  const size = layers.findLast((l) => l.virtualSize !== 0)?.virtualSize ?? 0;
  return { size, read: (offset, length) => paint(layers, offset, length) };
}

/** Bytes of a file in a ZFile that are decoded at once. */
const MAX_NESTED = 2 ** 28;

function unwrap(layer: Layer): Bytes {
  let file = layer.bytes;
  for (const [i, wrapper] of layer.wrapping.entries()) {
    if (wrapper === 'tar') {
      file = tarMember(file);
      continue;
    }
    const inner = readZFile(file);
    if (i === layer.wrapping.length - 1) return inner;
    need(inner.size <= MAX_NESTED, 'what a ZFile holds is larger than any file');
    file = inner.read(0, inner.size);
  }
  return bytesOf(file);
}

function openLayer(layer: Layer): Painting {
  const file = unwrap(layer);
  if (layer.index) return pairLayer(file, layer.index);
  if (layer.extents) return sparseLayer(file, layer.extents);
  return sealedLayer(file, layer.remote);
}

/**
 * The device's bytes [offset, offset + length), offset a multiple of 512: every
 * layer's strokes, bottom to top, in one array. What cannot be read matters
 * only where no later stroke covers it.
 */
function paint(layers: readonly Painting[], offset: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  const bad = new Map<number, string>();
  for (const { strokes } of layers) {
    for (const s of strokes) {
      const start = s.sector * SECTOR - offset;
      const from = Math.max(start, 0);
      const to = Math.min(start + s.sectors * SECTOR, length);
      if (from >= to) continue;
      if (bad.size > 0) for (let at = from; at < to; at += SECTOR) bad.delete(at);
      if (s.from) copy(s.from, s.source * SECTOR + from - start, out.subarray(from, to), (at, why) => bad.set(from + at, why));
      else out.fill(0, from, to);
    }
  }
  for (const why of bad.values()) throw new Unreadable(why);
  return out;
}

/** Fills `out` from `source`; the sectors that cannot be read are told. */
function copy(source: Bytes, offset: number, out: Uint8Array, unreadable: (at: number, why: string) => void): void {
  const whole = attempt(() => source.read(offset, out.length));
  if (whole instanceof Uint8Array) return out.set(whole);
  for (let at = 0; at < out.length; at += SECTOR) {
    const sector = attempt(() => source.read(offset + at, Math.min(SECTOR, out.length - at)));
    if (sector instanceof Uint8Array) out.set(sector, at);
    else unreadable(at, sector.why);
  }
}
