// SPDX-License-Identifier: MIT
/** The image breaks a clause. Thrown inside the oracle and turned into an outcome at its border, or collected. */
import { clauseOf, DECLARED_ONLY } from '../spec/index.ts';

export class Violation extends Error {
  override readonly name = 'Violation';
  readonly clause: string;
  /** Byte position in the innermost file that was judged. */
  readonly at: number;
  /** Set by whoever knows which layer was being read; 0 = bottom. */
  layer = 0;
  /** Whether `at` is a position in the index file of a writable pair. */
  inIndexFile = false;

  constructor(clause: string, at: number, why: string) {
    super(why);
    this.clause = clauseOf(clause).id;
    this.at = at;
  }
}

/**
 * Which side of each contested point is taken, and what becomes of a violation
 * behind which the reader could go on. Asking is recorded: the points an image
 * touches are those the reader asked about.
 */
export interface Leniency {
  /** Whether the other than the normative side of this flag's clause is taken. */
  has(flag: string): boolean;
  /** Throws the violation, or keeps it and returns: the reader then goes on as well as it can. */
  found(violation: Violation): void;
}

function raise(violation: Violation): never {
  throw violation;
}

/** The normative side everywhere; the first violation ends it. */
export const STRICT: Leniency = { has: () => false, found: raise };

/** The normative side everywhere; every violation that leaves something to read is handed to `keep`. */
export function collecting(keep: (violation: Violation) => void): Leniency {
  return { has: () => false, found: keep };
}

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

  found(violation: Violation): void {
    raise(violation);
  }
}

/** A clause is broken. Nothing happens where it is contested and its lenient side, which does not mind, is taken. */
export function violate(lenient: Leniency, clause: string, at: number, why: string): void {
  const flag = clauseOf(clause).flag;
  if (flag !== undefined && lenient.has(flag)) return;
  lenient.found(new Violation(clause, at, why));
}

/** The image touches a contested clause that has readers accept it; throws where the other side, which refuses, is taken. */
export function mayRefuse(lenient: Leniency, clause: string, at: number, why: string): void {
  if (lenient.has(clauseOf(clause).flag!)) throw new Violation(clause, at, why);
}

/** Runs `work`, marking a Violation in it with the layer. */
export function inLayer<T>(layer: number, work: () => T): T {
  return marked(work, (v) => { v.layer = layer; });
}

/** Runs `work` on the index file of a pair, marking the violations in it. */
export function inIndexFile<T>(lenient: Leniency, work: (lenient: Leniency) => T): T {
  const mark = (v: Violation): void => { v.inIndexFile = true; };
  return marked(() => work({
    has: (flag) => lenient.has(flag),
    found(v) {
      mark(v);
      lenient.found(v);
    },
  }), mark);
}

function marked<T>(work: () => T, mark: (violation: Violation) => void): T {
  try {
    return work();
  } catch (e) {
    if (e instanceof Violation) mark(e);
    throw e;
  }
}
