// SPDX-License-Identifier: MIT
/** The corpus against the reader that can be given mistakes: which case shows which of them. */
import { isFindingKind, type CorpusEntry, type Sighting } from '../../model/index.ts';
import { DEFECTS, defectOf, type Defect, type DefectName } from '../../targets/fakes/reader/defects.ts';
import { readerTarget, readerWith } from '../../targets/fakes/reader/target.ts';
import { isTiny, sizeOf } from '../case-size.ts';
import { screenDefects, shrinkDefect } from '../defects.ts';
import { execute, type Judged } from '../execute.ts';
import type { Prepared } from '../prepare.ts';
import { imageBytes } from './entry.ts';

const READER = 'fake-reader:';

/** The defect that a sighting is of; undefined where it is of another implementation. */
export function defectSeen({ by }: Sighting): Defect | undefined {
  return by.startsWith(READER) ? defectOf(by.slice(READER.length)) : undefined;
}

/** What the reader shows on the case with the defect; undefined where nothing. */
export async function sightingOf(c: Judged, name: DefectName): Promise<Sighting | undefined> {
  const target = readerTarget(name);
  const [shown] = await execute(target, await target.open(), [c]);
  const { kind, signature } = shown!.verdict;
  return isFindingKind(kind) && signature !== undefined ? { by: READER + name, signature } : undefined;
}

/** The sightings of all defects of which no case has one yet, each with the first of the cases that shows it: give the smallest first. */
export async function sightDefects(entries: readonly CorpusEntry[]): Promise<Map<DefectName, { readonly entry: CorpusEntry; readonly sighting: Sighting }>> {
  const open = new Set<string>(unseen(entries).map((d) => d.name));
  const found = new Map<DefectName, { entry: CorpusEntry; sighting: Sighting }>();
  const asked = new Set<DefectName>();
  const sound = readerWith((name) => {
    asked.add(name);
    return false;
  }, 'fake-reader', 'the sound reader');
  const session = await sound.open();
  for (const entry of entries) {
    asked.clear();
    await execute(sound, session, [entry]);
    for (const name of [...asked].filter((n) => open.has(n))) {
      const sighting = await sightingOf(entry, name);
      if (!sighting) continue;
      open.delete(name);
      found.set(name, { entry, sighting });
    }
  }
  return found;
}

/** Defects of which no case has a sighting. */
export function unseen(entries: readonly Pick<CorpusEntry, 'seen'>[]): Defect[] {
  const seen = new Set(entries.flatMap((e) => e.seen.map((s) => s.by)));
  return DEFECTS.filter((d) => !seen.has(READER + d.name));
}

/** Executions for making the case of one defect smaller. */
const SHRINK = 500;
/** Bytes of a case at the most: one of a million entries is not for keeping. */
const MOST_BYTES = 2 << 20;

export interface DrawnDefect {
  readonly defect: Defect;
  /** The smallest case that shows it; null where none is small enough to be kept. */
  readonly prepared: Prepared | null;
  readonly sighting: Sighting;
}

/** The smallest drawn cases that show each of the defects, one after the other. Throws the signal's reason where it aborts. */
export async function* drawDefects(seed: number, cases: number, defects: readonly Defect[], signal: AbortSignal): AsyncGenerator<DrawnDefect> {
  const { found } = await screenDefects(seed, cases, defects);
  for (const one of found) {
    signal.throwIfAborted();
    const { smallest, shown } = await shrinkDefect(one, SHRINK, (s) => isTiny(sizeOf(s)));
    yield { defect: one.defect, prepared: imageBytes(smallest) > MOST_BYTES ? null : smallest, sighting: { by: READER + one.defect.name, signature: shown.verdict.signature! } };
  }
}

/** Of these defects one for each clause that no case catches a reader with, and then all others. */
export function byNeed(defects: readonly Defect[], entries: readonly Pick<CorpusEntry, 'seen'>[]): [needed: Defect[], others: Defect[]] {
  const caught = new Set(entries.flatMap((e) => e.seen.flatMap((s) => defectSeen(s)?.clause ?? [])));
  const needed = defects.filter(({ clause }, i) => !caught.has(clause) && defects.findIndex((d) => d.clause === clause) === i);
  return [needed, defects.filter((d) => !needed.includes(d))];
}
