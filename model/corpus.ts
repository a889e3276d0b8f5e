// SPDX-License-Identifier: MIT
/** The permanent corpus: cases that are kept for good, with what is expected of them and who failed on them. */
import type { Case } from './case.ts';
import type { Expectation } from './expectation.ts';

export const CORPUS_SCHEMA = 'ovbd-corpus-case/1';

/** An implementation that failed on a case. */
export interface Sighting {
  /** Implementation and version, for people: `dm-overlaybd RFC v3`; of a reader of ours its name as a target, `fake-reader:stack-reversed`. */
  readonly by: string;
  /** What it ran on, where that matters. */
  readonly on?: string;
  /** As verdicts carry it. */
  readonly signature: string;
  /** The version that does not show it any more. Absent: none is known. */
  readonly fixedIn?: string;
}

/** One case of the corpus. Its class, clauses and expectation are the oracle's, never typed by hand. */
export interface CorpusEntry {
  /** Its folder's name, and the id of its case. */
  readonly name: string;
  /**
   * Its clauses are, in the specification's order: those that it touches, where it must be opened and all of it read;
   * and those that it breaks, by the oracle's word, under some side of the contested points.
   */
  readonly case: Case;
  /** SHA-256 over all of the case that a target can see, hex. */
  readonly digest: string;
  readonly expectation: Expectation;
  readonly seen: readonly Sighting[];
}
