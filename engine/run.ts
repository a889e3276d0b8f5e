// SPDX-License-Identifier: MIT
/** A whole run: screen every case on every target, confirm what is suspicious, shrink it, report. */
import { createHash } from 'node:crypto';
import { drawCase } from '../generators/draw.ts';
import {
  EXIT, isUserspace, knownFailure, RUN_SCHEMA, UNCONFIRMED, WITHOUT_MEMORY,
  type Case, type Event, type Finding, type FindingEvent, type FooterEvent, type KnownFailure, type MatrixEvent, type TargetIdentity, type VerdictKind,
} from '../model/index.ts';
import type { Target } from '../targets/target.ts';
import { withAllocations } from './allocations.ts';
import { watchColumns, type Coming, type Skipped } from './columns.ts';
import { inParallel, openLanes, type Lanes } from './lanes.ts';
import { findingOf, MatrixRows, tryElsewhere, type Tried } from './matrix.ts';
import { declaredFlags, storedOrigin, type Origin, type Prepared } from './prepare.ts';
import { openPreparePool } from './prepare-pool.ts';
import { CHUNK, screen, type Screened } from './screen.ts';
import { unexpectedPasses, type RecordedCase } from './unexpected.ts';
import { triage, worstFirst, type Settled } from './triage.ts';

export interface RunSettings {
  readonly suite: string;
  readonly seed: number;
  /** Number of the first case in the seed's stream; absent: 0. */
  readonly first?: number;
  /** Each drawn case is followed by itself with an allocation failing (engine/allocations.ts): twice as many cases. */
  readonly failAllocations?: boolean;
  /** One of so many cases may have large images, as `drawCase` has it; absent: every one. */
  readonly largeEvery?: number;
  /** Cases of this run made ready before, where they are, so that several runs make them once; counted from `first`. */
  readonly ready?: (index: number, declared: ReadonlySet<string>) => Prepared;
  /** Cases that share an instance; default: `CHUNK` of engine/screen.ts. */
  readonly chunk?: number;
  readonly cases: number;
  /** Stored cases, which are run in place of drawn ones; as many as `cases` says. */
  readonly stored?: StoredRun;
  /** Milliseconds after which no more cases are begun: a prefix of the run. */
  readonly timeMs?: number;
  /** Those that are still being made join when they are there: the run does not wait for them. */
  readonly targets: readonly (Target | Coming)[];
  readonly skipped: readonly Skipped[];
  /** Executions for shrinking one finding of a cheap kind; 0 keeps the cases as they were drawn. */
  readonly shrinkExecutions?: number;
  /** How many of the cases a target is given, the first ones; absent: all. */
  readonly share?: (target: Target) => number;
  /** What is known of a target's signatures from before this run: those are counted and not reported. */
  readonly settled?: (target: Target, signature: string) => Settled | undefined;
  /** Instances of a target at a time. Results do not depend on it. */
  readonly jobs: number;
  /** Threads that make drawn cases ready ahead of the targets; absent: none. Results do not depend on it. */
  readonly preparers?: number;
  readonly signal: AbortSignal;
  /** Called when a finding is there, long before the run ends; and once more, with `again`, where its label has changed since. */
  readonly saveFinding: (finding: Finding, identity: TargetIdentity, again: boolean) => Promise<Saved>;
  /** Is told of each finding, and says what is known of it where it does not show each time it is tried: then it does not fail the run. */
  readonly quarantine?: (finding: Finding, identity: TargetIdentity) => FindingEvent['quarantined'];
  readonly progress?: (p: Progress) => void;
  /** Called when all is run: what the footer says of the lines that were reached. */
  readonly coverage?: () => Promise<NonNullable<FooterEvent['coverage']>>;
}

/** The cases of a corpus. */
export interface StoredRun {
  /** Of the corpus, for people. */
  readonly name: string;
  readonly cases: readonly RecordedCase[];
  /** Smaller variants of one, for shrinking; absent: it is as small as it gets. */
  readonly smaller?: (c: Case) => Iterable<Case>;
}

interface Saved {
  readonly folder: string;
  readonly replay: string;
}

export interface Progress {
  readonly phase: 'screen' | 'confirm' | 'shrink' | 'matrix';
  readonly target: string;
  readonly done: number;
  readonly total: number;
  readonly findings: number;
}

const DEFAULT_SHRINK = 72;
/** Name of the target that must fail. */
const CANARY = 'canary';

/** Where the run's cases come from, by their number in it. */
function drawOf({ stored, seed, first = 0, failAllocations, largeEvery }: RunSettings): (i: number) => Origin {
  if (stored) return (i) => storedOrigin(stored.cases[i]!.case, i, stored.smaller);
  if (failAllocations) return (i) => withAllocations(seed, first, i, largeEvery);
  return (i) => drawCase(seed, first + i, largeEvery);
}

/** The finding with what must be known of it. */
function labelled(finding: Finding, unconfirmed: boolean): Finding {
  const label = [...(unconfirmed ? [UNCONFIRMED] : []), ...(finding.smallest.access.failsAfter === undefined ? [] : [WITHOUT_MEMORY])].join('; ');
  return label === '' ? finding : { ...finding, label };
}

/** The settings when all targets are there. */
type Opened = Omit<RunSettings, 'targets'> & { readonly targets: readonly Target[] };

/** Runs the suite and emits its events, the footer last. Gives the footer. */
export async function runSuite(settings: RunSettings, emit: (e: Event) => void): Promise<FooterEvent> {
  const began = Date.now();
  const { signal } = settings;
  const columns = watchColumns(settings.targets, signal);
  const lanes = new Map<Target, Lanes>();
  const lanesOf = (target: Target): Lanes => lanes.get(target) ?? lanes.set(target, openLanes(target, settings.jobs)).get(target)!;
  const declared = declaredFlags(settings.targets);
  const chunk = settings.chunk ?? CHUNK;
  const pool = settings.preparers === undefined || settings.stored || settings.ready || settings.failAllocations ? undefined : openPreparePool({
    seed: settings.seed, first: settings.first ?? 0, cases: settings.cases, largeEvery: settings.largeEvery ?? 1, declared, unit: chunk, workers: settings.preparers,
  });
  try {
    const screened = await screen({
      draw: drawOf(settings), cases: settings.cases,
      ...(settings.ready && { ready: settings.ready }), ...(pool && { batch: pool.take }), chunk, columns, lanesOf, signal,
      ...(settings.share && { share: settings.share }), declared, width: Math.max(1, Math.min(settings.jobs, Math.max(...settings.targets.map((t) => t.lanes)))),
      begin: (targets, skipped) => emit({
        type: 'run', schema: RUN_SCHEMA, suite: settings.suite, seed: settings.seed, cases: settings.cases,
        ...(settings.stored ? { corpus: settings.stored.name } : settings.largeEvery !== undefined && settings.largeEvery > 1 && { largeEvery: settings.largeEvery }),
        targets: targets.map((t) => t.identity), skipped: [...settings.skipped, ...skipped],
      }),
      deadline: settings.timeMs === undefined ? Infinity : began + settings.timeMs,
      emit, progress: (target, done) => settings.progress?.({ phase: 'screen', target, done, total: settings.cases, findings: 0 }),
    });
    await pool?.close();
    const { targets } = await columns.all;
    const opened: Opened = { ...settings, targets };
    const counts = await reportFindings(opened, lanesOf, screened, emit);
    const seconds = (Date.now() - began) / 1000;
    const coverage = await settings.coverage?.();
    const footer = { ...footerOf(opened, screened, counts, seconds), ...(coverage === undefined ? {} : { coverage }) };
    emit(footer);
    return footer;
  } finally {
    await Promise.all([pool?.close(), ...[...lanes.values()].map((l) => l.close())]);
  }
}

interface Counts {
  /** Confirmed findings of targets that are not meant to fail. */
  unexpected: number;
  total: number;
  known: number;
  unreliable: number;
  byTarget: Map<string, number>;
}

async function reportFindings(
  settings: Opened, lanesOf: (target: Target) => Lanes, screened: Screened, emit: (e: Event) => void,
): Promise<Counts> {
  const counts: Counts = { unexpected: 0, total: 0, known: 0, unreliable: 0, byTarget: new Map() };
  const families = new Map<string, MatrixRows>();
  const rowsOf = ({ family, identity }: Target): MatrixRows => {
    const key = family ?? `${identity.name} alone`;
    return families.get(key) ?? families.set(key, new MatrixRows()).get(key)!;
  };
  const progress = (target: Target) => (phase: Progress['phase'], done: number, total: number, findings: number): void => {
    settings.progress?.({ phase, target: target.identity.name, done, total, findings: counts.total + findings });
  };
  // A run that is killed keeps what it has found; what is said of it may still change.
  const kept = new Map<Finding, Saved & { readonly label: string | undefined }>();
  const keep = async (found: Finding, target: Target): Promise<Finding & Saved> => {
    const finding = labelled(found, isUserspace(target.identity) && !shownInKernel(settings, rowsOf(target), found));
    const before = kept.get(found);
    const saved = before && before.label === finding.label ? before : await settings.saveFinding(finding, target.identity, before !== undefined);
    kept.set(found, { ...saved, label: finding.label });
    return { ...finding, folder: saved.folder, replay: saved.replay };
  };
  const report = async (found: Finding, target: Target): Promise<void> => {
    const { folder, replay, ...finding } = await keep(found, target);
    const known = knownFailure(target.stance, finding.signature);
    const quarantined = settings.quarantine?.(finding, target.identity);
    count(counts, finding, known !== undefined, quarantined !== undefined);
    emit({
      type: 'finding', target: finding.target, signature: finding.signature, kind: finding.kind,
      ...(finding.clause === undefined ? {} : { clause: finding.clause }),
      why: finding.verdict.why, count: finding.count, firstCase: finding.firstCase, smallest: describe(finding),
      confirmation: finding.confirmation, ...(finding.label === undefined ? {} : { label: finding.label }), ...(known && { known: sayKnown(known) }), ...(quarantined && { quarantined }), folder, replay,
    });
  };
  // Told when the machines have been asked, whatever the order of the targets.
  const late: { readonly finding: Finding; readonly target: Target }[] = [];
  for (const target of settings.targets) {
    const rows = rowsOf(target);
    const found = await triage({
      target, lanes: lanesOf(target), screened, signal: settings.signal, known: rows.known,
      shrinkExecutions: settings.shrinkExecutions ?? DEFAULT_SHRINK,
      ...(settings.settled && { settled: (signature: string) => settings.settled!(target, signature) }),
      progress: progress(target), found: async (finding) => void await keep(finding, target),
    });
    for (const { finding, smallest } of found) {
      if (isUserspace(target.identity)) late.push({ finding, target });
      else await report(finding, target);
      rows.add(finding, smallest);
    }
  }
  const matrices: MatrixEvent[] = [];
  for (const [family, rows] of families) {
    const columns = settings.targets.filter((t) => rowsOf(t) === rows);
    if (columns.length < 2) continue;
    for (const target of columns) markSettled(settings, target, screened, rows);
    for (const target of columns) await fillColumn(settings, target, lanesOf(target), screened, rows, report, progress(target));
    matrices.push(rows.event(family, columns.map((t) => t.identity.name), worstFirst(columns[0]!)));
  }
  for (const { finding, target } of late) await report(finding, target);
  matrices.forEach(emit);
  return counts;
}

/** Whether a virtual machine of this run shows the finding, or its smallest case does in one. */
function shownInKernel({ targets }: Opened, rows: MatrixRows, { signature }: Finding): boolean {
  return rows.shownBy(signature).some((name) => targets.some((t) => t.identity.name === name && !isUserspace(t.identity)));
}

/** What a target has shown before this run it is not tried with again. */
function markSettled({ settled }: Opened, target: Target, screened: Screened, rows: MatrixRows): void {
  for (const { finding: { signature } } of rows.missing(target.identity.name)) {
    if (settled?.(target, signature)?.shown === true) rows.markShown(signature, target.identity.name, countOf(screened, target, signature));
  }
}

function countOf(screened: Screened, target: Target, signature: string): number {
  return screened.results.get(target)!.filter((r) => r.verdict.signature === signature).length;
}

/** Tries what the other targets of the family have found and this one has not shown. */
async function fillColumn(
  { signal }: Opened, target: Target, lanes: Lanes, screened: Screened, rows: MatrixRows,
  report: (finding: Finding, target: Target) => Promise<void>, progress: (phase: 'matrix', done: number, total: number, findings: number) => void,
): Promise<void> {
  const missing = rows.missing(target.identity.name);
  const tried: (Tried | null)[] = missing.map(() => null);
  let done = 0;
  await inParallel(missing, lanes.count, signal, async ({ finding, known }, i) => {
    tried[i] = await lanes.use((session) => tryElsewhere(target, session, finding.signature, known, signal));
    progress('matrix', ++done, missing.length, 0);
  });
  for (const [i, { finding }] of missing.entries()) {
    const one = tried[i];
    if (!one) continue;
    if (one.confirmation && one.shown.observation) {
      const found = await findingOf(finding, target, { ...one, confirmation: one.confirmation });
      await report(found, target);
      rows.add(found, one.smallest);
    } else {
      rows.absent(finding.signature, target.identity.name, one.shown, countOf(screened, target, finding.signature));
    }
  }
}

/** What a report says of a known failure. */
export function sayKnown({ reason, link }: KnownFailure): NonNullable<FindingEvent['known']> {
  return { reason, ...(link !== undefined && { link }) };
}

function count(counts: Counts, finding: Finding, known: boolean, quarantined: boolean): void {
  if (finding.confirmation.blame === 'unreliable') {
    counts.unreliable++;
    return;
  }
  counts.total++;
  counts.byTarget.set(finding.target, (counts.byTarget.get(finding.target) ?? 0) + 1);
  if (known) counts.known++;
  else if (finding.target !== CANARY && !quarantined) counts.unexpected++;
}

/** `2 layers, 12288 bytes, 1 read`. */
export function describe({ smallest }: Finding): string {
  const bytes = smallest.layers.reduce((n, l) => n + l.bytes.length + (l.index?.length ?? 0), 0);
  const some = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
  return [some(smallest.layers.length, 'layer'), some(bytes, 'byte'), some(smallest.access.reads.length, 'read')].join(', ');
}

function footerOf(settings: Opened, screened: Screened, counts: Counts, seconds: number): FooterEvent {
  const stream = createHash('sha256');
  for (const digest of screened.digests) stream.update(digest);
  const verdicts: Record<string, Partial<Record<VerdictKind, number>>> = {};
  const rates: Record<string, number> = {};
  for (const target of settings.targets) {
    const { name } = target.identity;
    const tally: Partial<Record<VerdictKind, number>> = {};
    for (const r of screened.results.get(target)!) tally[r.verdict.kind] = (tally[r.verdict.kind] ?? 0) + 1;
    verdicts[name] = tally;
    rates[name] = screened.rates.get(target) ?? 0;
  }
  const passes = settings.targets.flatMap((t) => unexpectedPasses(t, screened.results.get(t)!, settings.stored?.cases ?? []));
  return {
    type: 'footer', complete: !settings.signal.aborted, clauses: screened.clauses,
    cases: screened.digests.length, caseStream: stream.digest('hex'), verdicts, findings: counts.total, ...(counts.known > 0 && { known: counts.known }), unreliable: counts.unreliable, seconds, rates,
    ...(passes.length > 0 && { unexpectedPasses: passes }),
    exitCode: exitCode(settings, screened, counts, passes.length),
  };
}

function exitCode(settings: Opened, screened: Screened, counts: Counts, passes: number): number {
  const canary = settings.targets.some((t) => t.identity.name === CANARY);
  if (canary && screened.digests.length > 0 && !counts.byTarget.get(CANARY)) return EXIT.engine;
  if (settings.targets.some((t) => screened.results.get(t)!.some((r) => r.verdict.kind === 'engine-error'))) return EXIT.engine;
  return counts.unexpected + passes > 0 ? EXIT.findings : EXIT.ok;
}

