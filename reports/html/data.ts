// SPDX-License-Identifier: MIT
/** What the page's script shows on demand: evidence of findings, and all cases. Short, for there may be very many. */
import { createHash } from 'node:crypto';
import { procedureText, readText, VERDICT_KINDS, type Observation } from '../../model/index.ts';
import type { OutcomeSummary } from '../finding-manifest.ts';
import type { FindingGroup } from '../view/groups.ts';
import type { EvidenceView, FindingView, View } from '../view/view.ts';

/** The part of a finding's address in the page: the same in every run of one signature. */
export function anchorOf(signature: string): string {
  return createHash('sha256').update(signature).digest('hex').slice(0, 8);
}

/** Everything for the script. */
export function pageData(view: View, groups: readonly FindingGroup[]): object {
  return {
    kinds: VERDICT_KINDS,
    targets: view.run.targets.map((t) => t.name),
    findings: Object.fromEntries(groups.map((g) => [anchorOf(g.signature), findingData(view, g)])),
    cases: caseData(view),
  };
}

function findingData({ embargo }: View, { first, members }: FindingGroup): object {
  const { evidence } = first;
  return {
    kind: first.event.kind, target: first.event.target, why: first.event.why, smallest: first.event.smallest, firstCase: first.event.firstCase, embargo,
    members: members.map((m) => memberData(m, embargo)),
    evidence: evidence === null ? null : evidenceData(evidence),
  };
}

function memberData({ event, evidence }: FindingView, embargo: boolean): object {
  const { shown, tried, blame, processors } = event.confirmation;
  return {
    target: event.target, count: event.count, why: event.why, label: event.label, known: event.known,
    sure: `${blame === 'alone' ? 'alone' : blame === 'sequence' ? 'after other cases' : 'not shown again'}, ${shown} of ${tried}${processors === undefined ? '' : `, on ${processors} processors`}`,
    where: evidence?.manifest.where ?? [], replay: embargo ? '' : event.replay, folder: event.folder, repro: evidence?.repro !== undefined,
  };
}

function evidenceData({ manifest, images, reads, log, repro }: EvidenceView): object {
  const { case: c, expectation, observation, before, procedure } = manifest;
  return {
    plan: {
      table: c.table, slack: c.access.slack, before: before.length, reads: c.access.reads.map(readText),
      ...(procedure && { procedure: procedureText(procedure) }), ...(c.access.crowd && { crowd: `${c.access.crowd.readers} readers, ${c.access.crowd.rounds} rounds` }),
    },
    expected: expectedLines(expectation.strict), observed: observedLines(observation),
    alternatives: expectation.alternatives.map((a) => `${a.flags.join(', ') || 'as well'}: ${expectedLines(a.outcome)[0]!}`),
    clauses: c.clauses, images, log, repro,
    reads: reads.map((r) => ({ ...r, plan: readText(r.plan) })),
  };
}

function expectedLines(strict: OutcomeSummary): string[] {
  if (strict.outcome === 'refuse') return [`refused by ${strict.clause}: layer ${strict.layer}, byte ${strict.at}: ${strict.why}`];
  return [`opened, ${strict.size} bytes`, ...strict.reads.map((r, i) => {
    switch (r.outcome) {
      case 'bytes': return `read ${i}: ${r.length} bytes, SHA-256 ${r.sha256.slice(0, 16)}…, by ${r.clauses.join(', ') || 'no clause'}${r.mayFail ? ', or an error' : ''}`;
      case 'error': return `read ${i}: an error after at most ${r.goodBytes} bytes, by ${r.clause}: layer ${r.layer}, byte ${r.at}: ${r.why}`;
      case 'any': return `read ${i}: anything (${r.clause})`;
    }
  })];
}

function observedLines(o: Omit<Observation, 'log' | 'reads'> & { readonly reads: readonly Omit<Observation['reads'][number], 'bytes'>[] }): string[] {
  return [
    o.open === 'opened' ? `opened${o.size === undefined ? '' : `, ${o.size} bytes`}` : o.open === 'refused' ? `refused: ${o.refusal ?? 'without a reason'}` : 'neither opened nor refused',
    ...o.reads.map((r, i) => `read ${i}: ${r.result < 0 ? `error ${r.result}` : `${r.result} bytes`}${r.sha256 === '' || r.result < 0 ? '' : `, SHA-256 ${r.sha256.slice(0, 16)}…`}`
      + `${r.spill ? `; changed ${r.spill.before} bytes before and ${r.spill.after} after its buffer` : ''}${r.untouched === undefined ? '' : `; never written from ${r.untouched}`}`),
    ...(o.death ? [`${o.death.kind} during ${o.death.phase}: ${o.death.title}`] : []),
    ...o.complaints.map((c) => `the log complains: ${c.kind}: ${c.title}`),
    ...(o.changed ? [`layer ${o.changed.layer} was changed at byte ${o.changed.at}`] : []),
  ];
}

/** Cases by number; of each target a letter a case for the kind (`a`: the first), and the rest only where there is more to say. */
function caseData({ run, cases }: View): object {
  const ids = new Map<string, number>();
  const classes: string[] = [];
  const texts = new Map<string, number>();
  const textOf = (one: string): number => texts.get(one) ?? (texts.set(one, texts.size), texts.size - 1);
  const columns = new Map(run.targets.map((t) => [t.name, { kinds: [] as string[], more: {} as Record<number, readonly [signature: number, why: number]> }]));
  for (const c of cases) {
    let n = ids.get(c.case);
    if (n === undefined) {
      n = ids.size;
      ids.set(c.case, n);
      classes.push(c.class[0]!);
    }
    const column = columns.get(c.target);
    if (column === undefined) continue;
    column.kinds[n] = String.fromCharCode(97 + VERDICT_KINDS.indexOf(c.kind));
    if (c.signature !== undefined || c.why !== undefined) column.more[n] = [c.signature === undefined ? -1 : textOf(c.signature), c.why === undefined ? -1 : textOf(c.why)];
  }
  const all = [...texts.keys()];
  return {
    ids: [...ids.keys()], classes: classes.join(''), texts: all,
    anchors: Object.fromEntries(all.flatMap((t, i) => (cases.length > 0 && /^[a-z-]+: /.test(t) ? [[i, anchorOf(t)]] : []))),
    columns: run.targets.map(({ name }) => {
      const { kinds, more } = columns.get(name)!;
      return { kinds: Array.from({ length: ids.size }, (_, i) => kinds[i] ?? ' ').join(''), more };
    }),
  };
}
