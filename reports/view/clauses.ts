// SPDX-License-Identifier: MIT
/** The specification against the targets: for each clause what each of them makes of it, and the case that shows it. */
import { VERDICT_KINDS, type CaseEvent, type ClauseTally, type RunEvent, type VerdictKind } from '../../model/index.ts';
import { CLAUSES, type Clause } from '../../spec/index.ts';
import type { ClauseCell, ClauseView } from './view.ts';

interface Cell {
  kind: VerdictKind;
  cases: number;
  shownBy: string;
  signature?: string;
  undeclared?: true;
}

type Row = Map<string, Cell>;

/**
 * One row for each clause. Where no verdict names the clause, `tally` makes its cell `pass`: the cases about it that
 * were as expected. Where images can break it and cases of the run do, only those are cases about it: that sound
 * images pass says nothing of refusing.
 */
export function clauseViews(run: RunEvent, cases: readonly CaseEvent[], tally: ClauseTally | null): ClauseView[] {
  const rows = new Map<string, Row>(CLAUSES.map((c) => [c.id, new Map()]));
  const flags = new Map(CLAUSES.flatMap((c) => (c.flag === undefined ? [] : [[c.flag, c.id] as const])));
  for (const one of cases) {
    if (one.clause !== undefined && one.kind !== 'pass') worse(rows.get(one.clause), one);
    for (const flag of one.undeclared ?? []) undeclared(rows.get(flags.get(flag) ?? ''), one);
  }
  return CLAUSES.map((clause): ClauseView => {
    const row = rows.get(clause.id)!;
    const [exercised, violated] = [count(tally?.exercised, clause.id), count(tally?.violated, clause.id)];
    if (tally !== null) held(row, run, clause, tally, violated > 0 && clause.binds !== 'reader');
    return {
      clause, exercised, violated,
      cells: Object.fromEntries(run.targets.flatMap(({ name }): [string, ClauseCell][] => {
        const cell = row.get(name);
        return cell === undefined ? [] : [[name, cell]];
      })),
    };
  });
}

function count(counts: Readonly<Record<string, number>> | undefined, id: string): number {
  return counts !== undefined && Object.hasOwn(counts, id) ? counts[id]! : 0;
}

/** Counts a verdict by the clause; the worst kind stands. */
function worse(row: Row | undefined, { target, kind, case: id, signature }: CaseEvent): void {
  if (row === undefined) return;
  const before = row.get(target);
  if (before !== undefined && VERDICT_KINDS.indexOf(before.kind) < VERDICT_KINDS.indexOf(kind)) return;
  if (before?.kind === kind) before.cases++;
  else row.set(target, { ...(before?.undeclared && { undeclared: true }), kind, cases: 1, shownBy: id, ...(signature !== undefined && { signature }) });
}

/** A side was taken that the stance does not declare: that is a pass, and it is said. */
function undeclared(row: Row | undefined, { target, case: id }: CaseEvent): void {
  if (row === undefined) return;
  const before = row.get(target);
  if (before !== undefined) before.undeclared = true;
  else row.set(target, { kind: 'pass', cases: 0, shownBy: id, undeclared: true });
}

/** Fills in what passed. */
function held(row: Row, { targets }: RunEvent, { id }: Clause, { passedExercising, passedViolating }: ClauseTally, onlyViolating: boolean): void {
  for (const { name } of targets) {
    const passed = [passedViolating, ...(onlyViolating ? [] : [passedExercising])].flatMap((of) => (Object.hasOwn(of, name) && Object.hasOwn(of[name]!, id) ? [of[name]![id]!] : []));
    if (passed.length === 0) continue;
    const cell = row.get(name);
    const cases = passed.reduce((n, [m]) => n + m, 0);
    if (cell === undefined) row.set(name, { kind: 'pass', cases, shownBy: passed[0]![1] });
    else if (cell.kind === 'pass') cell.cases = cases;
  }
}
