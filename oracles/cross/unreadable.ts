// SPDX-License-Identifier: MIT
/** The second reader cannot read on. Thrown inside oracles/cross, turned into a result at its border. */

export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

/** Throws Unreadable with `why` unless `sound`. */
export function need(sound: boolean, why: string): asserts sound {
  if (!sound) throw new Unreadable(why);
}
