// SPDX-License-Identifier: MIT
/** Bold simplifications of a recipe's structure, tried before fast-check shrinks its numbers. */
import { layOut, withoutPlaces, type LaidLayer } from './lsmt-layout.ts';
import { NO_MARKS } from './lsmt-marks.ts';
import type { CaseRecipe, CrowdRecipe, LayerRecipe, ReadRecipe, SegmentRecipe, ShapeRecipe, TroubleRecipe } from './recipe.ts';
import { DEEP_STACKS, PLAIN_LAYER } from './tiny-layers.ts';
import { plainerZFiles, smallerSizes } from './zfile-recipe.ts';

type Stack = Extract<ShapeRecipe, { device: 'lsmt' }>;

/** Entries that are made and read in a few milliseconds. */
const LARGE = 4096;
const isLarge = (l: LayerRecipe): boolean => (l.many?.count ?? 0) > LARGE;

/** Recipes with one structural element fewer or plainer, the boldest first. May repeat the recipe itself. */
export function* simplifications(r: CaseRecipe): Iterable<CaseRecipe> {
  if (r.trouble) yield { ...r, trouble: null };
  if (r.trouble?.kind === 'deep' && r.shape.device === 'lsmt') for (const trouble of lowerStacks(r.trouble)) yield { ...r, trouble };
  // A table of a million entries costs a second at every step: away with it first.
  if (r.shape.device === 'lsmt' && r.shape.layers.some(isLarge)) {
    const without = (count: number): ShapeRecipe => ({ ...(r.shape as Stack), layers: (r.shape as Stack).layers.map((l) => (isLarge(l) ? { ...l, many: count === 0 ? null : { ...l.many!, count } } : l)) });
    for (const count of [0, 1, LARGE]) yield { ...r, shape: without(count) };
  }
  if (r.damage.length > 0) yield { ...r, damage: [] };
  if (r.damage.length > 1) for (const d of r.damage) yield { ...r, damage: [d] };
  if (r.table) yield { ...r, table: null };
  if (r.crowd) yield { ...r, crowd: null };
  if (r.replaces > 0) yield { ...r, replaces: 0 };
  if (r.crowd) for (const crowd of plainerCrowds(r.crowd)) yield { ...r, crowd };
  if (r.reads.length > 0) yield { ...r, reads: [] };
  if (r.reads.length > 1) for (const read of r.reads) yield { ...r, reads: [read] };
  for (const [i, read] of r.reads.entries()) for (const plainer of plainerReads(read)) yield { ...r, reads: r.reads.with(i, plainer) };
  if (r.slack !== 'page') yield { ...r, slack: 'page' };
  for (const { shape, layers } of simplerShapes(r.shape)) yield { ...withLayers(r, layers), shape };
}

/** Deep stacks of fewer layers, the lowest first, then of one layer only. */
function* lowerStacks(t: TroubleRecipe): Iterable<TroubleRecipe> {
  for (let a = 0; a < t.a % DEEP_STACKS.length; a++) yield { ...t, a };
  if (t.b > 0) yield { ...t, b: 0 };
}

function* plainerCrowds(c: CrowdRecipe): Iterable<CrowdRecipe> {
  if (c.meanwhile) yield { ...c, meanwhile: null };
  if (c.readers > 2) yield { ...c, readers: 2 };
  if (c.meanwhile && c.readers > 1) yield { ...c, readers: 1 };
  if (c.rounds > 1) yield { ...c, rounds: c.rounds >> 1 };
}

/** The read in a plainer way, of the same place. */
function* plainerReads(read: ReadRecipe): Iterable<ReadRecipe> {
  const plain = { bufferSector: 0, mode: 'direct', fine: 0, pieces: 0, huge: false } as const;
  const differing = (Object.keys(plain) as (keyof typeof plain)[]).filter((k) => read[k] !== plain[k]);
  if (differing.length > 1) yield { ...read, ...plain };
  for (const key of differing) yield { ...read, [key]: plain[key] };
  if (read.mode === 'mmap') yield { ...read, mode: 'buffered' };
}

/** A shape, and which of the layers before are still there; absent: all. */
interface Simpler<S extends ShapeRecipe = ShapeRecipe> {
  readonly shape: S;
  readonly layers?: readonly number[];
}

/** Damage and table faults follow their layer; those of one that is gone go to any. */
function withLayers(r: CaseRecipe, kept: readonly number[] | undefined): CaseRecipe {
  if (!kept || r.shape.device === 'zfile') return r;
  const before = r.shape.tiny + r.shape.layers.length;
  const moved = <D extends { readonly layer: number }>(d: D): D => ({ ...d, layer: Math.max(0, kept.indexOf(d.layer % before)) });
  return { ...r, damage: r.damage.map(moved), table: r.table && moved(r.table), trouble: r.trouble && moved(r.trouble) };
}

function* simplerShapes(shape: ShapeRecipe): Iterable<Simpler> {
  if (shape.device === 'zfile') {
    for (const zfile of plainerZFiles(shape.zfile)) yield { shape: { ...shape, zfile } };
    for (const bytes of smallerSizes(shape.bytes, shape.zfile.blockSize)) yield { shape: { ...shape, bytes } };
    if (shape.content.kind !== 'counter') yield { shape: { ...shape, content: { ...shape.content, kind: 'counter' } } };
    return;
  }
  yield* fewerTinyLayers(shape);
  yield* simplerStacks(shape);
  // Places relative to a layer below go wrong with that layer; the same stack in absolute places may go on where this one ended.
  const fixed = inPlace(shape);
  if (fixed) yield* simplerStacks(fixed);
}

function* fewerTinyLayers(shape: Stack): Iterable<Simpler<Stack>> {
  const { tiny, layers } = shape;
  if (tiny === 0) return;
  const total = tiny + layers.length;
  const upper = (from: number): number[] => Array.from({ length: total - from }, (_, i) => from + i);
  if (layers.length > 0) yield { shape: { ...shape, tiny: 0 }, layers: upper(tiny) };
  if (layers.length > 0) yield { shape: { ...shape, layers: [] } };
  for (let gone = tiny >> 1; gone > 0; gone >>= 1) yield { shape: { ...shape, tiny: tiny - gone }, layers: upper(gone) };
}

function* simplerStacks(shape: Stack): Iterable<Simpler<Stack>> {
  const { layers } = shape;
  if (layers.some((l) => !isMinimal(l))) {
    yield { shape: { ...shape, layers: layers.map(minimalLayer) } };
    yield { shape: { ...shape, layers: layers.map(plainLayer) } };
  }
  for (const kept of fewer(layers.length)) yield onlyLayers(shape, kept);
  for (let i = 0; i < layers.length; i++) {
    for (const layer of simplerLayers(layers[i]!)) yield { shape: { ...shape, layers: layers.with(i, layer) } };
  }
  // Layers that are alike by what they hold, not by name, stay alike only where they change together.
  const texts = layers.map((l) => JSON.stringify(l));
  for (const [i, text] of texts.entries()) {
    if (texts.indexOf(text) < i || texts.lastIndexOf(text) === i) continue;
    for (const layer of simplerLayers(layers[i]!)) yield { shape: { ...shape, layers: layers.map((l, k) => (texts[k] === text ? layer : l)) } };
  }
  // Two neighbours as one layer: their segments in a row.
  for (let i = 0; i + 1 < layers.length; i++) {
    const [low, high] = [layers[i]!, layers[i + 1]!];
    if (low.sameAs !== null || high.sameAs !== null) continue;
    const joined = layers.with(i, { ...high, segments: [...low.segments, ...high.segments] });
    yield onlyLayers({ ...shape, layers: joined }, indexes(layers.length).filter((k) => k !== i + 1));
  }
}

const indexes = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Which of `n` things to keep: one, half of them, two or three neighbours, any two of a few, all but one. */
function* fewer(n: number): Iterable<number[]> {
  const all = indexes(n);
  if (n > 1) for (const i of all) yield [i];
  if (n > 3) yield* [all.slice(0, n >> 1), all.slice(n >> 1)];
  if (n > 2) for (const i of all.slice(0, -1)) yield [i, i + 1];
  if (n > 3) for (const i of all.slice(0, -2)) yield [i, i + 1, i + 2];
  if (n > 2 && n <= 8) for (const i of all) for (const k of all.slice(i + 2)) yield [i, k];
  if (n > 2) for (const i of all) yield all.filter((k) => k !== i);
}

/** The stack with those of its own layers only. A repeated file is still the same one; where the first of it goes, it takes its place. */
function onlyLayers(shape: Stack, kept: readonly number[]): Simpler<Stack> {
  const { tiny, layers } = shape;
  const fileOf = (i: number): number => {
    const { sameAs } = layers[i]!;
    const at = tiny + i;
    if (sameAs === null || at === 0) return at;
    return sameAs % at < tiny ? sameAs % at : fileOf((sameAs % at) - tiny);
  };
  const left: number[] = [...indexes(tiny)];
  const out: LayerRecipe[] = [];
  for (const i of kept) {
    const file = fileOf(i);
    const place = left.findIndex((k) => (k < tiny ? k : fileOf(k - tiny)) === file);
    const recipe = file < tiny ? layers[i]! : { ...layers[file - tiny]!, sameAs: null };
    out.push(place < 0 ? { ...recipe, sameAs: null } : { ...recipe, sameAs: place });
    left.push(tiny + i);
  }
  return { shape: { ...shape, layers: out }, layers: left };
}

/** The stack with all places absolute; null where they are already, or where there are too many layers to matter. */
function inPlace(shape: Stack): Stack | null {
  if (shape.tiny > 0 || shape.layers.every((l) => l.segments.every((s) => !s.place))) return null;
  const laid: LaidLayer[] = [];
  for (const [i, l] of shape.layers.entries()) laid.push(l.sameAs !== null && i > 0 ? laid[l.sameAs % i]! : layOut(l, laid.flatMap((x) => x.segments)));
  const layers = withoutPlaces(shape.layers, laid);
  return layers.every((l, i) => l === shape.layers[i]) ? null : { ...shape, layers };
}

function* simplerLayers(l: LayerRecipe): Iterable<LayerRecipe> {
  if (l.many) {
    yield { ...l, many: null };
    if (l.many.count > 1) {
      yield { ...l, many: { ...l.many, count: 1 } };
      for (let gone = l.many.count >> 1; gone > 0; gone >>= 1) yield { ...l, many: { ...l.many, count: l.many.count - gone } };
    }
    // As one segment of their length, where that is what matters.
    if (l.many.kind !== 'invalid' && l.many.count <= LARGE) yield { ...l, many: null, segments: [...l.segments, { ...MINIMAL_SEGMENT, zeroed: false, length: l.many.count }] };
    if (l.many.kind !== 'zeroed') yield { ...l, many: { ...l.many, kind: 'zeroed' } };
    if (l.many.gap > 0) yield { ...l, many: { ...l.many, gap: 0 } };
  }
  if (l.sameAs !== null) {
    yield { ...l, sameAs: null };
    if (l.sameAs > 0) yield { ...l, sameAs: 0 };
  }
  const { segments } = l;
  if (segments.length > 1) {
    yield { ...l, segments: segments.slice(0, segments.length >> 1) };
    yield { ...l, segments: segments.slice(segments.length >> 1) };
    for (let i = 0; i + 1 < segments.length && segments.length > 2; i++) yield { ...l, segments: segments.slice(i, i + 2) };
  }
  for (let i = 0; i < segments.length; i++) yield { ...l, segments: segments.toSpliced(i, 1) };
  for (let i = 0; i < segments.length; i++) {
    // What stands behind the one that goes stays where it is.
    const next = segments[i + 1];
    const gone = segments[i]!.gap + segments[i]!.length;
    if (next && !next.place) yield { ...l, segments: segments.with(i + 1, { ...next, gap: next.gap + gone }).toSpliced(i, 1) };
  }
  for (let i = 0; i + 1 < segments.length; i++) {
    // Two as one of their length: what comes after keeps its place in the file too.
    const [first, next] = [segments[i]!, segments[i + 1]!];
    if (!next.place) yield { ...l, segments: segments.with(i, { ...first, length: first.length + next.length }).toSpliced(i + 1, 1) };
  }
  for (let i = 0; i < segments.length; i++) {
    for (const s of simplerSegments(segments[i]!)) yield { ...l, segments: segments.with(i, s) };
  }
  if (l.tar !== 'no') {
    yield { ...l, tar: 'no' };
    if (l.tarTail !== 'end') yield { ...l, tarTail: 'end' };
    if (l.tar !== 'ustar') yield { ...l, tar: 'ustar' };
  }
  if (l.zfile) {
    yield { ...l, zfile: null };
    for (const zfile of plainerZFiles(l.zfile)) yield { ...l, zfile };
  }
  if (l.invalidBefore.length > 0) yield { ...l, invalidBefore: [] };
  if (l.invalidBefore.length > 1) for (const i of l.invalidBefore) yield { ...l, invalidBefore: [i] };
  if (l.emptyBefore.length > 0) yield { ...l, emptyBefore: [] };
  if (l.emptyBefore.length > 1) for (const i of l.emptyBefore) yield { ...l, emptyBefore: [i] };
  if (l.virtualSize !== 'cover') yield { ...l, virtualSize: 'cover' };
  if (l.form !== 'sealed') yield { ...l, form: 'sealed' };
  if (l.form !== 'sealed' && l.form !== 'committed') yield { ...l, form: 'committed' };
  if (l.form === 'warp' && l.remote !== 1) yield { ...l, remote: 1 };
  if (l.placement !== 'packed') yield { ...l, placement: 'packed' };
  if (l.padding !== 0) yield { ...l, padding: 0 };
  for (const key of Object.keys(NO_MARKS) as (keyof typeof NO_MARKS)[]) if (l.marks[key] !== 0) yield { ...l, marks: { ...l.marks, [key]: 0 } };
  if (l.tail !== 0) yield { ...l, tail: 0 };
  if (l.tail > 1) yield { ...l, tail: Math.floor(l.tail / 2) };
}

const MINIMAL_SEGMENT = { gap: 0, length: 1, content: { kind: 'counter', seed: 0 }, place: null } as const;

function* simplerSegments(s: SegmentRecipe): Iterable<SegmentRecipe> {
  if (s.length > 1 || s.gap > 0 || s.place) yield { ...s, ...MINIMAL_SEGMENT };
  if (s.place) yield { ...s, place: null };
  if (s.place?.to === 'segment') {
    if (s.place.choice > 0) yield { ...s, place: { ...s.place, choice: 0 } };
    if (s.place.from !== 'start') yield { ...s, place: { ...s.place, from: 'start' } };
    if (s.place.until !== 'end') yield { ...s, place: { ...s.place, until: 'end' } };
  }
  if (s.length > 2) yield { ...s, length: s.length >> 1 };
  if (s.length > 1) yield { ...s, length: s.length - 1 };
  if (s.gap > 0) yield { ...s, gap: 0 };
  if (s.gap > 1) yield { ...s, gap: Math.floor(s.gap / 2) };
  if (s.content.kind !== 'counter') yield { ...s, content: { ...s.content, kind: 'counter' } };
}

/** The same number of mappings, each as short as can be, without envelopes. */
function minimalLayer(l: LayerRecipe): LayerRecipe {
  return { ...PLAIN_LAYER, segments: l.segments.map((s) => ({ ...s, ...MINIMAL_SEGMENT })), sameAs: l.sameAs };
}

/** The same mappings, without anything else. */
function plainLayer(l: LayerRecipe): LayerRecipe {
  return { ...PLAIN_LAYER, segments: l.segments, virtualSize: l.virtualSize, sameAs: l.sameAs };
}

function isMinimal(l: LayerRecipe): boolean {
  return JSON.stringify(l) === JSON.stringify(minimalLayer(l));
}
