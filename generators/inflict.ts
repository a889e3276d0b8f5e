// SPDX-License-Identifier: MIT
/** Chooses mutators for damage recipes and does their damage, each worked out on the sound file. */
import { damaged, type Damage, type Edit, type Mutator } from './mutators/damage.ts';
import type { DamageRecipe } from './recipe.ts';

/** A damage recipe and the mutator it begins to look at. */
export interface Chosen {
  readonly recipe: DamageRecipe;
  readonly mutator: number;
}

export interface Inflicted {
  readonly bytes: Uint8Array;
  readonly damages: readonly Damage[];
  /** Clauses that the mutators aimed at, with the damage that breaks them. */
  readonly aimed: readonly { readonly clause: string; readonly damage: Damage }[];
}

/**
 * The file with the damages in it. Where a mutator finds nothing to damage,
 * the next one of its kind that does takes its place: one that aims at a
 * clause, or at none. Damage to bytes that another one
 * changed already is left out, since then neither would be what it is meant to be.
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
  return { bytes: damages.length === 0 ? bytes : damaged(bytes, damages), damages, aimed };
}

function firstThatDamages<Image>(
  bytes: Uint8Array, image: Image, mutators: readonly Mutator<Image>[], { recipe, mutator }: Chosen,
): { mutator: Mutator<Image>; damage: Damage } | null {
  const isAimed = mutators[mutator]!.violates !== null;
  // One that aims at a clause gives way only to another that does: or what the case violates first would be nobody's guess.
  const aims = mutators[mutator % mutators.length]!.violates !== null;
  for (let i = 0; i < mutators.length; i++) {
    const m = mutators[(mutator + i) % mutators.length]!;
    if (aims && m.violates === null) continue;
    if ((m.violates !== null) !== isAimed) continue;
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
