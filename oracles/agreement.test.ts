// SPDX-License-Identifier: MIT
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { build, drawCase } from '../generators/draw.ts';
import { examine, strictOutcome } from './examine.ts';

const CASES = 400;

describe('generator and reader are two opinions', () => {
  it(`agree on every byte of ${CASES} drawn cases that are sound`, () => {
    let sound = 0;
    for (let i = 0; i < CASES; i++) {
      const { case: made, size, readModel } = build(drawCase(7, i));
      if (!readModel) continue;
      sound++;
      const { expectation, case: sized } = examine(made);
      const { strict } = expectation;
      if (strict.outcome !== 'open') throw new Error(`${made.id}: refused by ${strict.clause}: ${strict.why}`);
      expect(strict.size, made.id).toBe(size);
      strict.reads.forEach((r, k) => {
        const plan = sized.access.reads[k]!;
        if (r.outcome !== 'bytes') throw new Error(`${made.id} read ${k}: ${r.clause}`);
        expect(Buffer.compare(r.bytes, readModel(plan.offset, Math.max(0, Math.min(plan.length, size - plan.offset)))), `${made.id} read ${k}`).toBe(0);
      });
    }
    expect(sound).toBeGreaterThan(CASES / 4);
  });

  it('the same seed and index give the same bytes', () => {
    for (const i of [0, 3, 50, 333]) {
      const [a, b] = [build(drawCase(5, i)).case, build(drawCase(5, i)).case];
      expect(a).toEqual(b);
    }
    expect(build(drawCase(5, 3)).case).not.toEqual(build(drawCase(6, 3)).case);
  });

  it('ranges of every read are without gaps', () => {
    for (let i = 0; i < CASES; i++) {
      const { strict } = examine(build(drawCase(11, i)).case).expectation;
      if (strict.outcome !== 'open') continue;
      for (const r of strict.reads) {
        if (r.outcome !== 'bytes') continue;
        const ends = [0, ...r.ranges.map((x) => x.to)];
        expect(r.ranges.map((x) => x.from)).toEqual(ends.slice(0, -1));
        expect(ends.at(-1)).toBe(r.bytes.length);
      }
    }
  });
});

it('the sizes that are worked out change no outcome', () => {
  for (let i = 0; i < 150; i++) {
    const { case: sized, expectation } = examine(build(drawCase(17, i)).case);
    expect(isDeepStrictEqual(strictOutcome(sized), expectation.strict), `case ${i}`).toBe(true);
  }
});
