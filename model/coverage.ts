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

/** A function of a file, from its first line to its last one. */
export interface FunctionCoverage {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** How often it was called. */
  readonly count: number;
}

export interface FileCoverage {
  /** Its name, without a folder. */
  readonly file: string;
  readonly text: string;
  /** The lines that have code, ascending. */
  readonly lines: readonly LineCoverage[];
  /** Ascending. */
  readonly functions: readonly FunctionCoverage[];
}

/** How much of some files was reached. */
export interface Reached {
  readonly lines: number;
  readonly allLines: number;
  readonly branches: number;
  readonly allBranches: number;
}

export interface SourceCoverage {
  readonly files: readonly FileCoverage[];
  /** Instances whose counts are in it. */
  readonly instances: number;
  /** Instances that ended by themselves: of their last case at most what opening its devices reached is in a count. */
  readonly lost: number;
  /** What else is missing, for people. */
  readonly problems: readonly string[];
}
