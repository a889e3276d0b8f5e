// SPDX-License-Identifier: MIT
/** A run as a stream: one event a line in run.jsonl, the footer last. A stream without its footer is not a report. */
import type { ClauseTally } from './clause-tally.ts';
import type { Reached } from './coverage.ts';
import type { TargetIdentity } from './identity.ts';
import type { Confirmation } from './finding.ts';
import type { CaseClass } from './expectation.ts';
import type { FindingKind, VerdictKind } from './verdict.ts';

export const RUN_SCHEMA = 'ovbd-run/1';

export interface RunEvent {
  readonly type: 'run';
  readonly schema: typeof RUN_SCHEMA;
  readonly suite: string;
  /** 0 where the cases are those of a corpus, or where the seed is withheld. */
  readonly seed: number;
  /** The name of the corpus whose cases are run. Absent: they are drawn. */
  readonly corpus?: string;
  /** True where the seed, names of cases and whatever an image could be made from are withheld. */
  readonly embargo?: true;
  /** One of so many cases may have images above 1 MiB. Absent: each may. */
  readonly largeEvery?: number;
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
  /** Cases of the run that showed it; 0 where only another target's smallest case does. */
  readonly count: number;
  readonly firstCase: string;
  /** `3 layers, 5 segments, 12288 bytes, 1 read`. */
  readonly smallest: string;
  readonly confirmation: Confirmation;
  /** Present where only the patch's code in userspace shows it: `UNCONFIRMED`. */
  readonly label?: string;
  /** Present where the target's known failures have it: then it does not fail the run. */
  readonly known?: { readonly reason: string; readonly link?: string };
  /** Present where it does not show each time it is tried, and is known for that: then it does not fail the run. `until`: an ISO date. */
  readonly quarantined?: { readonly reason: string; readonly until: string };
  /** Folder of the finding, from the run's folder. */
  readonly folder: string;
  /** The one command that shows it again. */
  readonly replay: string;
}

/** What one target makes of a finding's smallest case. */
export interface MatrixCell {
  /**
   * `shown`: it has the finding. `unreliable`: seen once, not again. `absent`: the
   * smallest case does not show it here. `unknown`: not tried, for the finding
   * needs cases before it, or the run was stopped.
   */
  readonly state: 'shown' | 'unreliable' | 'absent' | 'unknown';
  /** Cases of the run that showed it. */
  readonly count: number;
  /** What the smallest case shows instead where it is absent: a signature, `pass`, `unsupported`. */
  readonly instead?: string;
}

/** Where each finding of a family of targets appears. One for each family of two and more; after the findings. */
export interface MatrixEvent {
  readonly type: 'matrix';
  readonly family: string;
  /** Names of targets. */
  readonly columns: readonly string[];
  /** Worst first. */
  readonly rows: readonly {
    readonly signature: string;
    readonly kind: FindingKind;
    readonly clause?: string;
    /** target → what it makes of it. */
    readonly cells: Readonly<Record<string, MatrixCell>>;
  }[];
}

/** A known failure that a stored case no longer shows. */
export interface UnexpectedPass {
  readonly target: string;
  readonly signature: string;
  /** As the stance has it. */
  readonly reason: string;
  /** Ids of the cases on which it was seen before. */
  readonly cases: readonly string[];
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
  /** Of those, the known ones; absent: none. */
  readonly known?: number;
  /** What was seen once and not again: kept, listed apart, never a reason to fail a run. */
  readonly unreliable: number;
  /** Wall time in seconds, and cases a second of each target without shrinking. */
  readonly seconds: number;
  readonly rates: Readonly<Record<string, number>>;
  /** target → how much of its sources was reached, of those that count it. */
  readonly coverage?: Readonly<Record<string, Reached>>;
  /** How the cases stand to the clauses; absent in runs of earlier versions, and where cases are not drawn one by one. */
  readonly clauses?: ClauseTally;
  /** Of runs of stored cases; absent: none. */
  readonly unexpectedPasses?: readonly UnexpectedPass[];
  readonly exitCode: number;
}

export type Event = RunEvent | CaseEvent | FindingEvent | MatrixEvent | FooterEvent;

/** Where events go; each reporter is one. */
export interface Reporter {
  event(event: Event): void;
  /** Called once, after the footer or when the run failed. */
  close(): void;
}
