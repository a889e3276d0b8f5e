// SPDX-License-Identifier: MIT
/** Chooses mutators for damage recipes and does their damage, each worked out on the sound file. */
import { damaged, type Damage, type Edit, type Mutator } from './mutators/damage.ts';
import type { DamageRecipe } from './recipe.ts';

/** A damage recipe and where in the list of mutators it begins to look. */
export interface Chosen {
  readonly recipe: DamageRecipe;
  readonly mutator: number;
}

/** Of so many damages, two thirds aim at a clause. */
const KINDS = ['aimed', 'aimed', 'anywhere'] as const;

/** Place in the list of mutators that any non-negative integer chooses. The list has some of either kind. */
export function mutatorAt(mutators: readonly Pick<Mutator<never>, 'violates'>[], n: number): number {
  const places = mutators.flatMap((m, i) => ((m.violates !== null) === (KINDS[n % KINDS.length] === 'aimed') ? [i] : []));
  return places[Math.floor(n / KINDS.length) % places.length]!;
}

/** The smallest integer that chooses the mutator at this place. */
export function numberOf(mutators: readonly Pick<Mutator<never>, 'violates'>[], place: number): number {
  const aimed = mutators[place]!.violates !== null;
  const before = mutators.slice(0, place).filter((m) => (m.violates !== null) === aimed).length;
  return before * KINDS.length + KINDS.indexOf(aimed ? 'aimed' : 'anywhere');
}

export interface Inflicted {
  readonly bytes: Uint8Array;
  readonly damages: readonly Damage[];
  /** Clauses that the mutators aimed at, with the damage that breaks them. */
  readonly aimed: readonly { readonly clause: string; readonly damage: Damage }[];
  /** Whether all of them aimed at one: else nobody knows what a reader meets first. */
  readonly certain: boolean;
}

/**
 * The file with the damages in it. Where a mutator finds nothing to damage,
 * the next one of its kind that does takes its place: one that aims at a
 * clause, or at none. Damage to bytes that another one changed already is left
 * out, since then neither would be what it is meant to be.
 */
export function inflict<Image>(bytes: Uint8Array, image: Image, mutators: readonly Mutator<Image>[], chosen: readonly Chosen[]): Inflicted {
  const damages: Damage[] = [];
  const aimed: { clause: string; damage: Damage }[] = [];
  for (const c of chosen) {
    const found = firstThatDamages(bytes, image, mutators, c);
    if (!found || damages.some((d) => collide(d, found.damage))) continue;
    damages.push(found.damage);
    if (found.mutator.violates !== null) aimed.push({ clause: found.mutator.violates, damage: found.damage });
  }
  return { bytes: damages.length === 0 ? bytes : damaged(bytes, damages), damages, aimed, certain: aimed.length === damages.length };
}

function firstThatDamages<Image>(
  bytes: Uint8Array, image: Image, mutators: readonly Mutator<Image>[], { recipe, mutator }: Chosen,
): { mutator: Mutator<Image>; damage: Damage } | null {
  // One that aims at a clause gives way only to another that does: or what the case violates first would be nobody's guess.
  const first = mutators[mutator]!;
  const alike = mutators.filter((m) => (m.violates !== null) === (first.violates !== null));
  const from = alike.indexOf(first);
  for (let i = 0; i < alike.length; i++) {
    // Not the one behind it: that would stand in for all that need what most files lack.
    const m = alike[(from + (i === 0 ? 0 : i + recipe.b)) % alike.length]!;
    const damage = m.damage(image, recipe.a, recipe.b);
    if (damage && changes(bytes, damage)) return { mutator: m, damage };
  }
  return null;
}

function changes(bytes: Uint8Array, { edits, length }: Damage): boolean {
  return (length !== undefined && length !== bytes.length) || edits.some((e) => e.bytes.some((byte, i) => bytes[e.at + i] !== byte));
}

function collide(a: Damage, b: Damage): boolean {
  if (a.length !== undefined && b.length !== undefined) return true;
  return a.edits.some((x) => b.edits.some((y) => overlap(x, y)));
}

function overlap(a: Edit, b: Edit): boolean {
  return a.at < b.at + b.bytes.length && b.at < a.at + a.bytes.length;
}
