// SPDX-License-Identifier: MIT
/** The part of a log that a death or complaint is about, with the source lines of the module's frames. */
import type { Explanation } from '../../model/index.ts';
import { frameIn, placeText, type Symbols } from './frames.ts';
import { parseKernelLog } from './klog.ts';
import { hangTitle } from './klog-hang.ts';
import { linesOf, plainLine } from './klog-lines.ts';

/** Characters of an excerpt: KASAN's report with its three stacks has about 8000. */
const EXCERPT_LIMIT = 24_000;
/** Frames that are named, and lines of context above a report: what the kernel printed just before. */
const MAX_WHERE = 24;
const BEFORE = 3;

/**
 * What `log` says of the report with this title (of a hang: the stacks of the
 * agent and of all tasks inside the module); undefined where it holds no such report.
 */
export async function explain(log: string, title: string, symbols: Symbols): Promise<Explanation | undefined> {
  const lines = linesOf(log);
  const chosen = reportLines(log, lines, title, symbols) ?? hangLines(log, lines, title, symbols);
  if (chosen === undefined) return undefined;
  await symbols.load(chosen);
  const where: string[] = [];
  const text = chosen.map((line) => {
    const frame = frameIn(line);
    if (!symbols.own(frame)) return line;
    const places = symbols.places(frame).map(placeText);
    for (const place of places) if (!where.includes(place)) where.push(place);
    return places[0]!.includes(':') ? `${line} (${places.join(', inlined in ')})` : line;
  });
  return { where: where.slice(0, MAX_WHERE).map((place) => place.slice(0, 200)), report: clipped(text) };
}

function reportLines(log: string, lines: readonly string[], title: string, symbols: Symbols): string[] | undefined {
  const report = parseKernelLog(log, symbols.module).find((one) => one.title === title);
  return report === undefined ? undefined : lines.slice(Math.max(0, report.lines[0] - BEFORE), report.lines[1]);
}

/** The agent's own stack, every task that is inside the module, and the workqueues. */
function hangLines(log: string, lines: readonly string[], title: string, symbols: Symbols): string[] | undefined {
  if (hangTitle(log, symbols.module) !== title) return undefined;
  const plain = lines.map(plainLine);
  const begins = plain.flatMap((line, i) => (/^task:|^agent stack$|^workqueue \S+:|^Showing busy workqueues|^\[?<?NMI>?/.test(line) ? [i] : []));
  const kept = begins.flatMap((from, k) => {
    const part = lines.slice(from, begins[k + 1] ?? lines.length);
    const telling = plain[from] === 'agent stack' || part.some((line) => symbols.own(frameIn(line)) || line.includes(`[${symbols.module}]`));
    return telling ? part : [];
  });
  return kept.length > 0 ? kept : lines.slice(-60);
}

function clipped(lines: readonly string[]): string {
  const text = lines.join('\n').trimEnd();
  return text.length <= EXCERPT_LIMIT ? text : `${text.slice(0, EXCERPT_LIMIT)}\n... left out\n`;
}
