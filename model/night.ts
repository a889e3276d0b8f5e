// SPDX-License-Identifier: MIT
/** What a night keeps: one record a batch of cases and kernel, enough to go on from and to tell what it may not be mixed with. */
import type { Confirmation } from './finding.ts';
import type { FindingKind, VerdictKind } from './verdict.ts';

export const NIGHT_SCHEMA = 'ovbd-night/1';

export interface NightFinding {
  readonly signature: string;
  readonly kind: FindingKind;
  readonly why: string;
  /** Id of the batch's first case that showed it. */
  readonly firstCase: string;
  /** Cases of the batch that did. */
  readonly count: number;
  readonly blame: Confirmation['blame'];
  /** Folder of the finding, from the night's folder. */
  readonly folder: string;
  readonly replay: string;
}

/** One batch on one target, whole: a batch that was stopped leaves no record. */
export interface NightBatch {
  readonly schema: typeof NIGHT_SCHEMA;
  readonly suite: string;
  readonly seed: number;
  readonly target: string;
  /** What exactly ran it: versions and hashes (model/identity.ts), without what may change from one evening to the next. */
  readonly parts: Readonly<Record<string, string>>;
  /** Number of its first case in the seed's stream, and how many there are. */
  readonly first: number;
  readonly cases: number;
  /** SHA-256 over its first case and what is expected of it: cheap to make again before going on. */
  readonly probe: string;
  /** SHA-256 over the bytes of all its cases. */
  readonly stream: string;
  readonly verdicts: Partial<Readonly<Record<VerdictKind, number>>>;
  readonly findings: readonly NightFinding[];
  /** Instances that died, confirmation included. */
  readonly deaths: number;
  /** Wall time. */
  readonly seconds: number;
}

/** Where batches are kept. */
export interface NightStore {
  /** All whole records of a target. */
  load(target: string): readonly NightBatch[];
  /** Is there whole or not at all, whenever the process ends. Replaces a record of the same first case. */
  save(batch: NightBatch): void;
  /** Moves what is kept of a target out of the way, and gives the new place. */
  setAside(target: string): string;
}
