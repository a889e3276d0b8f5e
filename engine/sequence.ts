// SPDX-License-Identifier: MIT
/** The shortest part of a sequence that still does it, by trying parts of it. */

/**
 * Leaves items out, larger pieces first, while `does` says that the rest still
 * does it, which is taken as known of the whole. Asks at most `budget` times. The order is kept.
 * Pieces are left out from the start on: what comes last most likely is what did it.
 */
export async function shortest<T>(items: readonly T[], does: (part: readonly T[]) => Promise<boolean>, budget: number): Promise<readonly T[]> {
  let current = items;
  let left = budget;
  for (let size = Math.ceil(current.length / 2); size >= 1 && current.length > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < current.length; ) {
      if (left-- <= 0) return current;
      const part = [...current.slice(0, at), ...current.slice(at + size)];
      if (await does(part)) current = part;
      else at += size;
    }
  }
  return current;
}
