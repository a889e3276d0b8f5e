// SPDX-License-Identifier: MIT
/** Readers beside each other on the same cases. */
import { COMPARE_SCHEMA, type AnswerCounts, type DifferenceKind, type DifferenceRow, type PairCounts, type ReaderComparison } from '../../model/index.ts';
import type { Target } from '../../targets/target.ts';
import { execute, type Judged } from '../execute.ts';
import { inParallel, openLanes } from '../lanes.ts';
import { CHUNK } from '../screen.ts';
import { clauseOfParting, relate, wasAsked, type Answer, type Parting } from './answer.ts';
import { bytesOfCase, explainDifference } from './explain.ts';

export interface CompareSettings {
  readonly suite: string;
  readonly from: ReaderComparison['from'];
  readonly cases: number;
  /** The case of a number, made when it is needed. */
  readonly prepared: (index: number) => Judged;
  /** At least two. */
  readonly targets: readonly Target[];
  readonly skipped: ReaderComparison['skipped'];
  /** Instances of a target at the same time; results do not depend on it. */
  readonly jobs: number;
  readonly signal: AbortSignal;
  readonly progress?: (done: number, differing: number) => void;
}

interface Compared {
  readonly document: ReaderComparison;
  /** The smallest case of each row, in the rows' order. */
  readonly cases: readonly Judged[];
}

/** Puts every case to every target and holds the answers against each other; the first target that takes a case is the one that the others are compared with. */
export async function compareReaders(s: CompareSettings): Promise<Compared> {
  const tally = new Tally(s.targets);
  const lanes = new Map(s.targets.map((t) => [t, openLanes(t, s.jobs)]));
  const chunks = Math.ceil(s.cases / CHUNK);
  const waiting = new Map<number, readonly Answered[]>();
  let next = 0;
  try {
    await inParallel(Array.from({ length: chunks }, (_, i) => i), Math.max(...[...lanes.values()].map((l) => l.count)), s.signal, async (chunk) => {
      const cases = Array.from({ length: Math.min(CHUNK, s.cases - chunk * CHUNK) }, (_, k) => s.prepared(chunk * CHUNK + k));
      const answered: Answered[] = cases.map((prepared) => ({ prepared, answers: new Map() }));
      for (const target of s.targets) {
        const executed = await lanes.get(target)!.use(async (session) => {
          const began = performance.now();
          const results = await execute(target, session, cases, { signal: s.signal });
          tally.spent(target, performance.now() - began, results.filter((r) => r.observation).length);
          return results;
        });
        // Stopped inside: a chunk counts whole or not at all.
        if (executed.length < cases.length) return;
        executed.forEach((e, k) => answered[k]!.answers.set(target.identity.name, { sizeUnit: target.sizeUnit, executed: e }));
      }
      waiting.set(chunk, answered);
      // In their order, so that what is called the first case of a row is the same in every run.
      for (let ready = waiting.get(next); ready; ready = waiting.get(++next)) {
        waiting.delete(next);
        for (const one of ready) tally.add(one);
        s.progress?.(tally.cases, tally.differing);
      }
    });
  } finally {
    await Promise.all([...lanes.values()].map((l) => l.close()));
  }
  const { rows, cases } = tally.rows();
  return {
    cases,
    document: {
      schema: COMPARE_SCHEMA, mode: 'readers', suite: s.suite, from: s.from, cases: tally.cases, complete: tally.cases === s.cases,
      targets: s.targets.map((t) => t.identity), skipped: s.skipped, answers: tally.answers(), pairs: tally.pairs(), rows,
    },
  };
}

interface Answered {
  readonly prepared: Judged;
  readonly answers: Map<string, Answer>;
}

/** A case that shows a row. */
interface Example {
  smallest: Answered;
  parting: Parting;
  /** Targets that show it. */
  showing: number;
  bytes: number;
}

interface Row extends Example {
  readonly what: DifferenceKind;
  readonly clause: string;
  readonly cells: Record<string, number>;
}

class Tally {
  cases = 0;
  differing = 0;
  readonly #names: readonly string[];
  readonly #answers: Map<string, { -readonly [K in keyof AnswerCounts]: number }>;
  readonly #pairs = new Map<string, Map<string, { same: number; allowed: number; differ: number; notBoth: number }>>();
  readonly #spent = new Map<string, { ms: number; cases: number }>();
  readonly #rows = new Map<string, Row>();

  constructor(targets: readonly Target[]) {
    this.#names = targets.map((t) => t.identity.name);
    this.#answers = new Map(this.#names.map((n) => [n, { opened: 0, refused: 0, died: 0, notGiven: 0, failed: 0, rate: 0 }]));
    this.#names.forEach((a, i) => this.#pairs.set(a, new Map(this.#names.slice(i + 1).map((b) => [b, { same: 0, allowed: 0, differ: 0, notBoth: 0 }]))));
  }

  spent(target: Target, ms: number, cases: number): void {
    const name = target.identity.name;
    const before = this.#spent.get(name) ?? { ms: 0, cases: 0 };
    this.#spent.set(name, { ms: before.ms + ms, cases: before.cases + cases });
  }

  add(one: Answered): void {
    const { prepared, answers } = one;
    this.cases++;
    for (const [name, answer] of answers) count(this.#answers.get(name)!, answer);
    let differs = false;
    // A case that the first one does not take is still one for the others.
    const base = this.#names.find((name) => wasAsked(answers.get(name)!));
    const parts = new Map<string, { readonly clause: string; readonly parting: Parting; readonly targets: string[] }>();
    for (const [a, others] of this.#pairs) {
      for (const [b, counts] of others) {
        const first = answers.get(a)!;
        const second = answers.get(b)!;
        const { relation, parting } = relate(prepared, first, second);
        counts[relation === 'not both' ? 'notBoth' : relation]++;
        if (relation !== 'differ') continue;
        differs = true;
        if (a !== base) continue;
        const clause = clauseOfParting(prepared, parting!, first, second);
        const key = `${parting!.what} ${clause}`;
        const shown = parts.get(key) ?? { clause, parting: parting!, targets: [] };
        parts.set(key, shown);
        shown.targets.push(b);
      }
    }
    const bytes = parts.size > 0 ? bytesOfCase(prepared) : 0;
    for (const [key, { clause, parting, targets }] of parts) this.#addToRow(key, clause, targets, { smallest: one, parting, showing: targets.length, bytes });
    if (differs) this.differing++;
  }

  /** The case that is told of a row is one that as many targets as possible show, of those the smallest. */
  #addToRow(key: string, clause: string, targets: readonly string[], example: Example): void {
    const row = this.#rows.get(key) ?? { what: example.parting.what, clause, cells: {}, ...example };
    this.#rows.set(key, row);
    for (const target of targets) row.cells[target] = (row.cells[target] ?? 0) + 1;
    if (example.showing > row.showing || (example.showing === row.showing && example.bytes < row.bytes)) Object.assign(row, example);
  }

  answers(): Record<string, AnswerCounts> {
    return Object.fromEntries([...this.#answers].map(([name, counts]) => {
      const { ms, cases } = this.#spent.get(name) ?? { ms: 0, cases: 0 };
      return [name, { ...counts, rate: ms > 0 ? (cases * 1000) / ms : 0 }];
    }));
  }

  pairs(): Record<string, Record<string, PairCounts>> {
    return Object.fromEntries([...this.#pairs].map(([a, others]) => [a, Object.fromEntries(others)]));
  }

  /** Rows by how many cases show them, and the smallest case of each. */
  rows(): { rows: DifferenceRow[]; cases: Judged[] } {
    const total = ({ cells }: Row): number => Object.values(cells).reduce((n, c) => n + c, 0);
    const sorted = [...this.#rows.values()].sort((a, b) => total(b) - total(a) || (`${a.what} ${a.clause}` < `${b.what} ${b.clause}` ? -1 : 1));
    return {
      // Looking for what stands where takes longer than most cases: it is done once a row.
      rows: sorted.map(({ what, clause, cells, parting, smallest }) => ({ what, clause, cells, smallest: explainDifference(smallest.prepared, parting, smallest.answers) })),
      cases: sorted.map((r) => r.smallest.prepared),
    };
  }
}

function count(counts: { -readonly [K in keyof AnswerCounts]: number }, answer: Answer): void {
  const { observation } = answer.executed;
  if (!wasAsked(answer)) counts[observation === undefined && answer.executed.verdict.kind === 'unsupported' ? 'notGiven' : 'failed']++;
  else if (observation!.death) counts.died++;
  else if (observation!.open === 'refused') counts.refused++;
  else counts.opened++;
}
