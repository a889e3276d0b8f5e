// SPDX-License-Identifier: MIT
/** Verdicts with one signature, their smallest case, and how to see it again. */
import type { Case } from './case.ts';
import type { Expectation } from './expectation.ts';
import type { Observation } from './observation.ts';
import type { Procedure } from './procedure.ts';
import type { FindingKind, Verdict } from './verdict.ts';

/** How sure the charge is. */
export interface Confirmation {
  /** Times the case alone, each time in a fresh instance, showed the signature again. */
  readonly shown: number;
  /** Times it was tried. */
  readonly tried: number;
  /**
   * `alone`: the case by itself shows it, be it only sometimes. `sequence`: only with the cases before
   * it, which are kept with the finding. `unreliable`: neither did when asked again.
   */
  readonly blame: 'alone' | 'sequence' | 'unreliable';
  /** Processors of the instances in which it showed; absent: one, as in all that runs. */
  readonly processors?: number;
}

/** What a target's log says of one death or complaint, with what the lab knows of its code. */
export interface Explanation {
  /** Frames of the target's own code, innermost first: `dm-zfile.c:88 zfile_open`, or `zfile_open+0x82` where the line is not known. */
  readonly where: readonly string[];
  /** The part of the log, with source lines beside the frames. */
  readonly report: string;
}

export interface Finding {
  readonly signature: string;
  readonly kind: FindingKind;
  readonly clause?: string;
  readonly target: string;
  /** Verdicts of the run's cases with this signature; 0 where only another target's smallest case shows it. */
  readonly count: number;
  /** Id of the first case that showed it. */
  readonly firstCase: string;
  /** The smallest case found within the budget. */
  readonly smallest: Case;
  /** Cases that must run before it, oldest first; empty unless blame is `sequence` (then no shorter sequence was found) or `unreliable`. */
  readonly before: readonly Case[];
  /** What is done with its device; absent: it is made, read and removed as its access plan says. */
  readonly procedure?: Procedure;
  readonly expectation: Expectation;
  readonly observation: Observation;
  readonly verdict: Verdict;
  /** Present where a log named it and the target could say more. */
  readonly explanation?: Explanation;
  readonly confirmation: Confirmation;
  /** Present where only the patch's code in userspace shows it: `UNCONFIRMED`. */
  readonly label?: string;
  /** Executions spent on shrinking. */
  readonly shrinkExecutions: number;
}
