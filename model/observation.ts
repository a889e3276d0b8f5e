// SPDX-License-Identifier: MIT
/** What a target did with a case: facts only, no judgement. */

/** Result of one read. */
export interface ReadObservation {
  /** Bytes read (0 at the end of the device), or a negative errno. */
  readonly result: number;
  /** SHA-256 of the bytes read, hex; empty where the read failed. */
  readonly sha256: string;
  /** The bytes; present whenever `sha256` is not the digest that was asked for. */
  readonly bytes?: Uint8Array;
  /** Bytes changed outside the requested part of the buffer. */
  readonly spill?: Spill;
  /**
   * Position of the first run of 64 bytes that the read claims to have read
   * and that still hold what the buffer was filled with before. Absent: none.
   */
  readonly untouched?: number;
  /**
   * Set where one reader alone got something else, which was right or an error
   * that may be: which one of the crowd got this, from 1.
   */
  readonly reader?: number;
}

/** Damage outside the requested range, as byte distances from it. */
export interface Spill {
  /** Changed bytes before the requested range. */
  readonly before: number;
  /** Changed bytes after it. */
  readonly after: number;
  /** Position of the first changed byte, from the start of the requested range (negative before it). */
  readonly first: number;
}

/** The end of a target in mid-case. */
export interface Death {
  readonly kind: 'crash' | 'hang' | 'lost';
  /**
   * A stable name for it: what the kernel or sanitizer called it and the first
   * frame of the target's own code, such as `page-fault in lsmt_bioremap`.
   */
  readonly title: string;
  /** What the case was doing: `open`, `read 3`, `read together`, `close`. */
  readonly phase: string;
}

/** A complaint in the target's log that did not end it (WARNING, sanitizer, leak report). */
export interface Complaint {
  readonly kind: 'crash' | 'memory' | 'leak';
  readonly title: string;
}

export interface MeanwhileObservation {
  readonly times: number;
  /** What of it failed, in the target's words or errno. Absent: nothing. */
  readonly failed?: string;
}

export interface Observation {
  /** `opened`, `refused`, or `none` where it died before saying either. */
  readonly open: 'opened' | 'refused' | 'none';
  /** Why it refused: the target's words or errno. */
  readonly refusal?: string;
  /** Bytes of the device, where it was opened. */
  readonly size?: number;
  /** One for each read done, in the access plan's order; shorter where it died. */
  readonly reads: readonly ReadObservation[];
  /** What was done to the device while a crowd read it. */
  readonly meanwhile?: MeanwhileObservation;
  readonly death?: Death;
  readonly complaints: readonly Complaint[];
  /** The first byte of a layer’s device that is not what it was before the case; looked for where something tried to change it. */
  readonly changed?: { readonly layer: number; readonly at: number };
  /** The target's log since the last case: kernel log or stderr. */
  readonly log: string;
  /**
   * How many cases of the batch ran in the same instance (VM or process) before
   * this one. 0: this case had a fresh instance.
   */
  readonly history: number;
  /** Set where we, not the target, failed; then nothing else counts. */
  readonly engineError?: string;
}
