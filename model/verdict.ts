// SPDX-License-Identifier: MIT
/** Expectation × observation × stance, in one word, with its reason. */

/** Worst first; every kind before `pass` is a finding. */
export const FINDING_KINDS = [
  'crash', 'hang', 'memory', 'corruption', 'accepts-invalid', 'refuses-valid', 'leak', 'docs',
] as const;
export const VERDICT_KINDS = [...FINDING_KINDS, 'engine-error', 'unsupported', 'pass'] as const;

export type FindingKind = (typeof FINDING_KINDS)[number];
export type VerdictKind = (typeof VERDICT_KINDS)[number];

export interface Verdict {
  readonly kind: VerdictKind;
  /** The clause that was violated or that governs the first wrong byte; absent on pass. */
  readonly clause?: string;
  /** kind + first frame of the target's own code, or kind + clause. Equal signatures are one finding. */
  readonly signature?: string;
  /** One line for people: what was expected, what came. Empty on pass. */
  readonly why: string;
  /** Index of the read that shows it, where one does. */
  readonly read?: number;
  /** Permissive flags that made this a pass although the stance declares neither side. */
  readonly undeclared?: readonly string[];
}

export function isFindingKind(kind: VerdictKind): kind is FindingKind {
  return (FINDING_KINDS as readonly string[]).includes(kind);
}
