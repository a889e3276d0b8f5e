// SPDX-License-Identifier: MIT
/** case.json: one case of the corpus without its images' bytes, which lie beside it. */
import { CORPUS_SCHEMA, type Case, type CorpusEntry, type Expectation, type Sighting } from '../model/index.ts';
import { list, Mismatch, oneOf, optional, record, text, type Check } from './check.ts';
import {
  expectationCheck, expectationSummary, storedCase, storedCaseCheck, type ExpectationSummary, type StoredCase, type StoredFile, type StoredLayer,
} from './finding-manifest.ts';

export interface CorpusManifest {
  readonly schema: typeof CORPUS_SCHEMA;
  /** SHA-256 over all of the case that a target can see, hex. */
  readonly digest: string;
  readonly class: Expectation['class'];
  readonly case: StoredCase;
  readonly expectation: ExpectationSummary;
  readonly seen: readonly Sighting[];
}

/** A name of a case: of its folder. */
export const CASE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$/;

export function corpusManifestOf({ name, case: c, digest, expectation, seen }: CorpusEntry): CorpusManifest {
  return {
    schema: CORPUS_SCHEMA, digest, class: expectation.class, case: oncePerFile({ ...storedCase(c), id: name }),
    expectation: expectationSummary(expectation), seen,
  };
}

/** A layer that is the same file as one below it is stored under that one's name. */
function oncePerFile(stored: StoredCase): StoredCase {
  const names = new Map<string, string>();
  const share = <F extends StoredFile>(file: F): F => {
    const name = names.get(file.sha256) ?? file.file;
    names.set(file.sha256, name);
    return { ...file, file: name };
  };
  return { ...stored, layers: stored.layers.map((layer): StoredLayer => share(layer)) };
}

/** The files of a case by name, each once. */
export function filesOf(c: Case, { layers }: StoredCase): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  layers.forEach((stored, i) => {
    const layer = c.layers[i]!;
    files.set(stored.file, layer.bytes);
    if (stored.index) files.set(stored.index.file, layer.index!);
    if (stored.remote) files.set(stored.remote.file, layer.remote!);
  });
  return files;
}

const line = text(4096);
const sighting: Check<Sighting> = record({ by: text(256, /\S/), on: optional(line), signature: text(4096, /\S/), fixedIn: optional(text(256, /\S/)) });

const fields: Check<CorpusManifest> = record({
  schema: oneOf(CORPUS_SCHEMA),
  digest: text(64, /^[0-9a-f]{64}$/),
  class: oneOf('valid', 'invalid', 'permissive'),
  case: storedCaseCheck,
  expectation: expectationCheck,
  seen: list(sighting, 1024),
});

/** Checks all of a parsed case.json, unknown fields too; throws `Mismatch`. */
export const corpusManifestCheck: Check<CorpusManifest> = (value, at) => {
  const manifest = fields(value, at);
  const stray = firstDifference(value, manifest);
  if (stray !== null) throw new Mismatch(stray.at, 'no such field', stray.found);
  return manifest;
};

/** Where two JSON values differ first, and what stands there in each; null where they are the same. */
export function firstDifference(found: unknown, expected: unknown, at = ''): { readonly at: string; readonly found: unknown; readonly expected: unknown } | null {
  if (Object.is(found, expected)) return null;
  if (typeof found !== 'object' || typeof expected !== 'object' || found === null || expected === null || Array.isArray(found) !== Array.isArray(expected)) {
    return { at, found, expected };
  }
  for (const key of new Set([...Object.keys(found), ...Object.keys(expected)])) {
    const one = (from: object): unknown => (Object.hasOwn(from, key) ? (from as Record<string, unknown>)[key] : undefined);
    const different = firstDifference(one(found), one(expected), Array.isArray(found) ? `${at}[${key}]` : at === '' ? key : `${at}.${key}`);
    if (different) return different;
  }
  return null;
}
