// SPDX-License-Identifier: MIT
/**
 * First pass over all cases: in chunks, each chunk in a fresh instance of each
 * target. What a case met before it depends on its chunk only, never on how
 * many instances run at the same time.
 */
import type { CaseClass, Event } from '../model/index.ts';
import type { Session, Target } from '../targets/target.ts';
import { execute, type Executed } from './execute.ts';
import { inParallel, type Lanes } from './lanes.ts';
import { declaredFlags, prepare, type Origin, type Prepared } from './prepare.ts';

/** Cases that share an instance. */
export const CHUNK = 25;

export interface ScreenSettings {
  readonly draw: (index: number) => Origin;
  /** Cases made ready before, where they are; `index` as `draw` takes it. */
  readonly ready?: (index: number, declared: ReadonlySet<string>) => Prepared;
  readonly cases: number;
  /** Cases that share an instance; default: `CHUNK`. */
  readonly chunk?: number;
  readonly targets: readonly Target[];
  readonly lanes: ReadonlyMap<Target, Lanes>;
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
  /** One result a case, in order, for each target. */
  readonly results: ReadonlyMap<Target, readonly Executed[]>;
  /** Executed cases a second of the target's own time, one instance. */
  readonly rates: ReadonlyMap<Target, number>;
  /** The prepared case again: cases are not kept, they are made anew. */
  readonly prepared: (index: number) => Prepared;
}

export async function screen(s: ScreenSettings): Promise<Screened> {
  const declared = declaredFlags(s.targets);
  const chunk = s.chunk ?? CHUNK;
  const chunks = Math.ceil(s.cases / chunk);
  const prepared = (index: number): Prepared => s.ready?.(index, declared) ?? prepare(s.draw(index), declared);
  const digests: string[][] = [];
  const labels: Label[][] = [];
  const results = new Map<Target, Executed[][]>(s.targets.map((t) => [t, []]));
  const spent = new Map<Target, { ms: number; cases: number }>(s.targets.map((t) => [t, { ms: 0, cases: 0 }]));
  const finished = { chunks: 0, emitted: 0 };

  const flush = (): void => {
    for (let c = finished.emitted; digests[c]; c = ++finished.emitted) emitChunk(s, labels[c]!, s.targets.map((t) => [t, results.get(t)![c]!]));
  };

  const width = Math.max(1, ...[...s.lanes.values()].map((l) => l.count));
  await inParallel(Array.from({ length: chunks }, (_, c) => c), width, s.signal, async (c) => {
    if (Date.now() > s.deadline) return;
    const size = Math.min(chunk, s.cases - c * chunk);
    const cases = Array.from({ length: size }, (_, k) => prepared(c * chunk + k));
    const ran: [Target, Executed[]][] = [];
    for (const target of s.targets) {
      const executed = await s.lanes.get(target)!.use(async (session) => {
        const began = performance.now();
        const r = await execute(target, session, cases, { signal: s.signal });
        await repeatOurFailures(target, session, cases, r, s.signal);
        const tally = spent.get(target)!;
        tally.ms += performance.now() - began;
        tally.cases += r.filter((x) => x.observation).length;
        return r;
      });
      ran.push([target, executed]);
    }
    if (ran.some(([, r]) => r.length < size)) return; // Aborted inside: a chunk counts whole or not at all.
    for (const [target, executed] of ran) results.get(target)![c] = executed.map(withoutBytes);
    labels[c] = cases.map((x) => ({ id: x.case.id, class: x.expectation.class }));
    digests[c] = cases.map((x) => x.digest);
    finished.chunks++;
    s.progress(s.targets.map((t) => t.identity.name).join('+'), Math.min(finished.chunks * chunk, s.cases));
    flush();
  });

  const kept = finished.emitted;
  return {
    chunk,
    digests: digests.slice(0, kept).flat(),
    results: new Map([...results].map(([t, r]) => [t, r.slice(0, kept).flat()])),
    rates: new Map([...spent].map(([t, x]) => [t, x.ms > 0 ? (x.cases * 1000) / x.ms : 0])),
    prepared,
  };
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
}

function emitChunk(s: ScreenSettings, labels: readonly Label[], results: readonly (readonly [Target, readonly Executed[]])[]): void {
  for (const [target, executed] of results) {
    executed.forEach(({ verdict }, k) => {
      const label = labels[k]!;
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
