// SPDX-License-Identifier: MIT
/** One finding on several targets: its smallest case is made once and tried on each of them. */
import type { Confirmation, Finding, MatrixCell, MatrixEvent } from '../model/index.ts';
import type { Session, Target } from '../targets/target.ts';
import { PATIENCE, TRIES } from './confirm.ts';
import { execute, type Executed } from './execute.ts';
import { declaredFlags, prepare, type Prepared } from './prepare.ts';
import { explainFinding } from './replay.ts';

export interface Tried {
  /** The case as this target is judged by it. */
  readonly smallest: Prepared;
  /** The last run. */
  readonly shown: Executed;
  /** Present where it showed the signature every time. */
  readonly confirmation?: Confirmation;
}

/** Runs another target's smallest case alone, as often as a confirmation takes. Null where the signal aborts. */
export async function tryElsewhere(target: Target, session: Session, signature: string, known: Prepared, signal: AbortSignal): Promise<Tried | null> {
  const smallest = prepare(known.drawn, declaredFlags([target]));
  for (let tried = 1; ; tried++) {
    const [shown] = await execute(target, session, [smallest], { patience: PATIENCE, signal });
    if (!shown) return null;
    if (shown.verdict.signature !== signature) return { smallest, shown };
    if (tried === TRIES || shown.verdict.kind === 'hang') return { smallest, shown, confirmation: { shown: tried, tried, blame: 'alone' } };
  }
}

/** The finding of a target that only another one's smallest case shows. */
export async function findingOf(
  origin: Finding, target: Target, { smallest, shown, confirmation }: Tried & { readonly confirmation: Confirmation },
): Promise<Finding> {
  const { clause: _, explanation: __, ...rest } = origin;
  const explanation = await explainFinding(target, origin.signature, shown.observation!);
  return {
    ...rest, target: target.identity.name, count: 0, smallest: smallest.case, before: [], expectation: smallest.expectation,
    ...(shown.verdict.clause === undefined ? {} : { clause: shown.verdict.clause }),
    observation: shown.observation!, verdict: shown.verdict, confirmation, shrinkExecutions: 0,
    ...(explanation === undefined ? {} : { explanation }),
  };
}

/** The rows of a matrix while they are found. */
export class MatrixRows {
  readonly #rows = new Map<string, { readonly finding: Finding; readonly cells: Record<string, MatrixCell> }>();

  /** Smallest cases that show their signature alone. */
  readonly known = new Map<string, Prepared>();

  /** Takes what triage found on one target. */
  add(finding: Finding, smallest: Prepared): void {
    const { signature, confirmation: { blame } } = finding;
    const row = this.#rows.get(signature) ?? { finding, cells: {} };
    this.#rows.set(signature, row);
    row.cells[finding.target] = { state: blame === 'unreliable' ? 'unreliable' : 'shown', count: finding.count };
    if (blame === 'alone' && !this.known.has(signature)) this.known.set(signature, smallest);
  }

  /** The findings whose smallest case this target has not been tried with. */
  missing(target: string): { readonly finding: Finding; readonly smallest: Prepared }[] {
    return [...this.#rows.values()].flatMap(({ finding, cells }) => {
      const smallest = this.known.get(finding.signature);
      return cells[target] === undefined && smallest !== undefined ? [{ finding, smallest }] : [];
    });
  }

  /** What the target's run of the smallest case showed in place of the finding. `count`: cases of the run that had shown it, not confirmed. */
  absent(signature: string, target: string, shown: Executed, count: number): void {
    this.#rows.get(signature)!.cells[target] = { state: 'absent', count, instead: shown.verdict.signature ?? shown.verdict.kind };
  }

  /** The event. `order` sorts the rows. */
  event(family: string, columns: readonly string[], order: (a: Finding, b: Finding) => number): MatrixEvent {
    const rows = [...this.#rows.values()].sort((a, b) => order(a.finding, b.finding)).map(({ finding, cells }) => ({
      signature: finding.signature, kind: finding.kind, ...(finding.clause === undefined ? {} : { clause: finding.clause }),
      cells: Object.fromEntries(columns.map((name) => [name, cells[name] ?? { state: 'unknown' as const, count: 0 }])),
    }));
    return { type: 'matrix', family, columns, rows };
  }
}
