// SPDX-License-Identifier: MIT
/** `ovbd corpus lint`: whether the corpus says of its cases what is so, and has all that it must. */
import { join } from 'node:path';
import { entryOf } from '../../engine/corpus/entry.ts';
import { duplicatesIn, gapsOf, wrongSightings } from '../../engine/corpus/lint.ts';
import { EXIT, UsageError, type CorpusEntry } from '../../model/index.ts';
import {
  CORPUS_BYTES, corpusBytes, corpusManifestOf, corpusNames, count, firstDifference, loadEntry, oneLine, strayFiles, sumsAreRight, type StoredEntry,
} from '../../reports/index.ts';
import { corpusFolder, type CorpusOptions } from './corpus.ts';

/** Prints a line for each thing that is wrong. Exit code 1 where there is one. */
export async function corpusLint(options: CorpusOptions): Promise<number> {
  const corpus = corpusFolder(options);
  const { problems, cases } = await lintCorpus(corpus);
  for (const problem of problems) process.stdout.write(`${oneLine(problem)}\n`);
  process.stdout.write(problems.length === 0 ? `${corpus}: ${count(cases, 'case')}, nothing wrong\n` : `${corpus}: ${count(problems.length, 'problem')}\n`);
  return problems.length === 0 ? EXIT.ok : EXIT.findings;
}

/** All that is wrong with a corpus, for people. Throws `UsageError` where there is none. */
export async function lintCorpus(corpus: string): Promise<{ readonly problems: string[]; readonly cases: number }> {
  const problems: string[] = [];
  const entries: CorpusEntry[] = [];
  const names = corpusNames(corpus);
  for (const name of names) {
    const at = join(corpus, 'cases', name);
    try {
      const stored = loadEntry(corpus, name);
      problems.push(...strayFiles(corpus, stored).map((file) => `${join(at, file)}: no case has this file`));
      const entry = oracled(stored, at);
      problems.push(...differences(stored, entry, at), ...(await wrongSightings(entry)).map((what) => `${join(at, 'case.json')}: ${what}`));
      entries.push(entry);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      problems.push(error.message);
    }
  }
  problems.push(...duplicatesIn(entries).map((what) => `${corpus}: ${what}`));
  // Of a corpus that cannot be read whole, nobody can say what it lacks.
  if (entries.length === names.length) {
    problems.push(...gapsOf(entries).map((what) => `${corpus}: ${what}`));
    const bytes = corpusBytes(corpus);
    if (bytes > CORPUS_BYTES) problems.push(`${corpus}: ${bytes} bytes where at most ${CORPUS_BYTES} are allowed`);
    if (!sumsAreRight(corpus)) problems.push(`${join(corpus, 'SHA256SUMS')}: not the sums of the files that are there: any ovbd corpus add or minimize --write makes it anew`);
  }
  return { problems, cases: names.length };
}

function oracled({ name, case: c, manifest: { seen } }: StoredEntry, at: string): CorpusEntry {
  try {
    return entryOf(name, c, seen);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new UsageError(`${join(at, 'case.json')}: the oracle can make nothing of this case: ${error.message}`);
  }
}

/** Where the manifest does not say what the oracle does; the first such place. */
function differences({ manifest }: StoredEntry, entry: CorpusEntry, at: string): string[] {
  const found = firstDifference(manifest, JSON.parse(JSON.stringify(corpusManifestOf(entry))));
  if (!found) return [];
  const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 200);
  return [`${join(at, 'case.json')}: ${found.at}: expected ${shown(found.expected)}, by the oracle's word, found ${shown(found.found)}`];
}
