// SPDX-License-Identifier: MIT
/** From a recipe to a case: bytes, devices, reads. A pure function; the same recipe gives the same bytes. */
import { SECTOR } from '../spec/index.ts';
import type { Case, Layer, Wrapper } from '../model/index.ts';
import { makeContent } from './content.ts';
import { writeLsmt, writePair, type WrittenSegment } from './lsmt-writer.ts';
import { LSMT_MUTATORS } from './mutators/lsmt.ts';
import { pick, type Mutator } from './mutators/mutator.ts';
import { OLD_ZFILE_MUTATORS as ZFILE_MUTATORS } from './mutators/zfile-old.ts';
import { planReads } from './reads.ts';
import type { CaseRecipe, DamageRecipe, LayerRecipe } from './recipe.ts';
import { writeTar } from './tar-writer.ts';
import { writeZFile } from './zfile-writer.ts';

export interface Built {
  readonly case: Case;
  /**
   * The device's bytes by the generator's own account, written segment by
   * segment into one array; null where the case is damaged or the device is
   * larger than `MODEL_LIMIT`.
   */
  readonly model: Uint8Array | null;
}

/** Bytes of the largest device that gets a model. */
const MODEL_LIMIT = 64 << 20;

export function buildCase(id: string, recipe: CaseRecipe): Built {
  const damages = new Map<number, DamageRecipe[]>();
  const { shape } = recipe;
  const layerCount = shape.device === 'zfile' ? 1 : shape.layers.length;
  for (const d of recipe.damage) damages.set(d.layer % layerCount, [...(damages.get(d.layer % layerCount) ?? []), d]);

  const made = shape.device === 'zfile'
    ? { ...makeZFileDevice(shape, damages.get(0) ?? []), device: 'zfile' as const }
    : { ...makeStack(shape.layers, damages), device: 'lsmt' as const };
  const deviceBytes = made.size - (made.size % SECTOR);
  return {
    case: {
      id,
      device: made.device,
      layers: made.layers,
      access: { slack: recipe.slack, deviceBytes, reads: planReads(recipe.reads, deviceBytes, made.borders) },
      clauses: { exercises: [], violates: made.violates },
    },
    model: recipe.damage.length === 0 && made.size <= MODEL_LIMIT ? made.model() : null,
  };
}

interface Made {
  readonly layers: Layer[];
  /** Bytes. */
  readonly size: number;
  readonly borders: number[];
  readonly violates: string[];
  model(): Uint8Array;
}

function makeZFileDevice(shape: Extract<CaseRecipe['shape'], { device: 'zfile' }>, damages: readonly DamageRecipe[]): Made {
  const content = makeContent(shape.content, shape.bytes);
  const violates: string[] = [];
  const bytes = applyDamage(writeZFile(content, shape.zfile), damages, ZFILE_MUTATORS, violates);
  const borders: number[] = [];
  for (let at = 0; at <= content.length && borders.length < 512; at += shape.zfile.blockSize) borders.push(at);
  return {
    layers: [{ wrapping: ['zfile'], bytes, exposedBytes: content.length }],
    size: content.length, borders, violates, model: () => content,
  };
}

interface LaidSegment extends WrittenSegment {
  readonly end: number;
}

function makeStack(recipes: readonly LayerRecipe[], damages: ReadonlyMap<number, readonly DamageRecipe[]>): Made {
  const laid = recipes.map(layOut);
  const sizes = recipes.map((r, i) => virtualBytes(r, laid[i]!));
  const size = sizes.findLast((s) => s !== 0) ?? 0;
  const violates: string[] = [];
  const layers = recipes.map((r, i) => makeLayer(r, laid[i]!, sizes[i]!, damages.get(i) ?? [], violates));
  const borders = [...new Set(laid.flat().flatMap((s) => [s.offset * SECTOR, s.end * SECTOR]))];
  return { layers, size, borders, violates, model: () => paint(laid, size) };
}

/** Absolute places from the recipe's relative ones. */
function layOut(r: LayerRecipe): LaidSegment[] {
  const out: LaidSegment[] = [];
  let at = 0;
  const add = (gap: number, length: number, content: Uint8Array | null): void => {
    const offset = at + gap;
    at = offset + length;
    out.push({ offset, length, content, end: at });
  };
  for (const s of r.segments) add(s.gap, s.length, s.zeroed ? null : makeContent(s.content, s.length * SECTOR));
  // A writable layer's index is in write order: what was written may be written again, in part.
  if (r.form === 'pair') {
    for (const s of out.slice().filter((_, i) => i % 2 === 0)) {
      const length = Math.ceil(s.length / 2);
      out.push({ offset: s.offset, length, end: s.offset + length, content: makeContent({ kind: 'counter', seed: 9000 + s.offset }, length * SECTOR) });
    }
    return out;
  }
  for (let i = 0; i < (r.many?.count ?? 0); i++) add(r.many!.gap, 1, makeContent({ kind: 'counter', seed: 7000 + i }, SECTOR));
  return out;
}

function virtualBytes(r: LayerRecipe, laid: readonly LaidSegment[]): number {
  const covered = Math.max(0, ...laid.map((s) => s.end));
  switch (r.virtualSize) {
    case 'zero': return 0;
    case 'short': return Math.max(1, covered - 1) * SECTOR;
    case 'cover': return Math.max(1, covered + r.tail) * SECTOR;
  }
}

function makeLayer(
  r: LayerRecipe, laid: readonly LaidSegment[], virtualSize: number, damages: readonly DamageRecipe[], violates: string[],
): Layer {
  if (r.form === 'pair') {
    const { data, index } = writePair(laid, virtualSize);
    return { wrapping: [], bytes: data, index };
  }
  const invalidBefore = laid.length === 0 ? [] : r.invalidBefore.map((i) => i % laid.length);
  // A layer in a ZFile can be damaged inside or outside of it.
  const inside = damages.filter((d) => r.zfile === null || d.mutator % 2 === 0);
  const outside = damages.filter((d) => !inside.includes(d));
  let bytes = writeLsmt(laid, { virtualSize, form: r.form, placement: r.placement, invalidBefore });
  bytes = applyDamage(bytes, inside.map((d) => (r.zfile ? { ...d, mutator: d.mutator >>> 1 } : d)), LSMT_MUTATORS, violates);
  const wrapping: Wrapper[] = [];
  let exposedBytes: number | undefined;
  if (r.zfile) {
    // A device over the ZFile has whole sectors: what damage left of the layer is padded to them.
    bytes = padToSector(bytes);
    exposedBytes = bytes.length;
    bytes = applyDamage(writeZFile(bytes, r.zfile), outside.map((d) => ({ ...d, mutator: d.mutator >>> 1 })), ZFILE_MUTATORS, violates);
    wrapping.unshift('zfile');
  }
  if (r.tar !== 'no') {
    bytes = writeTar(bytes, r.tar === 'pax');
    wrapping.unshift('tar');
  }
  return { wrapping, bytes, ...(exposedBytes === undefined ? {} : { exposedBytes }) };
}

function padToSector(bytes: Uint8Array): Uint8Array {
  if (bytes.length % SECTOR === 0) return bytes;
  const out = new Uint8Array(Math.ceil(bytes.length / SECTOR) * SECTOR);
  out.set(bytes);
  return out;
}

function applyDamage(bytes: Uint8Array, damages: readonly DamageRecipe[], mutators: readonly Mutator[], violates: string[]): Uint8Array {
  let out = bytes;
  for (const [i, d] of damages.entries()) {
    // The first mutator meets a sound image; what comes after it may not, and then only bytes are safe to damage.
    const mutator = i === 0 ? pick(mutators, d.mutator) : mutators.at(-1)!;
    violates.push(...mutator.violates);
    if (out.length > 0) out = mutator.apply(out, d.a, d.b, d.reseal);
  }
  return out;
}

/** The device as one array: bottom to top, later writes hide earlier ones. */
function paint(layers: readonly (readonly LaidSegment[])[], size: number): Uint8Array {
  const device = new Uint8Array(size);
  for (const segments of layers) {
    for (const s of segments) {
      const from = s.offset * SECTOR;
      const to = Math.min(s.end * SECTOR, size);
      if (from >= to) continue;
      if (s.content) device.set(s.content.subarray(0, to - from), from);
      else device.fill(0, from, to);
    }
  }
  return device;
}
