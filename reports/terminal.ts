// SPDX-License-Identifier: MIT
/** What people see of a run: what runs, how far it is, and at the end the matrix, the findings and the footer. */
import {
  VERDICT_KINDS, isFindingKind,
  type Event, type FindingEvent, type FooterEvent, type MatrixEvent, type Reporter, type RunEvent, type VerdictKind,
} from '../model/index.ts';
import { matrixLines } from './matrix-text.ts';
import { OverviewCounter, overviewLines } from './overview.ts';
import { count, duration, oneLine, wrap } from './text.ts';

/** Columns; replay commands alone may be longer, so that they can be copied. */
const WIDTH = 100;
/** Milliseconds between two lines of progress: on a terminal, and in a log. */
const EVERY = { terminal: 100, log: 10_000 } as const;

/** How far a run is; the engine's `Progress` has this shape. */
export interface ProgressLine {
  readonly phase: string;
  readonly target: string;
  readonly done: number;
  readonly total: number;
  readonly findings: number;
}

export interface TerminalOptions {
  readonly write: (text: string) => void;
  /** Progress overwrites one line; otherwise it is a plain line now and then. */
  readonly isTTY: boolean;
  readonly colour: boolean;
  /** No progress. */
  readonly quiet: boolean;
  /** Milliseconds; for tests. */
  readonly now?: () => number;
}

const RED = '31';
const GREEN = '32';
const YELLOW = '33';
const BOLD = '1';

export class TerminalReporter implements Reporter {
  readonly #options: TerminalOptions;
  readonly #now: () => number;
  readonly #findings: FindingEvent[] = [];
  readonly #matrices: MatrixEvent[] = [];
  readonly #counter = new OverviewCounter();
  #lastProgress: number;
  #lineOpen = false;
  #footer = false;

  constructor(options: TerminalOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#lastProgress = this.#now();
  }

  event(event: Event): void {
    this.#counter.event(event);
    if (event.type === 'run') this.#run(event);
    if (event.type === 'finding') this.#findings.push(event);
    if (event.type === 'matrix') this.#matrices.push(event);
    if (event.type === 'footer') this.#end(event);
  }

  /** Shows how far the run is, not more often than is good for the reader. */
  progress(p: ProgressLine): void {
    if (this.#options.quiet) return;
    const now = this.#now();
    if (now - this.#lastProgress < (this.#options.isTTY ? EVERY.terminal : EVERY.log)) return;
    this.#lastProgress = now;
    const text = oneLine(`${p.phase} ${p.target} ${p.done}/${p.total}, ${count(p.findings, 'finding')}`).slice(0, WIDTH - 1);
    if (this.#options.isTTY) {
      this.#options.write(`\r\x1b[K${text}`);
      this.#lineOpen = true;
    } else {
      this.line(text);
    }
  }

  /** Prints one line, above the progress line where there is one. */
  line(text: string): void {
    this.#clear();
    this.#options.write(`${text}\n`);
  }

  close(): void {
    this.#clear();
    if (!this.#footer) this.line(this.#paint(RED, 'the run ended without its footer: this is not a report'));
  }

  #clear(): void {
    if (this.#lineOpen) this.#options.write('\r\x1b[K');
    this.#lineOpen = false;
  }

  #paint(code: string, text: string): string {
    return this.#options.colour ? `\x1b[${code}m${text}\x1b[0m` : text;
  }

  #run(run: RunEvent): void {
    this.line(this.#paint(BOLD, oneLine(`${run.suite}: ${run.corpus === undefined ? `seed ${run.seed}` : `corpus ${run.corpus}`}, ${count(run.cases, 'case')}${run.largeEvery === undefined ? '' : `, images above 1 MiB in one of ${run.largeEvery} at the most`}`)));
    const width = Math.max(7, ...run.targets.map((t) => t.name.length));
    for (const t of run.targets) this.#entry('', `${t.name.padEnd(width)}  `, t.description);
    for (const s of run.skipped) this.#entry(YELLOW, `${'skipped'.padEnd(width)}  `, `${s.target}: ${s.reason}`);
  }

  /** A head, and text that is wrapped beside it. */
  #entry(colour: string, head: string, text: string): void {
    wrap(oneLine(text), WIDTH - head.length).forEach((part, i) => {
      const start = i === 0 ? head : ' '.repeat(head.length);
      this.line((colour ? this.#paint(colour, start) : start) + part);
    });
  }

  #end(footer: FooterEvent): void {
    this.#footer = true;
    this.line('');
    this.#matrix(footer);
    this.#list();
    this.#overview(footer);
    this.#summary(footer);
  }

  #matrix(footer: FooterEvent): void {
    const rows = Object.entries(footer.verdicts);
    const kinds = VERDICT_KINDS.filter((k) => k === 'pass' || rows.some(([, counts]) => counts[k]));
    const names = Math.max(6, ...rows.map(([name]) => name.length));
    const heads = kinds.map((k) => HEADS[k]);
    const width = (i: number): number => Math.max(heads[i]![0].length, heads[i]![1].length,
      ...rows.map(([, counts]) => String(counts[kinds[i]!] ?? 0).length));
    for (const row of [0, 1] as const) {
      const text = (row === 0 ? '' : 'target').padEnd(names) + heads.map((h, i) => `  ${h[row].padStart(width(i))}`).join('');
      if (text.trim()) this.line(this.#paint(BOLD, text.trimEnd()));
    }
    for (const [name, counts] of rows) {
      const cells = kinds.map((kind, i) => {
        const n = counts[kind] ?? 0;
        const cell = String(n || '·').padStart(width(i));
        const colour = n === 0 ? '' : isFindingKind(kind) ? RED : kind === 'pass' ? GREEN : YELLOW;
        return `  ${colour ? this.#paint(colour, cell) : cell}`;
      });
      this.line(oneLine(name).padEnd(names) + cells.join(''));
    }
  }

  #list(): void {
    // What did not show itself again stands last, whatever it looked like.
    const rank = (f: FindingEvent): number => VERDICT_KINDS.indexOf(f.kind) + (f.confirmation.blame === 'unreliable' ? VERDICT_KINDS.length : 0);
    this.#findings.sort((a, b) => rank(a) - rank(b) || b.count - a.count || (a.signature < b.signature ? -1 : 1));
    const numbers = new Map<string, number>();
    for (const found of this.#grouped()) {
      const [f] = found as [FindingEvent];
      const { shown, tried, blame, processors } = f.confirmation;
      const row = this.#rowOf(f);
      const number = numbers.size + 1;
      numbers.set(row === undefined ? String(number) : `${row.family} ${f.signature}`, number);
      this.line('');
      // Signatures begin with their kind.
      this.#entry(RED, `${String(number).padStart(3)}. `, f.signature);
      const where = row === undefined ? [f.target] : [`in ${found.map((x) => `${x.target} (${x.count})`).join(', ')}`];
      const facts = [...where, ...(f.clause ? [f.clause] : []), count(found.reduce((sum, x) => sum + x.count, 0), 'case'), `first ${f.firstCase}`,
        `${blame}, shown ${shown} of ${tried}${processors === undefined ? '' : ` on ${processors} processors`}`, `smallest: ${f.smallest}`];
      const label = found.every((x) => x.label !== undefined) ? [f.label!] : [];
      const known = found.flatMap((x) => (x.known === undefined ? [] : [`known: ${x.known.reason}${x.known.link === undefined ? '' : ` (${x.known.link})`}`])).slice(0, 1);
      const apart = found.flatMap((x) => (x.quarantined === undefined ? [] : [`in quarantine until ${x.quarantined.until.slice(0, 10)}: ${x.quarantined.reason}`])).slice(0, 1);
      for (const text of [...label, ...known, ...apart, facts.join(' · '), ...(row?.absent ? [`not in ${row.absent}`] : []), f.why]) this.#entry('', '     ', text);
      this.line(`     ${oneLine(f.replay)}`);
    }
    for (const matrix of this.#matrices) {
      if (matrix.rows.length === 0) continue;
      this.line('');
      for (const line of matrixLines(matrix, WIDTH, (signature) => numbers.get(`${matrix.family} ${signature}`))) this.line(line);
    }
  }

  /** All targets beside each other, where no matrix of findings has them all and they are more than two. */
  #overview(footer: FooterEvent): void {
    const { columns } = this.#counter;
    const overview = this.#counter.overview(footer);
    if (columns.length < 3 || overview.rows.length === 0 || this.#matrices.some((m) => m.columns.length === columns.length)) return;
    this.line('');
    for (const line of overviewLines(overview)) this.line(line.length <= WIDTH ? line : `${line.slice(0, WIDTH - 1)}…`);
  }

  /** Findings of one signature on the columns of one matrix stand together, in the order of the columns. */
  #grouped(): FindingEvent[][] {
    const groups = new Map<string, FindingEvent[]>();
    for (const f of this.#findings) {
      const row = this.#rowOf(f);
      const key = row === undefined ? `${f.target}\0${f.signature}` : `${row.family}\0\0${f.signature}`;
      groups.set(key, [...(groups.get(key) ?? []), f]);
    }
    for (const group of groups.values()) {
      const columns = this.#rowOf(group[0]!)?.columns ?? [];
      group.sort((a, b) => columns.indexOf(a.target) - columns.indexOf(b.target));
    }
    return [...groups.values()];
  }

  /** Where a finding stands in a matrix; undefined where its target is compared with none. */
  #rowOf(f: FindingEvent): { family: string; columns: readonly string[]; absent: string } | undefined {
    const matrix = this.#matrices.find((m) => m.columns.includes(f.target));
    const cells = Object.entries(matrix?.rows.find((r) => r.signature === f.signature)?.cells ?? {});
    const absent = cells.filter(([, cell]) => cell.state === 'absent').map(([name, cell]) => `${name} (${cell.instead})`).join(', ');
    return matrix && { family: matrix.family, columns: matrix.columns, absent };
  }

  #summary(footer: FooterEvent): void {
    const rates = Object.entries(footer.rates).map(([name, rate]) => `${name} ${rate.toFixed(1)}/s`).join(', ');
    this.line('');
    for (const pass of footer.unexpectedPasses ?? []) {
      this.#entry(RED, 'unexpected pass  ', `${pass.target} no longer shows ${pass.signature} on ${pass.cases.join(', ')}: take it from its known failures (${pass.reason})`);
    }
    const distinct = this.#matrices.length > 0 ? ` (${this.#grouped().filter((g) => g.some((f) => f.confirmation.blame !== 'unreliable')).length} distinct)` : '';
    const apart = footer.unreliable > 0 ? ` (and ${footer.unreliable} not shown again)` : '';
    this.#entry('', '', `${count(footer.findings, 'finding')}${distinct}${footer.known === undefined ? '' : `, ${footer.known === footer.findings ? 'all' : footer.known} known`}${apart} in ${count(footer.cases, 'case')}, ${duration(footer.seconds)}`
      + `${rates && ` (cases a second: ${rates})`}${footer.complete ? '' : '; stopped before the end'}`);
    this.line(`case stream ${footer.caseStream}`);
  }
}

/** Column heads in two lines, so that all kinds fit in the width. */
const HEADS: Record<VerdictKind, readonly [string, string]> = {
  'crash': ['', 'crash'],
  'hang': ['', 'hang'],
  'memory': ['', 'memory'],
  'corruption': ['corrup-', 'tion'],
  'accepts-invalid': ['accepts', 'invalid'],
  'refuses-valid': ['refuses', 'valid'],
  'leak': ['', 'leak'],
  'docs': ['', 'docs'],
  'engine-error': ['engine', 'error'],
  'unsupported': ['unsup-', 'ported'],
  'pass': ['', 'pass'],
};
