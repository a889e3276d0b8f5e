// SPDX-License-Identifier: MIT
/** From suspicious verdicts to findings: group by signature, confirm, shrink. */
import { FINDING_KINDS, isFindingKind, type Explanation, type Finding, type FindingKind } from '../model/index.ts';
import type { Target } from '../targets/target.ts';
import { explainFinding } from './replay.ts';
import { confirm, historyOf, SUSPECTS_TRIED, type Confirmed, type Suspect } from './confirm.ts';
import { inParallel, type Lanes } from './lanes.ts';
import { tryElsewhere, type Known } from './matrix.ts';
import type { Prepared } from './prepare.ts';
import type { Screened } from './screen.ts';
import { shrink, shrinkBudget } from './shrink.ts';

export interface TriageSettings {
  readonly target: Target;
  readonly lanes: Lanes;
  readonly screened: Screened;
  readonly signal: AbortSignal;
  /** What is known of a signature of this target from before; absent: nothing is of any. */
  readonly settled?: (signature: string) => Settled | undefined;
  /** Executions for a finding of a cheap kind; 0: do not shrink. */
  readonly shrinkExecutions: number;
  /** Smallest cases that targets of the same family showed already, by signature: they are tried before anything is shrunk. */
  readonly known: ReadonlyMap<string, Known>;
  /** `findings`: confirmed ones so far. */
  readonly progress: (phase: 'confirm' | 'shrink', done: number, total: number, findings: number) => void;
  /** Called with each finding when it is there, in whatever order; what it throws ends the triage. */
  readonly found?: (finding: Finding) => Promise<void>;
}

/** What a campaign knows of a signature of one target: it is only counted. */
export interface Settled {
  /** Whether the target has shown it when asked again; else it was given up. */
  readonly shown: boolean;
  /** Bytes of its smallest case: one that is drawn with half of that is looked into; null: none is. */
  readonly bytes: number | null;
}

interface Group {
  readonly signature: string;
  readonly kind: FindingKind;
  count: number;
  readonly suspects: Suspect<Prepared>[];
}

/** Signatures that came up only while confirming get a confirmation of their own, so often. */
const ROUNDS = 3;

/** What a look at a kind costs, cheapest first: the budget of a run that is stopped early goes to the cheap ones. */
const COST: readonly FindingKind[] = ['corruption', 'accepts-invalid', 'refuses-valid', 'docs', 'leak', 'memory', 'crash', 'hang'];

/** A finding, and its smallest case as it can be tried on other targets. */
export interface Triaged {
  readonly finding: Finding;
  readonly smallest: Prepared;
}

/** Findings of one target, worst first. Where the signal aborts, those finished until then. */
export async function triage(s: TriageSettings): Promise<Triaged[]> {
  const confirmed = await confirmAll(s, groupSuspects(s));
  const findings: Triaged[] = [];
  let done = 0;
  await inParallel(confirmed, s.lanes.count, s.signal, async (one) => {
    const finding = await finish(s, one);
    if (finding) {
      findings.push(finding);
      await s.found?.(finding.finding);
    }
    s.progress('shrink', ++done, confirmed.length, confirmed.length);
  });
  return findings.sort((a, b) => worstFirst(s.target)(a.finding, b.finding));
}

/** Orders findings of a target: worst kind first, then by what the target knows of severity, then by signature. */
export function worstFirst(target: Target): (a: Finding, b: Finding) => number {
  const severity = (f: Finding): number => target.severity?.(f.signature.slice(f.kind.length + 2)) ?? 0;
  return (a, b) => FINDING_KINDS.indexOf(a.kind) - FINDING_KINDS.indexOf(b.kind) || severity(a) - severity(b) || (a.signature < b.signature ? -1 : 1);
}

function groupSuspects({ target, screened, settled }: TriageSettings): Map<string, Group> {
  const groups = new Map<string, Group>();
  const results = screened.results.get(target)!;
  const made = new Map<number, Prepared>();
  const caseAt = (i: number): Prepared => made.get(i) ?? made.set(i, screened.prepared(i)).get(i)!;
  results.forEach(({ verdict }, i) => {
    const { kind, signature } = verdict;
    if (!isFindingKind(kind) || signature === undefined) return;
    const group = groups.get(signature) ?? { signature, kind, count: 0, suspects: [] };
    groups.set(signature, group);
    group.count++;
    const before = settled?.(signature);
    // Halves, so that no signature is looked into again and again for a few bytes.
    if (group.suspects.length >= SUSPECTS_TRIED || (before && (before.bytes === null || screened.bytes[i]! * 2 > before.bytes))) return;
    const start = i - (i % screened.chunk);
    const history = (): Prepared[] => historyOf(results.slice(start, i + 1), i - start).map((k) => screened.prepared(start + k));
    group.suspects.push({ subject: caseAt(i), before: history });
  });
  return groups;
}

interface ConfirmedGroup {
  readonly group: Group;
  readonly result: Confirmed<Prepared>;
  /** Another target's smallest case, which shows it here too. */
  readonly smallest?: Prepared;
}

async function confirmAll(s: TriageSettings, groups: Map<string, Group>): Promise<ConfirmedGroup[]> {
  const confirmed: ConfirmedGroup[] = [];
  let open = byCost([...groups.values()].filter((group) => group.suspects.length > 0));
  let done = 0;
  let wanted = open.length;
  for (let round = 0; round < ROUNDS && open.length > 0; round++) {
    const found = new Map<string, Group>();
    await inParallel(open, s.lanes.count, s.signal, async (group) => {
      const known = s.known.get(group.signature);
      const again = known && await s.lanes.use((session) => tryElsewhere(s.target, session, group.signature, known, s.signal));
      if (again?.confirmation) {
        confirmed.push({ group, result: { suspect: group.suspects[0]!, before: [], shown: again.shown, confirmation: again.confirmation }, smallest: again.smallest });
        s.progress('confirm', ++done, wanted, confirmed.length);
        return;
      }
      const { result, others } = await s.lanes.use((session) => confirm(s.target, session, group.signature, group.suspects, s.signal));
      if (result) confirmed.push({ group, result });
      s.progress('confirm', ++done, wanted, confirmed.length);
      for (const { suspect, shown } of others) {
        const { signature, kind } = shown.verdict;
        if (!signature || !isFindingKind(kind) || groups.has(signature) || s.settled?.(signature)) continue;
        const other = found.get(signature) ?? { signature, kind, count: 0, suspects: [] };
        other.count++;
        other.suspects.push(suspect);
        found.set(signature, other);
      }
    });
    for (const [signature, group] of found) {
      // They came in the order in which instances finished; the same seed must try the same ones.
      group.suspects.sort((a, b) => a.subject.drawn.index - b.subject.drawn.index);
      groups.set(signature, group);
    }
    open = byCost([...found.values()]);
    wanted += open.length;
  }
  const order = byCost(confirmed.map((c) => c.group));
  return confirmed.sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group));
}

function byCost(groups: Group[]): Group[] {
  return groups.sort((a, b) => COST.indexOf(a.kind) - COST.indexOf(b.kind) || (a.signature < b.signature ? -1 : 1));
}

async function finish(s: TriageSettings, { group, result: { suspect, before, shown, confirmation }, smallest: known }: ConfirmedGroup): Promise<Triaged | null> {
  const { subject } = suspect;
  // What shows only sometimes cannot be made smaller by what shows once.
  const sure = confirmation.blame === 'alone' && confirmation.shown === confirmation.tried;
  const budget = sure && !known ? shrinkBudget(group.kind, s.shrinkExecutions) : 0;
  const { smallest, shown: last, executions } = budget === 0
    ? { smallest: known ?? subject, shown, executions: 0 }
    : await s.lanes.use((session) => shrink(s.target, session, subject, shown, budget, s.signal, confirmation.processors));
  // An unreliable one did not show itself again: the log of that last try is all there is to keep.
  if (!last.observation) return null;
  const verdict = last.verdict.signature === group.signature
    ? last.verdict
    : { kind: group.kind, signature: group.signature, why: 'seen once, not shown again by the case alone nor after the cases before it' };
  const explanation = await explainFinding(s.target, group.signature, last.observation);
  const finding: Finding = {
    signature: group.signature, kind: group.kind, target: s.target.identity.name, count: group.count,
    ...(verdict.clause === undefined ? {} : { clause: verdict.clause }),
    firstCase: subject.case.id, smallest: smallest.case,
    before: before.map((p) => p.case),
    expectation: smallest.expectation, observation: last.observation, verdict: { ...verdict, why: located(verdict.why, explanation) }, confirmation,
    ...(explanation === undefined ? {} : { explanation }),
    shrinkExecutions: executions,
  };
  return { finding, smallest };
}

/** A reason with the line of the target's own code that it leads to. */
function located(why: string, explanation: Explanation | undefined): string {
  // A path is one of the kernel's headers.
  const place = explanation?.where.find((one) => one.includes(':') && !one.includes('/'));
  return place === undefined ? why : `${why} (${place.split(' ')[0]!})`;
}
