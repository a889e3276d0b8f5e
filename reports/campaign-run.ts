// SPDX-License-Identifier: MIT
/** A campaign as a run: one run.jsonl with its header, findings, matrices and footer, for whatever reads runs. Its cases are not in it one by one. */
import { createHash } from 'node:crypto';
import {
  FINDING_KINDS,
  RUN_SCHEMA, type BatchRecord, type CampaignView, type DistinctFinding, type Event, type FindingEvent, type MatrixCell, type MatrixEvent, type TargetIdentity, type VerdictKind,
} from '../model/index.ts';

/** The events, the footer last. */
export function campaignEvents(view: CampaignView, exitCode: number, complete: boolean): Event[] {
  const { header, records, cases, elapsed } = view;
  const findings = [...view.findings].sort(worstFirst);
  const events = findings.flatMap((f) => f.on.map((one): FindingEvent => {
    const { family: _, bytes: __, label: ___, ...rest } = one;
    return {
      type: 'finding', ...rest, count: records.reduce((sum, r) => sum + (r.targets[one.target]?.seen[one.signature] ?? 0), 0),
      ...(f.label === undefined ? {} : { label: f.label }),
    };
  }));
  const stream = createHash('sha256');
  for (const { stream: one } of [...records].sort((a, b) => a.plan.number - b.plan.number)) stream.update(one);
  const names = header.targets.map((t) => t.name);
  return [
    { type: 'run', schema: RUN_SCHEMA, suite: header.suite, seed: header.seed, cases, targets: header.targets as readonly TargetIdentity[], skipped: [] },
    ...events,
    ...matrices(view, findings),
    {
      type: 'footer', complete, cases, caseStream: stream.digest('hex'),
      verdicts: Object.fromEntries(names.map((name) => [name, verdictsOf(records, name)])),
      findings: events.filter((e) => e.confirmation.blame !== 'unreliable').length, unreliable: events.filter((e) => e.confirmation.blame === 'unreliable').length,
      seconds: elapsed, rates: Object.fromEntries(names.map((name) => [name, rateOf(records, name)])), exitCode,
    },
  ];
}

/** What one target made of all batches. */
export function verdictsOf(records: readonly BatchRecord[], name: string): Partial<Record<VerdictKind, number>> {
  const sum: Partial<Record<VerdictKind, number>> = {};
  for (const { targets } of records) {
    for (const [kind, n] of Object.entries(targets[name]?.verdicts ?? {}) as [VerdictKind, number][]) sum[kind] = (sum[kind] ?? 0) + n;
  }
  return sum;
}

/** Cases a second of the target's own time. */
function rateOf(records: readonly BatchRecord[], name: string): number {
  const of = records.flatMap(({ targets }) => (targets[name] && targets[name].rate > 0 ? [targets[name]] : []));
  const seconds = of.reduce((sum, t) => sum + t.cases / t.rate, 0);
  return seconds > 0 ? of.reduce((sum, t) => sum + t.cases, 0) / seconds : 0;
}

function worstFirst(a: DistinctFinding, b: DistinctFinding): number {
  return FINDING_KINDS.indexOf(a.kind) - FINDING_KINDS.indexOf(b.kind) || (a.signature < b.signature ? -1 : 1);
}

/** A cell that says more stands before one that says less. */
const TELLS: readonly MatrixCell['state'][] = ['shown', 'unreliable', 'absent', 'unknown'];

function matrices({ records }: CampaignView, findings: readonly DistinctFinding[]): MatrixEvent[] {
  const columns = new Map<string, Set<string>>();
  const cells = new Map<string, Record<string, MatrixCell>>();
  for (const row of records.flatMap((r) => r.rows)) {
    const of = columns.get(row.family) ?? columns.set(row.family, new Set()).get(row.family)!;
    const key = `${row.family}\0${row.signature}`;
    const into = cells.get(key) ?? cells.set(key, {}).get(key)!;
    for (const [name, cell] of Object.entries(row.cells)) {
      of.add(name);
      const before = into[name];
      if (before === undefined || TELLS.indexOf(cell.state) < TELLS.indexOf(before.state)) into[name] = cell;
    }
  }
  return [...columns].map(([family, names]) => ({
    type: 'matrix', family, columns: [...names],
    rows: findings.filter((f) => f.family === family).map((f) => ({
      signature: f.signature, kind: f.kind, ...(f.clause === undefined ? {} : { clause: f.clause }),
      cells: Object.fromEntries([...names].map((name) => [name, cellOf(f, name, cells.get(`${family}\0${f.signature}`)?.[name])])),
    })),
  }));
}

/** What a later batch has shown counts, whatever the smallest case had done before. */
function cellOf(f: DistinctFinding, name: string, cell: MatrixCell | undefined): MatrixCell {
  const own = f.on.find((one) => one.target === name);
  if (own === undefined) return cell ?? { state: 'unknown', count: 0 };
  return { state: own.confirmation.blame === 'unreliable' ? 'unreliable' : 'shown', count: own.count };
}
