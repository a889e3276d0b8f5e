// SPDX-License-Identifier: MIT
/** Two runs compared: what is new, what is fixed, what is still there. */
import { FINDING_KINDS, UsageError, type FindingKind, type Reached } from '../model/index.ts';
import type { LoadedFinding, LoadedRun, LoadedTarget } from './run-file.ts';

export const DIFF_SCHEMA = 'ovbd-diff/1';

/** `new`: only the second run has it. `fixed`: only the first has. Neither is certain where the runs saw other cases. */
export type DiffState = 'new' | 'fixed' | 'still';

export interface FindingDiff {
  readonly state: DiffState;
  readonly signature: string;
  readonly kind: FindingKind;
  readonly clause?: string;
  /** Cases that showed it in each run. */
  readonly cases: { readonly a: number; readonly b: number };
  /** What is to be known of it, such as that one run saw it without confirming it; empty otherwise. */
  readonly note: string;
  /** The command that shows it: of the second run where that has it. */
  readonly replay: string;
}

export interface ColumnDiff {
  /** Names of the targets. */
  readonly a: string;
  readonly b: string;
  /** Versions and hashes in which they differ, other than those of the module itself. */
  readonly differ: readonly { readonly part: string; readonly a: string | null; readonly b: string | null }[];
  /** How much of its sources each has reached; absent where not both have counted it. */
  readonly coverage?: { readonly a: Reached; readonly b: Reached };
  /** New ones first, each state worst first. */
  readonly findings: readonly FindingDiff[];
}

export interface RunDiff {
  readonly a: LoadedRun;
  readonly b: LoadedRun;
  /** Whether both ran all of the same cases: then a finding that is missing was not there. */
  readonly sameCases: boolean;
  /** Why not, for people; empty where they did. */
  readonly why: readonly string[];
  readonly columns: readonly ColumnDiff[];
  /** Targets that were not compared. */
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
}

/** Parts that are other whenever the module is, and how often the lab itself was tried. */
const NOT_COMPARED = ['sources', 'module', 'module-sources', 'initramfs', 'soak'];
const STATES: readonly DiffState[] = ['new', 'fixed', 'still'];

/**
 * Compares targets of the same name; those that are left where each run has but
 * one of a kind; and those that `pairs` names (`v2=v3`). Throws `UsageError`
 * where nothing can be compared.
 */
export function diffRuns(a: LoadedRun, b: LoadedRun, pairs: readonly string[] = []): RunDiff {
  const columns = pairsOf(a, b, pairs);
  if (columns.length === 0) {
    const names = (run: LoadedRun): string => run.targets.map((t) => t.name).join(', ') || 'none';
    throw new UsageError(`the runs have no target in common: ${a.path} has ${names(a)}; ${b.path} has ${names(b)}; say which to compare with --column A=B`);
  }
  const why = whyNotSame(a, b);
  return {
    a, b, sameCases: why.length === 0, why,
    columns: columns.map(([one, other]) => ({
      a: one.name, b: other.name, differ: differences(one, other),
      ...(one.coverage && other.coverage && { coverage: { a: one.coverage, b: other.coverage } }), findings: compare(one, other),
    })),
    onlyA: a.targets.filter((t) => !columns.some(([x]) => x === t)).map((t) => t.name),
    onlyB: b.targets.filter((t) => !columns.some(([, x]) => x === t)).map((t) => t.name),
  };
}

type Pair = readonly [LoadedTarget, LoadedTarget];

function pairsOf(a: LoadedRun, b: LoadedRun, pairs: readonly string[]): Pair[] {
  const find = (run: LoadedRun, name: string): LoadedTarget => {
    const target = run.targets.find((t) => t.name === name);
    if (!target) throw new UsageError(`${run.path} has no target ${name}: it has ${run.targets.map((t) => t.name).join(', ')}`);
    return target;
  };
  if (pairs.length > 0) {
    return pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at <= 0) throw new UsageError(`--column ${pair}: it must be the names of two targets, as in v2=v3`);
      return [find(a, pair.slice(0, at)), find(b, pair.slice(at + 1))];
    });
  }
  const same = a.targets.flatMap((one): Pair[] => {
    const other = b.targets.find((t) => t.name === one.name);
    return other ? [[one, other]] : [];
  });
  const left = (run: LoadedRun): LoadedTarget[] => run.targets.filter((t) => !same.some((pair) => pair.includes(t)));
  const [restA, restB] = [left(a), left(b)];
  const only = restA.length === 1 && restB.length === 1 && restA[0]!.role === restB[0]!.role;
  return only ? [...same, [restA[0]!, restB[0]!]] : same;
}

function whyNotSame(a: LoadedRun, b: LoadedRun): string[] {
  const other = a.caseStream === b.caseStream ? [] : [
    ...(a.seed === b.seed ? [] : [`seed ${a.seed} and ${b.seed}`]), ...(a.cases === b.cases ? [] : [`${a.cases} and ${b.cases} cases`]),
    ...(a.suite === b.suite ? [] : [`${a.suite} and ${b.suite}`]),
  ];
  return [
    ...(a.caseStream === b.caseStream ? [] : [`they ran different cases${other.length > 0 ? `: ${other.join(', ')}` : ''}`]),
    ...[a, b].filter((run) => !run.complete).map((run) => `${run.path} was stopped before its end`),
  ];
}

function differences(a: LoadedTarget, b: LoadedTarget): ColumnDiff['differ'] {
  return [...new Set([...Object.keys(a.parts), ...Object.keys(b.parts)])]
    .filter((part) => a.parts[part] !== b.parts[part] && !NOT_COMPARED.includes(part))
    .map((part) => ({ part, a: a.parts[part] ?? null, b: b.parts[part] ?? null }));
}

function compare(a: LoadedTarget, b: LoadedTarget): FindingDiff[] {
  const diffs = [...new Set([...a.findings.keys(), ...b.findings.keys()])].flatMap((signature): FindingDiff[] => {
    const [one, other] = [a.findings.get(signature), b.findings.get(signature)];
    const cases = { a: one?.count ?? a.seen.get(signature) ?? 0, b: other?.count ?? b.seen.get(signature) ?? 0 };
    const state = stateOf(one, other, cases);
    if (state === null) return [];
    const { kind, clause, replay } = (other ?? one)!;
    return [{ state, signature, kind, ...(clause !== undefined && { clause }), cases, note: noteOf(one, other, cases), replay }];
  });
  return diffs.sort((x, y) => STATES.indexOf(x.state) - STATES.indexOf(y.state)
    || FINDING_KINDS.indexOf(x.kind) - FINDING_KINDS.indexOf(y.kind) || (x.signature < y.signature ? -1 : 1));
}

/** Null for what neither run could show again: it proves nothing either way. */
function stateOf(a: LoadedFinding | undefined, b: LoadedFinding | undefined, cases: { a: number; b: number }): DiffState | null {
  if (!a?.reliable && !b?.reliable) return null;
  if (a?.reliable) return b || cases.b > 0 ? 'still' : 'fixed';
  return a || cases.a > 0 ? 'still' : 'new';
}

function noteOf(a: LoadedFinding | undefined, b: LoadedFinding | undefined, cases: { a: number; b: number }): string {
  const [missing, seen] = b?.reliable ? [a, cases.a] : [b, cases.b];
  if (missing?.reliable || (!missing && seen === 0)) return '';
  return `the ${b?.reliable ? 'first' : 'second'} run saw it, but could not show it again`;
}
