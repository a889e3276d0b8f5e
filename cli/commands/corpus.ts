// SPDX-License-Identifier: MIT
/** `ovbd corpus list`, `minimize`, `run` and `export`: the permanent cases. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { basename, join, relative, resolve } from 'node:path';
import { entryOf, imageBytes } from '../../engine/corpus/entry.ts';
import { dispensable } from '../../engine/corpus/minimize.ts';
import { EXIT, UsageError, type CorpusEntry } from '../../model/index.ts';
import {
  corpusNames, corpusRelease, count, exportCorpus, loadEntry, oneLine, removeEntry, sha256, sumsAreRight, writeSums, type StoredEntry,
} from '../../reports/index.ts';
import { printLines } from '../print.ts';
import { suiteVersion } from '../version.ts';
import { runCases, type ExecuteOptions } from './run.ts';

export interface CorpusOptions {
  /** The folder; absent: the one of this checkout. */
  readonly corpus?: string;
}

/** The folder of the corpus, from the working folder where it is the checkout's own. */
export function corpusFolder({ corpus }: CorpusOptions): string {
  return corpus ?? (relative(process.cwd(), fileURLToPath(new URL('../../corpus', import.meta.url))) || '.');
}

/** Loads the cases whose names, or the clauses they cover, start with one of the words; all without any. Throws `UsageError` where there is none. */
export function loadCases(corpus: string, words: readonly string[] = []): { readonly stored: StoredEntry; readonly entry: CorpusEntry }[] {
  const all = corpusNames(corpus).map((name) => loadEntry(corpus, name));
  const wanted = words.length === 0 ? all : all.filter((one) => words.some((word) => isMeant(one, word)));
  if (wanted.length === 0) throw new UsageError(`${corpus}: no case ${words.length === 0 ? 'is there' : `or clause starts with ${words.join(' or ')}`}`);
  return wanted.map((stored) => ({ stored, entry: entryOf(stored.name, stored.case, stored.manifest.seen) }));
}

function isMeant({ name, case: { clauses }, manifest: { seen } }: StoredEntry, word: string): boolean {
  return [name, ...clauses.exercises, ...clauses.violates, ...seen.map((s) => s.by)].some((text) => text.startsWith(word));
}

/** Prints one line a case, or one JSON document. */
export async function corpusList(words: readonly string[], options: CorpusOptions & { readonly json?: boolean }, signal: AbortSignal): Promise<number> {
  const corpus = corpusFolder(options);
  const entries = loadCases(corpus, words);
  if (options.json) {
    const rows = entries.map(({ stored: { name, manifest: { digest, class: of, seen } }, entry }) => ({ name, digest, class: of, bytes: imageBytes(entry), clauses: entry.case.clauses, seen }));
    await printLines([JSON.stringify({ schema: 'ovbd-corpus-list/1', cases: rows }, null, 2)], signal);
    return EXIT.ok;
  }
  const width = Math.max(...entries.map(({ stored }) => stored.name.length));
  await printLines(entries.map(({ stored: { name, manifest }, entry }) => {
    const { case: { clauses: { exercises, violates } } } = entry;
    const facts = [
      manifest.class, count(entry.case.layers.length, 'layer'), count(imageBytes(entry), 'byte'), count(entry.case.access.reads.length, 'read'),
      ...(exercises.length > 0 ? [`exercises ${count(exercises.length, 'clause')}`] : []), ...(violates.length > 0 ? [`violates ${violates.join(', ')}`] : []),
      ...manifest.seen.map((s) => `seen: ${s.by}${s.fixedIn === undefined ? '' : `, fixed in ${s.fixedIn}`}`),
    ];
    return oneLine(`${name.padEnd(width)}  ${facts.join(' · ')}`);
  }), signal);
  const bytes = entries.reduce((sum, { entry }) => sum + imageBytes(entry), 0);
  process.stderr.write(`${count(entries.length, 'case')}, ${count(bytes, 'byte')} of images\n`);
  return EXIT.ok;
}

/** Says which cases the corpus could do without; with `write`, removes them. */
export function corpusMinimize(options: CorpusOptions & { readonly write?: boolean }): number {
  const corpus = corpusFolder(options);
  const entries = loadCases(corpus).map(({ entry }) => entry);
  const gone = dispensable(entries);
  for (const name of gone) {
    if (options.write) removeEntry(corpus, name);
    process.stdout.write(`${options.write ? 'removed' : 'not needed'}  ${name}\n`);
  }
  if (options.write) writeSums(corpus);
  process.stdout.write(`${count(entries.length - gone.length, 'case')} of ${entries.length} cover every clause and every signature that all do\n`);
  return EXIT.ok;
}

/** Runs the stored cases on the targets, as `ovbd run` does with drawn ones, and returns the same exit codes. */
export function corpusRun(words: readonly string[], options: CorpusOptions & ExecuteOptions, signal: AbortSignal): Promise<number> {
  const corpus = corpusFolder(options);
  const cases = loadCases(corpus, words).map(({ entry }) => ({ case: entry.case, signatures: entry.seen.map((s) => s.signature) }));
  return runCases(options, { seed: 0, cases: cases.length, stored: { name: basename(resolve(join(corpus))), cases }, shrinkExecutions: 0 }, signal);
}

/** Writes the corpus as one tar. */
export function corpusExport(options: CorpusOptions & { readonly output?: string }): number {
  const corpus = corpusFolder(options);
  if (!sumsAreRight(corpus)) throw new UsageError(`${corpus}: SHA256SUMS is not right: ovbd corpus lint says more`);
  const release = corpusRelease(corpus, suiteVersion());
  const output = options.output ?? `${release.name}.tar`;
  const bytes = exportCorpus(corpus, release);
  try {
    writeFileSync(output, bytes);
  } catch (error) {
    throw new UsageError(`${output}: cannot be written: ${(error as NodeJS.ErrnoException).code}`);
  }
  process.stdout.write(`${output}: ${count(release.cases.length, 'case')}, ${count(bytes.length, 'byte')}, SHA-256 ${sha256(bytes)}\n`);
  return EXIT.ok;
}
