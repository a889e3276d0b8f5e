// SPDX-License-Identifier: MIT
/** Drives fast-check's arbitrary directly: case `index` of `seed` alone, and its shrinks, in batches of any size. */
import { Random, Value, type Arbitrary } from 'fast-check';
import type { Swarm } from '../model/index.ts';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { caseRecipe } from './arbitraries.ts';
import { buildCase, type Built } from './build.ts';
import { isLarge } from './large.ts';
import type { CaseRecipe } from './recipe.ts';
import { simplifications } from './simplify.ts';

const usual = caseRecipe();

/** A drawn recipe with what its shrinker needs to know. */
export interface Drawn {
  readonly id: string;
  /** Its number in the run. */
  readonly index: number;
  readonly recipe: CaseRecipe;
  /** Smaller recipes, the boldest first: whole elements, then fast-check's own shrinks. Lazy. */
  shrinks(): Iterable<Drawn>;
}

/** Draws of one case at the most, until it is no large one. */
const MAX_DRAWS = 16;

/**
 * The case number `index` of `seed`: independent of every other case. With
 * `largeEvery` above 1 only cases whose number is a multiple of it may have
 * large images (large.ts); others that would are drawn again, and their names
 * say so. All other cases are the same with every `largeEvery`.
 */
export function drawCase(seed: number, index: number, largeEvery = 1): Drawn {
  const mixed = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) | 0;
  const random = new Random(xoroshiro128plus(mixed));
  // Small indexes of a run get fast-check's bias towards small values and edges, as its own runner does.
  const draw = (): Value<CaseRecipe> => usual.generate(random, 2 + Math.floor(Math.log10(index + 1)));
  let value = draw();
  let again = 0;
  for (; index % largeEvery !== 0 && isLarge(value.value) && again < MAX_DRAWS; again++) value = draw();
  return drawn(usual, `s${seed}-c${index}${again === 0 ? '' : `-again${again}`}`, index, value);
}

/** Draws the cases of batch `number` of a campaign, which are made of what its swarm has on: a function of the four and nothing else. */
export function swarmCases(seed: number, number: number, swarm: Swarm): (index: number) => Drawn {
  const arbitrary = caseRecipe(swarm);
  return (index) => {
    const mixed = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(number + 1, 0xc2b2ae35) ^ Math.imul(index + 1, 0x85ebca6b)) | 0;
    return drawn(arbitrary, `s${seed}-b${number}-c${index}`, index, arbitrary.generate(new Random(xoroshiro128plus(mixed)), 2 + Math.floor(Math.log10(index + 1))));
  };
}

function drawn(arbitrary: Arbitrary<CaseRecipe>, id: string, index: number, value: Value<CaseRecipe>): Drawn {
  const recipe = value.value;
  return {
    id,
    index,
    recipe,
    *shrinks() {
      for (const plainer of simplifications(recipe)) yield drawn(arbitrary, id, index, new Value(plainer, undefined));
      for (const smaller of arbitrary.shrink(recipe, value.context)) yield drawn(arbitrary, id, index, smaller);
    },
  };
}

/** The drawn case as bytes. */
export function build(d: Drawn): Built {
  return buildCase(d.id, d.recipe);
}
