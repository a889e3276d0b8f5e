// SPDX-License-Identifier: MIT
/**
 * Which features a batch's cases are made of. What a generator always mixes it
 * never tries without each other; a batch that has half of it off does.
 */
import { Random } from 'fast-check';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { COSTLY_FEATURES, FEATURES, MUTATOR_NUMBERS } from '../../generators/weights.ts';
import type { Gain, Level, Swarm } from '../../model/index.ts';

/** Everything as in a run: what is common is found by the first batch, before anything is left out. */
export const USUAL_SWARM: Swarm = { features: {}, mutators: [], from: null };

/** Of 100 features. */
const CHANCES: readonly (readonly [Level, number])[] = [['off', 30], ['low', 45], ['normal', 80], ['high', 100]];
const COSTLY_CHANCES: readonly (readonly [Level, number])[] = [['off', 60], ['low', 80], ['normal', 100]];
/** Mutators that are on, where not all are. */
const MUTATORS = { least: 4, most: 24 } as const;
/** Of 100 batches, how many have all mutators. */
const ALL_MUTATORS = 34;

/** The swarm of batch `number`: a function of the two alone. */
export function drawSwarm(seed: number, number: number): Swarm {
  if (number === 0) return USUAL_SWARM;
  const random = randomOf(seed, number);
  return { features: Object.fromEntries(FEATURES.map((name) => [name, levelOf(random, name)])), mutators: mutatorsOf(random), from: null };
}

/** A batch that may be followed. */
export interface Parent {
  readonly number: number;
  readonly swarm: Swarm;
  readonly gain: Gain;
}

/** Batches that are looked back on: what gained long ago gains no more. */
const MEMORY = 40;
/** A new signature is worth so many new points. */
const SIGNATURE = 20;
/** Of 100 batches, how many follow one that gained; the others look for something else. */
const FOLLOW = 50;
/** Of 100 features of a swarm that is followed, how many are drawn anew. */
const CHANGED = 15;

/**
 * The swarm of batch `number` after those that have ended, in the order in which they were recorded: as often as not a
 * variant of one that gained, the more likely the more it did. Without any such batch that of `drawSwarm`.
 */
export function steerSwarm(seed: number, number: number, ended: readonly Parent[]): Swarm {
  const parents = ended.slice(-MEMORY).map((p) => ({ ...p, worth: worthOf(p) })).filter((p) => p.worth > 0);
  const fresh = drawSwarm(seed, number);
  const random = randomOf(seed ^ 0x5bd1e995, number);
  if (parents.length === 0 || random.nextInt(0, 99) >= FOLLOW) return fresh;
  let at = random.nextInt(1, parents.reduce((sum, p) => sum + p.worth, 0));
  const parent = parents.find((p) => (at -= p.worth) <= 0)!;
  return {
    features: Object.fromEntries(FEATURES.map((name) => [name, random.nextInt(0, 99) < CHANGED ? fresh.features[name]! : parent.swarm.features[name] ?? 'normal'])),
    mutators: random.nextInt(0, 99) < CHANGED ? fresh.mutators : varied(random, parent.swarm.mutators),
    from: parent.number,
  };
}

/** The first batch gains by being the first, whatever it is made of. */
function worthOf({ number, gain: { signatures, sights, points } }: Parent): number {
  return number === 0 ? 0 : SIGNATURE * signatures + sights + points;
}

/** A few of the mutators others. */
function varied(random: Random, mutators: readonly number[]): readonly number[] {
  return mutators.map((n) => (random.nextInt(0, 99) < CHANGED ? random.nextInt(0, MUTATOR_NUMBERS - 1) : n));
}

function levelOf(random: Random, name: string): Level {
  const chances = (COSTLY_FEATURES as readonly string[]).includes(name) ? COSTLY_CHANCES : CHANCES;
  const n = random.nextInt(0, 99);
  return chances.find(([, below]) => n < below)![0];
}

function mutatorsOf(random: Random): number[] {
  if (random.nextInt(0, 99) < ALL_MUTATORS) return [];
  return Array.from({ length: random.nextInt(MUTATORS.least, MUTATORS.most) }, () => random.nextInt(0, MUTATOR_NUMBERS - 1));
}

function randomOf(seed: number, number: number): Random {
  return new Random(xoroshiro128plus((Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(number + 1, 0x27d4eb2f)) | 0));
}
