// SPDX-License-Identifier: MIT
/** `ovbd report`: a stored run in any of the forms that people and tools read. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, UsageError } from '../../model/index.ts';
import {
  oneLine, badgeJson, badgeSvg, errataTargets, errataText, feed, htmlReport, JunitReporter, KtapReporter, sarifText, summaryText, viewOf, writeAtomically, type View,
} from '../../reports/index.ts';
import { print, printLines } from '../print.ts';
import type { ReportFormat } from '../report-formats.ts';
import { drawnTally, examineLayer } from '../view-help.ts';


export interface ReportOptions {
  readonly format: ReportFormat;
  /** Where to write; absent or `-`: standard output. */
  readonly output?: string;
  readonly against?: readonly string[];
  /** Leave bytes of images, scripts and commands out. */
  readonly embargo?: boolean;
  /** Cases that are drawn again at the most. */
  readonly draw: number;
}

/** Exit code 0 wherever a report could be made, whatever it says. Throws `UsageError` where there is no run, or the file cannot be written. */
export async function report(folder: string, options: ReportOptions, signal: AbortSignal): Promise<number> {
  const { format, output } = options;
  // Only the matrix of clauses asks for what the cases touch.
  const wantsClauses = format === 'json' || format === 'html';
  const view = await viewOf(folder, {
    examine: examineLayer, embargo: options.embargo ?? false, against: options.against ?? [],
    ...(wantsClauses && { tallyOf: drawnTally(options.draw, signal) }),
  });
  signal.throwIfAborted();
  for (const problem of view.problems) process.stderr.write(`note: ${oneLine(problem)}\n`);
  if (format === 'errata' && output !== undefined && output !== '-' && !output.endsWith('.md')) return writeErrata(view, output, signal);
  const text = await textOf(view, format);
  if (output === undefined || output === '-') await print([text], signal);
  else writeOut(output, text);
  return EXIT.ok;
}

async function textOf(view: View, format: ReportFormat): Promise<string> {
  let text = '';
  const write = (more: string): void => void (text += more);
  switch (format) {
    case 'html': return htmlReport(view);
    case 'junit': feed(view, new JunitReporter(write)); return text;
    case 'ktap': feed(view, new KtapReporter(write)); return text;
    case 'sarif': return sarifText(view);
    case 'summary': return summaryText(view);
    case 'errata': return errataTargets(view).map((t) => errataText(view, t)).join('\n') || 'No errata: no finding of this run was shown again.\n';
    case 'badge': return badgeSvg(view);
    case 'badge-json': return badgeJson(view);
    case 'json': return `${JSON.stringify(view)}\n`;
  }
}

/** One page a target, into a folder. */
async function writeErrata(view: View, folder: string, signal: AbortSignal): Promise<number> {
  const used = new Set<string>();
  const written: string[] = [];
  for (const target of errataTargets(view)) {
    const plain = target.name.replace(/[^a-z0-9._+-]+/gi, '-').replace(/^\.+/, '') || 'target';
    let name = plain;
    for (let n = 2; used.has(name); n++) name = `${plain}-${n}`;
    used.add(name);
    const path = join(folder, `${name}.md`);
    writeOut(path, errataText(view, target), folder);
    written.push(path);
  }
  await printLines(written.length === 0 ? ['no errata: no finding of this run was shown again'] : written, signal);
  return EXIT.ok;
}

function writeOut(path: string, text: string, folder?: string): void {
  try {
    if (folder !== undefined) mkdirSync(folder, { recursive: true });
    writeAtomically(path, text);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    throw new UsageError(`${path}: cannot be written: ${code === 'ENOENT' ? 'no such folder' : code}`);
  }
}
