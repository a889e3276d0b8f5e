// SPDX-License-Identifier: MIT
/** The image breaks a clause. Thrown inside the oracle, turned into an outcome at its border. */
import { clauseOf } from '../spec/index.ts';

export class Violation extends Error {
  override readonly name = 'Violation';
  readonly clause: string;
  /** Byte position in the innermost file that was judged. */
  readonly at: number;
  /** Set by whoever knows which layer was being read; 0 = bottom. */
  layer = 0;

  constructor(clause: string, at: number, why: string) {
    super(why);
    this.clause = clauseOf(clause).id;
    this.at = at;
  }
}

/** Permissive flags whose lenient side is taken. */
export type Leniency = ReadonlySet<string>;

export const STRICT: Leniency = new Set();

/** Throws the violation, unless the clause is contested and its lenient side is taken. */
export function violate(lenient: Leniency, clause: string, at: number, why: string): void {
  const flag = clauseOf(clause).flag;
  if (flag !== undefined && lenient.has(flag)) return;
  throw new Violation(clause, at, why);
}
