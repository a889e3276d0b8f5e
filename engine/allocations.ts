// SPDX-License-Identifier: MIT
/** Drawn cases again where there is no memory: an allocation of the reader's fails, and all after it. */
import { build, drawCase, type Drawn } from '../generators/draw.ts';
import type { Origin, StoredOrigin } from './prepare.ts';

/** Bits of the largest number of allocations that succeed: a device of one layer makes about ten, each layer some more. */
const MOST_BITS = 7;

/** Case number `index` of a run in which each drawn case comes twice: first as it is, then with an allocation failing. */
export function withAllocations(seed: number, first: number, index: number, largeEvery?: number): Origin {
  const drawn = drawCase(seed, first + (index >> 1), largeEvery);
  return index % 2 === 0 ? { ...drawn, index } : failing(drawn, index, allocationOf(seed, first + (index >> 1)));
}

/** How many allocations succeed in the second run of a drawn case: a function of both numbers, the small ones as often as the large. */
export function allocationOf(seed: number, index: number): number {
  let x = Math.imul(seed ^ 0x6d2b79f5, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = (x ^ (x >>> 13)) >>> 0;
  // As many of each number of bits; of more bits each number is rarer.
  return (x >>> 4) & ((1 << (x % (MOST_BITS + 1))) - 1);
}

/** The drawn case with so many allocations that succeed; it shrinks to itself with memory, to fewer allocations, and as it does with memory. */
function failing(drawn: Drawn, index: number, failsAfter: number): StoredOrigin {
  const { case: c } = build(drawn);
  const id = `${drawn.id}-a${failsAfter}`;
  return {
    id, index, stored: { ...c, id, access: { ...c.access, failsAfter } },
    *shrinks() {
      yield plain(drawn, index, id);
      for (const fewer of new Set([0, failsAfter >> 1, failsAfter - 1])) if (fewer >= 0 && fewer < failsAfter) yield failing(drawn, index, fewer);
      for (const one of drawn.shrinks()) yield failing(one, index, failsAfter);
    },
  };
}

/** The drawn case with memory, and so are all that it shrinks to. */
function plain(drawn: Drawn, index: number, id: string): StoredOrigin {
  return { id, index, stored: { ...build(drawn).case, id }, *shrinks() { for (const one of drawn.shrinks()) yield plain(one, index, id); } };
}
