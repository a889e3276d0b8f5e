// SPDX-License-Identifier: MIT
/** Layers that hardly hold anything, for stacks of hundreds. */
import { NO_MARKS } from './lsmt-marks.ts';
import type { LayerRecipe, SegmentRecipe } from './recipe.ts';

/** A layer with nothing in it, as plain as can be: without the INVALID entries that a commit pads with. */
export const PLAIN_LAYER: LayerRecipe = {
  segments: [], many: null, tail: 0, virtualSize: 'cover', form: 'sealed', placement: 'packed', invalidBefore: [], emptyBefore: [],
  padding: 0, marks: NO_MARKS, remote: 0, zfile: null, tar: 'no', tarTail: 'end', sameAs: null,
};

/** Layers of stacks that are made of a few again and again: around what each reader's document allows, and far above. */
export const DEEP_STACKS = [254, 255, 256, 257, 258, 300, 511, 512, 513, 1000] as const;
/** Different layers of such a stack at the most. */
const DIFFERENT = 4;

/** `a` chooses from DEEP_STACKS, `b` how many of the layers are different; both are taken modulo what there is. */
export function deepStack(a: number, b: number): LayerRecipe[] {
  const different = tinyLayers(1 + (b % DIFFERENT));
  return Array.from({ length: DEEP_STACKS[a % DEEP_STACKS.length]! }, (_, i) => different[i] ?? { ...PLAIN_LAYER, sameAs: i % different.length });
}

/** Sectors of the device that tiny layers write to. */
const TINY_SECTORS = 64;

/** `count` layers of one short segment each: neighbours overlap now and then, and some of them hide what is below. */
export function tinyLayers(count: number): LayerRecipe[] {
  return Array.from({ length: count }, (_, i): LayerRecipe => {
    const segment: SegmentRecipe = { gap: (i * 5) % TINY_SECTORS, length: 1 + (i % 3), zeroed: i % 7 === 3, content: { kind: 'counter', seed: 100 + i }, place: null };
    return { ...PLAIN_LAYER, segments: [segment], tail: TINY_SECTORS - segment.gap };
  });
}
