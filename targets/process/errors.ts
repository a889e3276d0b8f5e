// SPDX-License-Identifier: MIT
/**
 * What a target complained of, read from its standard error: sanitizers, panics,
 * assertions. Each report gets a title that is the same on every run, made of
 * its kind and the first frame of the target's own code. Text in, data out.
 */
import { ERROR_PATTERNS, ownFrame, type ErrorKind, type ErrorPattern } from './error-patterns.ts';
import { plainTitle } from './messages.ts';

export interface ErrorReport {
  readonly kind: ErrorKind;
  /** `heap-buffer-overflow in zfile_open`. */
  readonly title: string;
  /** It names a death, and is nothing by itself. */
  readonly deathOnly: boolean;
}

/** Lines of one report that are searched for a frame, and reports of one log. */
const REPORT_LINES = 80;
const MOST_REPORTS = 20;
const LINE = 2000;
/** From here on a report shows other stacks than that of the event. */
const OTHER_STACKS = /^(?:0x[0-9a-f]+ is located|freed by thread|previously allocated by|allocated by thread|  (?:Previous|Location|Mutex|Thread) |SUMMARY: |Shadow bytes|created by |== ?\d+== {2}Address 0x)/;

/** All reports of a log, in its order, each once. */
export function errorReports(log: string): ErrorReport[] {
  const lines = log.split('\n').map((line) => line.slice(0, LINE).replaceAll(/\u001b\[[0-9;]*[A-Za-z]/g, '').trimEnd());
  const reports: ErrorReport[] = [];
  for (const [i, line] of lines.entries()) {
    // A summary repeats what was said; a frame is part of what was.
    if (/^\s*#\d|^SUMMARY: |DEADLYSIGNAL|nested bug|HINT:/.test(line)) continue;
    const found = firstMatch(line);
    if (!found || reports.length === MOST_REPORTS) continue;
    const report = reportOf(found.pattern, found.match, lines, i);
    if (!reports.some((r) => r.title === report.title && r.kind === report.kind)) reports.push(report);
  }
  // Leaks of a program that was ended by something else are that one's.
  return reports.some((r) => !r.deathOnly && r.kind !== 'leak') ? reports.filter((r) => r.kind !== 'leak') : reports;
}

function firstMatch(line: string): { pattern: ErrorPattern; match: RegExpExecArray } | undefined {
  for (const pattern of ERROR_PATTERNS) {
    const match = pattern.match.exec(line);
    if (match) return { pattern, match };
  }
  return undefined;
}

function reportOf(pattern: ErrorPattern, match: RegExpExecArray, lines: readonly string[], at: number): ErrorReport {
  const name = pattern.name(match);
  const kind = typeof pattern.kind === 'function' ? pattern.kind(name) : pattern.kind;
  const title = pattern.deathOnly ? exceptionTitle(name, lines, at) : titled(name, firstOwnFrame(lines, at) ?? pattern.where?.(match));
  return { kind, title: plainTitle(title), deathOnly: pattern.deathOnly ?? false };
}

function titled(name: string, where: string | undefined): string {
  return where === undefined ? name : `${name} in ${where}`;
}

function firstOwnFrame(lines: readonly string[], at: number): string | undefined {
  for (const line of lines.slice(at + 1, at + 1 + REPORT_LINES)) {
    if (OTHER_STACKS.test(line)) return undefined;
    const frame = ownFrame(line);
    if (typeof frame === 'string') return frame;
    if (frame === undefined && firstMatch(line)) return undefined;
  }
  return undefined;
}

/** Python names the exception after the stack, whose last frame is where it was raised; Node before it. */
function exceptionTitle(name: string, lines: readonly string[], at: number): string {
  const after = lines.slice(at + 1, at + 1 + REPORT_LINES);
  if (name !== 'exception') {
    const node = after.map((l) => /^\s+at (?:async )?(?:new )?([\w.<>$#]+) \((?!node:)/.exec(l)?.[1]).find((f) => f !== undefined);
    return titled(name, node);
  }
  const end = after.findIndex((l) => /^\w/.test(l));
  const frames = after.slice(0, end < 0 ? undefined : end).flatMap((l) => /^ +File ".*", line \d+, in (\S+)/.exec(l)?.[1] ?? []);
  const raised = /^[\w.]+/.exec(after[end] ?? '')?.[0] ?? name;
  return titled(raised, frames.at(-1));
}
