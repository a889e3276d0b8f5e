// SPDX-License-Identifier: MIT
/** Bold simplifications of a recipe's structure, tried before fast-check shrinks its numbers. */
import type { CaseRecipe, LayerRecipe, SegmentRecipe, ShapeRecipe } from './recipe.ts';
import { PLAIN_ZFILE, type ZFileRecipe } from './zfile-writer.ts';

/** Recipes with one structural element fewer or plainer, the boldest first. May repeat the recipe itself. */
export function* simplifications(r: CaseRecipe): Iterable<CaseRecipe> {
  if (r.damage.length > 0) yield { ...r, damage: [] };
  if (r.damage.length > 1) for (const d of r.damage) yield { ...r, damage: [d] };
  if (r.reads.length > 0) yield { ...r, reads: [] };
  if (r.reads.length > 1) for (const read of r.reads) yield { ...r, reads: [read] };
  if (r.slack !== 'page') yield { ...r, slack: 'page' };
  for (const shape of simplerShapes(r.shape)) yield { ...r, shape };
}

function* simplerShapes(shape: ShapeRecipe): Iterable<ShapeRecipe> {
  if (shape.device === 'zfile') {
    for (const zfile of plainerZFiles(shape.zfile)) yield { ...shape, zfile };
    for (const bytes of [512, 4096, 8192]) if (shape.bytes > bytes) yield { ...shape, bytes };
    if (shape.content.kind !== 'counter') yield { ...shape, content: { ...shape.content, kind: 'counter' } };
    return;
  }
  const { layers } = shape;
  if (layers.some((l) => !isMinimal(l))) yield { ...shape, layers: layers.map(minimalLayer) };
  if (layers.length > 1) {
    for (const layer of layers) yield { ...shape, layers: [layer] };
    for (let i = 0; i < layers.length; i++) yield { ...shape, layers: layers.toSpliced(i, 1) };
  }
  for (let i = 0; i < layers.length; i++) {
    for (const layer of simplerLayers(layers[i]!)) yield { ...shape, layers: layers.with(i, layer) };
  }
}

function* simplerLayers(l: LayerRecipe): Iterable<LayerRecipe> {
  if (l.many) yield { ...l, many: null };
  const { segments } = l;
  if (segments.length > 1) {
    yield { ...l, segments: segments.slice(0, segments.length >> 1) };
    yield { ...l, segments: segments.slice(segments.length >> 1) };
  }
  for (let i = 0; i < segments.length; i++) yield { ...l, segments: segments.toSpliced(i, 1) };
  for (let i = 0; i < segments.length; i++) {
    for (const s of simplerSegments(segments[i]!)) yield { ...l, segments: segments.with(i, s) };
  }
  if (l.tar !== 'no') yield { ...l, tar: 'no' };
  if (l.zfile) {
    yield { ...l, zfile: null };
    for (const zfile of plainerZFiles(l.zfile)) yield { ...l, zfile };
  }
  if (l.invalidBefore.length > 0) yield { ...l, invalidBefore: [] };
  if (l.virtualSize !== 'cover') yield { ...l, virtualSize: 'cover' };
  if (l.form !== 'committed') yield { ...l, form: 'committed' };
  if (l.placement !== 'packed') yield { ...l, placement: 'packed' };
  if (l.tail !== 0) yield { ...l, tail: 0 };
  if (l.many && l.many.count > 1) yield { ...l, many: { ...l.many, count: l.many.count >> 1 } };
}

const MINIMAL_SEGMENT = { gap: 0, length: 1, content: { kind: 'counter', seed: 0 } } as const;

function* simplerSegments(s: SegmentRecipe): Iterable<SegmentRecipe> {
  if (s.length > 1 || s.gap > 0) yield { ...s, ...MINIMAL_SEGMENT };
  if (s.length > 2) yield { ...s, length: s.length >> 1 };
  if (s.gap > 0) yield { ...s, gap: s.gap >> 1 };
}

/** The same number of mappings, each as short as can be, without envelopes. */
function minimalLayer(l: LayerRecipe): LayerRecipe {
  return {
    ...l, segments: l.segments.map((s) => ({ ...s, ...MINIMAL_SEGMENT })), many: null, tail: 0, virtualSize: 'cover',
    form: 'committed', placement: 'packed', invalidBefore: [], zfile: null, tar: 'no',
  };
}

function isMinimal(l: LayerRecipe): boolean {
  return JSON.stringify(l) === JSON.stringify(minimalLayer(l));
}

function* plainerZFiles(z: ZFileRecipe): Iterable<ZFileRecipe> {
  const keys = Object.keys(PLAIN_ZFILE) as (keyof ZFileRecipe)[];
  if (keys.every((k) => z[k] === PLAIN_ZFILE[k])) return;
  yield PLAIN_ZFILE;
  for (const key of keys) if (z[key] !== PLAIN_ZFILE[key]) yield { ...z, [key]: PLAIN_ZFILE[key] };
}
