// SPDX-License-Identifier: MIT
/**
 * A recipe says how a case is made, in small independent pieces: any subset of
 * its lists and any smaller number in it is a recipe again. That is what lets
 * fast-check shrink the structure of a case instead of its bytes.
 */
import type { Meanwhile, ReadMode, Slack } from '../model/index.ts';
import type { ContentRecipe } from './content.ts';
import type { ZFileRecipe } from './zfile-writer.ts';

/** Where a segment begins or ends relative to a lower one [s, e): see `aimedAt` in lsmt-layout.ts. */
export const AIM_POINTS = ['before', 'start-1', 'start', 'start+1', 'middle', 'end-1', 'end', 'end+1', 'behind'] as const;
export type AimPoint = (typeof AIM_POINTS)[number];

/** A place other than `gap` sectors behind the segment before. */
export type PlaceRecipe =
  /** Relative to one of the next segments of the layers below (of a pair: also of its own writes before this one). */
  | { readonly to: 'segment'; readonly choice: number; readonly from: AimPoint; readonly until: AimPoint }
  /** From this sector of the device on. */
  | { readonly to: 'edge'; readonly sector: number };

/** A mapping relative to the one before it; sectors. */
export interface SegmentRecipe {
  readonly gap: number;
  readonly length: number;
  readonly zeroed: boolean;
  readonly content: ContentRecipe;
  readonly place: PlaceRecipe | null;
}

/** Segments of one sector, `gap` sectors apart, until the index has `count` entries. */
export interface ManyRecipe {
  readonly count: number;
  readonly gap: number;
  /** Each with data of its own; all mapping the same sector; zeroed; entries that are INVALID. */
  readonly kind: 'own' | 'shared' | 'zeroed' | 'invalid';
}

/** What a layer says that no reader needs. 0 everywhere: what a plain writer says. */
export interface MarksRecipe {
  /** Seed of UUIDs, user tag and reserved bytes; 0: none. */
  readonly identity: number;
  /** Meaningless flag bits, by their place among those that are. */
  readonly flags: number;
  /** Seed of what the header says of index and size, which the trailer (of a pair: the index file) says right. */
  readonly header: number;
  /** Seed of the tags of a layer that is no warp file. */
  readonly tags: number;
  /** Where zeroed entries say that they map: the running place, sector 8, the last one they may. */
  readonly zeroed: number;
}

export const LAYER_FORMS = ['committed', 'sealed', 'pair', 'sparse', 'warp'] as const;

export interface LayerRecipe {
  readonly segments: readonly SegmentRecipe[];
  readonly many: ManyRecipe | null;
  /** Sectors of the device behind the last mapping. */
  readonly tail: number;
  /** `cover`: up to the end; `zero`: defers to the layer below; `short`: ends before the last mapping does; `half`: with half of it. */
  readonly virtualSize: 'cover' | 'zero' | 'short' | 'half';
  readonly form: (typeof LAYER_FORMS)[number];
  /** `shared`: every second data entry maps sectors of the one before it, as far as it has them. */
  readonly placement: 'packed' | 'reversed' | 'shared';
  /** Where INVALID entries stand between live ones; taken modulo the number of entries. */
  readonly invalidBefore: readonly number[];
  /** As `invalidBefore`, for entries of length 0. */
  readonly emptyBefore: readonly number[];
  /** Seed of the bytes behind the index, or of a pair the bytes of an entry cut short; 0: zeros, none. */
  readonly padding: number;
  readonly marks: MarksRecipe;
  /** Of a warp layer: which data entries map the remote file, by bits; -1: all. */
  readonly remote: number;
  readonly zfile: ZFileRecipe | null;
  /** `pax-long`: with records of more than one block. */
  readonly tar: 'no' | 'ustar' | 'pax' | 'pax-long';
  /** What follows the layer in its tar: nothing, another member, noise. */
  readonly tarTail: 'end' | 'member' | 'noise';
  /** The same file as a layer below, where there is one: then nothing else here counts. */
  readonly sameAs: number | null;
}

export type ShapeRecipe =
  | { readonly device: 'zfile'; readonly zfile: ZFileRecipe; readonly content: ContentRecipe; readonly bytes: number }
  | {
    readonly device: 'lsmt';
    /** Tiny layers below the others. */
    readonly tiny: number;
    readonly layers: readonly LayerRecipe[];
  };

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

/** One thing wrong with the table; numbers are taken modulo what is there. */
export interface TableRecipe {
  readonly kind: 'bytes' | 'text' | 'count' | 'device' | 'busy' | 'short' | 'length';
  readonly layer: number;
  readonly a: number;
}

/** What else happens around the reads; numbers are taken modulo what is there. */
export interface TroubleRecipe {
  /**
   * `fault`: the device under a layer fails; `slow`: it answers late; `changes`: somebody tries to change the device; `again`: the
   * bottom layer stands in the stack once more, on the same device; `twin`: two devices from the same images; `deep`: a ZFile in a
   * ZFile, or instead of the stack another one of a few layers again and again, as many as a stack may have or far more.
   */
  readonly kind: 'fault' | 'slow' | 'changes' | 'again' | 'twin' | 'deep';
  readonly layer: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

export const READ_KINDS = ['sectors', 'run', 'border', 'tail', 'past', 'large'] as const;

export interface ReadRecipe {
  readonly kind: (typeof READ_KINDS)[number];
  readonly a: number;
  readonly b: number;
  /** Sectors between a page border and the buffer, 0 to 7. */
  readonly bufferSector: number;
  readonly mode: ReadMode;
  /** Of a read through the page cache: seed of the bytes by which offset, length and buffer are no whole sectors; 0: they are. */
  readonly fine: number;
  /** Seed of the buffers that one call fills; 0: one. No mapping has any. */
  readonly pieces: number;
  /** Whether the buffer lies in huge pages. No mapping has one. */
  readonly huge: boolean;
}

/** Who reads again, all at once. */
export interface CrowdRecipe {
  readonly readers: number;
  readonly rounds: number;
  readonly meanwhile: Meanwhile | null;
}

export interface CaseRecipe {
  readonly shape: ShapeRecipe;
  readonly damage: readonly DamageRecipe[];
  /** Counts on undamaged cases only. */
  readonly table: TableRecipe | null;
  readonly slack: Slack;
  readonly reads: readonly ReadRecipe[];
  /** Counts on undamaged cases with a right table only. */
  readonly trouble: TroubleRecipe | null;
  /** Counts only where nothing else happens to the devices. */
  readonly crowd: CrowdRecipe | null;
  /** Seed of the layers that the device shows before its own table; 0: it shows nothing before. Counts where a crowd does. */
  readonly replaces: number;
}
