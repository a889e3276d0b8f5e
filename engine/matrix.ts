// SPDX-License-Identifier: MIT
/** One finding on several targets: its smallest case is made once and tried on each of them. */
import { EngineError } from '../model/errors.ts';
import type { Confirmation, Finding, MatrixCell, MatrixEvent } from '../model/index.ts';
import type { Session, Target } from '../targets/target.ts';
import { PATIENCE, RACE_TRIES, TRIES } from './confirm.ts';
import { execute, type Executed } from './execute.ts';
import { declaredFlags, prepare, type Prepared } from './prepare.ts';
import { explainFinding } from './replay.ts';

export interface Tried {
  /** The case as this target is judged by it. */
  readonly smallest: Prepared;
  /** The last run. */
  readonly shown: Executed;
  /** Present where it showed the signature: every time, or, where it races, at all. */
  readonly confirmation?: Confirmation;
}

/** A smallest case that shows its signature alone, and how it did so. */
export interface Known {
  readonly smallest: Prepared;
  readonly confirmation: Confirmation;
}

/**
 * Runs another target's smallest case alone, as often as a confirmation takes, in
 * instances of as many processors as it took there. Null where the signal aborts
 * or there can be no such instance.
 */
export async function tryElsewhere(target: Target, session: Session, signature: string, known: Known, signal: AbortSignal): Promise<Tried | null> {
  const smallest = prepare(known.smallest.drawn, declaredFlags([target]));
  const { processors, ...there } = known.confirmation;
  const more = processors === undefined ? {} : { processors };
  const races = processors !== undefined || there.shown < there.tried;
  const tries = races ? RACE_TRIES : TRIES;
  let seen: Executed | undefined;
  let shown = 0;
  for (let tried = 1; ; tried++) {
    const [run] = await execute(target, session, [smallest], { patience: PATIENCE, signal, ...more }).catch((error: unknown) => {
      if (error instanceof EngineError && processors !== undefined) return [];
      throw error;
    });
    if (!run) return null;
    const shows = run.verdict.signature === signature;
    if (shows) {
      shown++;
      seen = run;
    }
    if (!shows && !races) return { smallest, shown: run };
    if (tried < tries && !(shows && run.verdict.kind === 'hang')) continue;
    return seen === undefined ? { smallest, shown: run } : { smallest, shown: seen, confirmation: { shown, tried, blame: 'alone', ...more } };
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

  readonly known = new Map<string, Known>();

  /** Takes what triage found on one target. */
  add(finding: Finding, smallest: Prepared): void {
    const { signature, confirmation: { blame } } = finding;
    const row = this.#rows.get(signature) ?? { finding, cells: {} };
    this.#rows.set(signature, row);
    row.cells[finding.target] = { state: blame === 'unreliable' ? 'unreliable' : 'shown', count: finding.count };
    if (blame === 'alone' && !this.known.has(signature)) this.known.set(signature, { smallest, confirmation: finding.confirmation });
  }

  /** A target that has shown the signature before, and is not tried again. `count`: cases of the run that showed it. */
  markShown(signature: string, target: string, count: number): void {
    this.#rows.get(signature)!.cells[target] = { state: 'shown', count };
  }

  /** Names of the targets that show the signature, every time or now and then. */
  shownBy(signature: string): string[] {
    return Object.entries(this.#rows.get(signature)?.cells ?? {}).flatMap(([name, cell]) => (cell.state === 'shown' ? [name] : []));
  }

  /** The findings whose smallest case this target has not been tried with. */
  missing(target: string): { readonly finding: Finding; readonly known: Known }[] {
    return [...this.#rows.values()].flatMap(({ finding, cells }) => {
      const known = this.known.get(finding.signature);
      return cells[target] === undefined && known !== undefined ? [{ finding, known }] : [];
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
