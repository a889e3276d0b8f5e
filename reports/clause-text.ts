// SPDX-License-Identifier: MIT
/** The text of a clause that a stored run names, which may be of another version of the specification. */
import { CLAUSES } from '../spec/index.ts';

const TEXT = new Map(CLAUSES.map((c) => [c.id, c.text]));

/** The clause's statement; empty where this specification has no such clause. */
export function clauseText(id: string): string {
  return TEXT.get(id) ?? '';
}
