// SPDX-License-Identifier: MIT
/** The comparison of two runs, for people and as JSON. */
import { DIFF_SCHEMA, type ColumnDiff, type DiffState, type FindingDiff, type RunDiff } from './run-diff.ts';
import type { LoadedRun } from './run-file.ts';
import { count, oneLine } from './text.ts';

/** How many of each state, over all columns. */
export function diffCounts({ columns }: RunDiff): Readonly<Record<DiffState, number>> {
  const of = (state: DiffState): number => columns.reduce((n, c) => n + c.findings.filter((f) => f.state === state).length, 0);
  return { new: of('new'), fixed: of('fixed'), still: of('still') };
}

/** A line a finding. Where the runs saw other cases, what one of them does not have is "not seen" and no more. */
export function diffLines(diff: RunDiff): string[] {
  const words: Readonly<Record<DiffState, string>> = diff.sameCases
    ? { new: 'new', fixed: 'fixed', still: 'still there' }
    : { new: 'not seen in A', fixed: 'not seen in B', still: 'still there' };
  const counts = diffCounts(diff);
  return [
    `A  ${about(diff.a)}`, `B  ${about(diff.b)}`,
    ...(diff.sameCases ? [] : [`the runs cannot prove that something is new or fixed: ${diff.why.join('; ')}`]),
    ...diff.columns.flatMap((column) => ['', ...columnLines(column, words)]),
    ...onlyLines('A', diff.onlyA), ...onlyLines('B', diff.onlyB),
    '', `${counts.new} ${words.new}, ${counts.fixed} ${words.fixed}, ${counts.still} still there`,
  ].map((text) => (text.startsWith(' ') ? `    ${oneLine(text)}` : oneLine(text)));
}

function onlyLines(name: string, targets: readonly string[]): string[] {
  return targets.length === 0 ? [] : ['', `only in ${name}, not compared: ${targets.join(', ')}`];
}

function about({ path, suite, seed, cases, complete }: LoadedRun): string {
  return `${path}: ${suite}, seed ${seed}, ${count(cases, 'case')}${complete ? '' : ', stopped before its end'}`;
}

function columnLines({ a, b, differ, coverage, findings }: ColumnDiff, words: Readonly<Record<DiffState, string>>): string[] {
  const width = Math.max(...Object.values(words).map((w) => w.length));
  const line = (f: FindingDiff): string => `${words[f.state].padEnd(width)}  ${f.signature} (cases: ${f.cases.a} → ${f.cases.b})${f.note && `; ${f.note}`}`;
  return [
    a === b ? a : `${a} → ${b}`,
    ...differ.map((d) => `note: ${d.part} is ${d.a ?? 'absent'} in A, ${d.b ?? 'absent'} in B`),
    ...(coverage === undefined ? [] : [`coverage: ${change(coverage.a.lines, coverage.a.allLines, coverage.b.lines, coverage.b.allLines)} lines, ${change(coverage.a.branches, coverage.a.allBranches, coverage.b.branches, coverage.b.allBranches)} branches`]),
    ...(findings.length === 0 ? ['no findings'] : findings.flatMap((f) => [line(f), ...(f.state === 'new' ? [`    ${f.replay}`] : [])])),
  ];
}

/** `659 → 661 of 786`; of other sources `659 of 786 → 670 of 801`. */
function change(a: number, allA: number, b: number, allB: number): string {
  return allA === allB ? `${a} → ${b} of ${allA}` : `${a} of ${allA} → ${b} of ${allB}`;
}

/** What `ovbd diff --json` prints. */
export function diffJson(diff: RunDiff): unknown {
  const run = ({ path, suite, seed, cases, caseStream, complete }: LoadedRun) => ({ path, suite, seed, cases, caseStream, complete });
  const { sameCases, why, columns, onlyA, onlyB } = diff;
  return { schema: DIFF_SCHEMA, a: run(diff.a), b: run(diff.b), sameCases, why, columns, onlyA, onlyB, counts: diffCounts(diff) };
}
