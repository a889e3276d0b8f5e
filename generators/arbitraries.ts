// SPDX-License-Identifier: MIT
/** fast-check arbitraries for recipes: one function an element, weighted towards the borders where readers break. */
import fc from 'fast-check';
import { CONTENT_KINDS, type ContentRecipe } from './content.ts';
import { PLAIN_ZFILE, type ZFileRecipe } from './zfile-writer.ts';
import { READ_KINDS, type CaseRecipe, type DamageRecipe, type LayerRecipe, type ReadRecipe, type SegmentRecipe, type ShapeRecipe } from './recipe.ts';

/** Any choice of place or value; users take it modulo what is there. */
const choice = fc.nat({ max: 0xfffff });

function content(): fc.Arbitrary<ContentRecipe> {
  return fc.record({ kind: fc.constantFrom(...['counter' as const, 'mixed' as const, ...CONTENT_KINDS]), seed: fc.nat({ max: 0xffff }) });
}

/** Bytes of a ZFile's content: every class of tail around block and sector borders. */
function contentBytes(): fc.Arbitrary<number> {
  const around = (n: number): number[] => [n - 513, n - 512, n - 1, n, n + 1, n + 511, n + 512, n + 513];
  return fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(512, 1024, 4096, 8192, 16384) },
    { weight: 3, arbitrary: fc.constantFrom(...[512, 4096, 8192, 12288, 65536, 131072].flatMap(around).filter((n) => n > 0)) },
    { weight: 4, arbitrary: fc.nat({ max: 96 * 1024 }) },
    { weight: 1, arbitrary: fc.constantFrom(0, 1, 2, 511) },
    { weight: 1, arbitrary: fc.constantFrom(256 * 4096 - 1, 256 * 4096, 256 * 4096 + 1) },
  );
}

export function zfileRecipe(): fc.Arbitrary<ZFileRecipe> {
  return fc.oneof(
    // The plain form first: shrinking goes there, and most damage must meet a reader that could have read the file.
    { weight: 3, arbitrary: fc.record<ZFileRecipe>({
      algo: fc.constant('lz4'), encoder: fc.constantFrom('library', 'library', 'literals'), blockSize: fc.constant(4096),
      verify: fc.boolean(), headerMode: fc.boolean(), digest: fc.boolean(),
    }) },
    { weight: 1, arbitrary: fc.record<ZFileRecipe>({
      algo: fc.constantFrom('lz4', 'lz4', 'lz4', 'zstd'), encoder: fc.constantFrom('library', 'literals'),
      blockSize: fc.constantFrom(4096, 8192, 16384, 32768, 65536),
      verify: fc.boolean(), headerMode: fc.boolean(), digest: fc.boolean(),
    }) },
  );
}

function sectors(): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 16 }) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 130 }) },
    { weight: 1, arbitrary: fc.constantFrom(63, 64, 65, 127, 128, 129, 255, 256, 257) },
  );
}

function segment(): fc.Arbitrary<SegmentRecipe> {
  const gap = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.integer({ min: 0, max: 24 }) },
    { weight: 1, arbitrary: sectors() });
  return fc.oneof(
    { weight: 200, arbitrary: fc.record({ gap, length: sectors(), zeroed: fc.boolean(), content: content() }) },
    { weight: 200, arbitrary: fc.record({ gap, length: sectors(), zeroed: fc.constant(false), content: content() }) },
    // The longest entries: zeroed, and seldom 8 MiB of data.
    { weight: 6, arbitrary: fc.record({ gap, length: fc.constantFrom(16382, 16383), zeroed: fc.constant(true), content: content() }) },
    { weight: 1, arbitrary: fc.record({ gap, length: fc.constantFrom(16382, 16383), zeroed: fc.constant(false), content: content() }) },
  );
}

const many = fc.oneof(
  { weight: 15, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.record({ count: fc.constantFrom(15, 16, 17, 31, 32, 33), gap: fc.nat({ max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ count: fc.constantFrom(254, 255, 256, 257), gap: fc.nat({ max: 2 }) }) },
);

function layer(wrapped: fc.Arbitrary<ZFileRecipe | null>, others: boolean): fc.Arbitrary<LayerRecipe> {
  return fc.record<LayerRecipe>({
    segments: fc.array(segment(), { maxLength: 10 }),
    many,
    tail: fc.oneof({ weight: 2, arbitrary: fc.nat({ max: 9 }) }, { weight: 1, arbitrary: sectors() }),
    virtualSize: fc.oneof({ weight: 14, arbitrary: fc.constant('cover' as const) }, { weight: 1, arbitrary: fc.constantFrom('zero' as const, 'short' as const) }),
    form: others ? fc.oneof({ weight: 8, arbitrary: fc.constant('committed' as const) }, { weight: 4, arbitrary: fc.constant('sealed' as const) },
      { weight: 1, arbitrary: fc.constant('pair' as const) }) : fc.constantFrom('committed', 'sealed'),
    placement: fc.constantFrom('packed', 'packed', 'reversed'),
    invalidBefore: fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(fc.nat({ max: 12 }), { maxLength: 3 }) }),
    zfile: wrapped,
    tar: others ? fc.oneof({ weight: 12, arbitrary: fc.constant('no' as const) }, { weight: 1, arbitrary: fc.constantFrom('ustar' as const, 'pax' as const) })
      : fc.constant('no'),
  });
}

function shape(): fc.Arbitrary<ShapeRecipe> {
  const raw = fc.constant(null);
  const plain = fc.oneof({ weight: 2, arbitrary: raw }, { weight: 1, arbitrary: fc.constant(PLAIN_ZFILE) });
  const any = fc.oneof({ weight: 2, arbitrary: raw }, { weight: 1, arbitrary: zfileRecipe() });
  const layers = (of: fc.Arbitrary<LayerRecipe>, min: number, max: number): fc.Arbitrary<ShapeRecipe> =>
    fc.record({ device: fc.constant('lsmt' as const), layers: fc.array(of, { minLength: min, maxLength: max }) });
  return fc.oneof(
    { weight: 4, arbitrary: layers(layer(raw, false), 1, 1) },
    { weight: 2, arbitrary: layers(layer(plain, false), 1, 3) },
    { weight: 2, arbitrary: layers(layer(any, true), 1, 8) },
    { weight: 5, arbitrary: fc.record({ device: fc.constant('zfile' as const), zfile: zfileRecipe(), content: content(), bytes: contentBytes() }) },
  );
}

function damage(): fc.Arbitrary<DamageRecipe> {
  return fc.record({ mutator: fc.nat({ max: 0xffff }), layer: choice, a: choice, b: choice, reseal: fc.boolean() });
}

function read(): fc.Arbitrary<ReadRecipe> {
  return fc.record({
    kind: fc.constantFrom(...READ_KINDS), a: choice, b: choice,
    bufferSector: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 7 }) }),
    mode: fc.constantFrom('direct', 'direct', 'buffered'),
  });
}

/** Any case: about half sound, half damaged, a few damaged twice. */
export function caseRecipe(): fc.Arbitrary<CaseRecipe> {
  return fc.record<CaseRecipe>({
    shape: shape(),
    damage: fc.oneof(
      { weight: 10, arbitrary: fc.constant([]) },
      { weight: 10, arbitrary: fc.array(damage(), { minLength: 1, maxLength: 1 }) },
      { weight: 1, arbitrary: fc.array(damage(), { minLength: 2, maxLength: 2 }) },
    ),
    slack: fc.constantFrom('page', 'page', 'page', 'exact', 'garbage'),
    reads: fc.array(read(), { maxLength: 6 }),
  });
}
