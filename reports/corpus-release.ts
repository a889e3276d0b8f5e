// SPDX-License-Identifier: MIT
/** release.json: what a release of the corpus holds, for programs that choose cases, and the clauses that the cases name. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLAUSES, type Clause } from '../spec/index.ts';
import { corpusNames, loadEntry } from './corpus-folder.ts';
import type { CorpusManifest } from './corpus-manifest.ts';
import { sha256 } from './finding-manifest.ts';

export const RELEASE_SCHEMA = 'ovbd-corpus-release/1';

export interface CorpusRelease {
  readonly schema: typeof RELEASE_SCHEMA;
  /** Of the folder, and of the tar without its ending. */
  readonly name: string;
  /** Of the suite that made it. */
  readonly version: string;
  /** SHA-256 over the sums of all files of the cases, hex: the same cases have the same. */
  readonly content: string;
  readonly clauses: readonly Pick<Clause, 'id' | 'level' | 'binds' | 'contested' | 'flag' | 'text'>[];
  readonly cases: readonly CaseOfRelease[];
}

export interface CaseOfRelease extends Pick<CorpusManifest, 'digest' | 'class' | 'seen'> {
  readonly name: string;
  /** Bytes of its images, each file once. */
  readonly bytes: number;
  readonly exercises: readonly string[];
  readonly violates: readonly string[];
}

/** The release of this corpus by the suite's version: `overlaybd-corpus-0.1.0-1a2b3c4d5e6f`, the version and the content. */
export function corpusRelease(corpus: string, version: string): CorpusRelease {
  const content = sha256(readFileSync(join(corpus, 'SHA256SUMS')));
  return {
    schema: RELEASE_SCHEMA, name: `overlaybd-corpus-${version}-${content.slice(0, 12)}`, version, content,
    clauses: CLAUSES.map(({ id, level, binds, contested, flag, text }) => ({ id, level, binds, contested, ...(flag !== undefined && { flag }), text })),
    cases: corpusNames(corpus).map((name) => caseOf(name, loadEntry(corpus, name).manifest)),
  };
}

function caseOf(name: string, { digest, class: of, seen, case: { layers, clauses } }: CorpusManifest): CaseOfRelease {
  const files = layers.flatMap((l) => [l, ...(l.index ? [l.index] : []), ...(l.remote ? [l.remote] : [])]);
  const bytes = [...new Map(files.map((f) => [f.file, f.size])).values()].reduce((sum, size) => sum + size, 0);
  return { name, class: of, digest, bytes, exercises: clauses.exercises, violates: clauses.violates, seen };
}
