// SPDX-License-Identifier: MIT
/**
 * First pass over all cases: in chunks, each chunk in a fresh instance of each
 * target. What a case met before it depends on its chunk only, never on how
 * many instances run at the same time.
 */
import { ClauseCounter, type Case, type CaseClass, type ClauseTally, type Event } from '../model/index.ts';
import type { Session, Target } from '../targets/target.ts';
import { execute, type Executed } from './execute.ts';
import type { Columns, Skipped } from './columns.ts';
import { inParallel, type Lanes } from './lanes.ts';
import { prepare, type Origin, type Prepared } from './prepare.ts';

/** Cases that share an instance. */
export const CHUNK = 25;

export interface ScreenSettings {
  readonly draw: (index: number) => Origin;
  /** Cases made ready before, where they are; `index` as `draw` takes it. */
  readonly ready?: (index: number, declared: ReadonlySet<string>) => Prepared;
  /** The cases of a whole chunk, made ready elsewhere; chunks are asked for in their order. Absent: they are made here. */
  readonly batch?: (chunk: number) => Promise<readonly Prepared[]>;
  readonly cases: number;
  /** Cases that share an instance; default: `CHUNK`. */
  readonly chunk?: number;
  readonly columns: Columns;
  /** Flags of settled points that some target declares. */
  readonly declared: ReadonlySet<string>;
  /** How many of the cases a target is given, the first ones, rounded up to whole chunks; absent: all. */
  readonly share?: (target: Target) => number;
  /** Chunks at the same time. */
  readonly width: number;
  readonly lanesOf: (target: Target) => Lanes;
  /** Called once, when it is known which targets there are, before the first case is emitted. */
  readonly begin: (targets: readonly Target[], skipped: readonly Skipped[]) => void;
  readonly signal: AbortSignal;
  /** Time in ms since the epoch after which no chunk is begun. */
  readonly deadline: number;
  readonly emit: (e: Event) => void;
  readonly progress: (target: string, done: number) => void;
}

export interface Screened {
  /** Cases that shared an instance. */
  readonly chunk: number;
  /** Digest of each case that ran, in order. */
  readonly digests: readonly string[];
  /** Bytes of the images of each case. */
  readonly bytes: readonly number[];
  /** One result a case, in order, for each target: as many as its share has. */
  readonly results: ReadonlyMap<Target, readonly Executed[]>;
  /** Executed cases a second of the target's own time, one instance. */
  readonly rates: ReadonlyMap<Target, number>;
  /** How the cases that were emitted stand to the clauses. */
  readonly clauses: ClauseTally;
  /** The prepared case again: cases are not kept, they are made anew. */
  readonly prepared: (index: number) => Prepared;
}

/** Chunks that may wait for a target that is still being made; their cases are kept meanwhile. */
const AHEAD = 16;

/** A chunk that has not run on all targets yet. */
interface Chunk {
  readonly number: number;
  readonly cases: readonly Prepared[];
  readonly begun: Set<Target>;
  readonly ran: Map<Target, Executed[]>;
}

/**
 * Runs the chunks on the targets that are there, and on those that come later when
 * they are. Rejects where a target cannot be made for a reason of ours.
 */
export async function screen(s: ScreenSettings): Promise<Screened> {
  const { columns, declared } = s;
  const chunkSize = s.chunk ?? CHUNK;
  const chunks = Math.ceil(s.cases / chunkSize);
  const prepared = (index: number): Prepared => s.ready?.(index, declared) ?? prepare(s.draw(index), declared);
  const digests: string[][] = [];
  const labels: Label[][] = [];
  const bytes: number[][] = [];
  const results = new Map<Target, Executed[][]>();
  const spent = new Map<Target, { ms: number; cases: number }>();
  const finished = { chunks: 0, emitted: 0 };
  const clauses = new ClauseCounter();
  const open = new Set<Chunk>();
  let ahead = 0;

  const begun = columns.all.then(({ targets, skipped }) => {
    for (const target of targets) results.set(target, []);
    s.begin(targets, skipped);
  });
  begun.catch(() => undefined);

  const flush = (): void => {
    for (let c = finished.emitted; digests[c]; c = ++finished.emitted) emitChunk(s, clauses, labels[c]!, columns.ready().filter((t) => takes(t, c)).map((t) => [t, results.get(t)![c]!]));
  };

  const takes = (target: Target, chunk: number): boolean => s.share === undefined || chunk * chunkSize < s.share(target);

  const runOn = async (target: Target, chunk: Chunk): Promise<void> => {
    chunk.begun.add(target);
    const executed = await s.lanesOf(target).use(async (session) => {
      const began = performance.now();
      const r = await execute(target, session, chunk.cases, { signal: s.signal });
      await repeatOurFailures(target, session, chunk.cases, r, s.signal);
      const tally = spent.get(target) ?? { ms: 0, cases: 0 };
      spent.set(target, { ms: tally.ms + performance.now() - began, cases: tally.cases + r.filter((x) => x.observation).length });
      return r;
    });
    chunk.ran.set(target, executed);
  };

  /** Runs a chunk on each target that is there and has not begun it; records it where that were all. */
  const advance = async (chunk: Chunk): Promise<void> => {
    for (let target; (target = columns.ready().find((t) => takes(t, chunk.number) && !chunk.begun.has(t))) && !s.signal.aborted;) await runOn(target, chunk);
    if (!columns.settled()) return;
    await begun;
    const { number: c, cases, ran } = chunk;
    const targets = columns.ready().filter((t) => takes(t, c));
    if (!open.has(chunk) || !targets.every((t) => ran.has(t))) return;
    open.delete(chunk);
    if (targets.some((t) => ran.get(t)!.length < cases.length)) return; // Aborted inside: a chunk counts whole or not at all.
    for (const target of targets) results.get(target)![c] = ran.get(target)!.map(withoutBytes);
    labels[c] = cases.map((x) => ({ id: x.case.id, class: x.expectation.class, clauses: x.case.clauses }));
    digests[c] = cases.map((x) => x.digest);
    bytes[c] = cases.map((x) => imageBytes(x.case));
    finished.chunks++;
    s.progress(targets.map((t) => t.identity.name).join('+'), Math.min(finished.chunks * chunkSize, s.cases));
    flush();
  };

  await inParallel(Array.from({ length: chunks }, (_, c) => c), s.width, s.signal, async (c) => {
    if (!columns.settled() && ++ahead > AHEAD) await columns.all;
    for (const owed of [...open]) await advance(owed);
    if (Date.now() > s.deadline) return;
    const size = Math.min(chunkSize, s.cases - c * chunkSize);
    const cases = await s.batch?.(c) ?? Array.from({ length: size }, (_, k) => prepared(c * chunkSize + k));
    const chunk: Chunk = { number: c, cases, begun: new Set(), ran: new Map() };
    open.add(chunk);
    await advance(chunk);
    if (!columns.settled()) s.progress(columns.ready().map((t) => t.identity.name).join('+'), Math.min(ahead * chunkSize, s.cases));
  });
  await begun;
  await inParallel([...open], s.width, s.signal, advance);

  const kept = finished.emitted;
  return {
    chunk: chunkSize,
    digests: digests.slice(0, kept).flat(),
    bytes: bytes.slice(0, kept).flat(),
    results: new Map([...results].map(([t, r]) => [t, r.slice(0, kept).flat()])),
    rates: new Map([...spent].map(([t, x]) => [t, x.ms > 0 ? (x.cases * 1000) / x.ms : 0])),
    clauses: clauses.tally(),
    prepared,
  };
}

/** Bytes of all images of a case. */
export function imageBytes({ layers }: Case): number {
  return layers.reduce((sum, l) => sum + l.bytes.length + (l.index?.length ?? 0) + (l.remote?.length ?? 0), 0);
}

/** Results of thousands of cases stay in memory: verdicts do, bytes and logs of reads do not. */
function withoutBytes(r: Executed): Executed {
  return r.observation ? { ...r, observation: { ...r.observation, reads: [], log: '' } } : r;
}

/** A VM that was killed from outside is our failure: its case gets one more try, alone. */
async function repeatOurFailures(target: Target, session: Session, cases: readonly Prepared[], ran: Executed[], signal: AbortSignal): Promise<void> {
  for (const [i, { verdict }] of ran.entries()) {
    if (verdict.kind !== 'engine-error') continue;
    const [again] = await execute(target, session, [cases[i]!], { signal });
    if (again) ran[i] = again;
  }
}

interface Label {
  readonly id: string;
  readonly class: CaseClass;
  readonly clauses: Case['clauses'];
}

function emitChunk(s: ScreenSettings, clauses: ClauseCounter, labels: readonly Label[], results: readonly (readonly [Target, readonly Executed[]])[]): void {
  for (const label of labels) clauses.case(label.clauses);
  for (const [target, executed] of results) {
    executed.forEach(({ verdict }, k) => {
      const label = labels[k]!;
      clauses.result(target.identity.name, label.id, label.clauses, verdict.kind);
      s.emit({
        type: 'case', target: target.identity.name, case: label.id, class: label.class, kind: verdict.kind,
        ...(verdict.clause === undefined ? {} : { clause: verdict.clause }),
        ...(verdict.signature === undefined ? {} : { signature: verdict.signature }),
        ...(verdict.why === '' ? {} : { why: verdict.why }),
        ...(verdict.undeclared === undefined ? {} : { undeclared: verdict.undeclared }),
      });
    });
  }
}
