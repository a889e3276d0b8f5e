// SPDX-License-Identifier: MIT
/** What the user knows of targets, beside what they say of themselves. */
import { familyOf, type KnownEntry, type TargetIdentity } from '../model/index.ts';
import type { Target } from '../targets/target.ts';
import type { Coming } from './columns.ts';

/** Whether an entry is of that target. */
export function isOf({ targets }: Pick<KnownEntry, 'targets'>, identity: TargetIdentity): boolean {
  return targets === undefined || targets.includes(identity.name) || targets.includes(familyOf(identity));
}

/** The target with these entries among its known failures, as far as they are of it; one that is still in the making too. */
export function knowing<T extends Target | Coming>(target: T, entries: readonly KnownEntry[]): T {
  if (entries.length === 0) return target;
  if ('opened' in target) {
    return { ...target, opened: target.opened.then((made) => ('identity' in made ? knowing(made, entries) : made)) };
  }
  const added = entries.filter((entry) => isOf(entry, target.identity));
  return { ...target, stance: { ...target.stance, knownFailures: [...target.stance.knownFailures, ...added] } };
}
