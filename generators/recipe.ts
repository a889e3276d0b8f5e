// SPDX-License-Identifier: MIT
/**
 * A recipe says how a case is made, in small independent pieces: any subset of
 * its lists and any smaller number in it is a recipe again. That is what lets
 * fast-check shrink the structure of a case instead of its bytes.
 */
import type { Slack } from '../model/index.ts';
import type { ContentRecipe } from './content.ts';
import type { ZFileRecipe } from './zfile-writer.ts';

/** A mapping relative to the one before it; sectors. */
export interface SegmentRecipe {
  readonly gap: number;
  readonly length: number;
  readonly zeroed: boolean;
  readonly content: ContentRecipe;
}

export interface LayerRecipe {
  readonly segments: readonly SegmentRecipe[];
  /** That many more segments of one sector, `gap` sectors apart: tables of hundreds of entries. */
  readonly many: { readonly count: number; readonly gap: number } | null;
  /** Sectors of the device behind the last mapping. */
  readonly tail: number;
  /** `cover`: up to the end; `zero`: defers to the layer below; `short`: ends before the last mapping does. */
  readonly virtualSize: 'cover' | 'zero' | 'short';
  readonly form: 'committed' | 'sealed' | 'pair';
  readonly placement: 'packed' | 'reversed';
  /** Where INVALID entries stand between live ones; taken modulo the number of entries. */
  readonly invalidBefore: readonly number[];
  readonly zfile: ZFileRecipe | null;
  readonly tar: 'no' | 'ustar' | 'pax';
}

export type ShapeRecipe =
  | { readonly device: 'zfile'; readonly zfile: ZFileRecipe; readonly content: ContentRecipe; readonly bytes: number }
  | { readonly device: 'lsmt'; readonly layers: readonly LayerRecipe[] };

/** One act of damage. Numbers are taken modulo what is there. */
export interface DamageRecipe {
  /** Index into the list of mutators that apply to the image. */
  readonly mutator: number;
  readonly layer: number;
  readonly a: number;
  readonly b: number;
  /** Whether checksums are made right again afterwards. */
  readonly reseal: boolean;
}

export const READ_KINDS = ['sectors', 'run', 'border', 'tail', 'past'] as const;

export interface ReadRecipe {
  readonly kind: (typeof READ_KINDS)[number];
  readonly a: number;
  readonly b: number;
  /** Sectors between a page border and the buffer, 0 to 7. */
  readonly bufferSector: number;
  readonly mode: 'direct' | 'buffered';
}

export interface CaseRecipe {
  readonly shape: ShapeRecipe;
  readonly damage: readonly DamageRecipe[];
  readonly slack: Slack;
  readonly reads: readonly ReadRecipe[];
}
