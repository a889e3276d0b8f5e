// SPDX-License-Identifier: MIT
/** What the recorded batches of a campaign say together: what is known of each signature, what is new, what was found when. */
import {
  isFindingKind, isUserspace, UNCONFIRMED,
  type BatchFinding, type BatchRecord, type CampaignHeader, type DistinctFinding, type Finding, type FindingKind, type KnownSignature, type Stance, type TargetIdentity,
} from '../../model/index.ts';
import { CANARY } from './batch.ts';
import type { Parent } from './swarm.ts';

/** Batches that look into a signature that does not show itself again, before it is only counted. */
export const LOOKS = 3;

/** What the ledger must know of a target. */
export interface LedgerTarget {
  readonly identity: TargetIdentity;
  readonly stance: Stance;
}

interface Entry {
  /** The smallest one that was shown, or what was unreliable. */
  finding?: BatchFinding;
  /** Batches that looked into it in vain. */
  looks: number;
  count: number;
}

interface Found {
  readonly batch: number;
  readonly at: number;
  readonly cases: number;
  readonly targets: string[];
}

/** Takes records in the order in which they were recorded. */
export class Ledger {
  readonly records: BatchRecord[] = [];
  cases = 0;
  points = 0;
  /** Of verdicts, those that are faults of ours. */
  ours = 0;
  canaryPassed: number | undefined;
  readonly #targets: ReadonlyMap<string, LedgerTarget>;
  readonly #entries = new Map<string, Map<string, Entry>>();
  /** family and signature → when it was found. */
  readonly #found = new Map<string, Found>();
  readonly #sights = new Set<string>();
  readonly #points = new Map<string, Set<number>>();

  constructor(targets: readonly LedgerTarget[]) {
    this.#targets = new Map(targets.map((t) => [t.identity.name, t]));
  }

  /** The record as it is kept: with what of it no record before it has. */
  completed(record: BatchRecord, at: number): BatchRecord {
    const sights = record.sights.filter((one) => !this.#sights.has(one));
    const points = Object.fromEntries(Object.entries(record.points).flatMap(([name, list]) => {
      const fresh = list.filter((point) => !this.#points.get(name)?.has(point));
      return fresh.length > 0 ? [[name, fresh] as const] : [];
    }));
    const signatures = Object.entries(record.targets).reduce((sum, [name, { seen }]) =>
      sum + (name === CANARY ? 0 : Object.keys(seen).filter((signature) => !this.#entries.get(name)?.has(signature)).length), 0);
    return { ...record, sights, points, gain: { signatures, sights: sights.length, points: Object.values(points).reduce((sum, list) => sum + list.length, 0) }, at };
  }

  take(record: BatchRecord): void {
    this.records.push(record);
    this.cases += record.plan.cases;
    for (const one of record.sights) this.#sights.add(one);
    for (const [name, list] of Object.entries(record.points)) {
      const known = this.#points.get(name) ?? this.#points.set(name, new Set()).get(name)!;
      for (const point of list) known.add(point);
    }
    this.points = [...this.#points.values()].reduce((sum, { size }) => sum + size, 0);
    for (const [name, { seen, verdicts, cases }] of Object.entries(record.targets)) {
      this.ours += verdicts['engine-error'] ?? 0;
      if (name === CANARY) {
        if (cases > 0 && !Object.keys(verdicts).some((kind) => isFindingKind(kind as FindingKind))) this.canaryPassed ??= record.plan.number;
        continue;
      }
      for (const [signature, count] of Object.entries(seen)) {
        const entry = this.#entry(name, signature);
        entry.count += count;
        const looked = record.plan.known[name]?.[signature] === undefined;
        const confirmed = record.findings.some((f) => f.target === name && f.signature === signature && f.confirmation.blame !== 'unreliable');
        if (looked && !confirmed) entry.looks++;
      }
    }
    for (const finding of record.findings) this.#keep(finding, record.plan.number, record.at);
  }

  /** Takes a finding of before this campaign that is still there: from then on it is only counted. */
  seed(finding: BatchFinding): void {
    this.#keep(finding, -1, 0);
  }

  /** What is kept of a signature of a target; undefined where nothing is. */
  keptOf(target: string, signature: string): BatchFinding | undefined {
    return this.#entries.get(target)?.get(signature)?.finding;
  }

  /** What a batch that is planned now need not look into. */
  known(): Record<string, Record<string, KnownSignature>> {
    return Object.fromEntries([...this.#entries].map(([name, entries]) => [name, Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([signature, entry]) => {
      const known = knownOf(entry);
      return known ? [[signature, known] as const] : [];
    }))]));
  }

  /** For steering, in the order in which they were recorded. */
  parents(): Parent[] {
    return this.records.map(({ plan: { number, swarm }, gain }) => ({ number, swarm, gain }));
  }

  /** In the order in which they were found. */
  findings(): DistinctFinding[] {
    return [...this.#found].map(([key, { batch, at, cases, targets }]) => {
      const signature = key.slice(key.indexOf('\0') + 1);
      const on = targets.map((name) => this.#entries.get(name)!.get(signature)!.finding!);
      const reliable = on.filter((f) => f.confirmation.blame !== 'unreliable');
      const { kind, clause, family } = on[0]!;
      const reasons = reliable.map((f) => this.#targets.get(f.target)?.stance.knownFailures.find((k) => k.signature === signature)?.reason);
      const isKnown = reasons.length > 0 && reasons.every((reason) => reason !== undefined);
      return {
        signature, kind, ...(clause === undefined ? {} : { clause }), family, batch, at, cases, on,
        count: targets.reduce((sum, name) => sum + this.#entries.get(name)!.get(signature)!.count, 0),
        ...(isKnown ? { known: reasons[0]! } : {}), ...(this.#isUnconfirmed(on) ? { label: UNCONFIRMED } : {}), reliable: reliable.length > 0,
      };
    });
  }

  /** Findings of userspace targets that are kept with a label which they have no more: a virtual machine has shown the same since. */
  outgrown(): BatchFinding[] {
    return this.findings().filter((f) => f.label === undefined).flatMap((f) => f.on.filter((one) => one.label !== undefined));
  }

  #isUnconfirmed(on: readonly BatchFinding[]): boolean {
    const shown = on.filter((f) => f.confirmation.blame !== 'unreliable');
    const inUserspace = ({ target }: BatchFinding): boolean => {
      const identity = this.#targets.get(target)?.identity;
      return identity !== undefined && isUserspace(identity);
    };
    return shown.length > 0 && shown.every(inUserspace);
  }

  #keep(finding: BatchFinding, batch: number, at: number): void {
    const entry = this.#entry(finding.target, finding.signature);
    if (isBetter(finding, entry.finding)) entry.finding = finding;
    const key = `${finding.family ?? `${finding.target} alone`}\0${finding.signature}`;
    const found = this.#found.get(key);
    if (found === undefined) this.#found.set(key, { batch, at, cases: this.cases, targets: [finding.target] });
    else if (!found.targets.includes(finding.target)) found.targets.push(finding.target);
  }

  #entry(target: string, signature: string): Entry {
    const of = this.#entries.get(target) ?? this.#entries.set(target, new Map()).get(target)!;
    return of.get(signature) ?? of.set(signature, { looks: 0, count: 0 }).get(signature)!;
  }
}

const SURE: readonly BatchFinding['confirmation']['blame'][] = ['alone', 'sequence', 'unreliable'];

/** Whether a finding takes the place of what there is of the same signature and target: it is surer, or as sure and smaller. */
export function isBetter(one: Pick<BatchFinding, 'confirmation' | 'bytes'>, than: Pick<BatchFinding, 'confirmation' | 'bytes'> | undefined): boolean {
  if (than === undefined) return true;
  const sure = SURE.indexOf(one.confirmation.blame) - SURE.indexOf(than.confirmation.blame);
  return sure < 0 || (sure === 0 && one.bytes < than.bytes);
}

function knownOf({ finding, looks }: Entry): KnownSignature | undefined {
  const blame: Finding['confirmation']['blame'] | undefined = finding?.confirmation.blame;
  if (blame === 'alone') return { shown: true, bytes: finding!.bytes };
  if (blame === 'sequence') return { shown: true, bytes: null };
  return looks >= LOOKS ? { shown: false, bytes: null } : undefined;
}

/** Why what is recorded is of another campaign; undefined where it goes on. */
export function differenceOf(then: CampaignHeader, now: CampaignHeader): string | undefined {
  const keys = ['suite', 'seed', 'feedback', 'batchCases', 'shrinkExecutions'] as const;
  const key = keys.find((k) => then[k] !== now[k]);
  if (key !== undefined) return `${NAMES[key]} was ${String(then[key])}, and is ${String(now[key])}`;
  const names = (header: CampaignHeader): string => header.targets.map((t) => `${t.name} (${header.shares[t.name]} cases of a batch)`).sort().join(', ');
  if (names(then) !== names(now)) return `the targets were ${names(then)}, and are ${names(now)}`;
  for (const { name, parts } of now.targets) {
    const before = then.targets.find((t) => t.name === name)!.parts;
    const changed = [...new Set([...Object.keys(before), ...Object.keys(parts)])].find((k) => !PASSING.includes(k) && before[k] !== parts[k]);
    if (changed !== undefined) return `"${changed}" of ${name} was ${before[changed] ?? 'not there'}, and is ${parts[changed] ?? 'not there'}`;
  }
  return undefined;
}

const NAMES = { suite: 'the suite', seed: 'the seed', feedback: 'feedback', batchCases: 'the number of cases of a batch', shrinkExecutions: 'the budget for shrinking' } as const;
/** What an identity has that changes without anything being another. */
export const PASSING: readonly string[] = ['soak'];
