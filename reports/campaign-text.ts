// SPDX-License-Identifier: MIT
/** A campaign for people: how far it is in one line, and at the end what was found when. */
import { isFindingKind, VERDICT_KINDS, type CampaignView, type DistinctFinding, type EarlierFinding } from '../model/index.ts';
import { verdictsOf } from './campaign-run.ts';
import { count, duration, oneLine, wrap } from './text.ts';

const WIDTH = 100;

/** A line of the table: a batch that found something. */
export interface OverTime {
  /** Seconds of campaign when it was recorded. */
  readonly at: number;
  readonly batch: number;
  /** Cases drawn until then. */
  readonly cases: number;
  /** Signatures that it was the first to have. */
  readonly signatures: readonly string[];
  /** Distinct ones until then. */
  readonly total: number;
}

/** Distinct findings over time; what was seen once and not again is not among them. */
export function findingsOverTime({ findings }: CampaignView): OverTime[] {
  const rows: OverTime[] = [];
  let total = 0;
  for (const { batch, at, cases, signature } of findings.filter((f) => f.reliable)) {
    total++;
    const last = rows.at(-1);
    if (last?.batch === batch) rows[rows.length - 1] = { ...last, signatures: [...last.signatures, signature], total };
    else rows.push({ at, batch, cases, signatures: [signature], total });
  }
  return rows;
}

function table(head: readonly string[], rows: readonly (readonly string[])[], words: number): string[] {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)));
  return [head, ...rows].map((row) => row.map((cell, i) => (i < head.length - words ? cell.padStart(widths[i]!) : cell)).join('  ').trimEnd());
}

function overTimeLines(view: CampaignView): string[] {
  const rows = findingsOverTime(view).flatMap(({ at, batch, cases, signatures, total }) => signatures.map((signature, i) => (i === 0
    ? [(at / 60).toFixed(1), batch < 0 ? 'before' : String(batch), String(cases), String(signatures.length), String(total), oneLine(signature)]
    : ['', '', '', '', '', oneLine(signature)])));
  if (rows.length === 0) return ['no findings'];
  return ['distinct findings over time', ...table(['minute', 'batch', 'cases', 'new', 'total', 'signatures'], rows, 1)];
}

function targetLines({ header, records }: CampaignView): string[] {
  const used = VERDICT_KINDS.filter((kind) => kind === 'pass' || header.targets.some((t) => (verdictsOf(records, t.name)[kind] ?? 0) > 0));
  const rows = header.targets.map(({ name }) => {
    const verdicts = verdictsOf(records, name);
    return [oneLine(name), ...used.map((kind) => String(verdicts[kind] ?? 0))];
  });
  const widths = ['target', ...used].map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]!.length)));
  return [['target', ...used], ...rows].map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '));
}

function findingLines(f: DistinctFinding, number: number): string[] {
  const [first] = f.on;
  const { shown, tried, blame, processors } = first!.confirmation;
  const head = `${String(number).padStart(3)}. ${f.known === undefined ? '' : '(known) '}${f.signature}`;
  const facts = [
    f.on.map((one) => one.target).join(', '), ...(f.clause ? [f.clause] : []), count(f.count, 'case'), `first ${first!.firstCase}`,
    `${blame}, shown ${shown} of ${tried}${processors === undefined ? '' : ` on ${processors} processors`}`, `smallest: ${first!.smallest}`,
  ].join(' · ');
  const texts = [...(f.label === undefined ? [] : [f.label]), facts, ...(f.known === undefined ? [] : [`known: ${f.known}`]), first!.why];
  return ['', oneLine(head), ...texts.flatMap((text) => wrap(oneLine(text), WIDTH - 5).map((part) => `     ${part}`)), ...f.on.map((one) => `     ${oneLine(one.replay)}`)];
}

function earlierLines(earlier: readonly EarlierFinding[]): string[] {
  if (earlier.length === 0) return [];
  const states = (['still there', 'another', 'gone', 'not tried'] as const).flatMap((state) => {
    const n = earlier.filter((one) => one.state === state).length;
    return n > 0 ? [`${n} ${state}`] : [];
  });
  return ['', `findings of before: ${states.join(', ')}`, ...earlier.map(({ target, signature, state, note }) => oneLine(`  ${state.padEnd(11)}  ${target}: ${signature}${note === '' ? '' : ` (${note})`}`))];
}

/** The report. */
export function campaignLines(view: CampaignView): string[] {
  const { header, records, findings, cases, elapsed, points, canaryPassed, ours } = view;
  const reliable = findings.filter((f) => f.reliable);
  const once = findings.length - reliable.length;
  const known = reliable.filter((f) => f.known !== undefined).length;
  return [
    ...targetLines(view), '', ...overTimeLines(view),
    ...reliable.flatMap((f, i) => findingLines(f, i + 1)),
    ...(once > 0 ? ['', 'seen, and not again:', ...findings.filter((f) => !f.reliable).map((f) => oneLine(`  ${f.on[0]!.target}: ${f.signature}: ${f.on[0]!.replay}`))] : []),
    ...earlierLines(view.earlier), '',
    `seed ${header.seed}, ${count(records.length, 'batch').replace(/batchs$/, 'batches')}, ${count(cases, 'case')}, ${duration(elapsed)}${elapsed > 0 ? `, ${(cases / elapsed).toFixed(1)} cases/s` : ''}`
      + `${points > 0 ? `, ${count(points, 'point')} of the code reached` : ''}: ${count(reliable.length - known, 'new finding')}, ${known} known${once > 0 ? `, ${once} not shown again` : ''}`,
    ...(canaryPassed === undefined ? [] : [`the canary passed in batch ${canaryPassed}: this campaign proves nothing`]),
    ...(ours > 0 ? [`${count(ours, 'case')} failed by this suite's own fault`] : []),
  ];
}

/** The same for programs. */
export function campaignJson(view: CampaignView, exitCode: number): string {
  const { header, records, findings, cases, points, elapsed, earlier, canaryPassed, ours } = view;
  return `${JSON.stringify({
    schema: 'ovbd-campaign-report/1', suite: header.suite, seed: header.seed, exitCode, batches: records.length, cases, seconds: elapsed, points, ours,
    ...(canaryPassed === undefined ? {} : { canaryPassed }),
    targets: header.targets.map((t) => ({ name: t.name, parts: t.parts, cases: records.reduce((sum, r) => sum + (r.targets[t.name]?.cases ?? 0), 0), verdicts: verdictsOf(records, t.name) })),
    overTime: findingsOverTime(view), findings, earlier,
  }, null, 2)}\n`;
}

/** What one line of progress tells. */
export interface CampaignStatus {
  readonly view: CampaignView;
  readonly running: readonly { readonly number: number; readonly cases: number; readonly within?: { readonly phase: string; readonly target: string; readonly done: number; readonly total: number; readonly findings: number } }[];
}

/** `12.3 cases/s · 3 min 10 s · 812 points · 5 new, 2 known · ends in 6 min 50 s · batch 12 shrink patch 3/5`. `left`: seconds to the deadline, where there is one. */
export function campaignProgress({ view, running }: CampaignStatus, left?: number): string {
  const reliable = view.findings.filter((f) => f.reliable);
  const known = reliable.filter((f) => f.known !== undefined).length;
  const screened = running.reduce((sum, { within }) => sum + (within?.phase === 'screen' ? within.done : 0), 0);
  const screening = running.reduce((sum, { within, cases }) => sum + (within === undefined || within.phase === 'screen' ? 0 : cases), screened);
  const cases = view.cases + screening;
  const confirmed = running.reduce((sum, { within }) => sum + (within?.findings ?? 0), 0);
  return [
    `${cases} cases${view.elapsed > 0 ? `, ${(cases / view.elapsed).toFixed(1)}/s` : ''}`, duration(view.elapsed), ...(view.points > 0 ? [`${view.points} points`] : []),
    `${reliable.length - known + confirmed} new, ${known} known`, ...(left === undefined ? [] : [left > 0 ? `ends in ${duration(left)}` : 'time is up, ends with these batches']),
    ...running.map(({ number, within }) => `batch ${number}${within ? ` ${within.phase} ${within.target} ${within.done}/${within.total}` : ''}`),
  ].join(' · ');
}

/** How a batch ended, in one line. */
export function batchLine({ records, findings }: CampaignView): string {
  const last = records.at(-1)!;
  const found = findings.filter((f) => f.batch === last.plan.number && f.reliable);
  const failing = Object.entries(last.targets).map(([name, { verdicts, cases }]) => {
    const bad = Object.entries(verdicts).reduce((sum, [kind, n]) => sum + (isFindingKind(kind as (typeof VERDICT_KINDS)[number]) ? n : 0), 0);
    return `${name} ${bad}/${cases}`;
  });
  return oneLine(`batch ${last.plan.number}: ${failing.join(', ')} failing, ${duration(last.seconds)}${found.length > 0 ? `; new: ${found.map((f) => f.signature).join('; ')}` : ''}`);
}
