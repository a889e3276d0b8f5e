// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { drawCase } from './draw.ts';
import { layOut, withoutPlaces, type LaidLayer } from './lsmt-layout.ts';
import { AIM_POINTS, type LayerRecipe, type SegmentRecipe } from './recipe.ts';
import { PLAIN_LAYER } from './tiny-layers.ts';

const plain = (gap: number, length: number, place: SegmentRecipe['place'] = null): SegmentRecipe =>
  ({ gap, length, zeroed: false, content: { kind: 'counter', seed: 1 }, place });

/** How [a, b) stands to [s, e): one of Allen's thirteen relations. */
function relation(a: number, b: number, s: number, e: number): string {
  const order = (x: number, y: number): string => (x < y ? '<' : x > y ? '>' : '=');
  return [order(a, s), order(b, e), order(a, e), order(b, s)].join('');
}

/** A layer without its data. */
const places = ({ segments, virtualSize }: LaidLayer): unknown =>
  [virtualSize, ...segments.map((s) => [s.offset, s.length, s.end, s.content?.length ?? null, s.shares ?? null, s.remote ?? false])];

describe('where mappings go', () => {
  it('an upper segment comes to stand in every relation to a lower one', () => {
    const lower = layOut({ ...PLAIN_LAYER, segments: [plain(20, 10)] }, []).segments;
    const relations = new Set<string>();
    const edges = new Set<string>();
    for (const from of AIM_POINTS) {
      for (const until of AIM_POINTS) {
        const [s] = layOut({ ...PLAIN_LAYER, segments: [plain(0, 1, { to: 'segment', choice: 0, from, until })] }, lower).segments;
        relations.add(relation(s!.offset, s!.end, 20, 30));
        edges.add(`${s!.offset - 20} ${s!.end - 30}`);
      }
    }
    expect(relations.size).toBe(13);
    for (const a of [-1, 0, 1]) for (const b of [-1, 0, 1]) expect(edges).toContain(`${a} ${b}`);
  });

  it('of every layer but a pair they ascend without overlap, and their data are as long as they are', () => {
    for (let i = 0; i < 400; i++) {
      const { shape } = drawCase(3, i).recipe;
      if (shape.device !== 'lsmt' || shape.layers.some((l) => (l.many?.count ?? 0) > 1000)) continue;
      const laid: LaidLayer[] = [];
      for (const l of shape.layers) {
        const made = layOut(l, laid.flatMap((x) => x.segments));
        laid.push(made);
        made.segments.forEach((s, k) => {
          expect(s.end - s.offset).toBe(s.length);
          if (s.content) expect(s.content.length).toBe(s.length * 512);
          const free = l.form === 'pair' || k === 0 ? 0 : made.segments[k - 1]!.end;
          expect(s.offset).toBeGreaterThanOrEqual(free);
        });
      }
    }
  });

  it('stay where they are when places are made absolute', () => {
    let moved = 0;
    for (let i = 0; i < 400; i++) {
      const { shape } = drawCase(4, i).recipe;
      if (shape.device !== 'lsmt' || shape.layers.some((l) => (l.many?.count ?? 0) > 1000)) continue;
      const lay = (layers: readonly LayerRecipe[]): LaidLayer[] => {
        const laid: LaidLayer[] = [];
        for (const l of layers) laid.push(layOut(l, laid.flatMap((x) => x.segments)));
        return laid;
      };
      const before = lay(shape.layers);
      const absolute = withoutPlaces(shape.layers, before);
      if (absolute.some((l, k) => l !== shape.layers[k])) moved++;
      expect(lay(absolute).map(places)).toEqual(before.map(places));
    }
    expect(moved).toBeGreaterThan(50);
  });
});
