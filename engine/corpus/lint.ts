// SPDX-License-Identifier: MIT
/** What a corpus as a whole must have. Single cases are checked where they are loaded. */
import type { CorpusEntry } from '../../model/index.ts';
import { CLAUSES } from '../../spec/index.ts';
import { VIOLATED_ELSEWHERE } from '../coverage.ts';
import type { DefectName } from '../../targets/fakes/reader/defects.ts';
import { defectSeen, sightingOf } from './defects.ts';

type Covering = Pick<CorpusEntry, 'seen'> & { readonly case: Pick<CorpusEntry['case'], 'clauses'> };

/** Every MUST clause without a case that touches it, or without one that breaks it: by its images or its table; where only a reader can, by a reader of ours that does and is caught. */
export function gapsOf(entries: readonly Covering[]): string[] {
  const exercised = new Set(entries.flatMap((e) => e.case.clauses.exercises));
  const violated = new Set(entries.flatMap((e) => e.case.clauses.violates));
  const caught = new Set(entries.flatMap((e) => e.seen.flatMap((s) => defectSeen(s)?.clause ?? [])));
  return CLAUSES.filter((c) => c.level === 'MUST').flatMap(({ id, binds }) => [
    ...(exercised.has(id) ? [] : [`${id}: no case exercises it`]),
    ...(VIOLATED_ELSEWHERE.has(id) ? [] : binds === 'reader' ? (caught.has(id) ? [] : [`${id}: no case catches a reader that violates it`])
      : violated.has(id) ? [] : [`${id}: no case violates it`]),
  ]);
}

/** Cases that a target cannot tell apart. */
export function duplicatesIn(entries: readonly Pick<CorpusEntry, 'name' | 'digest'>[]): string[] {
  const first = new Map<string, string>();
  return entries.flatMap(({ name, digest }) => {
    const other = first.get(digest);
    if (other === undefined) first.set(digest, name);
    return other === undefined ? [] : [`${name}: the same case as ${other}`];
  });
}

/** Sightings that are not so: of readers of ours, which can be asked, and those that stand there twice. */
export async function wrongSightings(entry: CorpusEntry): Promise<string[]> {
  const wrong: string[] = [];
  for (const [i, sighting] of entry.seen.entries()) {
    if (entry.seen.findIndex((s) => s.by === sighting.by && s.signature === sighting.signature) < i) wrong.push(`seen[${i}]: ${sighting.by} stands there twice`);
    const defect = defectSeen(sighting);
    if (!defect) {
      if (sighting.by.startsWith('fake-reader')) wrong.push(`seen[${i}].by: there is no reader ${sighting.by}`);
      continue;
    }
    const now = await sightingOf(entry, defect.name as DefectName);
    if (now?.signature !== sighting.signature) wrong.push(`seen[${i}]: ${sighting.by} shows ${now?.signature ?? 'nothing'}, not ${sighting.signature}`);
  }
  return wrong;
}
