// SPDX-License-Identifier: MIT
/** Lists of clause ids in the specification's order. */
import { CLAUSES } from '../spec/index.ts';

/** Told of every clause that something written exercises. */
export type Emit = (clause: string) => void;

const RANK = new Map(CLAUSES.map((c, i) => [c.id, i]));

/** Place of the clause in the specification. Throws for an unknown id: a mistake of ours. */
export function rankOf(clause: string): number {
  const rank = RANK.get(clause);
  if (rank === undefined) throw new Error(`no clause ${clause}`);
  return rank;
}

/** The clauses in the specification's order, each once. */
export function inSpecOrder(clauses: Iterable<string>): string[] {
  return [...new Set(clauses)].sort((a, b) => rankOf(a) - rankOf(b));
}
