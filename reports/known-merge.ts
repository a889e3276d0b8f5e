// SPDX-License-Identifier: MIT
/** From a run's findings to entries of a stance file, beside those that are in it already. */
import { FINDING_KINDS, familyOf, type KnownEntry } from '../model/index.ts';
import { TO_BE_FILLED_IN } from './known-file.ts';
import type { FoundRun } from './run-findings.ts';

export interface Merged {
  /** Those that were there, in their order and as they were, then the new ones, worst first. */
  readonly entries: readonly KnownEntry[];
  readonly added: readonly KnownEntry[];
  /** Entries of a target of the run which it did not see. */
  readonly unseen: readonly KnownEntry[];
}

/** One entry for each confirmed finding of the run, worst first; what one family shows under one signature is one. */
export function proposeKnown(run: FoundRun, said: { readonly reason?: string; readonly link?: string } = {}): KnownEntry[] {
  const entries = new Map<string, KnownEntry>();
  for (const target of run.targets) {
    const family = familyOf(target);
    if (family === CANARY) continue;
    for (const { signature, kind, why, firstCase, smallest, reliable } of target.findings.values()) {
      const key = `${family}\n${signature}`;
      if (!reliable || entries.has(key)) continue;
      entries.set(key, {
        signature, reason: said.reason ?? TO_BE_FILLED_IN, ...(said.link !== undefined && { link: said.link }), targets: [family], kind,
        ...(why.trim() !== '' && { why }), firstCase, smallest,
      });
    }
  }
  return [...entries.values()].sort((a, b) => FINDING_KINDS.indexOf(a.kind!) - FINDING_KINDS.indexOf(b.kind!) || (a.signature < b.signature ? -1 : 1));
}

/** Takes up what is not there yet. Nothing that somebody has written is changed. */
export function mergeKnown(before: readonly KnownEntry[], run: FoundRun, proposed: readonly KnownEntry[]): Merged {
  const covers = (old: KnownEntry, entry: KnownEntry): boolean =>
    old.signature === entry.signature && (old.targets === undefined || entry.targets!.every((t) => old.targets!.includes(t)));
  const added = proposed.filter((entry) => !before.some((old) => covers(old, entry)));
  const unseen = before.filter(({ signature, targets }) => {
    const asked = run.targets.filter((t) => targets === undefined || targets.includes(t.name) || targets.includes(familyOf(t)));
    return asked.length > 0 && asked.every((t) => !t.findings.has(signature) && !t.seen.has(signature));
  });
  return { entries: [...before, ...added], added, unseen };
}

/** The target that must fail. */
const CANARY = 'canary';
