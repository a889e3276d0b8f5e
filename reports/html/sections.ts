// SPDX-License-Identifier: MIT
/** The parts of the page that stand in it as they are, so that it can be read without its script. */
import { FINDING_KINDS, VERDICT_KINDS, type Reached } from '../../model/index.ts';
import { clauseText } from '../clause-text.ts';
import { count, duration } from '../text.ts';
import type { FindingGroup } from '../view/groups.ts';
import type { ClauseCell, ClauseView, View } from '../view/view.ts';
import { anchorOf } from './data.ts';
import { html, type Markup } from './markup.ts';

/** A name with places where a line may break. */
export function breakable(name: string): Markup {
  return html`${name.split('/').map((part, i) => (i === 0 ? html`${part}` : html`/<wbr>${part}`))}`;
}

/** What was run, and how it ended. */
export function overview({ run, footer, problems }: View): Markup {
  const kinds = VERDICT_KINDS.filter((k) => run.targets.some((t) => footer?.verdicts[t.name]?.[k]));
  return html`<section aria-labelledby="h-overview" id="overview"><h2 id="h-overview">Overview</h2>
${problems.length > 0 && html`<div class="notes" role="note"><h3>To be known</h3><ul>${problems.map((p) => html`<li>${p}</li>`)}</ul></div>`}
${footer !== null && html`<div class="scroll" tabindex="0" role="region" aria-label="Verdicts of every target"><table class="numbers"><caption>Cases by verdict, a row a target</caption>
<thead><tr><th scope="col">Target</th>${kinds.map((k) => html`<th scope="col">${k}</th>`)}</tr></thead>
<tbody>${run.targets.map(({ name }) => html`<tr><th scope="row">${breakable(name)}</th>${kinds.map((k) => {
    const n = footer.verdicts[name]?.[k] ?? 0;
    return html`<td class="${n === 0 ? 'none' : `k-${k}`}">${n === 0 ? '·' : n}</td>`;
  })}</tr>`)}</tbody></table></div>`}
${run.skipped.length > 0 && html`<h3>Skipped</h3><ul>${run.skipped.map(({ target, reason }) => html`<li><code>${target}</code>: ${reason}</li>`)}</ul>`}
</section>`;
}

/** The list of findings; what is in each is made when it is opened. */
export function findingList(view: View, groups: readonly FindingGroup[]): Markup {
  const kinds = FINDING_KINDS.filter((k) => groups.some((g) => g.first.event.kind === k));
  return html`<section aria-labelledby="h-findings" id="findings"><h2 id="h-findings">Findings</h2>
${groups.length === 0 ? html`<p>${view.footer === null ? 'None so far; the run was not finished.' : 'None.'}</p>` : html`
<form class="filters" data-list="finding-list" data-status="finding-status" data-noun="finding"><label>Search <input type="search" name="text" autocomplete="off"></label>
<label>Kind <select name="kind"><option value="">all</option>${kinds.map((k) => html`<option>${k}</option>`)}</select></label>
<label>Target <select name="target"><option value="">all</option>${view.run.targets.map((t) => html`<option>${t.name}</option>`)}</select></label>
<output id="finding-status" aria-live="polite"></output></form>
<ol id="finding-list" class="findings">${groups.map((g) => findingItem(view, g))}</ol>`}</section>`;
}

function findingItem({ run }: View, { signature, first: { event }, members }: FindingGroup): Markup {
  const targets = members.map((m) => m.event.target);
  const sure = members.some((m) => m.event.confirmation.blame !== 'unreliable');
  const rest = signature.startsWith(`${event.kind}: `) ? signature.slice(event.kind.length + 2) : signature;
  const anchor = anchorOf(signature);
  return html`<li data-kind="${event.kind}" data-target="${targets.join('\n')}" data-text="${[signature, event.why, event.clause ?? '', event.firstCase].join(' ').toLowerCase()}">
<details id="finding-${anchor}" data-finding="${anchor}"><summary><span class="kind k-${event.kind}">${event.kind}</span> <strong>${rest}</strong>
<span class="why">${event.why}</span>
<span class="facts">${targets.length === run.targets.length || targets.length > 4 ? `${targets.length} of ${run.targets.length} targets` : targets.join(', ')} · ${count(Math.max(...members.map((m) => m.event.count)), 'case')} · ${event.smallest}${!sure && ' · not shown again'}${event.known !== undefined && ' · known'}</span></summary>
${event.clause !== undefined && html`<p class="clause"><a href="#clause-${event.clause}">${event.clause}</a> ${clauseText(event.clause)}</p>`}<div class="body"></div></details></li>`;
}

/** Clauses against targets. */
export function clauseMatrix({ clauses, run, touched }: View, anchors: ReadonlySet<string>): Markup {
  const families = [...new Set(clauses.map((c) => c.clause.id.split('-')[0]!))];
  return html`<section aria-labelledby="h-clauses" id="clauses"><h2 id="h-clauses">Clauses</h2>
<p>${touched ? `Of ${clauses.length} clauses the cases of this run are about ${clauses.filter((c) => c.exercised + c.violated > 0).length}.` : 'It is not known which clauses the cases are about: only what went wrong is shown.'}
In a cell: the worst verdict by the clause, how many cases, and the first that shows it; “–” where cases about it ran, but none of them was as expected and none failed by it; “·” where none ran.</p>
<form class="filters" data-list="clause-rows" data-status="clause-status" data-noun="clause"><label>Search <input type="search" name="text" autocomplete="off"></label>
<label>Part <select name="part"><option value="">all</option>${families.map((f) => html`<option>${f}</option>`)}</select></label>
<label>Show <select name="state"><option value="">all</option><option value="bad">with findings</option><option value="untouched">without cases</option></select></label>
<output id="clause-status" aria-live="polite"></output></form>
<div class="scroll tall" tabindex="0" role="region" aria-label="Clauses by target"><table class="matrix"><caption>A row a clause, a column a target</caption>
<thead><tr><th scope="col">Clause</th>${run.targets.map((t) => html`<th scope="col">${breakable(t.name)}</th>`)}</tr></thead>
<tbody id="clause-rows">${clauses.map((c) => clauseRow(c, run.targets.map((t) => t.name), anchors))}</tbody></table></div></section>`;
}

function clauseRow({ clause, exercised, violated, cells }: ClauseView, targets: readonly string[], anchors: ReadonlySet<string>): Markup {
  const bad = Object.values(cells).some((c) => (FINDING_KINDS as readonly string[]).includes(c.kind));
  const untouched = exercised + violated === 0 && Object.keys(cells).length === 0;
  return html`<tr id="clause-${clause.id}" tabindex="-1" data-part="${clause.id.split('-')[0]!}" data-state="${bad ? 'bad' : untouched ? 'untouched' : ''}" data-text="${`${clause.id} ${clause.text}`.toLowerCase()}">
<th scope="row"><span class="id">${clause.id}</span> <span class="level">${clause.level}${clause.contested && html`, <abbr title="${clause.why ?? ''}">contested</abbr>`}</span><span class="statement">${clause.text}</span>
<span class="facts">${exercised + violated > 0 && `${count(exercised, 'case')} lean on it, ${violated} break it`}</span></th>${targets.map((t) => clauseCell(Object.hasOwn(cells, t) ? cells[t] : undefined, exercised + violated > 0, anchors))}</tr>`;
}

function clauseCell(cell: ClauseCell | undefined, touched: boolean, anchors: ReadonlySet<string>): Markup {
  if (cell === undefined) return html`<td class="none">${touched ? '–' : '·'}</td>`;
  const { kind, cases, shownBy, signature, undeclared } = cell;
  const anchor = signature === undefined ? '' : anchorOf(signature);
  const words = `${kind.replace('-', ' ')}${cases > 0 ? ` ${cases}` : ''}`;
  return html`<td class="k-${kind}">${anchors.has(anchor) ? html`<a href="#finding-${anchor}">${words}</a>` : words}
<a class="case" href="#case-${shownBy}">${shownBy}</a>${undeclared && html`<small title="It takes the other side of a contested point and declares neither.">other side</small>`}</td>`;
}

function ratio(part: number, all: number): Markup {
  return html`<td>${part} of ${all}</td><td>${all === 0 ? '' : `${((100 * part) / all).toFixed(1)} %`}</td>`;
}

/** What the run reached of the sources under test. */
export function coverageSection({ coverage }: View): Markup {
  if (coverage.length === 0) return html``;
  const cells = (r: Reached): Markup => html`${ratio(r.lines, r.allLines)}${ratio(r.branches, r.allBranches)}`;
  return html`<section aria-labelledby="h-coverage" id="coverage"><h2 id="h-coverage">Code reached</h2>
${coverage.map((c) => html`<details><summary>${c.target}: ${c.total.lines} of ${c.total.allLines} lines, ${c.total.branches} of ${c.total.allBranches} branches</summary>
<div class="scroll" tabindex="0" role="region" aria-label="Files of ${c.target}"><table class="numbers"><thead><tr><th scope="col">File</th><th scope="col" colspan="2">Lines</th><th scope="col" colspan="2">Branches</th><th scope="col">Never called</th></tr></thead>
<tbody>${c.files.map((f) => html`<tr><th scope="row">${f.file}</th>${cells(f.reached)}<td class="words">${f.uncalled.join(', ')}</td></tr>`)}</tbody></table></div></details>`)}</section>`;
}

/** Beside earlier runs. */
export function trendSection({ trend }: View): Markup {
  if (trend.length === 0) return html``;
  const list = (title: string, all: readonly string[]): Markup | false => all.length > 0 && html`<p>${title}:</p><ul>${all.map((s) => html`<li><a href="#finding-${anchorOf(s)}">${s}</a></li>`)}</ul>`;
  return html`<section aria-labelledby="h-trend" id="trend"><h2 id="h-trend">Trend</h2>
${trend.map((t) => html`<h3>Against ${t.run}</h3>${!t.sameCases && html`<p>Not the same cases (${t.why.join('; ')}): what is missing was not seen, which is not to say that it was fixed.</p>`}
<div class="scroll" tabindex="0" role="region" aria-label="Against ${t.run}"><table class="numbers"><thead><tr><th scope="col">Target</th><th scope="col">New</th><th scope="col">${t.sameCases ? 'Fixed' : 'Not seen'}</th><th scope="col">Still there</th></tr></thead>
<tbody>${t.columns.map((c) => html`<tr><th scope="row">${breakable(c.target)}${c.earlier !== c.target && ` (then ${c.earlier})`}</th><td>${c.newOnes.length}</td><td>${c.fixed.length}</td><td>${c.still}</td></tr>`)}</tbody></table></div>
${list('New', [...new Set(t.columns.flatMap((c) => c.newOnes))])}${list(t.sameCases ? 'Fixed' : 'Not seen', [...new Set(t.columns.flatMap((c) => c.fixed))])}`)}</section>`;
}

/** Speed, and what exactly was run. */
export function aboutSection({ run, footer }: View): Markup {
  return html`<section aria-labelledby="h-about" id="about"><h2 id="h-about">Speed and identity</h2>
${footer !== null && html`<p>${count(footer.cases, 'case')} in ${duration(footer.seconds)}, shrinking and confirming included. Case stream <code class="long">${footer.caseStream}</code>.</p>
<table class="numbers"><caption>Cases a second of each target's own time, without shrinking</caption><thead><tr><th scope="col">Target</th><th scope="col">Cases a second</th></tr></thead>
<tbody>${run.targets.map(({ name }) => html`<tr><th scope="row">${breakable(name)}</th><td>${(footer.rates[name] ?? 0).toFixed(1)}</td></tr>`)}</tbody></table>`}
${run.targets.map((t) => html`<details><summary>${t.name}</summary><p>${t.description}</p><dl>${Object.entries(t.parts).map(([key, value]) => html`<dt>${key}</dt><dd>${value}</dd>`)}</dl></details>`)}</section>`;
}
