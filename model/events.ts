// SPDX-License-Identifier: MIT
/** A run as a stream: one event a line in run.jsonl, the footer last. A stream without its footer is not a report. */
import type { TargetIdentity } from './identity.ts';
import type { Confirmation } from './finding.ts';
import type { CaseClass } from './expectation.ts';
import type { FindingKind, VerdictKind } from './verdict.ts';

export const RUN_SCHEMA = 'ovbd-run/1';

export interface RunEvent {
  readonly type: 'run';
  readonly schema: typeof RUN_SCHEMA;
  readonly suite: string;
  readonly seed: number;
  /** Cases planned. */
  readonly cases: number;
  readonly targets: readonly TargetIdentity[];
  /** What could not run, and what to install or give so that it can. */
  readonly skipped: readonly { readonly target: string; readonly reason: string }[];
}

export interface CaseEvent {
  readonly type: 'case';
  readonly target: string;
  readonly case: string;
  readonly class: CaseClass;
  readonly kind: VerdictKind;
  readonly clause?: string;
  readonly signature?: string;
  readonly why?: string;
  readonly undeclared?: readonly string[];
}

export interface FindingEvent {
  readonly type: 'finding';
  readonly target: string;
  readonly signature: string;
  readonly kind: FindingKind;
  readonly clause?: string;
  readonly why: string;
  readonly count: number;
  readonly firstCase: string;
  /** `3 layers, 5 segments, 12288 bytes, 1 read`. */
  readonly smallest: string;
  readonly confirmation: Confirmation;
  /** Folder of the finding, from the run's folder. */
  readonly folder: string;
  /** The one command that shows it again. */
  readonly replay: string;
}

export interface FooterEvent {
  readonly type: 'footer';
  /** False where the run was stopped before its budget of cases or time was used. */
  readonly complete: boolean;
  readonly cases: number;
  /** SHA-256 over the bytes of every case, in order: two runs of one seed have the same. */
  readonly caseStream: string;
  /** target → kind → count. */
  readonly verdicts: Readonly<Record<string, Partial<Record<VerdictKind, number>>>>;
  /** Confirmed findings: shown again by a case alone or by the cases before it and it. */
  readonly findings: number;
  /** What was seen once and not again: kept, listed apart, never a reason to fail a run. */
  readonly unreliable: number;
  /** Wall time in seconds, and cases a second of each target without shrinking. */
  readonly seconds: number;
  readonly rates: Readonly<Record<string, number>>;
  readonly exitCode: number;
}

export type Event = RunEvent | CaseEvent | FindingEvent | FooterEvent;

/** Where events go; each reporter is one. */
export interface Reporter {
  event(event: Event): void;
  /** Called once, after the footer or when the run failed. */
  close(): void;
}
