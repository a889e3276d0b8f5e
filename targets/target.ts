// SPDX-License-Identifier: MIT
/** The one interface between the engine and whatever is tested. */
import type { Case, Explanation, Lowered, Observation, SourceCoverage, Stance, TargetIdentity } from '../model/index.ts';

/** One case made ready for a target. */
export interface Job {
  readonly case: Case;
  /**
   * The SHA-256 (hex) the oracle expects of each read, null where it expects an
   * error. Only a filter for which bytes need to come back; never a verdict.
   */
  readonly wanted: readonly (string | null)[];
  /** Present for targets that ask for it (`needsLowering`) and cases that can be lowered. */
  readonly lowered?: Lowered;
}

/** One isolated instance maker: a VM slot, a process slot. */
export interface Session {
  /**
   * Runs the jobs in order in a **fresh** instance and calls `done` for each,
   * in order. When the instance dies the death is that job's observation, and
   * the next job gets a fresh instance. Never throws for what a target does;
   * throws `EngineError` where the lab itself cannot go on.
   * `patience` multiplies deadlines (a hang is confirmed with a higher one).
   */
  run(jobs: readonly Job[], done: (index: number, observation: Observation) => void, options?: RunOptions): Promise<void>;
  /** Points of the code under test that its instances have reached until now: the same number for the same point of the same target. Absent where that is not seen. */
  reached?(): readonly number[];
  close(): Promise<void>;
}

export interface RunOptions {
  readonly patience?: number;
  /** Processors of the instance, one of the target's `processors`; absent: one. */
  readonly processors?: number;
  readonly signal?: AbortSignal;
}

export interface Target {
  readonly identity: TargetIdentity;
  readonly stance: Stance;
  /** Bytes: a device's size is rounded down to a multiple of this. 512 for block devices, 1 for plain readers. */
  readonly sizeUnit: 1 | 512;
  /** True for the stock kernel: it is given tables made by the oracle. */
  readonly needsLowering?: boolean;
  /** Targets of one family are columns of one matrix: their findings are compared. Absent: compared with none. */
  readonly family?: string;
  /** Instances that may run at the same time. */
  readonly lanes: number;
  /** Numbers of processors that instances can be given instead of one, for what races. Absent: none. */
  readonly processors?: readonly number[];
  open(): Promise<Session>;
  /** What `log` says of the death or complaint of this title, for people; undefined where it says nothing. */
  explain?(log: string, title: string): Promise<Explanation | undefined>;
  /** How bad what a title names is, of deaths and complaints of one kind; 0 is the worst. */
  severity?(title: string): number;
  /** What its instances have reached of the sources under test until now; absent where that is not counted. */
  coverage?(signal?: AbortSignal): Promise<SourceCoverage>;
  close(): Promise<void>;
}
