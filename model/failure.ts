// SPDX-License-Identifier: MIT
/** Failures kept from one night to the next, to be tried first in the next one: throw-away, unlike the corpus. */
import type { Case } from './case.ts';
import type { Confirmation, Finding } from './finding.ts';
import type { TargetIdentity } from './identity.ts';
import type { Procedure } from './procedure.ts';
import type { FindingKind } from './verdict.ts';

/** What is known of a stored failure without its images. */
export interface FailureSummary {
  /** 32 hex digits, of the target's family and the signature: the same in every store. */
  readonly key: string;
  /** As `familyOf` gives it. */
  readonly family: string;
  readonly signature: string;
  readonly kind: FindingKind;
  readonly clause?: string;
  readonly why: string;
  /** Of its smallest case. */
  readonly layers: number;
  readonly bytes: number;
  /** When it was last saved, in ms since the epoch. */
  readonly seen: number;
}

/** With its images. */
export interface StoredFailure extends FailureSummary {
  readonly identity: TargetIdentity;
  readonly smallest: Case;
  /** Cases that must run before it, oldest first. */
  readonly before: readonly Case[];
  /** What is done with its device; absent: it is made, read and removed. */
  readonly procedure?: Procedure;
  readonly confirmation: Confirmation;
  /** Its folder, as a finding's. */
  readonly path: string;
}

/** `kept`: the store has one at least as small, and now says that it was seen again. */
export type Saving = 'new' | 'smaller' | 'kept';

/** Where failures are kept. What is damaged is set aside and told of; it never throws for that. */
export interface FailureStore {
  /** By key, so that the same store gives the same order. */
  list(): readonly FailureSummary[];
  /** Undefined where there is none, or none that is whole. */
  load(key: string): StoredFailure | undefined;
  /** Is there whole or not at all, whenever the process ends; two processes may save at once. */
  save(finding: Finding, identity: TargetIdentity): { readonly key: string; readonly state: Saving };
}
