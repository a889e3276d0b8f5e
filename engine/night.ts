// SPDX-License-Identifier: MIT
/**
 * Thousands of cases on several targets, a batch of each in turn, so that a night
 * that is stopped says something of all of them. What is recorded is not run again.
 */
import { createHash } from 'node:crypto';
import { drawCase } from '../generators/draw.ts';
import {
  EngineError, EXIT, NIGHT_SCHEMA,
  type Finding, type NightBatch, type NightFinding, type NightStore, type TargetIdentity,
} from '../model/index.ts';
import type { Target } from '../targets/target.ts';
import { PASSING } from './campaign/ledger.ts';
import { declaredFlags, prepare } from './prepare.ts';
import { readyCases, type ReadyCases } from './ready-cases.ts';
import { runSuite, type Progress } from './run.ts';

/** Cases of a batch. */
export const NIGHT_BATCH = 250;
/**
 * Instances that a batch is divided among. Fewer, and so more cases in each, than in a run: nothing dies here,
 * and an emulated machine spends half of its time on its start where only the seven of 25 cases that can be lowered follow.
 */
const INSTANCES = 4;
/** Batches of a target that end in an error of ours, one after the other, before it is left alone. */
const MAX_ERRORS = 2;
/** Times that what failed, or turned out to be of other cases, is tried anew. */
const PASSES = 3;

export interface NightSettings {
  readonly suite: string;
  readonly seed: number;
  /** Cases on each target. */
  readonly cases: number;
  /** Cases of a batch. */
  readonly batch?: number;
  readonly targets: readonly Target[];
  /** Instances of a target at a time. */
  readonly jobs: number;
  /** Executions for shrinking one finding. */
  readonly shrinkExecutions?: number;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch after which no batch is begun. */
  readonly deadline?: number;
  readonly store: NightStore;
  readonly saveFinding: (finding: Finding, identity: TargetIdentity) => Promise<{ folder: string; replay: string }>;
  /** One line for people. */
  readonly say: (text: string) => void;
  readonly progress?: (p: NightProgress) => void;
}

export interface NightProgress extends NightState {
  /** What runs. */
  readonly target: string;
  /** Its first case, and how far its batch is. */
  readonly first: number;
  /** Absent when it has been recorded. */
  readonly within?: Progress;
}

/** How far a night is. */
export interface NightState {
  readonly seed: number;
  /** Cases planned on each target. */
  readonly cases: number;
  readonly targets: readonly NightTarget[];
}

export interface NightTarget {
  readonly identity: TargetIdentity;
  /** By first case. */
  readonly batches: readonly NightBatch[];
  readonly batchesPlanned: number;
  /** Why it was left alone. */
  readonly error?: string;
}

/** One target's part of the night, while it lasts. */
interface Part {
  readonly target: Target;
  readonly parts: Readonly<Record<string, string>>;
  readonly batches: Map<number, NightBatch>;
  deaths: number;
  errors: number;
  error?: string;
}

/**
 * Runs what is not recorded yet. Ends early where the signal aborts or the deadline
 * has passed; what ran until then is kept. An `EngineError` of one target costs its
 * batch, several in a row cost the target.
 */
export async function runNight(s: NightSettings): Promise<NightState> {
  const firsts = Array.from({ length: Math.ceil(s.cases / batchSize(s)) }, (_, i) => i * batchSize(s));
  const ready = readyCases(s.seed);
  const parts = s.targets.map((target): Part => ({ target, parts: lasting(target.identity), batches: new Map(), deaths: 0, errors: 0 }));
  takeUp(s, firsts, parts);
  for (let pass = 0; pass < PASSES; pass++) {
    for (const first of firsts) {
      for (const part of parts) {
        if (s.signal.aborted || Date.now() > (s.deadline ?? Infinity)) return stateOf(s, firsts, parts);
        if (part.error === undefined && !part.batches.has(first)) await runAndKeep(s, firsts, parts, part, first, ready);
      }
    }
  }
  return stateOf(s, firsts, parts);
}

async function runAndKeep(s: NightSettings, firsts: readonly number[], parts: readonly Part[], part: Part, first: number, ready: ReadyCases): Promise<void> {
  const { name } = part.target.identity;
  try {
    const batch = await runBatch(s, part, first, ready, (within) => s.progress?.({ ...stateOf(s, firsts, parts), target: name, first, within }));
    if (batch === undefined) return;
    keepApart(s, parts, batch);
    s.store.save(batch);
    part.batches.set(first, batch);
    part.errors = 0;
    s.progress?.({ ...stateOf(s, firsts, parts), target: name, first });
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    s.say(`${name}, cases ${first} and on: ${error.message}`);
    if (++part.errors === MAX_ERRORS) part.error = error.message;
  }
}

/** `ok` only where every batch of every target is done, and nothing was found, nor seen only once. */
export function nightExit({ targets }: NightState): number {
  const batches = targets.flatMap((t) => t.batches);
  if (batches.some((b) => b.findings.length > 0)) return EXIT.findings;
  if (targets.length === 0 || targets.some((t) => t.error !== undefined) || batches.some(isOurFault)) return EXIT.engine;
  return targets.every((t) => t.batches.length === t.batchesPlanned) ? EXIT.ok : EXIT.unfinished;
}

function batchSize({ batch = NIGHT_BATCH }: NightSettings): number {
  return batch;
}

/** What must be equal for batches to be of one night. */
function lasting({ parts }: TargetIdentity): Record<string, string> {
  return Object.fromEntries(Object.entries(parts).filter(([key]) => !PASSING.includes(key)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Such a batch proves nothing and is run again. */
function isOurFault({ verdicts }: NightBatch): boolean {
  return (verdicts['engine-error'] ?? 0) > 0;
}

/** Takes what is recorded, or sets it aside where it is of something else. */
function takeUp(s: NightSettings, firsts: readonly number[], parts: readonly Part[]): void {
  const probes = new Map<number, string>();
  for (const part of parts) {
    const { name } = part.target.identity;
    const recorded = s.store.load(name);
    const other = recorded.map((b) => differenceOf(s, part, b, probes)).find((why) => why !== undefined);
    if (other !== undefined) {
      s.say(`${name}: begins anew, for ${other}; what was recorded is kept in ${s.store.setAside(name)}`);
      continue;
    }
    const usable = recorded.filter((b) => firsts.includes(b.first) && b.cases >= sizeAt(s, b.first) && !isOurFault(b));
    for (const batch of usable) part.batches.set(batch.first, batch);
    if (usable.length > 0) s.say(`${name}: ${usable.length} of ${firsts.length} batches are done already`);
  }
  for (const part of parts) for (const batch of [...part.batches.values()]) keepApart(s, parts, batch);
}

/** Why a record is not of this night; undefined where it is. */
function differenceOf(s: NightSettings, part: Part, batch: NightBatch, probes: Map<number, string>): string | undefined {
  if (batch.suite !== s.suite) return `that was ${batch.suite}, this is ${s.suite}`;
  if (batch.seed !== s.seed) return `that was seed ${batch.seed}, this is seed ${s.seed}`;
  const keys = [...new Set([...Object.keys(batch.parts), ...Object.keys(part.parts)])];
  const changed = keys.find((key) => batch.parts[key] !== part.parts[key]);
  if (changed !== undefined) return `"${changed}" was ${batch.parts[changed] ?? 'not there'}, and is ${part.parts[changed] ?? 'not there'}`;
  const probe = probes.get(batch.first) ?? probes.set(batch.first, probeOf(s.seed, batch.first, part.target)).get(batch.first)!;
  return batch.probe === probe ? undefined : `case s${s.seed}-c${batch.first} or what is expected of it is another now`;
}

/** The same cases on every target: where the streams of one batch differ, the others' records are of other cases. */
function keepApart(s: NightSettings, parts: readonly Part[], batch: NightBatch): void {
  for (const part of parts) {
    const theirs = part.batches.get(batch.first);
    if (theirs === undefined || theirs.cases !== batch.cases || theirs.stream === batch.stream) continue;
    const { name } = part.target.identity;
    s.say(`${name}: begins anew, for the cases from s${s.seed}-c${batch.first} on are others now; what was recorded is kept in ${s.store.setAside(name)}`);
    part.batches.clear();
  }
}

function sizeAt(s: NightSettings, first: number): number {
  return Math.min(batchSize(s), s.cases - first);
}

function probeOf(seed: number, first: number, target: Target): string {
  const { digest, expectation: { class: kind, strict } } = prepare(drawCase(seed, first), declaredFlags([target]));
  return createHash('sha256').update(`${digest} ${kind} ${strict.outcome === 'open' ? strict.size : strict.clause}`).digest('hex');
}

/** Runs one batch; undefined where it was stopped. */
async function runBatch(s: NightSettings, part: Part, first: number, ready: ReadyCases, progress: (p: Progress) => void): Promise<NightBatch | undefined> {
  const { name } = part.target.identity;
  const cases = sizeAt(s, first);
  const findings: NightFinding[] = [];
  part.deaths = 0;
  const footer = await runSuite({
    suite: s.suite, seed: s.seed, first, cases, ready: ready(first), chunk: Math.ceil(batchSize(s) / INSTANCES), targets: [counted(part)], skipped: [], jobs: s.jobs, signal: s.signal,
    ...(s.shrinkExecutions === undefined ? {} : { shrinkExecutions: s.shrinkExecutions }), saveFinding: s.saveFinding, progress,
  }, (event) => {
    if (event.type !== 'finding') return;
    const { signature, kind, why, firstCase, count, confirmation: { blame }, folder, replay } = event;
    findings.push({ signature, kind, why, firstCase, count, blame, folder, replay });
  });
  if (!footer.complete || footer.cases < cases) return undefined;
  return {
    schema: NIGHT_SCHEMA, suite: s.suite, seed: s.seed, target: name, parts: part.parts, first, cases,
    probe: probeOf(s.seed, first, part.target), stream: footer.caseStream, verdicts: footer.verdicts[name]!, findings, deaths: part.deaths, seconds: footer.seconds,
  };
}

/** The target, with its dead instances counted; the night closes it, not the batch. */
function counted(part: Part): Target {
  return {
    ...part.target,
    open: async () => {
      const session = await part.target.open();
      return {
        run: (jobs, done, options) => session.run(jobs, (i, observation) => {
          if (observation.death !== undefined) part.deaths++;
          done(i, observation);
        }, options),
        close: () => session.close(),
      };
    },
  };
}

function stateOf(s: NightSettings, firsts: readonly number[], parts: readonly Part[]): NightState {
  return {
    seed: s.seed, cases: s.cases,
    targets: parts.map(({ target, batches, error }) => ({
      identity: target.identity, batchesPlanned: firsts.length, ...(error === undefined ? {} : { error }),
      batches: [...batches.values()].sort((a, b) => a.first - b.first),
    })),
  };
}
