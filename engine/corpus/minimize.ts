// SPDX-License-Identifier: MIT
/** The fewest cases that cover what all do: clauses touched, clauses broken, and what implementations showed. */
import type { CorpusEntry } from '../../model/index.ts';
import { imageBytes } from './entry.ts';

/** Names of cases without which the corpus covers the same. Greedy: the case that covers most of what is left, the smaller one of equals. */
export function dispensable(entries: readonly CorpusEntry[]): string[] {
  const rows = entries.map((entry) => ({ name: entry.name, bytes: imageBytes(entry), covers: elementsOf(entry) }));
  const open = new Set(rows.flatMap((r) => r.covers));
  const kept: typeof rows = [];
  while (open.size > 0) {
    const gain = new Map(rows.map((r) => [r, r.covers.filter((e) => open.has(e)).length]));
    const [best] = rows.toSorted((a, b) => gain.get(b)! - gain.get(a)! || a.bytes - b.bytes || (a.name < b.name ? -1 : 1));
    for (const element of best!.covers) open.delete(element);
    kept.push(best!);
  }
  // What was taken early may be covered by those that were taken after it.
  let needed = kept;
  for (const row of kept) {
    const others = needed.filter((r) => r !== row);
    const covered = new Set(others.flatMap((r) => r.covers));
    if (row.covers.every((e) => covered.has(e))) needed = others;
  }
  return rows.filter((r) => !needed.includes(r)).map((r) => r.name);
}

function elementsOf({ case: { clauses }, seen }: CorpusEntry): string[] {
  return [...clauses.exercises.map((c) => `touches ${c}`), ...clauses.violates.map((c) => `breaks ${c}`), ...seen.map((s) => `${s.by} ${s.signature}`)];
}
