// SPDX-License-Identifier: MIT
/** The report as one page that needs nothing else: no network, no other file, and a policy that lets nothing in. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { count } from '../text.ts';
import { groupsOf } from '../view/groups.ts';
import type { View } from '../view/view.ts';
import { anchorOf, pageData } from './data.ts';
import { html, scriptJson, type Markup } from './markup.ts';
import { aboutSection, clauseMatrix, coverageSection, findingList, overview, trendSection } from './sections.ts';

/** The scripts, in the order in which they run; they share one function's scope. */
const SCRIPTS = ['dom.js', 'hex.js', 'finding.js', 'cases.js', 'page.js'];

function own(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** The whole page. Everything that a run holds is escaped or stands in JSON; styles and scripts are allowed by their hashes alone. */
export function htmlReport(view: View): string {
  const groups = groupsOf(view);
  const style = own('style.css');
  const script = `(() => {\n'use strict';\n${SCRIPTS.map(own).join('\n')}})();\n`;
  const policy = `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; img-src data:; base-uri 'none'; form-action 'none'`;
  const { run, footer } = view;
  const state = footer === null ? 'not a whole run' : `${count(groups.length, 'finding')} in ${count(footer.cases, 'case')}`;
  const sections: readonly (readonly [id: string, title: string])[] = [
    ['overview', 'Overview'], ['findings', 'Findings'], ['clauses', 'Clauses'], ['cases', 'Cases'],
    ...(view.coverage.length > 0 ? [['coverage', 'Code reached'] as const] : []), ...(view.trend.length > 0 ? [['trend', 'Trend'] as const] : []), ['about', 'Speed and identity'],
  ];
  const page = html`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">
<title>OverlayBD conformance: ${state}</title><link rel="icon" href="data:,"><style>${raw(style)}</style></head>
<body><a class="skip" href="#main">To the report</a>
<header><div class="title"><h1>OverlayBD conformance</h1><p class="state">${state}</p></div>
<p class="run">${run.suite} · ${run.corpus === undefined ? `seed ${run.seed}` : `corpus ${run.corpus}`} · ${count(run.targets.length, 'target')}${view.embargo && ' · without images: embargo'}</p>
<nav aria-label="Parts of the report"><ul>${sections.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
<button type="button" id="theme" hidden>Dark</button></header>
<main id="main" tabindex="-1">${overview(view)}${findingList(view, groups)}${clauseMatrix(view, new Set(groups.map((g) => anchorOf(g.signature))))}
${caseSection(view)}${coverageSection(view)}${trendSection(view)}${aboutSection(view)}</main>
<footer><p>Made by ovbd report. Everything shown is in this file.</p></footer><div id="said" class="said" role="status" aria-live="polite"></div>
<noscript><p class="notes">Without scripts the evidence of findings and the list of cases are not shown.</p></noscript>
<script type="application/json" id="data">${scriptJson(pageData(view, groups))}</script><script>${raw(script)}</script></body></html>
`;
  return page.markup;
}

/** Ours, and held to what may stand in a style or script element by a test. */
function raw(text: string): Markup {
  return { markup: text };
}

function caseSection({ run }: View): Markup {
  return html`<section aria-labelledby="h-cases" id="cases"><h2 id="h-cases">Cases</h2>
<form class="filters" id="case-filter"><label>Search <input type="search" name="text" autocomplete="off"></label>
<label>Kind <select name="kind"><option value="">all</option></select></label>
<label>Target <select name="target"><option value="">any</option>${run.targets.map((t) => html`<option>${t.name}</option>`)}</select></label>
<label>Class <select name="class"><option value="">all</option><option>valid</option><option>invalid</option><option>permissive</option></select></label>
<output id="case-status" aria-live="polite"></output></form>
<div class="scroll tall" tabindex="0" role="region" aria-label="Cases by target"><table class="matrix cases"><caption>A row a case, a column a target</caption>
<thead><tr><th scope="col">Case</th><th scope="col">Class</th>${run.targets.map((t) => html`<th scope="col">${t.name}</th>`)}</tr></thead><tbody id="case-rows"></tbody></table></div>
<p><button type="button" id="more-cases" hidden>More cases</button></p></section>`;
}
