// SPDX-License-Identifier: MIT
/** The specification: clauses and field tables. */
import { DEVICE_CLAUSES, TABLE_CLAUSES } from './clauses/device.ts';
import { LSMT_CLAUSES } from './clauses/lsmt.ts';
import { COUNT_CLAUSES, STACK_CLAUSES, TRANSPORT_CLAUSES } from './clauses/stack.ts';
import { ZFILE_CLAUSES } from './clauses/zfile.ts';
import type { Clause } from './clause.ts';

export * from './fields.ts';
export * from './access.ts';
export type { Binds, Clause, Level, Source } from './clause.ts';

/** Every clause, in the order in which a reader meets them. */
export const CLAUSES: readonly Clause[] = [
  ...TABLE_CLAUSES, ...COUNT_CLAUSES, ...TRANSPORT_CLAUSES, ...ZFILE_CLAUSES, ...LSMT_CLAUSES, ...STACK_CLAUSES, ...DEVICE_CLAUSES,
];

const BY_ID = new Map(CLAUSES.map((c) => [c.id, c]));

/** The clause with this id. Throws for an unknown id: a mistake of ours. */
export function clauseOf(id: string): Clause {
  const found = BY_ID.get(id);
  if (!found) throw new Error(`no clause ${id}`);
  return found;
}

/** Flags of points that the reference's own files settle: only a target that declares the flag may take the other side. */
export const DECLARED_ONLY: ReadonlySet<string> = new Set(CLAUSES.flatMap((c) => (c.flag !== undefined && c.undeclared === 'strict' ? [c.flag] : [])));
