// SPDX-License-Identifier: MIT
/** fast-check arbitraries for ZFiles, weighted towards the borders where readers break. */
import fc from 'fast-check';
import { LZ4_FORMS } from './lz4-forms.ts';
import type { CraftedBlock, ZFileRecipe } from './zfile-recipe.ts';
import type { FrameRecipe } from './zstd-frames.ts';
import { weightsOf, type Weights } from './weights.ts';

/** Bytes of a ZFile's content: every class of tail around block and sector borders. */
export function contentBytes(w: Weights = weightsOf()): fc.Arbitrary<number> {
  const around = (n: number): number[] => [n - 513, n - 512, n - 511, n - 1, n, n + 1, n + 511, n + 512, n + 513];
  return w.oneof(
    { weight: 20, arbitrary: fc.constantFrom(512, 1024, 4096, 8192, 16384) },
    { weight: 30, arbitrary: fc.constantFrom(...[512, 1024, 4096, 8192, 12288, 16384].flatMap(around).filter((n) => n > 0)) },
    { weight: 5, arbitrary: fc.constantFrom(...[32768, 131072].flatMap(around)) },
    { weight: 7, arbitrary: fc.constantFrom(...around(65536)) },
    { weight: 24, arbitrary: fc.nat({ max: 24 * 1024 }) },
    { weight: 8, arbitrary: fc.nat({ max: 96 * 1024 }) },
    { weight: 10, arbitrary: fc.constantFrom(0, 0, 0, 1, 2, 11, 12, 13, 14, 511) },
    { weight: 1, feature: 'content.large', arbitrary: fc.constantFrom(256 * 4096 - 1, 256 * 4096, 256 * 4096 + 1) },
  );
}

const FAR_FORMS = LZ4_FORMS.flatMap((f, i) => (/from (as far|32768)/.test(f.name) ? [i] : []));

function crafted(w: Weights): fc.Arbitrary<readonly CraftedBlock[]> {
  return w.oneof<readonly CraftedBlock[]>(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, feature: 'zfile.crafted', arbitrary: fc.array(fc.record({ block: fc.nat({ max: 31 }), form: fc.nat({ max: 0xfff }) }), { minLength: 1, maxLength: 3 }) },
  );
}

function frame(): fc.Arbitrary<FrameRecipe | null> {
  return fc.oneof(
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 3, arbitrary: fc.record<FrameRecipe>({
      piece: fc.constantFrom(0, 0, 16, 100, 1024, 4095), blocks: fc.constantFrom('best', 'best', 'raw'),
      sizeBytes: fc.constantFrom(0, 1, 2, 4, 8), checksum: fc.boolean(), emptyLast: fc.boolean(),
    }) },
  );
}

const seldom = <T>(common: T, others: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 7, arbitrary: fc.constant(common) }, { weight: 1, arbitrary: others });

const common = {
  verify: fc.boolean(),
  headerMode: fc.boolean(),
  digest: fc.boolean(),
  verifyByte: fc.oneof({ weight: 10, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constantFrom(2, 255) }),
};

/** Any ZFile but for what it holds. */
export function zfileRecipe(w: Weights = weightsOf()): fc.Arbitrary<ZFileRecipe> {
  return w.oneof(
    // The plain form first: shrinking goes there, and most damage must meet a reader that could have read the file.
    { weight: 10, feature: 'zfile.plain', arbitrary: fc.record<ZFileRecipe>({
      algo: fc.constant('lz4'), encoder: fc.constantFrom('library', 'library', 'literals', 'greedy'), blockSize: fc.constant(4096), ...common, crafted: crafted(w),
    }) },
    { weight: 4, feature: 'zfile.options', arbitrary: fc.record<ZFileRecipe>({
      algo: fc.constant('lz4'), encoder: fc.constantFrom('library', 'library', 'literals', 'greedy'),
      blockSize: fc.constantFrom(4096, 512, 1024, 2048, 8192, 16384, 32768, 65536, 65536), ...common,
      dictBytes: seldom(0, fc.constantFrom(1, 4, 511, 512, 513, 4096)), reserved: seldom(0, fc.integer({ min: 1, max: 0xffff })), crafted: crafted(w),
    }) },
    { weight: 4, feature: 'zfile.zstd', arbitrary: fc.record<ZFileRecipe>({
      algo: fc.constant('zstd'), encoder: fc.constant('library'), blockSize: fc.constantFrom(4096, 4096, 512, 1024, 8192, 16384, 32768, 65536), ...common,
      dictBytes: seldom(0, fc.constantFrom(1, 512)), frame: frame(),
    }) },
    // Matches from far back, which only large blocks have room for.
    { weight: 1, feature: 'zfile.far', arbitrary: fc.record<ZFileRecipe>({
      algo: fc.constant('lz4'), encoder: fc.constant('library'), blockSize: fc.constant(65536), ...common,
      crafted: fc.array(fc.record({ block: fc.nat({ max: 1 }), form: fc.constantFrom(...FAR_FORMS) }), { minLength: 2, maxLength: 2 }),
    }) },
    // Blocks that grow until the groups that the reference counts in 16 bits are full.
    { weight: 2, feature: 'zfile.groups', arbitrary: fc.record<ZFileRecipe>({
      algo: fc.constant('lz4'), encoder: fc.constant('literals'), blockSize: fc.constant(512), ...common, verify: fc.constant(true),
    }) },
  );
}
