// SPDX-License-Identifier: MIT
/** `ovbd corpus add`: findings, and cases of a seed, for good. */
import { byNeed, drawDefects, sightDefects, unseen } from '../../engine/corpus/defects.ts';
import { entryOf, imageBytes } from '../../engine/corpus/entry.ts';
import { allWants, harvest } from '../../engine/corpus/harvest.ts';
import { EXIT, UsageError, type Case, type CorpusEntry, type Sighting } from '../../model/index.ts';
import { corpusNames, count, findingName, loadEntry, loadFinding, saveEntry, writeSums, type StoredFinding } from '../../reports/index.ts';
import type { Defect } from '../../targets/fakes/reader/defects.ts';
import { Steps } from '../../targets/kernel/lab/index.ts';
import { corpusFolder, type CorpusOptions } from './corpus.ts';

export interface AddOptions extends CorpusOptions {
  /** Implementation and version that showed the findings. */
  readonly by?: string;
  readonly fixedIn?: string;
  readonly fromSeed?: number;
  /** Cases drawn. */
  readonly cases: number;
}

/** Smaller cases that are looked at for each clause. */
const SHRINKS = 400;

/** Adds the findings' smallest cases, or what the corpus lacks of the cases of a seed. Throws `UsageError` for what cannot be added, before anything is. */
export async function corpusAdd(folders: readonly string[], options: AddOptions, signal: AbortSignal): Promise<number> {
  if ((folders.length > 0) === (options.fromSeed !== undefined)) throw new UsageError('give either the folders of findings or --from-seed');
  const corpus = corpusFolder(options);
  const book = new Book(corpus);
  if (options.fromSeed === undefined) {
    const findings = folders.map((folder) => ({ finding: loadFinding(folder), folder }));
    const sightings = findings.map(({ finding, folder }) => sightingOf(finding, folder, options));
    findings.forEach(({ finding }, i) => book.add(regressionName(finding), finding.smallest, [sightings[i]!]));
  } else {
    await addFromSeed(book, options.fromSeed, options.cases, signal);
  }
  writeSums(corpus);
  process.stdout.write(`${book.summary()}\n`);
  return EXIT.ok;
}

function sightingOf({ signature, before, confirmation, target, procedure }: StoredFinding, folder: string, { by, fixedIn }: AddOptions): Sighting {
  if (procedure !== undefined) throw new UsageError(`${folder}: it is no case but a procedure of the lab: the corpus keeps single cases`);
  if (before.length > 0 || confirmation.blame !== 'alone') throw new UsageError(`${folder}: its case does not show it alone: the corpus keeps single cases`);
  const { kernel } = target.parts;
  const sanitizers = target.remake['sanitize'] === undefined ? '' : ', sanitizers';
  const role = target.remake['role'] ?? target.name;
  const userspace = role === 'userspace';
  if (by === undefined && (role === 'patch' || userspace)) throw new UsageError(`${folder}: say what showed it, with its version: --by "dm-overlaybd RFC v3"`);
  const on = userspace ? 'the patch\'s code in userspace, sanitizers' : kernel === undefined ? undefined : `Linux ${kernel}${sanitizers}`;
  return { by: by ?? target.name, ...(on !== undefined && { on }), signature, ...(fixedIn !== undefined && { fixedIn }) };
}

/** `crash-page-fault-in-blkdev-pread`. */
function regressionName(finding: StoredFinding): string {
  return findingName('x', finding).replace(/^x-/, '').replace(/-[0-9a-f]{8}$/, '');
}

async function addFromSeed(book: Book, seed: number, cases: number, signal: AbortSignal): Promise<void> {
  const steps = new Steps();
  const wants = allWants().filter((w) => !book.entries().some((e) => e.case.clauses[w.does].includes(w.clause)));
  if (wants.length > 0) {
    const { found, missing } = await steps.run('draw cases for each clause', (say) => harvest(seed, wants, { cases, shrinks: SHRINKS, progress: say, signal }));
    for (const { want, prepared } of found) book.add(`${want.clause}-${want.does === 'exercises' ? 'exercised' : 'violated'}`, prepared.case, []);
    for (const { clause, does } of missing) steps.note(`no case of the seed ${does} ${clause}`);
  }
  await steps.run('find which mistakes of a reader the cases show', async () => {
    const smallestFirst = book.entries().toSorted((a, b) => imageBytes(a) - imageBytes(b) || (a.name < b.name ? -1 : 1));
    for (const { entry, sighting } of (await sightDefects(smallestFirst)).values()) book.add(entry.name, entry.case, [sighting]);
  });
  for (const defects of byNeed(unseen(book.entries()), book.entries())) await addDefects(book, seed, cases, defects, steps, signal);
  for (const { name } of unseen(book.entries())) steps.note(`no case shows the mistake ${name}`);
}

async function addDefects(book: Book, seed: number, cases: number, defects: readonly Defect[], steps: Steps, signal: AbortSignal): Promise<void> {
  if (defects.length === 0) return;
  await steps.run(`draw cases for ${count(defects.length, 'more mistake')}`, async (say) => {
    let done = 0;
    for await (const { defect, prepared, sighting } of drawDefects(seed, cases, defects, signal)) {
      say(`${++done} of ${defects.length} shrunk`);
      if (prepared) book.add(`reader-${defect.name}`, prepared.case, [sighting]);
      else steps.note(`the smallest case that shows ${defect.name} is too large to be kept`);
    }
  });
}

/** The corpus while it grows: a case that is there already gets the new sightings. */
class Book {
  readonly #corpus: string;
  readonly #byDigest = new Map<string, CorpusEntry>();
  #added = 0;
  #seen = 0;

  constructor(corpus: string) {
    this.#corpus = corpus;
    for (const name of namesIn(corpus)) {
      const stored = loadEntry(corpus, name);
      const entry = entryOf(name, stored.case, stored.manifest.seen);
      this.#byDigest.set(entry.digest, entry);
    }
  }

  entries(): CorpusEntry[] {
    return [...this.#byDigest.values()];
  }

  /** `about`: what the case's name begins with. */
  add(about: string, c: Case, seen: readonly Sighting[]): void {
    const fresh = entryOf(about, c, []);
    const old = this.#byDigest.get(fresh.digest);
    const more = seen.filter((s) => !old?.seen.some((o) => o.by === s.by && o.signature === s.signature));
    if (old && more.length === 0) return;
    const entry = entryOf(old?.name ?? `${about}-${fresh.digest.slice(0, 8)}`, old?.case ?? c, [...(old?.seen ?? []), ...more]);
    saveEntry(this.#corpus, entry);
    this.#byDigest.set(entry.digest, entry);
    this.#added += old ? 0 : 1;
    this.#seen += more.length;
  }

  summary(): string {
    return `${count(this.#added, 'case')} added, ${count(this.#seen, 'sighting')}; ${count(this.#byDigest.size, 'case')} in all`;
  }
}

function namesIn(corpus: string): string[] {
  try {
    return corpusNames(corpus);
  } catch (error) {
    // A corpus that is not there yet is an empty one.
    if (error instanceof UsageError) return [];
    throw error;
  }
}
