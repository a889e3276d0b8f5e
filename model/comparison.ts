// SPDX-License-Identifier: MIT
/** Implementations beside each other: where they answer differently, and what stands at that place of the images. */
import type { CaseClass } from './expectation.ts';
import type { TargetIdentity } from './identity.ts';
import type { VerdictKind } from './verdict.ts';

export const COMPARE_SCHEMA = 'ovbd-compare/1';

/** A place of an image in the format's terms. Numbers are bytes where nothing else is said. */
export interface PlaceView {
  /** 0 = bottom; null where no layer has anything there, or for an image by itself. */
  readonly layer: number | null;
  /** `LSMT trailer`, `ZFile header`. */
  readonly structure?: string;
  readonly field?: string;
  /** The index entry, in sectors. */
  readonly entry?: { readonly number: number; readonly offset: number | string; readonly length: number; readonly moffset: number | string; readonly zeroed: boolean; readonly tag: number };
  readonly block?: { readonly number: number; readonly at: number; readonly stored: number; readonly decoded: number };
  /** Position in the file that `space` names. */
  readonly at?: number;
  readonly space?: 'file' | 'decoded';
  /** All of it for people, in one line. */
  readonly text: string;
}

/** In what two readers differ. */
export const DIFFERENCES = ['other bytes', 'other size', 'opens', 'refuses', 'read fails', 'read succeeds', 'short read', 'crash', 'hang', 'other end'] as const;
export type DifferenceKind = (typeof DIFFERENCES)[number];

/** What one target did with a case, in one line. */
export interface SideView {
  readonly target: string;
  readonly does: string;
  /** What the judge makes of it. */
  readonly verdict: VerdictKind;
  readonly clause?: string;
  /** The bytes that it gave from the first different one on, at most 16, hex; absent where it gave none. */
  readonly bytes?: string;
  /** Where bytes like those it gave stand otherwise, where they are not the right ones. */
  readonly origin?: string;
}

/** One case on which targets differ. */
export interface CaseDifference {
  readonly case: string;
  readonly class: CaseClass;
  /** Bytes of its images. */
  readonly bytes: number;
  readonly read?: number;
  /** Byte of the device at which they differ first. */
  readonly position?: number;
  readonly place: readonly PlaceView[];
  /** Every target, in their order. */
  readonly sides: readonly SideView[];
}

/** Cases on which a target differs from the first one in one way under one clause. */
export interface DifferenceRow {
  readonly what: DifferenceKind;
  readonly clause: string;
  /** target → cases. */
  readonly cells: Readonly<Record<string, number>>;
  /** Of the cases that as many targets as possible show, the smallest. */
  readonly smallest: CaseDifference;
}

/** What a target did, counted. */
export interface AnswerCounts {
  readonly opened: number;
  readonly refused: number;
  /** Deaths of any kind. */
  readonly died: number;
  /** Cases that it does not take, by its stance. */
  readonly notGiven: number;
  /** Cases that our own machinery could not put to it. */
  readonly failed: number;
  /** Cases a second, of one instance; 0 where none ran. */
  readonly rate: number;
}

/** Two targets: cases on which they did the same, on which the format allows both, on which they differ, and on which one was not asked. */
export interface PairCounts {
  readonly same: number;
  readonly allowed: number;
  readonly differ: number;
  readonly notBoth: number;
}

export interface ReaderComparison {
  readonly schema: typeof COMPARE_SCHEMA;
  readonly mode: 'readers';
  readonly suite: string;
  /** Where the cases come from: a seed, or files. */
  readonly from: { readonly seed: number } | { readonly images: readonly string[] };
  readonly cases: number;
  /** False where it was stopped before its end. */
  readonly complete: boolean;
  readonly targets: readonly TargetIdentity[];
  readonly skipped: readonly { readonly target: string; readonly reason: string }[];
  readonly answers: Readonly<Record<string, AnswerCounts>>;
  /** One target → a later one → counts. */
  readonly pairs: Readonly<Record<string, Readonly<Record<string, PairCounts>>>>;
  readonly rows: readonly DifferenceRow[];
}

/** One writer's image for one input. */
export interface WrittenImage {
  readonly writer: string;
  /** Absent where it made none. */
  readonly bytes?: number;
  readonly sha256?: string;
  /** Why it made none. */
  readonly why?: string;
  /** Whether the image reads as what it was made of; absent where there is none. */
  readonly readsRight?: boolean;
}

/** One input on which writers differ. */
export interface WrittenDifference {
  readonly input: string;
  /** The options, for people. */
  readonly options: string;
  readonly images: readonly WrittenImage[];
  /** First byte at which the two images differ; absent where one of them is missing. */
  readonly at?: number;
  /** The place in the image of each of the two. */
  readonly places: readonly { readonly writer: string; readonly place: PlaceView; readonly bytes: string }[];
  /** Fields and structures that hold something else, at most 32, by their names. */
  readonly fields: readonly string[];
}

export interface WrittenRow {
  /** `LSMT trailer: index_size`; what differs first. */
  readonly what: string;
  /** writer → inputs. */
  readonly cells: Readonly<Record<string, number>>;
  readonly smallest: WrittenDifference;
}

export interface WriterComparison {
  readonly schema: typeof COMPARE_SCHEMA;
  readonly mode: 'writers';
  readonly suite: string;
  readonly seed: number;
  readonly makes: 'lsmt' | 'zfile';
  readonly inputs: number;
  readonly complete: boolean;
  readonly writers: readonly { readonly name: string; readonly description: string }[];
  readonly skipped: readonly { readonly target: string; readonly reason: string }[];
  /** writer → images that it made, that are the first writer's byte for byte, and that read as their input. */
  readonly counts: Readonly<Record<string, { readonly made: number; readonly identical: number; readonly readsRight: number; readonly failed: number }>>;
  readonly rows: readonly WrittenRow[];
}

export type Comparison = ReaderComparison | WriterComparison;
