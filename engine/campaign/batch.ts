// SPDX-License-Identifier: MIT
/**
 * One batch of a campaign. A plan (model/campaign.ts) goes in and a record comes
 * out, both plain JSON; the findings are folders. It depends on nothing else but
 * the targets, so that the same plan on another machine with the same targets
 * gives the same record but for `seconds` and rates, and a batch that was lost is
 * run again somewhere else. What of it is new is for the campaign to say.
 */
import { createHash } from 'node:crypto';
import { swarmCases } from '../../generators/draw.ts';
import { BATCH_SCHEMA, type BatchFinding, type BatchPlan, type BatchRecord, type BatchRow, type Event, type Finding, type TargetIdentity } from '../../model/index.ts';
import type { Session, Target } from '../../targets/target.ts';
import { prepare } from '../prepare.ts';
import { runSuite, type Progress } from '../run.ts';
import { imageBytes } from '../screen.ts';
import type { Settled } from '../triage.ts';

/** What a machine has to run batches with. */
export interface BatchMeans {
  /** All that the plan has shares for, by name; they stay open. */
  readonly targets: readonly Target[];
  /** Instances of a target at a time; the record does not depend on it. */
  readonly jobs: number;
  readonly saveFinding: (finding: Finding, identity: TargetIdentity, again?: boolean) => Promise<{ folder: string; replay: string }>;
  readonly signal: AbortSignal;
  readonly progress?: (p: Progress) => void;
}

/** The target that must fail: it is never looked into, only counted. */
export const CANARY = 'canary';

/** Runs the plan; undefined where it was stopped. Throws as `runSuite` does, and what `saveFinding` throws. */
export async function runBatch(plan: BatchPlan, means: BatchMeans): Promise<BatchRecord | undefined> {
  // A run listens until its signal is gone; the signal of a campaign outlives thousands of them.
  const stop = new AbortController();
  const abort = (): void => stop.abort(means.signal.reason);
  if (means.signal.aborted) abort();
  means.signal.addEventListener('abort', abort);
  try {
    return await run(plan, { ...means, signal: stop.signal });
  } finally {
    means.signal.removeEventListener('abort', abort);
  }
}

async function run(plan: BatchPlan, means: BatchMeans): Promise<BatchRecord | undefined> {
  const began = Date.now();
  const sights = new Set<string>();
  const drawn = swarmCases(plan.seed, plan.number, plan.swarm);
  const watched = means.targets.filter((t) => plan.shares[t.identity.name] !== undefined).map(watch);
  const seen = new Map<string, Map<string, number>>();
  const bytes = new Map<string, number>();
  const findings: BatchFinding[] = [];
  const rows: BatchRow[] = [];
  const footer = await runSuite({
    suite: plan.suite, seed: plan.seed, cases: plan.cases, targets: watched.map((w) => w.target), skipped: [], jobs: means.jobs,
    shrinkExecutions: plan.shrinkExecutions, signal: means.signal, ...(means.progress && { progress: means.progress }),
    ready: (index, declared) => {
      const prepared = prepare(drawn(index), declared);
      for (const clause of prepared.case.clauses.exercises) sights.add(`touches ${clause}`);
      for (const clause of prepared.case.clauses.violates) sights.add(`breaks ${clause}`);
      return prepared;
    },
    share: ({ identity: { name } }) => plan.shares[name]!,
    settled: ({ identity: { name } }, signature) => settledOf(plan, name, signature),
    saveFinding: (finding, identity, again) => {
      bytes.set(keyOf(finding), imageBytes(finding.smallest));
      return means.saveFinding(finding, identity, again);
    },
  }, (event: Event) => {
    if (event.type === 'case') {
      const of = seen.get(event.target) ?? seen.set(event.target, new Map()).get(event.target)!;
      if (event.signature !== undefined) of.set(event.signature, (of.get(event.signature) ?? 0) + 1);
      sights.add(`${event.target} ${event.kind} ${event.clause ?? ''}`.trimEnd());
    } else if (event.type === 'finding') {
      const { type: _, ...found } = event;
      findings.push({ ...found, family: means.targets.find((t) => t.identity.name === event.target)!.family ?? null, bytes: bytes.get(keyOf(event))! });
    } else if (event.type === 'matrix') {
      rows.push(...event.rows.map(({ signature, cells }) => ({ family: event.family, signature, cells })));
    }
  });
  if (!footer.complete || footer.cases < plan.cases) return undefined;
  for (const w of watched) await w.count(means.signal);
  return {
    schema: BATCH_SCHEMA, plan, stream: footer.caseStream,
    targets: Object.fromEntries(watched.map(({ target: { identity: { name } } }) => {
      const verdicts = footer.verdicts[name]!;
      return [name, {
        cases: Object.values(verdicts).reduce((sum, n) => sum + n, 0), verdicts, seen: sorted(seen.get(name) ?? new Map()), rate: footer.rates[name] ?? 0,
      }];
    })),
    findings, rows, deaths: watched.reduce((sum, w) => sum + w.deaths(), 0), seconds: (Date.now() - began) / 1000,
    sights: [...sights].sort(), points: Object.fromEntries(watched.flatMap((w) => (w.points().length > 0 ? [[w.target.identity.name, w.points()]] : []))),
    gain: { signatures: 0, sights: 0, points: 0 }, at: 0,
  };
}

function keyOf({ target, signature }: { readonly target: string; readonly signature: string }): string {
  return `${target}\0${signature}`;
}

function settledOf(plan: BatchPlan, target: string, signature: string): Settled | undefined {
  if (target === CANARY) return { shown: false, bytes: null };
  const of = plan.known[target];
  return of !== undefined && Object.hasOwn(of, signature) ? of[signature] : undefined;
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The same number for the same line of a file, whatever else is reached. */
function pointOf(file: string, line: number): number {
  return createHash('sha256').update(`${file}:${line}`).digest().readUIntBE(0, 6);
}

interface Watched {
  readonly target: Target;
  /** Instances that died. */
  readonly deaths: () => number;
  /** Takes the lines that its instances have reached until now, where those are counted: of all batches of this process, of which the campaign knows what is new. */
  readonly count: (signal: AbortSignal) => Promise<void>;
  /** Points of code that its instances have reached, ascending. */
  readonly points: () => readonly number[];
}

/** The target, with what happens in its sessions counted; the campaign closes it, not the batch. */
function watch(target: Target): Watched {
  let deaths = 0;
  const points = new Set<number>();
  const open = async (): Promise<Session> => {
    const session = await target.open();
    return {
      run: (jobs, done, options) => session.run(jobs, (i, observation) => {
        if (observation.death !== undefined) deaths++;
        done(i, observation);
      }, options),
      close: async () => {
        for (const point of session.reached?.() ?? []) points.add(point);
        await session.close();
      },
    };
  };
  const count = async (signal: AbortSignal): Promise<void> => {
    for (const { file, lines } of (await target.coverage?.(signal))?.files ?? []) {
      for (const line of lines) if (line.count > 0) points.add(pointOf(file, line.line));
    }
  };
  return { target: { ...target, open }, count, deaths: () => deaths, points: () => [...points].sort((a, b) => a - b) };
}
