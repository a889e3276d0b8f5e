// SPDX-License-Identifier: MIT
/** fast-check arbitraries for recipes: one function an element, weighted towards the borders where readers break. */
import fc from 'fast-check';
import { MEANWHILES, type Swarm } from '../model/index.ts';
import { CONTENT_KINDS, type ContentRecipe } from './content.ts';
import {
  AIM_POINTS, READ_KINDS, type CaseRecipe, type CrowdRecipe, type DamageRecipe, type LayerRecipe, type ManyRecipe, type MarksRecipe, type PlaceRecipe, type ReadRecipe,
  type SegmentRecipe, type ShapeRecipe, type TableRecipe, type TroubleRecipe,
} from './recipe.ts';
import { PLAIN_LAYER } from './tiny-layers.ts';
import { weightsOf, type Weights } from './weights.ts';
import { contentBytes, zfileRecipe } from './zfile-arbitrary.ts';
import { PLAIN_ZFILE, type ZFileRecipe } from './zfile-recipe.ts';

/** Any choice of place or value; users take it modulo what is there, so that small ones are no more telling than others. */
const choice = fc.noBias(fc.nat({ max: 0xfffff }));

function content(): fc.Arbitrary<ContentRecipe> {
  return fc.record({ kind: fc.constantFrom(...['counter' as const, 'mixed' as const, ...CONTENT_KINDS]), seed: fc.nat({ max: 0xffff }) });
}

function sectors(): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 16 }) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 130 }) },
    { weight: 1, arbitrary: fc.constantFrom(63, 64, 65, 127, 128, 129, 255, 256, 257) },
  );
}

/** Sectors where 31, 32 and 63 bits of bytes or sectors end, and the last ones that an entry can name. */
const EDGES = [2 ** 22, 2 ** 23, 2 ** 31, 2 ** 32, 2 ** 41, 2 ** 50 - 2].flatMap((n) => [n - 1, n]);

function place(w: Weights): fc.Arbitrary<PlaceRecipe> {
  const point = fc.constantFrom(...AIM_POINTS);
  return w.oneof<PlaceRecipe>(
    { weight: 60, arbitrary: fc.record({ to: fc.constant('segment' as const), choice: fc.nat({ max: 7 }), from: point, until: point }) },
    { weight: 1, feature: 'layer.edge', arbitrary: fc.record({ to: fc.constant('edge' as const), sector: fc.constantFrom(...EDGES) }) },
  );
}

/** `aimed`: out of 10 segments, how many go by the place of another one. */
function segment(w: Weights, aimed: number): fc.Arbitrary<SegmentRecipe> {
  const gap = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.integer({ min: 0, max: 24 }) },
    { weight: 1, arbitrary: sectors() });
  const where = w.oneof<PlaceRecipe | null>({ weight: 10 - aimed, arbitrary: fc.constant(null) }, { weight: aimed, feature: 'layer.aimed', arbitrary: place(w) });
  const of = (length: fc.Arbitrary<number>, zeroed: fc.Arbitrary<boolean>): fc.Arbitrary<SegmentRecipe> =>
    fc.record({ gap, length, zeroed, content: content(), place: where });
  return w.oneof(
    { weight: 200, arbitrary: of(sectors(), fc.boolean()) },
    { weight: 200, arbitrary: of(sectors(), fc.constant(false)) },
    // The longest entries: zeroed, and seldom 8 MiB of data.
    { weight: 6, feature: 'layer.long', arbitrary: of(fc.constantFrom(16382, 16383), fc.constant(true)) },
    { weight: 1, feature: 'layer.long', arbitrary: of(fc.constantFrom(16382, 16383), fc.constant(false)) },
  );
}

/** 2^n - 1, 2^n and 2^n + 1 for n in [from, to]. */
const aroundPowers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => 2 ** (from + i)).flatMap((n) => [n - 1, n, n + 1]);

function many(w: Weights): fc.Arbitrary<ManyRecipe | null> {
  const gap = fc.nat({ max: 2 });
  const kind = fc.constantFrom('own' as const, 'shared' as const, 'zeroed' as const, 'invalid' as const);
  return w.oneof<ManyRecipe | null>(
    { weight: 15, arbitrary: fc.constant(null) },
    { weight: 1, feature: 'layer.many', arbitrary: fc.record({ count: fc.constantFrom(...aroundPowers(0, 6)), gap, kind }) },
    { weight: 1, feature: 'layer.many', arbitrary: fc.record({ count: fc.constantFrom(...aroundPowers(7, 9)), gap, kind }) },
  );
}

/** Rare: layers of thousands of entries, and of as many as the index may have. */
function largeIndex(counts: readonly number[]): fc.Arbitrary<LayerRecipe> {
  return fc.record({
    count: fc.constantFrom(...counts), gap: fc.nat({ max: 1 }), kind: fc.constantFrom('shared' as const, 'zeroed' as const, 'invalid' as const),
    form: fc.constantFrom('sealed' as const, 'committed' as const),
  }).map(({ form, ...of }): LayerRecipe => ({ ...PLAIN_LAYER, form: of.count > 900_000 ? 'sealed' : form, many: of }));
}

function marks(): fc.Arbitrary<MarksRecipe> {
  const seldom = (max: number): fc.Arbitrary<number> => fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max }) });
  return fc.record({ identity: seldom(999), flags: seldom(255), header: seldom(215), tags: seldom(255), zeroed: fc.nat({ max: 2 }) });
}

/** `others`: out of 10 layers, how many are no sealed ones, or stand in a tar. `aimed`: see `segment`. */
function layer(w: Weights, wrapped: fc.Arbitrary<ZFileRecipe | null>, others: number, aimed: number): fc.Arbitrary<LayerRecipe> {
  const few = (feature: string): fc.Arbitrary<number[]> =>
    w.oneof<number[]>({ weight: 6, arbitrary: fc.constant([]) }, { weight: 1, feature, arbitrary: fc.array(fc.nat({ max: 12 }), { maxLength: 3 }) });
  const tail = w.oneof({ weight: 40, arbitrary: fc.nat({ max: 9 }) }, { weight: 20, arbitrary: sectors() }, { weight: 1, feature: 'layer.edge', arbitrary: fc.constantFrom(...EDGES, 2 ** 50) });
  const virtualSize = w.oneof<LayerRecipe['virtualSize']>({ weight: 14, arbitrary: fc.constant('cover' as const) }, { weight: 1, feature: 'layer.short-size', arbitrary: fc.constantFrom('zero' as const, 'short' as const, 'half' as const) });
  const common = {
    segments: fc.array(segment(w, aimed), { maxLength: 10 }), many: many(w), tail, virtualSize,
    placement: fc.constantFrom('packed' as const, 'packed' as const, 'reversed' as const, 'shared' as const),
    invalidBefore: few('layer.invalid'), emptyBefore: few('layer.empty'),
    padding: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 0xffff }) }),
    marks: marks(), zfile: wrapped,
  };
  const plain = { remote: fc.constant(0), tar: fc.constant('no' as const), tarTail: fc.constant('end' as const) };
  const again = w.oneof<number | null>({ weight: 20, arbitrary: fc.constant(null) }, { weight: 1, feature: 'layer.again', arbitrary: fc.nat({ max: 7 }) });
  if (others === 0) return fc.record<LayerRecipe>({ ...common, ...plain, form: fc.constantFrom('committed', 'sealed'), sameAs: again });
  return fc.record<LayerRecipe>({
    ...common, sameAs: again,
    form: fc.oneof({ weight: 10 - others, arbitrary: fc.constantFrom('committed' as const, 'sealed' as const) },
      { weight: others, arbitrary: fc.constantFrom('pair' as const, 'sparse' as const, 'warp' as const) }),
    remote: fc.oneof({ weight: 3, arbitrary: fc.nat({ max: 0x3ff }) }, { weight: 1, arbitrary: fc.constant(-1) }),
    tar: fc.oneof({ weight: 10 - others, arbitrary: fc.constant('no' as const) }, { weight: others, arbitrary: fc.constantFrom('ustar' as const, 'pax' as const, 'pax-long' as const) }),
    tarTail: fc.constantFrom('end', 'member', 'noise'),
  });
}

function shape(w: Weights): fc.Arbitrary<ShapeRecipe> {
  const raw = fc.constant(null);
  const plain = fc.oneof({ weight: 2, arbitrary: raw }, { weight: 1, arbitrary: fc.constant(PLAIN_ZFILE) });
  const any = fc.oneof({ weight: 2, arbitrary: raw }, { weight: 1, arbitrary: zfileRecipe(w) });
  const none: fc.Arbitrary<number> = fc.constant(0);
  const stack = (of: fc.Arbitrary<LayerRecipe>, min: number, max: number, tiny = none): fc.Arbitrary<ShapeRecipe> =>
    fc.record({ device: fc.constant('lsmt' as const), tiny, layers: fc.array(of, { minLength: min, maxLength: max }) });
  const tall = fc.constantFrom(7, 15, 16, 17, 31, 32, 33, 63, 64, 127, 128, 252, 253, 254, 254, 255, 255, 256);
  return w.oneof<ShapeRecipe>(
    { weight: 2500, feature: 'shape.one', arbitrary: stack(layer(w, raw, 0, 0), 1, 1) },
    { weight: 2000, feature: 'shape.few', arbitrary: stack(layer(w, plain, 0, 6), 1, 3) },
    { weight: 1500, feature: 'shape.stack', arbitrary: stack(layer(w, any, 2, 5), 1, 8) },
    { weight: 2000, feature: 'shape.two', arbitrary: stack(layer(w, any, 5, 5), 1, 2) },
    { weight: 6000, feature: 'shape.zfile', arbitrary: fc.record({ device: fc.constant('zfile' as const), zfile: zfileRecipe(w), content: content(), bytes: contentBytes(w) }) },
    // One layer of another form alone, so that what is wrong with it is met.
    { weight: 1500, feature: 'shape.form', arbitrary: stack(layer(w, raw, 10, 0), 1, 1) },
    { weight: 160, feature: 'shape.tall', arbitrary: stack(layer(w, raw, 0, 5), 1, 1, tall) },
    { weight: 120, feature: 'shape.index-large', arbitrary: stack(largeIndex([...aroundPowers(10, 16), 65535, 65536, 65537, 65537, 65538]), 1, 1) },
    { weight: 80, feature: 'shape.index-limit', arbitrary: stack(largeIndex([65_537, 65_538]), 1, 1) },
    { weight: 60, feature: 'shape.index-million', arbitrary: stack(largeIndex([1_000_000, 1_000_000, 1_000_001]), 1, 1) },
  );
}

function damage(w: Weights): fc.Arbitrary<DamageRecipe> {
  const mutator = w.mutators === undefined ? choice : fc.noBias(fc.constantFrom(...w.mutators));
  // A stale checksum hides what is behind it: seldom.
  return fc.record({ mutator, layer: choice, a: choice, b: choice, reseal: fc.noBias(w.from([true, true, true, false], (reseal) => (reseal ? undefined : 'damage.stale'))) });
}

function table(w: Weights): fc.Arbitrary<TableRecipe> {
  const kinds = ['bytes', 'bytes', 'text', 'text', 'count', 'device', 'busy', 'short', 'length'] as const;
  return fc.record({ kind: w.from<TableRecipe['kind']>(kinds, (kind) => `table.${kind}`), layer: choice, a: choice });
}

/** 0, and in one of `n + 1` a seed. */
function seldom(w: Weights, n: number, feature: string): fc.Arbitrary<number> {
  return w.oneof({ weight: n, arbitrary: fc.constant(0) }, { weight: 1, feature, arbitrary: choice });
}

function read(w: Weights): fc.Arbitrary<ReadRecipe> {
  return fc.record({
    kind: w.from(READ_KINDS.flatMap((k) => (k === 'large' ? [k] : [k, k])), (kind) => `read.${kind}`), a: choice, b: choice,
    bufferSector: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 7 }) }),
    mode: w.from<ReadRecipe['mode']>(['direct', 'direct', 'direct', 'direct', 'buffered', 'buffered', 'mmap'], (mode) => `read.${mode}`),
    fine: seldom(w, 2, 'read.fine'), pieces: seldom(w, 5, 'read.pieces'),
    huge: w.oneof<boolean>({ weight: 11, arbitrary: fc.constant(false) }, { weight: 1, feature: 'read.huge', arbitrary: fc.constant(true) }),
  });
}

function trouble(w: Weights): fc.Arbitrary<TroubleRecipe> {
  const kinds = ['fault', 'fault', 'fault', 'slow', 'changes', 'again', 'twin', 'deep'] as const;
  const kind = w.from<TroubleRecipe['kind']>(kinds, (one) => `trouble.${one}`);
  return fc.record({ kind, layer: choice, a: choice, b: choice, c: choice });
}

function crowd(): fc.Arbitrary<CrowdRecipe> {
  return fc.record({
    readers: fc.constantFrom(2, 2, 3, 4, 8), rounds: fc.constantFrom(1, 2, 4, 16),
    meanwhile: fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 2, arbitrary: fc.constantFrom(...MEANWHILES) }),
  });
}

/** Any case: about half sound, half damaged, a few damaged twice; with a swarm, of what that has on. */
export function caseRecipe(swarm?: Pick<Swarm, 'features' | 'mutators'>): fc.Arbitrary<CaseRecipe> {
  const w = weightsOf(swarm);
  return fc.record<CaseRecipe>({
    shape: shape(w),
    damage: w.oneof<DamageRecipe[]>(
      { weight: 8, feature: 'damage.none', arbitrary: fc.constant([]) },
      { weight: 12, feature: 'damage.one', arbitrary: fc.array(damage(w), { minLength: 1, maxLength: 1 }) },
      { weight: 1, feature: 'damage.two', arbitrary: fc.array(damage(w), { minLength: 2, maxLength: 2 }) },
    ),
    table: w.oneof<TableRecipe | null>({ weight: 8, arbitrary: fc.constant(null) }, { weight: 1, feature: 'table', arbitrary: table(w) }),
    slack: w.from<CaseRecipe['slack']>(['page', 'page', 'page', 'exact', 'garbage'], (slack) => `slack.${slack}`),
    reads: fc.array(read(w), { maxLength: 6 }),
    trouble: w.oneof<TroubleRecipe | null>({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, feature: 'trouble', arbitrary: trouble(w) }),
    // Last, so that what is drawn before them is the same with and without them.
    crowd: w.oneof<CrowdRecipe | null>({ weight: 10, arbitrary: fc.constant(null) }, { weight: 1, feature: 'crowd', arbitrary: crowd() }),
    replaces: seldom(w, 13, 'crowd.replaces'),
  });
}
