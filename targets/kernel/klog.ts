// SPDX-License-Identifier: MIT
/**
 * What the kernel complained of, read from its log in syzkaller's manner: each
 * report gets a title that is the same on every boot, made of a short kind and
 * the first frame of the code under test. Pure text in, plain data out.
 */
import { PATTERNS, SEVERITIES, type Pattern, type ReportKind } from './klog-patterns.ts';
import { frameOf, headFrame, linesOf, plainLine, telling, type Frame } from './klog-lines.ts';

export { type ReportKind } from './klog-patterns.ts';

export interface Report {
  readonly kind: ReportKind;
  /** Such as `page-fault in lsmt_bioremap`: no addresses, no numbers that change between boots. */
  readonly title: string;
  /** False for what an honest target can meet too, such as a guest out of memory. */
  readonly blamed: boolean;
  /** 0 is the worst: what most likely came first where one thing led to another. */
  readonly severity: number;
  /** Lines of the log that belong to it, from the first up to and without the second. */
  readonly lines: readonly [number, number];
}

/** Lines of one report at most; an oops with all its registers is about 60, KASAN's with three stacks about 120. */
const MAX_REPORT_LINES = 160;
/** What ends the report of a trace, of a panic, and of a sanitizer. */
const END = /---\[ end (?:trace|Kernel panic)|^={20,}$/;
/** From here on a report shows other stacks than that of the event: where the memory came from. */
const OTHER_STACKS = /^(?:Allocated by task|Freed by task|Last potentially related work|Second to last potentially|The buggy address belongs|which belongs to the cache|Uninit was (?:stored|created)|the existing dependency chain|Memory state around)/;
/** Another report begins. */
const NEXT = /^(?:WARNING: |BUG: |INFO: task |UBSAN: |Oops: |------------\[ cut here)/;

/**
 * All reports of a kernel log, in its order: lines as /dev/kmsg or the console
 * give them, with or without `<level>` and time stamps. `module` is the module
 * under test, if there is one.
 */
export function parseKernelLog(log: string, module?: string): Report[] {
  const lines = linesOf(log).map(plainLine);
  const reports: Report[] = [];
  /** The report whose trace the current line may belong to. */
  let until = -1;
  let last: { pattern: Pattern; at: number } | undefined;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (line === '' || frameOf(line) !== undefined) continue;
    const found = classify(line);
    if (found === undefined) {
      if (/---\[ end (?:trace|Kernel panic)/.test(line)) until = -1;
      continue;
    }
    const { pattern, match } = found;
    if (pattern.consequence === true && (i < until || reports.some((report) => report.blamed && report.kind !== 'leak'))) continue;
    // An oops says the same thing more than once before its trace ends.
    if (last !== undefined && i < until && last.pattern.kind === pattern.kind && last.pattern.name === pattern.name) continue;
    const end = endOf(lines, i);
    // kernel BUG, and the invalid opcode that it is made of.
    const where = pattern.bare === true ? undefined : telling(framesOf(lines, i, end), module)?.name;
    const name = nameOf(pattern, match, lines, i);
    const title = where === undefined ? name : `${name} in ${where}`;
    const report = {
      kind: pattern.kind, title, blamed: pattern.blamed !== false, severity: SEVERITIES.indexOf(pattern.severity), lines: [i, pattern.bare === true ? i + 1 : end] as const,
    };
    if (!reports.some((other) => other.title === report.title && other.kind === report.kind)) reports.push(report);
    last = { pattern, at: i };
    until = Math.min(lines.length, i + MAX_REPORT_LINES);
  }
  return reports;
}

function classify(line: string): { pattern: Pattern; match: RegExpExecArray } | undefined {
  for (const pattern of PATTERNS) {
    const match = pattern.match.exec(line);
    if (match !== null) return { pattern, match };
  }
  return undefined;
}

function nameOf({ name, detail }: Pattern, match: RegExpExecArray, lines: readonly string[], at: number): string {
  let groups = match.slice(1);
  let text = name;
  if (detail !== undefined) {
    const near = detail.lines < 0 ? lines.slice(Math.max(0, at + detail.lines), at) : lines.slice(at + 1, at + 1 + detail.lines);
    const more = near.map((line) => detail.match.exec(line)).find((found) => found !== null);
    if (more) {
      groups = [...groups, ...more.slice(1)];
      text = detail.name;
    }
  }
  return text
    .replace(/\$(\d)/g, (_, n: string) => groups[Number(n) - 1] ?? '')
    .trim()
    .toLowerCase()
    // What follows the words (numbers, addresses) differs from boot to boot.
    .replace(/\b0x[0-9a-f]+\b|\b\d+\b/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
}

/** The line after a report's last one. */
function endOf(lines: readonly string[], start: number): number {
  const limit = Math.min(lines.length, start + MAX_REPORT_LINES);
  let frames = 0;
  for (let i = start + 1; i < limit; i++) {
    const line = lines[i]!;
    if (END.test(line)) return i + 1;
    if (frameOf(line) !== undefined) frames++;
    else if (frames > 0 && NEXT.test(line)) return i;
  }
  return limit;
}

/** Frames of the event itself, in a report of the lines from `start` to before `end`. */
function framesOf(lines: readonly string[], start: number, end: number): Frame[] {
  const frames: Frame[] = [];
  const head = headFrame(lines[start]!);
  if (head !== undefined) frames.push(head);
  for (let i = start + 1; i < end; i++) {
    const line = lines[i]!;
    if (frames.length > 0 && OTHER_STACKS.test(line)) break;
    const frame = frameOf(line);
    if (frame !== undefined) frames.push(frame);
  }
  return frames;
}

/** Reports that may be blamed, the worst first, of equal ones the earlier. */
export function blamedReports(log: string, module?: string): Report[] {
  return parseKernelLog(log, module).filter((report) => report.blamed).sort((a, b) => a.severity - b.severity || a.lines[0] - b.lines[0]);
}

/** What a kernel died of: the worst report that is no leak; undefined where the log shows none. */
export function deathReport(log: string, module?: string): Report | undefined {
  return blamedReports(log, module).find((report) => report.kind !== 'leak');
}

/** True where the kernel died of having no memory left, which we do not blame on anyone. */
export function diedOfMemory(log: string): boolean {
  return /Kernel panic - not syncing: .*(?:[Oo]ut of memory|deadlocked on memory)/.test(log);
}
