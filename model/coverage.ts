// SPDX-License-Identifier: MIT
/** Which lines and branches of a module's sources a run has reached. */

export interface LineCoverage {
  /** Counted from 1. */
  readonly line: number;
  /** How often it ran. */
  readonly count: number;
  /** How often each way out of it was taken; empty where there is but one. */
  readonly branches: readonly number[];
}

export interface FileCoverage {
  /** Its name, without a folder. */
  readonly file: string;
  readonly text: string;
  /** The lines that have code, ascending. */
  readonly lines: readonly LineCoverage[];
}

export interface SourceCoverage {
  readonly files: readonly FileCoverage[];
  /** Instances whose counts are in it. */
  readonly instances: number;
  /** Instances that ended by themselves: what their last case reached is in no count. */
  readonly lost: number;
  /** What else is missing, for people. */
  readonly problems: readonly string[];
}
