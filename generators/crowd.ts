// SPDX-License-Identifier: MIT
/** How many readers read a case's reads again, within bounds of memory and time. */
import type { AccessPlan, Crowd, ReadPlan } from '../model/index.ts';
import type { CaseRecipe, CrowdRecipe } from './recipe.ts';

/** Bytes that the readers hold at the same time, at the most: a test machine has little memory. */
const AT_ONCE = 16 << 20;
/** Bytes that a crowd reads in all, at the most; emulated, that is a tenth of a second. */
const IN_ALL = 8 << 20;

/** What the recipe has happen to a device of a stack of `layers` that is read. */
export function inUse(r: Pick<CaseRecipe, 'crowd' | 'replaces'>, reads: readonly ReadPlan[], layers: number): Pick<AccessPlan, 'crowd' | 'replaces'> {
  const crowd = r.crowd && planCrowd(r.crowd, reads);
  return { ...(crowd ? { crowd } : {}), ...(r.replaces > 0 ? { replaces: r.replaces % layers } : {}) };
}

/** The crowd of the recipe, with fewer readers and rounds where the reads are large; null where there is nothing to read or only one could. */
function planCrowd({ readers, rounds, meanwhile }: CrowdRecipe, reads: readonly ReadPlan[]): Crowd | null {
  const longest = reads.reduce((n, r) => Math.max(n, r.length), 0);
  const all = reads.reduce((n, r) => n + r.length, 0);
  if (all === 0) return null;
  const few = Math.min(readers, Math.max(1, Math.floor(AT_ONCE / longest)));
  if (few === 1 && meanwhile === null) return null;
  return { readers: few, rounds: Math.min(rounds, Math.max(1, Math.floor(IN_ALL / (all * few)))), ...(meanwhile === null ? {} : { meanwhile }) };
}
