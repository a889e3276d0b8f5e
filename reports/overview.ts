// SPDX-License-Identifier: MIT
/** All targets of a run as one matrix: a row a signature, a column a target, in each cell the cases that showed it; and cases a second. */
import { FINDING_KINDS, VERDICT_KINDS, type Event, type FooterEvent, type RunEvent, type VerdictKind } from '../model/index.ts';
import { letters } from './matrix-text.ts';
import { oneLine } from './text.ts';

export interface OverviewRow {
  readonly signature: string;
  readonly kind: VerdictKind;
  readonly clause?: string;
  /** target → cases of the run that showed it, confirmed or not; targets without are left out. */
  readonly cells: Readonly<Record<string, number>>;
}

export interface Overview {
  readonly columns: readonly string[];
  /** Worst first, then by how many cases show it. */
  readonly rows: readonly OverviewRow[];
  /** target → cases a second of its own time, without shrinking. */
  readonly rates: Readonly<Record<string, number>>;
  /** target → kind → cases. */
  readonly verdicts: FooterEvent['verdicts'];
  /** target → signatures that a confirmation did not show again. */
  readonly unreliable: Readonly<Record<string, readonly string[]>>;
}

/** Counts what comes by. */
export class OverviewCounter {
  #columns: readonly string[] = [];
  readonly #rows = new Map<string, { kind: VerdictKind; clause?: string; cells: Record<string, number> }>();
  readonly #unreliable: Record<string, string[]> = {};

  event(event: Event): void {
    if (event.type === 'run') this.#columns = (event satisfies RunEvent).targets.map((t) => t.name);
    if (event.type === 'finding' && event.confirmation.blame === 'unreliable') (this.#unreliable[event.target] ??= []).push(event.signature);
    if (event.type !== 'case' || event.signature === undefined) return;
    const row = this.#rows.get(event.signature) ?? { kind: event.kind, ...(event.clause === undefined ? {} : { clause: event.clause }), cells: {} };
    this.#rows.set(event.signature, row);
    row.cells[event.target] = (row.cells[event.target] ?? 0) + 1;
  }

  /** Targets of the run. */
  get columns(): readonly string[] {
    return this.#columns;
  }

  overview({ rates, verdicts }: FooterEvent): Overview {
    const total = (r: OverviewRow): number => Object.values(r.cells).reduce((a, b) => a + b, 0);
    const rank = (r: OverviewRow): number => VERDICT_KINDS.indexOf(r.kind);
    const rows = [...this.#rows].map(([signature, row]): OverviewRow => ({ signature, ...row }));
    rows.sort((a, b) => rank(a) - rank(b) || total(b) - total(a) || (a.signature < b.signature ? -1 : 1));
    return { columns: this.#columns, rows, rates, verdicts, unreliable: this.#unreliable };
  }
}

/** For people: the columns by letters, then kinds, signatures and cases a second. `~` marks a count whose signature did not show again. */
export function overviewLines({ columns, rows, rates, verdicts, unreliable }: Overview): string[] {
  const heads = columns.map((_, i) => letters(i));
  const kinds = VERDICT_KINDS.filter((k) => !(FINDING_KINDS as readonly string[]).includes(k) && columns.some((c) => verdicts[c]?.[k]));
  const cell = (target: string, n: number | undefined, signature?: string): string =>
    (n === undefined || n === 0 ? '·' : `${signature !== undefined && unreliable[target]?.includes(signature) ? '~' : ''}${n}`);
  const table: [readonly string[], string][] = [
    ...rows.map((r): [string[], string] => {
      const named = r.clause === undefined || r.signature.includes(r.clause);
      return [columns.map((c) => cell(c, r.cells[c], r.signature)), named ? r.signature : `${r.signature} (${r.clause})`];
    }),
    ...kinds.map((k): [string[], string] => [columns.map((c) => cell(c, verdicts[c]?.[k])), k]),
    [columns.map((c) => (rates[c] ?? 0).toFixed(1)), 'cases a second'],
  ];
  const widths = heads.map((h, i) => Math.max(h.length, ...table.map(([cells]) => cells[i]!.length)));
  const marked = Object.values(unreliable).some((s) => s.length > 0);
  return [
    `cases that showed it, a column a target${marked ? '; ~ did not show again' : ''}`,
    ...columns.map((name, i) => `  ${heads[i]!.padEnd(heads.at(-1)!.length)}  ${oneLine(name)}`),
    `  ${heads.map((h, i) => h.padStart(widths[i]!)).join('  ')}`,
    ...table.map(([cells, name]) => `  ${cells.map((text, i) => text.padStart(widths[i]!)).join('  ')}  ${oneLine(name)}`),
  ];
}
