// SPDX-License-Identifier: MIT
/** Coverage as one page that needs nothing else: the sources with their counts. */
import type { FileCoverage, LineCoverage, SourceCoverage } from '../model/index.ts';
import { notesOf, percent, reachedOf } from './coverage-text.ts';
import { manyLines } from './text.ts';

const STYLE = `body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}th,td{padding:2px 12px;text-align:right}
th:first-child,td:first-child{text-align:left}pre{line-height:1.35}i{font-style:normal;color:#777}
.hit{background:#e2f5e2}.part{background:#fff3cd}.miss{background:#fbdcdc}
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}.hit{background:#153d15}.part{background:#4d4010}.miss{background:#561c1c}}`;

/** The whole page. All text of the sources is escaped; there is no script. */
export function coverageHtml(target: string, coverage: SourceCoverage): string {
  const { files } = coverage;
  const rows = [...files.map((f, i) => row(`<a href="#f${i}">${escape(f.file)}</a>`, [f])), row('all', files)];
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Coverage of ${escape(target)}</title><style>${STYLE}</style></head><body>
<h1>Coverage of ${escape(target)}</h1>
<p>${notesOf(coverage).map(escape).join('<br>')}</p>
<table><tr><th>file</th><th>lines</th><th></th><th>branches</th><th></th></tr>${rows.join('')}</table>
<p><span class="hit">reached</span>, <span class="part">reached, but not every branch of it</span>, <span class="miss">not reached</span>.
Before each line: its number, how often it ran, branches taken of all.</p>
${files.map((f, i) => `<h2 id="f${i}">${escape(f.file)}</h2>\n<pre>${source(f)}</pre>`).join('\n')}
</body></html>
`;
}

function row(name: string, files: readonly FileCoverage[]): string {
  const r = reachedOf(files);
  return `<tr><td>${name}</td><td>${r.lines}/${r.allLines}</td><td>${percent(r.lines, r.allLines)}</td><td>${r.branches}/${r.allBranches}</td><td>${percent(r.branches, r.allBranches)}</td></tr>`;
}

function source({ text, lines }: FileCoverage): string {
  const counts = new Map(lines.map((l) => [l.line, l]));
  return manyLines(text).split('\n').map((line, i) => {
    const c = counts.get(i + 1);
    const ways = c === undefined || c.branches.length === 0 ? '' : `${c.branches.filter((n) => n > 0).length}/${c.branches.length}`;
    const margin = `${String(i + 1).padStart(5)} ${(c === undefined ? '' : String(c.count)).padStart(10)} ${ways.padStart(7)}  `;
    return `<i>${margin}</i>${c === undefined ? escape(line) : `<span class="${kindOf(c)}">${escape(line) || ' '}</span>`}`;
  }).join('\n');
}

function kindOf({ count, branches }: LineCoverage): string {
  if (count === 0) return 'miss';
  return branches.some((n) => n === 0) ? 'part' : 'hit';
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
