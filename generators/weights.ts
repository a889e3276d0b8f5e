// SPDX-License-Identifier: MIT
/**
 * What cases are made of, by name, and how much of each a generator is to draw.
 * Without weights every helper here is what it stands for: the same draws, byte
 * for byte.
 */
import fc from 'fast-check';
import type { Swarm } from '../model/index.ts';
import { READ_KINDS } from './recipe.ts';

/** Features that cost too much to be drawn more often than usual: stacks and indexes at their limits. */
export const COSTLY_FEATURES = ['shape.tall', 'shape.index-large', 'shape.index-limit', 'shape.index-million', 'layer.long', 'content.large', 'trouble.deep'] as const;

/** Every feature that weights can name. */
export const FEATURES = [
  'shape.one', 'shape.few', 'shape.stack', 'shape.two', 'shape.zfile', 'shape.form',
  'layer.many', 'layer.aimed', 'layer.edge', 'layer.short-size', 'layer.again', 'layer.invalid', 'layer.empty',
  'zfile.plain', 'zfile.options', 'zfile.zstd', 'zfile.far', 'zfile.groups', 'zfile.crafted',
  'damage.none', 'damage.one', 'damage.two', 'damage.stale',
  'table', ...(['bytes', 'text', 'count', 'device', 'busy', 'short', 'length'] as const).map((kind) => `table.${kind}`),
  ...(['page', 'exact', 'garbage'] as const).map((kind) => `slack.${kind}`),
  ...READ_KINDS.map((kind) => `read.${kind}`), 'read.direct', 'read.buffered', 'read.mmap', 'read.fine', 'read.pieces', 'read.huge',
  'trouble', ...(['fault', 'slow', 'changes', 'again', 'twin'] as const).map((kind) => `trouble.${kind}`),
  'crowd', 'crowd.replaces',
  ...COSTLY_FEATURES,
] as const;

/** Mutators are chosen by a number below this one, which is taken modulo those that apply. */
export const MUTATOR_NUMBERS = 0x100000;

/** How often each level is drawn, in quarters of the usual. */
const FACTORS = { off: 0, low: 1, normal: 4, high: 16 } as const;
const USUAL = FACTORS.normal;

export type Choice<T> = { readonly weight: number; readonly arbitrary: fc.Arbitrary<T>; readonly feature?: string };

/** What the arbitraries ask: without a swarm everything is as usual. */
export interface Weights {
  /** `fc.oneof`, each choice as often as its feature is to be; where all of them are off, as usual. */
  oneof<T>(...choices: readonly Choice<T>[]): fc.Arbitrary<T>;
  /** `fc.constantFrom`, each value as often as its feature is to be; where all of them are off, as usual. */
  from<T>(values: readonly T[], feature: (value: T) => string | undefined): fc.Arbitrary<T>;
  /** The numbers of the mutators that are on; undefined: all. */
  readonly mutators: readonly number[] | undefined;
}

export function weightsOf(swarm?: Pick<Swarm, 'features' | 'mutators'>): Weights {
  if (swarm === undefined) {
    return {
      oneof: (...choices) => fc.oneof(...choices.map(({ weight, arbitrary }) => ({ weight, arbitrary }))),
      from: (values) => fc.constantFrom(...values),
      mutators: undefined,
    };
  }
  const factor = (feature: string | undefined): number => (feature === undefined ? USUAL : FACTORS[swarm.features[feature] ?? 'normal']);
  return {
    oneof: (...choices) => {
      const weights = scaled(choices, factor);
      return fc.oneof(...choices.map(({ arbitrary }, i) => ({ weight: weights[i]!, arbitrary })));
    },
    from: (values, feature) => {
      const chosen = values.flatMap((value) => Array<typeof value>(factor(feature(value))).fill(value));
      return fc.constantFrom(...(chosen.length > 0 ? chosen : values));
    },
    mutators: swarm.mutators.length > 0 ? swarm.mutators : undefined,
  };
}

/** Whole numbers that fast-check's weights may be. */
const FINE = 1000;

/**
 * The weights of choices. What is costly is never a larger part of all than
 * usual, however much of the rest is off: a batch of nothing but indexes of a
 * million entries would take hours.
 */
function scaled(choices: readonly Choice<unknown>[], factor: (feature: string | undefined) => number): number[] {
  const costly = (c: Choice<unknown>): boolean => c.feature !== undefined && (COSTLY_FEATURES as readonly string[]).includes(c.feature);
  const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
  const cheap = choices.map((c) => (costly(c) ? 0 : c.weight * factor(c.feature)));
  const usual = choices.map((c) => (costly(c) ? 0 : c.weight * USUAL));
  const rest = sum(cheap) > 0 ? cheap : usual;
  if (sum(rest) === 0) return choices.map((c) => c.weight);
  const share = sum(usual) / sum(rest);
  return choices.map((c, i) => Math.round(FINE * (costly(c) ? c.weight * Math.min(USUAL, factor(c.feature)) : rest[i]! * share) / USUAL));
}
