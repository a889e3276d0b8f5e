// SPDX-License-Identifier: MIT
/** Which recipes make large images, told without making them: a hundredth of all cases takes half of the time. */
import { LSMT_SPACE, SECTOR, SEGMENT_ENTRY } from '../spec/index.ts';
import type { CaseRecipe, LayerRecipe } from './recipe.ts';
import { deepStack } from './tiny-layers.ts';

/** Bytes of images from which on a case is a large one. */
export const LARGE_BYTES = 1 << 20;

/** Whether the case's images have more than a mebibyte in all, before any envelope makes them smaller or larger. */
export function isLarge({ shape, trouble, damage, table }: CaseRecipe): boolean {
  if (shape.device === 'zfile') return shape.bytes > LARGE_BYTES;
  const layers = trouble?.kind === 'deep' && damage.length === 0 && table === null ? deepStack(trouble.a, trouble.b) : shape.layers;
  return shape.tiny * (2 * LSMT_SPACE + SECTOR) + layers.reduce((bytes, layer, i) => bytes + layerBytes(layer, i + shape.tiny), 0) > LARGE_BYTES;
}

/** Header, trailer, data and entries; what aims at other segments is taken as long as its recipe says. */
function layerBytes({ segments, many, form, tail, sameAs }: LayerRecipe, below: number): number {
  // The same file again is opened again, where there is one below; what else it says counts for nothing then.
  if (sameAs !== null && below > 0) return 2 * LSMT_SPACE;
  const data = segments.reduce((sectors, s) => sectors + (s.zeroed ? 0 : s.length), 0) + (many?.kind === 'own' ? many.count : 0);
  const hole = form === 'sparse' ? Math.min(tail, 4096) : 0;
  return 2 * LSMT_SPACE + (data + hole) * SECTOR + (segments.length + (many?.count ?? 0)) * SEGMENT_ENTRY;
}
