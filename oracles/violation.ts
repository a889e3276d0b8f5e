// SPDX-License-Identifier: MIT
/** The image breaks a clause. Thrown inside the oracle, turned into an outcome at its border. */
import { clauseOf, DECLARED_ONLY } from '../spec/index.ts';

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

/**
 * Which side of each contested point is taken. Asking is recorded: the points
 * an image touches are those the reader asked about.
 */
export interface Leniency {
  /** Whether the other than the normative side of this flag's clause is taken. */
  has(flag: string): boolean;
}

/** The normative side everywhere. */
export const STRICT: Leniency = { has: () => false };

/**
 * Takes the other side of `flags` and remembers every flag it was asked for.
 * Points that the reference's files settle are open questions only where
 * `declared` names them: no other target may take their other side.
 */
export class RecordedLeniency implements Leniency {
  readonly asked = new Set<string>();
  readonly #flags: ReadonlySet<string>;
  readonly #declared: ReadonlySet<string>;

  constructor(flags: Iterable<string>, declared: ReadonlySet<string> = new Set()) {
    this.#flags = new Set(flags);
    this.#declared = declared;
  }

  has(flag: string): boolean {
    if (DECLARED_ONLY.has(flag) && !this.#declared.has(flag)) return false;
    this.asked.add(flag);
    return this.#flags.has(flag);
  }
}

/** Throws the violation, unless the clause is contested and its lenient side is taken. */
export function violate(lenient: Leniency, clause: string, at: number, why: string): void {
  const flag = clauseOf(clause).flag;
  if (flag !== undefined && lenient.has(flag)) return;
  throw new Violation(clause, at, why);
}
