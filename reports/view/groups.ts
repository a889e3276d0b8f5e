// SPDX-License-Identifier: MIT
/** Findings of one signature on several targets are one story: they are told once, with who shows it. */
import type { FindingView, View } from './view.ts';

export interface FindingGroup {
  readonly signature: string;
  /** The surest one that has its evidence: the others show the same. */
  readonly first: FindingView;
  /** All, in the order of the run's targets. */
  readonly members: readonly FindingView[];
}

/** Groups, the worst first. */
export function groupsOf({ findings, run }: View): FindingGroup[] {
  const order = new Map(run.targets.map((t, i) => [t.name, i]));
  const groups = new Map<string, FindingView[]>();
  for (const one of findings) groups.set(one.event.signature, [...(groups.get(one.event.signature) ?? []), one]);
  const sure = (f: FindingView): number => (f.evidence === null ? 4 : 0) + (f.event.confirmation.blame === 'alone' ? 0 : f.event.confirmation.blame === 'sequence' ? 1 : 2);
  return [...groups].map(([signature, found]) => ({
    signature,
    first: [...found].sort((a, b) => sure(a) - sure(b) || b.event.count - a.event.count)[0]!,
    members: [...found].sort((a, b) => (order.get(a.event.target) ?? 0) - (order.get(b.event.target) ?? 0)),
  }));
}
