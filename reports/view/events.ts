// SPDX-License-Identifier: MIT
/** The events of a run.jsonl that may be cut, damaged or a stranger's: what can be read is kept, the rest is told. */
import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  FINDING_KINDS, RUN_SCHEMA, UsageError, VERDICT_KINDS, type CaseEvent, type Event, type FindingEvent, type FooterEvent, type MatrixEvent, type RunEvent, type Shown,
} from '../../model/index.ts';
import { boolean, either, integer, list, map, Mismatch, oneOf, optional, record, text, type Check } from '../check.ts';

/** What a run.jsonl holds. */
export interface StoredEvents {
  readonly path: string;
  readonly run: RunEvent;
  readonly footer: FooterEvent | null;
  readonly cases: readonly CaseEvent[];
  readonly findings: readonly FindingEvent[];
  readonly matrices: readonly MatrixEvent[];
  readonly problems: readonly string[];
}

/** Bytes of a file and characters of a line that are read, and problems that are told one by one. */
const MAX_BYTES = 2 ** 32;
const MAX_LINE = 16 << 20;
const MAX_PROBLEMS = 20;

const line = text(65_536);
const name = text(160);
const natural = integer(0, Number.MAX_SAFE_INTEGER);
const kind = oneOf(...VERDICT_KINDS);
const finding = oneOf(...FINDING_KINDS);
const reached = record({ lines: natural, allLines: natural, branches: natural, allBranches: natural });
const amount: Check<number> = (value, at) => {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw new Mismatch(at, 'a number from 0', value);
};
const counts: Check<FooterEvent['verdicts'][string]> = (value, at) => {
  const all = map(64, natural)(value, at);
  for (const key of Object.keys(all)) kind(key, at);
  return all;
};

/** Bounds: clauses of a specification, and targets of a run. */
const perClause = map(10_000, natural);
const shown: Check<Shown> = (value, at) => {
  const [cases, first] = list(((v: unknown) => v) as Check<unknown>, 2, 2)(value, at);
  return [natural(cases, at), text(256)(first, at)];
};
const perTarget = map(4096, map(10_000, shown));
const clauses = record({ exercised: perClause, violated: perClause, passedExercising: perTarget, passedViolating: perTarget });

const eventCheck: Check<Event> = either('type', {
  run: record({
    type: oneOf('run'), schema: oneOf(RUN_SCHEMA), suite: line, seed: natural, corpus: optional(line), cases: natural,
    targets: list(record({ name, description: line, parts: map(256, line), remake: map(256, line) }), 4096),
    skipped: list(record({ target: line, reason: line }), 4096),
  }),
  case: record({
    type: oneOf('case'), target: name, case: text(256), class: oneOf('valid', 'invalid', 'permissive'), kind, clause: optional(text(256)),
    signature: optional(line), why: optional(line), undeclared: optional(list(text(256), 256)),
  }),
  finding: record({
    type: oneOf('finding'), target: name, signature: line, kind: finding, clause: optional(text(256)), why: line, count: natural, firstCase: text(256), smallest: line,
    confirmation: record({ shown: natural, tried: natural, blame: oneOf('alone', 'sequence', 'unreliable'), processors: optional(integer(1, 256)) }),
    label: optional(line), known: optional(record({ reason: line, link: optional(line) })), folder: text(4096), replay: line,
  }),
  matrix: record({
    type: oneOf('matrix'), family: line, columns: list(name, 4096),
    rows: list(record({
      signature: line, kind: finding, clause: optional(text(256)),
      cells: map(4096, record({ state: oneOf('shown', 'unreliable', 'absent', 'unknown'), count: natural, instead: optional(line) })),
    }), 1e6),
  }),
  footer: record({
    type: oneOf('footer'), complete: boolean(), cases: natural, caseStream: text(64, /^[0-9a-f]{64}$/), verdicts: map(4096, counts),
    findings: natural, known: optional(natural), unreliable: natural, seconds: amount, rates: map(4096, amount), coverage: optional(map(4096, reached)), clauses: optional(clauses),
    unexpectedPasses: optional(list(record({ target: name, signature: line, reason: line, cases: list(text(256), 1e6) }), 1e5)), exitCode: natural,
  }),
} as const) as Check<Event>;

/**
 * Reads a run's folder or its run.jsonl. Throws `UsageError` only where there is no such file or nothing of a run in
 * it; lines that are no events are left out and told.
 */
export async function readEvents(given: string): Promise<StoredEvents> {
  const path = statSync(given, { throwIfNoEntry: false })?.isDirectory() ? join(given, 'run.jsonl') : given;
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined) throw new UsageError(`${path}: no such file; give a run's folder or its run.jsonl`);
  if (!file.isFile()) throw new UsageError(`${path}: not a plain file`);
  if (file.size > MAX_BYTES) throw new UsageError(`${path}: ${file.size} bytes where at most ${MAX_BYTES} are expected`);
  const taken = new Taken(path);
  let rest = '';
  for await (const piece of createReadStream(path, 'utf8') as AsyncIterable<string>) {
    const lines = `${rest}${piece}`.split('\n');
    rest = lines.pop()!;
    if (rest.length > MAX_LINE) throw new UsageError(`${path}: a line of more than ${MAX_LINE} characters is no event`);
    for (const one of lines) taken.line(one);
  }
  if (rest !== '') taken.last(rest);
  return taken.end();
}

class Taken {
  readonly #path: string;
  #line = 0;
  #bad = 0;
  #run: RunEvent | undefined;
  #footer: FooterEvent | null = null;
  readonly #targets = new Set<string>();
  readonly #cases: CaseEvent[] = [];
  readonly #findings: FindingEvent[] = [];
  readonly #matrices: MatrixEvent[] = [];
  readonly #problems: string[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  line(one: string): void {
    this.#line++;
    if (one === '') return;
    try {
      this.#take(eventCheck(JSON.parse(one), ''));
    } catch (error) {
      if (!(error instanceof Mismatch) && !(error instanceof SyntaxError)) throw error;
      this.#problem(`line ${this.#line} of run.jsonl is no event and is left out: ${error.message}`);
    }
  }

  /** A line without its end: the writer was stopped in it, or it is the whole of it. */
  last(one: string): void {
    const before = this.#bad;
    this.line(one);
    if (this.#bad > before && this.#problems.length <= MAX_PROBLEMS) {
      this.#problems[this.#problems.length - 1] = `the last line of run.jsonl (${this.#line}) was cut off and is left out: its writer was stopped`;
    }
  }

  #take(event: Event): void {
    if (event.type === 'run') {
      if (this.#run !== undefined) return this.#problem(`line ${this.#line} of run.jsonl begins a second run, which is left out`);
      this.#run = event;
      for (const t of event.targets) this.#targets.add(t.name);
    } else if (this.#footer !== null) {
      this.#problem(`line ${this.#line} of run.jsonl comes after the footer and is left out`);
    } else if (event.type === 'matrix') {
      this.#matrices.push(event);
    } else if (event.type === 'footer') {
      this.#footer = event;
    } else if (this.#run !== undefined && !this.#targets.has(event.target)) {
      this.#problem(`line ${this.#line} of run.jsonl is left out: the run has no target ${JSON.stringify(event.target)}`);
    } else if (event.type === 'case') {
      this.#cases.push(event);
    } else {
      this.#findings.push(event);
    }
  }

  #problem(what: string): void {
    this.#bad++;
    if (this.#bad <= MAX_PROBLEMS) this.#problems.push(what);
  }

  end(): StoredEvents {
    if (this.#run === undefined) throw new UsageError(`${this.#path}: no run in it: its first line must be the event "run"${this.#problems[0] ? ` (${this.#problems[0]})` : ''}`);
    if (this.#bad > MAX_PROBLEMS) this.#problems.push(`… and ${this.#bad - MAX_PROBLEMS} lines more are left out`);
    const footer = this.#footer;
    const incomplete = footer === null ? 'The stream ends without its footer: the run was killed or still goes on. This is not a report of a whole run.'
      : footer.complete ? null : `The run was stopped after ${footer.cases} of ${this.#run.cases} cases.`;
    return {
      path: this.#path, run: this.#run, footer, cases: this.#cases, findings: this.#findings, matrices: this.#matrices,
      problems: [...(incomplete === null ? [] : [incomplete]), ...this.#problems],
    };
  }
}
