// SPDX-License-Identifier: MIT
/**
 * A run as Markdown for the summary of a CI job. GitHub takes at most 1 MiB a step and shows nothing of what is
 * larger (docs.github.com, "Workflow commands", job summaries), so findings are left out from the end, and told.
 */
import { FINDING_KINDS, VERDICT_KINDS } from '../model/index.ts';
import { clauseText } from './clause-text.ts';
import { escapeHtml } from './html/markup.ts';
import { md, mdBlock, mdCode, mdTable } from './markdown.ts';
import { count, duration, oneLine } from './text.ts';
import { groupsOf, type FindingGroup } from './view/groups.ts';
import type { View } from './view/view.ts';

/** Bytes that GitHub takes, with room for what others write into the same step. */
export const SUMMARY_BYTES = 1000 * 1024;

/** The whole summary, at most `limit` bytes of UTF-8. */
export function summaryText(view: View, limit = SUMMARY_BYTES): string {
  const head = headLines(view);
  const groups = groupsOf(view);
  const details = groups.map((g, i) => `${findingLines(view, g, i + 1).join('\n')}\n`);
  const size = (text: string): number => Buffer.byteLength(text);
  let text = `${head.join('\n')}\n`;
  // Room for the line that says what is left out.
  let room = limit - size(text) - 200;
  let shown = 0;
  for (const one of details) {
    room -= size(one);
    if (room < 0) break;
    text += one;
    shown++;
  }
  if (shown < details.length) text += `\n… and ${count(details.length - shown, 'finding')} more, for which there is no room here.\n`;
  return size(text) <= limit ? text : cut(text, limit);
}

/** A run of very many targets has a head that is too long by itself. */
function cut(text: string, limit: number): string {
  const note = '\n\n… cut: too long\n';
  const bytes = Buffer.from(text).subarray(0, Math.max(0, limit - Buffer.byteLength(note)));
  const whole = new TextDecoder().decode(bytes).replace(/\ufffd+$/, '');
  return `${whole.slice(0, Math.max(0, whole.lastIndexOf('\n')))}${note}`;
}

function headLines(view: View): string[] {
  const { run, footer } = view;
  const kinds = VERDICT_KINDS.filter((k) => Object.values(footer?.verdicts ?? {}).some((v) => v[k]));
  const sure = view.findings.filter((f) => f.event.confirmation.blame !== 'unreliable');
  const state = footer === null ? 'no whole run' : `${count(new Set(sure.map((f) => f.event.signature)).size, 'finding')} in ${count(footer.cases, 'case')}`;
  return [
    `## OverlayBD conformance: ${state}`, '',
    ...view.problems.flatMap((p) => [`> **Note** ${md(p)}`, '']),
    `${md(run.suite)}, ${run.corpus === undefined ? `seed ${run.seed}` : `corpus ${md(run.corpus)}`}${footer === null ? '' : `, ${duration(footer.seconds)}, case stream ${mdCode(footer.caseStream.slice(0, 12))}`}.`, '',
    ...(footer === null ? [] : mdTable(
      ['target', ...kinds, 'cases a second'],
      run.targets.map(({ name }) => [mdCode(name), ...kinds.map((k) => String(footer.verdicts[name]?.[k] ?? '·')), (footer.rates[name] ?? 0).toFixed(1)]),
    )),
    ...run.skipped.flatMap(({ target, reason }) => ['', `Skipped: ${mdCode(target)}: ${md(reason)}`]),
    ...view.trend.flatMap((t) => ['', `Against ${mdCode(t.run)}: ${t.columns.map((c) => `${mdCode(c.target)} ${c.newOnes.length} new, ${c.fixed.length} ${t.sameCases ? 'fixed' : 'not seen'}, ${c.still} still there`).join('; ')}.`]),
    ...(view.findings.length > 0 ? ['', '### Findings, worst first', ''] : ['']),
  ];
}

function findingLines(view: View, { signature, first, members }: FindingGroup, n: number): string[] {
  const { event, evidence } = first;
  const clause = event.clause === undefined ? '' : clauseText(event.clause);
  const log = evidence?.log ?? '';
  return [
    // In the line of an HTML block nothing is Markdown.
    `<details><summary>${n}. <b>${escapeHtml(oneLine(signature))}</b>, ${count(Math.max(...members.map((m) => m.event.count)), 'case')}</summary>`, '',
    md(event.why), '',
    ...(clause === '' ? [] : [`${mdCode(event.clause!)}: ${md(clause)}`, '']),
    `Shown by ${members.map((m) => `${mdCode(m.event.target)} (${m.event.confirmation.blame}, ${m.event.confirmation.shown} of ${m.event.confirmation.tried})`).join(', ')}; smallest: ${md(event.smallest)}.${event.known ? ` Known: ${md(event.known.reason)}.` : ''}`, '',
    ...(view.embargo || event.replay === '' ? [] : [...mdBlock(event.replay, 'sh'), '']),
    ...(log !== '' && (FINDING_KINDS.indexOf(event.kind) < 3 || event.kind === 'leak') ? [...mdBlock(log.slice(0, 4000)), ''] : []),
    '</details>', '',
  ];
}
