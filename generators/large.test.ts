// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { build, drawCase } from './draw.ts';
import { isLarge, LARGE_BYTES } from './large.ts';

const SEED = 1;
const CASES = 160;
const all = Array.from({ length: CASES }, (_, i) => drawCase(SEED, i));

describe('large cases', () => {
  it('are drawn, and told by their recipes: no other one comes to twice as much', () => {
    expect(all.some((d) => isLarge(d.recipe))).toBe(true);
    for (const d of all) {
      if (isLarge(d.recipe)) continue;
      const bytes = build(d).case.layers.reduce((n, l) => n + l.bytes.length, 0);
      expect(bytes, d.id).toBeLessThan(2 * LARGE_BYTES);
    }
  });

  it('are left to one of so many cases, under another name; all other cases stay as they are', () => {
    const few = all.map((_, i) => drawCase(SEED, i, 8));
    expect(few.some((d, i) => d.id !== all[i]!.id)).toBe(true);
    for (const [i, d] of few.entries()) {
      const kept = i % 8 === 0 || !isLarge(all[i]!.recipe);
      if (kept) {
        expect(d.id).toBe(all[i]!.id);
        expect(d.recipe).toEqual(all[i]!.recipe);
      } else {
        expect(d.id).toMatch(new RegExp(`^s${SEED}-c${i}-again\\d+$`));
        expect(isLarge(d.recipe)).toBe(false);
      }
    }
  });
});
