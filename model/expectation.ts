// SPDX-License-Identifier: MIT
/** What a conformant reader does with a case. */

/** The image is refused when it is opened: phase open. */
export interface Refusal {
  readonly outcome: 'refuse';
  /** The clause that the image violates, the first in the specification's order. */
  readonly clause: string;
  /** Which layer, 0 = bottom. */
  readonly layer: number;
  /** Byte position in that layer's innermost file that was judged. */
  readonly at: number;
  /** What was found and what was expected, for people. */
  readonly why: string;
}

/** A run of bytes of one read and the clause that says what they are. */
export interface GovernedRange {
  /** First byte, from the start of the read. */
  readonly from: number;
  /** One past the last byte. */
  readonly to: number;
  readonly clause: string;
}

/** The read succeeds: exactly these bytes (fewer than asked for only at the device's end). */
export interface ReadBytes {
  readonly outcome: 'bytes';
  readonly bytes: Uint8Array;
  /** Ascending, without gaps, covering all of `bytes`. */
  readonly ranges: readonly GovernedRange[];
  /**
   * Set where the read goes through the page cache and a page of it holds
   * bytes outside of the read that cannot be produced: the page, and with it
   * the read from there on, may then fail.
   */
  readonly mayFail?: true;
}

/** The read must fail: phase read. Bytes before the failing position may be returned first. */
export interface ReadError {
  readonly outcome: 'error';
  readonly clause: string;
  readonly layer: number;
  readonly at: number;
  readonly why: string;
  /** The right bytes before the first one that cannot be produced. */
  readonly goodBytes: Uint8Array;
}

/** Nothing is known of the read but that it ends: the lenient side of a point whose result nobody defines. */
export interface ReadAny {
  readonly outcome: 'any';
  readonly clause: string;
}

export type ReadOutcome = ReadBytes | ReadError | ReadAny;

/** The image is opened and read. */
export interface Opened {
  readonly outcome: 'open';
  /** Virtual size in bytes. */
  readonly size: number;
  /** One for each read of the access plan, in its order. */
  readonly reads: readonly ReadOutcome[];
}

export type Outcome = Refusal | Opened;

/** A reading of contested clauses other than the normative one. */
export interface Alternative {
  /** Permissive flags that a stance must hold for this outcome to be its own. */
  readonly flags: readonly string[];
  readonly outcome: Outcome;
}

export type CaseClass = 'valid' | 'invalid' | 'permissive';

/** Optional parts of the format that a reader must have to open the images at all. */
export interface Needs {
  readonly algorithms: readonly ('lz4' | 'zstd')[];
  /** Bytes. */
  readonly blockSizes: readonly number[];
  readonly layers: number;
}

export interface Expectation {
  readonly class: CaseClass;
  readonly needs: Needs;
  /**
   * Clauses that a sound case leans on beyond the plainest image (no entries,
   * space for a dictionary, a device that ends in mid-page, …): why a reader
   * may have refused it.
   */
  readonly notable: readonly string[];
  /** Under the normative reading of every clause. */
  readonly strict: Outcome;
  /** Other outcomes that may be taken; where the class is invalid, refusals by other clauses. */
  readonly alternatives: readonly Alternative[];
}
