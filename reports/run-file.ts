// SPDX-License-Identifier: MIT
/** A run read back from its run.jsonl, which may come from a stranger. */
import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { FINDING_KINDS, RUN_SCHEMA, UsageError, VERDICT_KINDS, type FindingKind, type Reached } from '../model/index.ts';
import { either, integer, list, map, Mismatch, oneOf, optional, record, text, type Check } from './check.ts';

/** What two runs are compared by. */
export interface LoadedRun {
  /** The run.jsonl, as given or in the folder that was given. */
  readonly path: string;
  readonly suite: string;
  readonly seed: number;
  /** Cases that ran. */
  readonly cases: number;
  readonly caseStream: string;
  readonly complete: boolean;
  readonly targets: readonly LoadedTarget[];
}

export interface LoadedTarget {
  readonly name: string;
  /** `stock` or `patch` for targets in virtual machines. */
  readonly role: string | undefined;
  readonly parts: Readonly<Record<string, string>>;
  readonly remake: Readonly<Record<string, string>>;
  /** Confirmed and unreliable findings by signature. */
  readonly findings: ReadonlyMap<string, LoadedFinding>;
  /** signature → cases of the run that showed it, confirmed or not. */
  readonly seen: ReadonlyMap<string, number>;
  /** How much of its sources was reached; absent where that was not counted. */
  readonly coverage?: Reached | undefined;
}

export interface LoadedFinding {
  readonly signature: string;
  readonly kind: FindingKind;
  readonly clause?: string | undefined;
  readonly count: number;
  readonly reliable: boolean;
  readonly why: string;
  readonly firstCase: string;
  readonly smallest: string;
  readonly replay: string;
}

/** Bytes of a run.jsonl, and characters of one line. */
const MAX_BYTES = 2 ** 32;
const MAX_LINE = 16 << 20;

const line = text(65_536);
const name = text(160);
const natural = integer(0, Number.MAX_SAFE_INTEGER);
const reached = record({ lines: natural, allLines: natural, branches: natural, allBranches: natural });
const eventCheck = either('type', {
  run: record({
    type: oneOf('run'), schema: oneOf(RUN_SCHEMA), suite: line, seed: natural,
    targets: list(record({ name, parts: map(256, line), remake: map(256, line) }), 4096),
  }),
  case: record({ type: oneOf('case'), target: name, kind: oneOf(...VERDICT_KINDS), signature: optional(line) }),
  finding: record({
    type: oneOf('finding'), target: name, signature: line, kind: oneOf(...FINDING_KINDS), clause: optional(line), count: natural, replay: line,
    why: line, firstCase: name, smallest: line,
    confirmation: record({ blame: oneOf('alone', 'sequence', 'unreliable') }),
  }),
  matrix: record({ type: oneOf('matrix') }),
  footer: record({ type: oneOf('footer'), complete: boolean, cases: natural, caseStream: text(64, /^[0-9a-f]{64}$/), coverage: optional(map(4096, reached)) }),
});
type Checked = ReturnType<typeof eventCheck>;

function boolean(value: unknown, at: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new Mismatch(at, 'true or false', value);
}

/**
 * Reads a run's folder or its run.jsonl. Throws `UsageError` with the file and
 * the line for what is not as it must be; a stream without its footer is none.
 */
export async function loadRun(given: string): Promise<LoadedRun> {
  const path = statSync(given, { throwIfNoEntry: false })?.isDirectory() ? join(given, 'run.jsonl') : given;
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined) throw new UsageError(`${path}: no such file; give a run's folder or its run.jsonl`);
  if (!file.isFile()) throw new UsageError(`${path}: not a plain file`);
  if (file.size > MAX_BYTES) throw new UsageError(`${path}: ${file.size} bytes where at most ${MAX_BYTES} are expected`);
  const reading = new Reading(path);
  // Pieces of a line that has not ended: put together once.
  let rest: string[] = [];
  let length = 0;
  for await (const piece of createReadStream(path, 'utf8') as AsyncIterable<string>) {
    const lines = piece.split('\n');
    for (const [i, one] of lines.entries()) {
      rest.push(one);
      length += one.length;
      if (length > MAX_LINE) throw new UsageError(`${path}: a line of more than ${MAX_LINE} characters is no event`);
      if (i === lines.length - 1) break;
      reading.take(rest.join(''));
      rest = [];
      length = 0;
    }
  }
  if (length > 0) reading.take(rest.join(''));
  return reading.end();
}

class Reading {
  readonly #path: string;
  #line = 0;
  #run: Extract<Checked, { type: 'run' }> | undefined;
  #footer: Extract<Checked, { type: 'footer' }> | undefined;
  readonly #findings = new Map<string, Map<string, LoadedFinding>>();
  readonly #seen = new Map<string, Map<string, number>>();

  constructor(path: string) {
    this.#path = path;
  }

  take(one: string): void {
    this.#line++;
    const event = this.#parse(one);
    if ((event.type === 'run') !== (this.#run === undefined)) throw this.#wrong(this.#run ? 'a second run begins here' : 'the first event must be the run');
    if (this.#footer) throw this.#wrong('nothing may follow the footer');
    if (event.type === 'run') {
      this.#run = event;
      for (const t of event.targets) {
        this.#findings.set(t.name, new Map());
        this.#seen.set(t.name, new Map());
      }
    }
    if (event.type === 'footer') this.#footer = event;
    if (event.type !== 'case' && event.type !== 'finding') return;
    const seen = this.#seen.get(event.target);
    if (!seen) throw this.#wrong(`the run has no target ${JSON.stringify(event.target)}`);
    if (event.type === 'case') {
      if (event.signature !== undefined) seen.set(event.signature, (seen.get(event.signature) ?? 0) + 1);
      return;
    }
    const { signature, kind, clause, count, why, firstCase, smallest, replay } = event;
    this.#findings.get(event.target)!.set(signature, { signature, kind, clause, count, why, firstCase, smallest, replay, reliable: event.confirmation.blame !== 'unreliable' });
  }

  end(): LoadedRun {
    if (!this.#run) throw new UsageError(`${this.#path}: empty, so it is no run`);
    if (!this.#footer) throw new UsageError(`${this.#path}: the stream ends without its footer, so it is not a report: the run was killed, or still goes on`);
    const { suite, seed, targets } = this.#run;
    const { cases, caseStream, complete, coverage } = this.#footer;
    const counted = new Map(Object.entries(coverage ?? {}));
    return {
      path: this.#path, suite, seed, cases, caseStream, complete,
      targets: targets.map((t) => ({ name: t.name, role: roleOf(t), parts: t.parts, remake: t.remake, findings: this.#findings.get(t.name)!, seen: this.#seen.get(t.name)!, coverage: counted.get(t.name) })),
    };
  }

  #parse(one: string): Checked {
    try {
      return (eventCheck as Check<Checked>)(JSON.parse(one), '');
    } catch (error) {
      if (error instanceof Mismatch || error instanceof SyntaxError) throw this.#wrong(error.message);
      throw error;
    }
  }

  #wrong(why: string): UsageError {
    return new UsageError(`${this.#path}: line ${this.#line}: ${why}`);
  }
}

/** Runs of older versions are told by the target's name. */
function roleOf({ name: own, remake }: { readonly name: string; readonly remake: Readonly<Record<string, string>> }): string | undefined {
  const role = remake['role'] ?? own;
  return role === 'stock' || role === 'patch' ? role : undefined;
}
