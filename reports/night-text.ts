// SPDX-License-Identifier: MIT
/** How far a night is, for people and for programs. */
import { isFindingKind, type NightBatch, type NightFinding, type TargetIdentity, type VerdictKind } from '../model/index.ts';
import { count, duration, oneLine } from './text.ts';

/** What is reported of a night; the engine's `NightState` has this shape. */
export interface Night {
  readonly seed: number;
  /** Cases planned on each target. */
  readonly cases: number;
  readonly targets: readonly {
    readonly identity: TargetIdentity;
    readonly batches: readonly NightBatch[];
    readonly batchesPlanned: number;
    readonly error?: string;
  }[];
}

/** One target's batches in one sum. */
export interface NightRow {
  readonly target: string;
  readonly kernel: string;
  readonly emulator: string;
  /** What soaks found of the pair before this night. */
  readonly soak: string;
  readonly cases: number;
  /** Cases that ran and were judged; `unsupported` ones were not, `ours` failed by our own fault. */
  readonly compared: number;
  readonly unsupported: number;
  readonly ours: number;
  /** Distinct confirmed signatures, and those that were seen once and not again. */
  readonly findings: number;
  readonly unreliable: number;
  readonly deaths: number;
  /** Wall time in seconds, and cases of all a second. */
  readonly seconds: number;
  readonly rate: number;
  readonly done: boolean;
  readonly error?: string;
}

/** The rows of the table at the end. */
export function nightRows({ targets }: Night): NightRow[] {
  return targets.map(({ identity, batches, batchesPlanned, error }) => {
    const kinds = (wanted: (kind: VerdictKind) => boolean): number =>
      batches.reduce((sum, { verdicts }) => sum + Object.entries(verdicts).reduce((n, [kind, k]) => n + (wanted(kind as VerdictKind) ? k ?? 0 : 0), 0), 0);
    const cases = batches.reduce((sum, b) => sum + b.cases, 0);
    const seconds = batches.reduce((sum, b) => sum + b.seconds, 0);
    const found = (once: boolean): number => new Set(batches.flatMap((b) => b.findings).filter((f) => (f.blame === 'unreliable') === once).map((f) => f.signature)).size;
    return {
      target: identity.name,
      kernel: identity.parts['kernel'] ?? '',
      emulator: emulatorOf(identity),
      soak: identity.parts['soak'] ?? '',
      cases, compared: kinds((kind) => kind === 'pass' || isFindingKind(kind)), unsupported: kinds((kind) => kind === 'unsupported'), ours: kinds((kind) => kind === 'engine-error'),
      findings: found(false), unreliable: found(true), deaths: batches.reduce((sum, b) => sum + b.deaths, 0),
      seconds, rate: seconds > 0 ? cases / seconds : 0,
      done: batches.length === batchesPlanned, ...(error === undefined ? {} : { error }),
    };
  });
}

function emulatorOf({ parts: { qemu, accelerator } }: TargetIdentity): string {
  return qemu === undefined ? '' : [`QEMU ${qemu.split(' ')[0]!}`, ...(accelerator === undefined ? [] : [accelerator.toUpperCase()])].join(' ');
}

/** A finding of a night: the same signature of one target in all its batches. */
export interface NightFound extends NightFinding {
  readonly target: string;
}

/** Distinct findings, in the order of their first cases. */
export function nightFindings({ targets }: Night): NightFound[] {
  return targets.flatMap(({ identity: { name }, batches }) => {
    const found = new Map<string, NightFound>();
    for (const f of batches.flatMap((b) => b.findings)) {
      const key = `${f.blame === 'unreliable'} ${f.signature}`;
      const old = found.get(key);
      found.set(key, old === undefined ? { target: name, ...f } : { ...old, count: old.count + f.count });
    }
    return [...found.values()];
  });
}

const HEAD = ['target', 'kernel', 'emulator', 'cases', 'compared', 'unsupported', 'findings', 'once', 'ours', 'deaths', 'cases/s', 'time'] as const;
/** Columns of words; the others are figures. */
const WORDS = 3;

/** The table, what soaks found, the findings, and what is missing. */
export function nightLines(night: Night): string[] {
  const rows = nightRows(night);
  const cells = rows.map((r) => [
    r.target, r.kernel, r.emulator, String(r.cases), String(r.compared), String(r.unsupported), String(r.findings), String(r.unreliable), String(r.ours), String(r.deaths),
    r.rate.toFixed(1), duration(r.seconds),
  ].map(oneLine));
  const widths = HEAD.map((name, i) => Math.max(name.length, ...cells.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string => row.map((cell, i) => (i < WORDS ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ').trimEnd();
  return [
    line(HEAD), ...cells.map(line), '',
    'compared: ran, and was judged; unsupported: is no stack of linear and zero pieces, as what must be refused is not; once: seen once,',
    'not again; ours: failed by this suite\'s own fault; deaths: virtual machines that died',
    ...rows.filter((r) => r.soak !== '').map((r) => oneLine(`soak of ${r.target}: ${r.soak}`)),
    ...nightFindings(night).flatMap((f) => [
      oneLine(`${f.target}: ${f.signature}${f.blame === 'unreliable' ? ' (seen once, not again)' : ''}, ${count(f.count, 'case')}, first ${f.firstCase}: ${f.why}`),
      oneLine(`  ${f.replay}`),
    ]),
    ...rows.filter((r) => r.error !== undefined).map((r) => oneLine(`${r.target}: left alone, for ${r.error}`)),
    ...rows.filter((r) => !r.done).map((r) => `${r.target}: not finished, ${r.cases} of ${night.cases} cases`),
  ];
}

/** The same for programs. */
export function nightJson(night: Night, exitCode: number, more: Readonly<Record<string, unknown>> = {}): string {
  return `${JSON.stringify({ schema: 'ovbd-night-report/1', seed: night.seed, cases: night.cases, exitCode, ...more, targets: nightRows(night), findings: nightFindings(night) }, null, 2)}\n`;
}

/** What remains, from the time that cases took on each target; undefined before any has been run. Seconds. */
export function nightRemaining({ cases, targets }: Night): number | undefined {
  const perCase = targets.map(({ batches }) => {
    const done = batches.reduce((sum, b) => sum + b.cases, 0);
    return done === 0 ? undefined : batches.reduce((sum, b) => sum + b.seconds, 0) / done;
  });
  const known = perCase.filter((x) => x !== undefined);
  if (known.length === 0) return undefined;
  const mean = known.reduce((sum, x) => sum + x, 0) / known.length;
  return targets.reduce((sum, { batches }, i) => sum + Math.max(0, cases - batches.reduce((n, b) => n + b.cases, 0)) * (perCase[i] ?? mean), 0);
}

/** `stock/6.12 cases 250 to 499; 3000 of 80000 cases, 0 findings, 41.0 cases/s, 31 min 0 s left`. */
export function nightProgress(night: Night, target: string, first: number, within: { readonly phase: string; readonly done: number; readonly total: number } | undefined): string {
  const rows = nightRows(night);
  const sum = (of: (row: NightRow) => number): number => rows.reduce((n, row) => n + of(row), 0);
  const seconds = sum((r) => r.seconds);
  const left = nightRemaining(night);
  return [
    `${target} from ${first} on${within === undefined ? ' done' : `: ${within.phase} ${within.done}/${within.total}`}`,
    `${sum((r) => r.cases)} of ${night.cases * rows.length} cases, ${count(sum((r) => r.findings + r.unreliable), 'finding')}`
      + (seconds > 0 ? `, ${(sum((r) => r.cases) / seconds).toFixed(1)} cases/s` : '') + (left === undefined ? '' : `, ${duration(left)} left`),
  ].join('; ');
}
