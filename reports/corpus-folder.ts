// SPDX-License-Identifier: MIT
/**
 * The corpus on disk: `cases/<name>/` with case.json and the images, and
 * SHA256SUMS over all of them, so that it can be checked without this suite.
 */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UsageError, type Case, type CorpusEntry } from '../model/index.ts';
import { temporaryName, writeAtomically } from './atomic.ts';
import { loadStoredCase, readBounded } from './case-folder.ts';
import { Mismatch } from './check.ts';
import { CASE_NAME, corpusManifestCheck, corpusManifestOf, filesOf, type CorpusManifest } from './corpus-manifest.ts';
import { sha256 } from './finding-manifest.ts';

const MANIFEST = 'case.json';
const CASES = 'cases';
const SUMS = 'SHA256SUMS';

/** Bytes of all files of a corpus at the most: it lives in a repository. */
export const CORPUS_BYTES = 20 * 1000 * 1000;
/** Bytes of one case.json. */
const MANIFEST_BYTES = 4 << 20;
/** Cases of a corpus at the most. */
const MOST_CASES = 10_000;

/** A case as it lies there. */
export interface StoredEntry {
  readonly name: string;
  readonly manifest: CorpusManifest;
  readonly case: Case;
}

/** Names of the cases, sorted. Throws `UsageError` where the folder holds no corpus. */
export function corpusNames(corpus: string): string[] {
  const cases = join(corpus, CASES);
  if (lstatSync(cases, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UsageError(`${corpus}: no corpus: it has no folder ${CASES}/; give the folder of one with --corpus`);
  }
  const names = readdirSync(cases).sort();
  if (names.length > MOST_CASES) throw new UsageError(`${cases}: ${names.length} cases where at most ${MOST_CASES} are expected`);
  const odd = names.find((name) => !CASE_NAME.test(name));
  if (odd !== undefined) throw new UsageError(`${join(cases, odd)}: not the name of a case: letters, digits, dots, dashes and underscores only`);
  return names;
}

/** Loads one case, which may come from a stranger: throws `UsageError` with the file and the field for what is not as it must be. */
export function loadEntry(corpus: string, name: string): StoredEntry {
  const path = resolve(corpus, CASES, name);
  const manifest = parseManifest(join(path, MANIFEST), readBounded(path, MANIFEST, MANIFEST_BYTES));
  if (manifest.case.id !== name) throw new UsageError(`${join(path, MANIFEST)}: case.id: expected the name of its folder, ${name}, found ${manifest.case.id}`);
  return { name, manifest, case: loadStoredCase(path, '', manifest.case, MANIFEST) };
}

function parseManifest(path: string, bytes: Buffer): CorpusManifest {
  try {
    return corpusManifestCheck(JSON.parse(bytes.toString()), '');
  } catch (error) {
    if (error instanceof Mismatch) throw new UsageError(`${path}: ${error.message}`);
    if (error instanceof SyntaxError) throw new UsageError(`${path}: not JSON: ${error.message}`);
    throw error;
  }
}

/** Files of the case's folder that its manifest does not name. */
export function strayFiles(corpus: string, { name, case: c, manifest }: StoredEntry): string[] {
  const known = new Set([MANIFEST, ...filesOf(c, manifest.case).keys()]);
  return readdirSync(join(corpus, CASES, name)).filter((file) => !known.has(file));
}

/** Stores the case; one of the same name is replaced. The folder is made elsewhere and renamed, so that it is whole. */
export function saveEntry(corpus: string, entry: CorpusEntry): void {
  if (!CASE_NAME.test(entry.name)) throw new UsageError(`${entry.name}: not the name of a case: letters, digits, dots, dashes and underscores only`);
  const path = join(corpus, CASES, entry.name);
  const manifest = corpusManifestOf(entry);
  const temporary = temporaryName(corpus, 'case');
  mkdirSync(temporary, { recursive: true });
  try {
    for (const [file, bytes] of filesOf(entry.case, manifest.case)) writeFileSync(join(temporary, file), bytes);
    writeFileSync(join(temporary, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`);
    mkdirSync(join(corpus, CASES), { recursive: true });
    rmSync(path, { recursive: true, force: true });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

export function removeEntry(corpus: string, name: string): void {
  rmSync(join(corpus, CASES, name), { recursive: true });
}

/** Bytes of all files in the cases' folders. */
export function corpusBytes(corpus: string): number {
  return corpusFiles(corpus).reduce((sum, file) => sum + lstatSync(join(corpus, file)).size, 0);
}

/** Writes SHA256SUMS anew, in the form that `sha256sum --check` takes. */
export function writeSums(corpus: string): void {
  writeAtomically(join(corpus, SUMS), sumsText(corpus));
}

/** Whether SHA256SUMS says of every file what it holds, and of no other. */
export function sumsAreRight(corpus: string): boolean {
  const path = join(corpus, SUMS);
  return existsSync(path) && readFileSync(path, 'utf8') === sumsText(corpus);
}

function sumsText(corpus: string): string {
  return corpusFiles(corpus).map((file) => `${sha256(readFileSync(join(corpus, file)))}  ${file}\n`).join('');
}

/** The files of all cases: paths from the corpus, with slashes, sorted. */
export function corpusFiles(corpus: string): string[] {
  return corpusNames(corpus).flatMap((name) => readdirSync(join(corpus, CASES, name)).sort().map((file) => `${CASES}/${name}/${file}`));
}
