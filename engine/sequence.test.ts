// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { shortest } from './sequence.ts';

const items = Array.from({ length: 25 }, (_, i) => i);

async function find(needed: readonly number[], budget = 100): Promise<{ part: readonly number[]; asked: number }> {
  let asked = 0;
  const part = await shortest(items, async (some) => {
    asked++;
    return needed.every((n) => some.includes(n));
  }, budget);
  return { part, asked };
}

describe('the shortest sequence', () => {
  it('holds what it takes and no more, in order', async () => {
    for (const needed of [[], [0], [24], [7], [3, 19], [0, 12, 24], items]) expect((await find(needed)).part).toEqual(needed);
  });

  it('of one case among many is found in few tries', async () => {
    for (const n of items) expect((await find([n])).asked).toBeLessThan(16);
  });

  it('is what is left when the tries are used up, and still does it', async () => {
    const { part, asked } = await find([3, 19], 4);
    expect(asked).toBe(4);
    expect(part).toEqual(expect.arrayContaining([3, 19]));
    expect(part.length).toBeLessThan(items.length);
    expect((await find([3], 0)).part).toEqual(items);
  });
});
