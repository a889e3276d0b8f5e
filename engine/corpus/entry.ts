// SPDX-License-Identifier: MIT
/** A case as the corpus keeps it: with what the oracle says of it. */
import type { Case, CorpusEntry, Sighting } from '../../model/index.ts';
import { coversOf } from '../covers.ts';
import { prepare, storedOrigin } from '../prepare.ts';

/** The entry of this name. Throws where the oracle cannot make anything of the case, as with a zfile device over what is no ZFile. */
export function entryOf(name: string, stored: Case, seen: readonly Sighting[]): CorpusEntry {
  const prepared = prepare(storedOrigin({ ...stored, id: name }, 0));
  const { case: c, digest, expectation } = prepared;
  return { name, case: { ...c, clauses: coversOf(prepared) }, digest, expectation, seen };
}

/** Bytes of its images, each file once. */
export function imageBytes({ case: c }: Pick<CorpusEntry, 'case'>): number {
  const files = new Set<Uint8Array>(c.layers.flatMap((l) => [l.bytes, ...(l.index ? [l.index] : []), ...(l.remote ? [l.remote] : [])]));
  return [...files].reduce((sum, f) => sum + f.length, 0);
}
