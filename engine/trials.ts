// SPDX-License-Identifier: MIT
/** Procedures on kernel targets as a run: a verdict each, findings confirmed in a fresh machine and kept, a footer. */
import { createHash } from 'node:crypto';
import {
  EXIT, RUN_SCHEMA, isFindingKind, knownFailure,
  type Case, type Event, type Expectation, type Finding, type FooterEvent, type Procedure, type TargetIdentity, type VerdictKind,
} from '../model/index.ts';
import { caseDigest } from './prepare.ts';
import { attempt, type Bench, type Tried } from './procedure.ts';
import { explainFinding } from './replay.ts';
import { describe, sayKnown } from './run.ts';

/** One thing to try. It is made when its turn comes, for images are large. */
export interface Trial {
  readonly id: string;
  make(): Promise<Made>;
}

export interface Made {
  readonly case: Case;
  readonly expectation: Expectation;
  readonly procedure: Procedure;
}

export interface TrialSettings {
  readonly suite: string;
  /** From which the images follow. */
  readonly seed: number;
  readonly trials: readonly Trial[];
  readonly benches: readonly Bench[];
  readonly signal: AbortSignal;
  readonly saveFinding: (finding: Finding, identity: TargetIdentity) => Promise<{ folder: string; replay: string }>;
  /** Is shown what takes time. */
  readonly step: <T>(what: string, work: () => Promise<T>) => Promise<T>;
  /** For our own tests. */
  readonly attempt?: typeof attempt;
  /** Is told of each trial. */
  readonly said: (target: string, trial: string, tried: Tried) => void;
}

interface Group {
  readonly made: Made;
  readonly tried: Tried;
  count: number;
}

/** Fresh machines in which a trial is tried before its finding is believed. */
const TRIES = 2;

/** Tries everything on every target and emits events as `runSuite` does, the footer last. Gives the footer. */
export async function runTrials(s: TrialSettings, emit: (e: Event) => void): Promise<FooterEvent> {
  const began = Date.now();
  emit({ type: 'run', schema: RUN_SCHEMA, suite: s.suite, seed: s.seed, cases: s.trials.length, targets: s.benches.map((b) => b.target.identity), skipped: [] });
  const stream = new Map<string, string>();
  const counts = { findings: 0, known: 0, unexpected: 0, unreliable: 0, broken: 0 };
  const verdicts: Record<string, Partial<Record<VerdictKind, number>>> = {};
  const rates: Record<string, number> = {};
  for (const bench of s.benches) {
    const { name } = bench.target.identity;
    const tally: Partial<Record<VerdictKind, number>> = (verdicts[name] = {});
    const groups = new Map<string, Group>();
    const from = Date.now();
    let done = 0;
    for (const trial of s.trials) {
      if (s.signal.aborted) break;
      const made = await trial.make();
      stream.set(trial.id, caseDigest(made.case));
      const tried = await once(s, bench, made, `${name}: ${trial.id}`);
      if (tried === undefined) break;
      done++;
      const { kind, clause, signature, why, undeclared } = tried.verdict;
      tally[kind] = (tally[kind] ?? 0) + 1;
      if (kind === 'engine-error') counts.broken++;
      s.said(name, trial.id, tried);
      emit({
        type: 'case', target: name, case: trial.id, class: made.expectation.class, kind,
        ...(clause !== undefined && { clause }), ...(signature !== undefined && { signature }), ...(why !== '' && { why }), ...(undeclared && { undeclared }),
      });
      if (!isFindingKind(kind) || signature === undefined) continue;
      const group = groups.get(signature);
      if (group) group.count++;
      else groups.set(signature, { made, tried, count: 1 });
    }
    rates[name] = done / Math.max(0.001, (Date.now() - from) / 1000);
    for (const [signature, group] of groups) {
      if (s.signal.aborted) break;
      const finding = await confirmed(s, bench, signature, group);
      if (finding === undefined) break;
      const { folder, replay } = await s.saveFinding(finding, bench.target.identity);
      const unreliable = finding.confirmation.blame === 'unreliable';
      counts[unreliable ? 'unreliable' : 'findings']++;
      const known = knownFailure(bench.target.stance, signature);
      if (known && !unreliable) counts.known++;
      else if (!unreliable) counts.unexpected++;
      emit({
        type: 'finding', target: name, signature, kind: finding.kind, ...(finding.clause !== undefined && { clause: finding.clause }), why: finding.verdict.why,
        count: finding.count, firstCase: finding.firstCase, smallest: describe(finding), confirmation: finding.confirmation, ...(known && { known: sayKnown(known) }), folder, replay,
      });
    }
  }
  const hash = createHash('sha256');
  for (const digest of stream.values()) hash.update(digest);
  const footer: FooterEvent = {
    type: 'footer', complete: !s.signal.aborted, cases: stream.size, caseStream: hash.digest('hex'), verdicts,
    findings: counts.findings, ...(counts.known > 0 && { known: counts.known }), unreliable: counts.unreliable, seconds: (Date.now() - began) / 1000, rates,
    exitCode: counts.broken > 0 ? EXIT.engine : counts.unexpected > 0 ? EXIT.findings : EXIT.ok,
  };
  emit(footer);
  return footer;
}

/** One attempt; undefined where the run is stopped in it. */
async function once(s: TrialSettings, bench: Bench, made: Made, what: string): Promise<Tried | undefined> {
  try {
    return await s.step(what, () => (s.attempt ?? attempt)(bench, made.case, made.expectation, made.procedure, s.signal));
  } catch (error) {
    if (s.signal.aborted) return undefined;
    throw error;
  }
}

/** The finding of a group, tried once more: its machine was a fresh one each time; undefined where the run is stopped. */
async function confirmed(s: TrialSettings, bench: Bench, signature: string, { made, tried, count }: Group): Promise<Finding | undefined> {
  let shown = 1;
  for (let n = 1; n < TRIES; n++) {
    const again = await once(s, bench, made, `${bench.target.identity.name}: ${made.case.id} again`);
    if (again === undefined) return undefined;
    if (again.verdict.signature === signature) shown++;
  }
  const { verdict } = tried;
  const observation = tried.observation!;
  const explanation = await explainFinding(bench.target, signature, observation);
  return {
    signature, kind: verdict.kind as Finding['kind'], ...(verdict.clause !== undefined && { clause: verdict.clause }),
    target: bench.target.identity.name, count, firstCase: made.case.id, smallest: made.case, before: [], procedure: made.procedure,
    expectation: made.expectation, observation, verdict, ...(explanation && { explanation }),
    confirmation: { shown, tried: TRIES, blame: shown > 1 ? 'alone' : 'unreliable' }, shrinkExecutions: 0,
  };
}
