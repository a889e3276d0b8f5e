// SPDX-License-Identifier: MIT
/**
 * What the kernel complained of, read from its log in syzkaller's manner: each
 * report gets a title that is the same on every boot, made of a short kind and
 * the first frame of the code under test. Pure text in, plain data out.
 */

export type ReportKind = 'crash' | 'hang' | 'memory' | 'leak';

export interface Report {
  readonly kind: ReportKind;
  /** Such as `page-fault in lsmt_bioremap`: no addresses, no numbers that change between boots. */
  readonly title: string;
  /** False for what an honest target can meet too, such as a guest out of memory. */
  readonly blamed: boolean;
}

interface Pattern {
  readonly match: RegExp;
  readonly kind: ReportKind;
  /** The short kind; `$1` and so on take from the match. */
  readonly name: string;
  /** Does not say where: no frame is looked for. */
  readonly bare?: true;
  readonly blamed?: false;
  /** Only the consequence of an earlier report: counts when there is none. */
  readonly consequence?: true;
}

/** In order; the first that matches a line names it. */
const PATTERNS: readonly Pattern[] = [
  { match: /\bout_of_memory\b.*deadlocked|System is deadlocked on memory|invoked oom-killer|Out of memory(?: \(|:| and no killable)/, kind: 'crash', name: 'out-of-memory', bare: true, blamed: false },
  { match: /page allocation failure|vmalloc error:|vmap allocation for size \d+ failed/, kind: 'crash', name: 'allocation-failure', bare: true, blamed: false },

  { match: /BUG: KASAN: ([\w-]+)/, kind: 'memory', name: 'kasan-$1' },
  { match: /BUG: KFENCE: ([\w-]+(?: [\w-]+)?)/, kind: 'memory', name: 'kfence-$1' },
  { match: /BUG: KMSAN: ([\w-]+)/, kind: 'memory', name: 'kmsan-$1' },
  { match: /UBSAN: ([\w-]+)/, kind: 'memory', name: 'ubsan-$1' },
  { match: /BUG ([\w-]+) \(.*\): Objects remaining in/, kind: 'leak', name: 'objects-remaining', bare: true },
  { match: /Objects remaining in (\S+)/, kind: 'leak', name: 'objects-remaining', bare: true },
  { match: /BUG ([\w.:-]+) ?\((?:.*)\): ([A-Za-z][\w -]*)/, kind: 'memory', name: 'slub-$2' },
  { match: /unreferenced object 0x/, kind: 'leak', name: 'unreferenced-object' },
  { match: /dm_put_device call missing/, kind: 'leak', name: 'dm-device-not-put', bare: true },
  { match: /bufio: leaked buffer|dm-bufio.*leaked/, kind: 'leak', name: 'bufio-buffer-leaked', bare: true },

  // One name for both: whether a wild pointer is near zero is a matter of what happened to lie in memory.
  { match: /BUG: kernel NULL pointer dereference/, kind: 'crash', name: 'page-fault' },
  { match: /BUG: unable to handle (?:page fault|kernel paging request)/, kind: 'crash', name: 'page-fault' },
  { match: /general protection fault/, kind: 'crash', name: 'general-protection-fault' },
  { match: /kernel BUG at/, kind: 'crash', name: 'kernel-bug' },
  { match: /divide error:/, kind: 'crash', name: 'divide-error' },
  { match: /invalid opcode:/, kind: 'crash', name: 'invalid-opcode', consequence: true },
  { match: /(?:stack segment|double fault|alignment check|int3|overflow|bounds|invalid TSS|segment not present|control protection).*: [0-9a-f]{4} \[#\d+\]/, kind: 'crash', name: 'trap' },
  { match: /PANIC: double fault|BUG: TASK stack guard page was hit|kernel stack overflow/, kind: 'crash', name: 'stack-overflow' },
  { match: /stack-protector: Kernel stack is corrupted/, kind: 'crash', name: 'stack-corruption' },
  { match: /BUG: soft lockup/, kind: 'hang', name: 'soft-lockup' },
  { match: /watchdog: .*hard LOCKUP|Watchdog detected hard LOCKUP/, kind: 'hang', name: 'hard-lockup' },
  { match: /INFO: task \S+ blocked for more than/, kind: 'hang', name: 'hung-task' },
  { match: /rcu: INFO: rcu_\w+ (?:self-)?detected/, kind: 'hang', name: 'rcu-stall' },
  { match: /WARNING: possible (circular|recursive|irq lock inversion)|WARNING: inconsistent lock state/, kind: 'crash', name: 'lockdep' },
  { match: /BUG: sleeping function called from invalid context/, kind: 'crash', name: 'sleep-in-atomic' },
  { match: /BUG: scheduling while atomic/, kind: 'crash', name: 'scheduling-while-atomic' },
  { match: /BUG: (?:Bad page|Bad rss|Bad page map|non-zero)/, kind: 'crash', name: 'bad-page' },
  { match: /BUG: workqueue (leaked lock|lockup)/, kind: 'crash', name: 'workqueue-$1' },
  { match: /BUG: spinlock ([\w ]+?) on CPU/, kind: 'crash', name: 'spinlock-$1' },
  { match: /\bWARNING: .* at /, kind: 'crash', name: 'warning' },
  { match: /Kernel panic - not syncing: Attempted to kill init/, kind: 'crash', name: 'agent-killed', consequence: true },
  { match: /Kernel panic - not syncing: (?:NMI: Not continuing|sysrq triggered crash)/, kind: 'crash', name: 'panic', consequence: true },
  { match: /Kernel panic - not syncing: ([A-Za-z][\w -]*)/, kind: 'crash', name: 'panic-$1', consequence: true },
  { match: /\bBUG: ([A-Za-z][\w -]*)/, kind: 'crash', name: 'bug-$1' },
  { match: /^Oops: /, kind: 'crash', name: 'oops', consequence: true },
];

/** Frames that say how a report came about, not where. */
const GENERIC = new RegExp(
  '^(?:' +
    [
      'dump_stack\\w*', 'show_stack\\w*', 'panic', 'nmi_panic\\w*', '__warn\\w*', 'warn_\\w+', 'report_bug', 'handle_bug', 'exc_\\w+', 'asm_\\w+', 'page_fault\\w*',
      'do_user_addr_fault', 'do_kern_addr_fault', 'bad_area\\w*', 'no_context', 'oops_\\w+', '__?die\\w*', 'die\\w*', 'do_trap\\w*', 'do_error_trap', 'fixup_\\w+',
      'search_\\w+', 'print_\\w+', '_?kasan_\\w+', '__?asan_\\w+', '__kasan_\\w+', '__ubsan_\\w+', 'ubsan_\\w+', 'check_memory_region', 'mem\\w+', '__mem\\w+', '_*copy_\\w+', 'str\\w+',
      'rep_\\w+', '_raw_\\w+', 'native_\\w+', 'end_repeat_nmi', 'unknown_nmi_error', 'default_do_nmi', 'do_nmi', '__might_\\w+', 'lock_acquire', 'lock_release', '__lock_acquire',
      'kmem_cache_\\w+', '__kmem_cache_\\w+', 'k[mz]alloc\\w*', '__kmalloc\\w*', 'kfree\\w*', '__kfree\\w*', 'vfree\\w*', '__vfree', 'slab_\\w+', '___?slab_\\w+', '__slab_\\w+', 'object_err', 'check_\\w+',
      'schedule\\w*', '__schedule', 'io_schedule\\w*', 'wait_for_\\w+', '__wait_\\w+', 'preempt_\\w+', 'mutex_\\w+', '__mutex_\\w+', 'down_\\w+', 'rwsem_\\w+',
    ].join('|') +
    ')$',
);

interface Frame {
  readonly name: string;
  readonly module: string | undefined;
}

/** Lines of one report at most; an oops with all its registers is about 60. */
const MAX_REPORT_LINES = 160;

/** The line without its level, time stamp and caller. */
export function plainLine(line: string): string {
  return line.replace(/^<\d+>/, '').replace(/^\[\s*\d+\.\d+\]\s?(?:\[\s*[TC]\d+\]\s?)?/, '');
}

/** /dev/kmsg writes a line break inside a message as `\x0a`. */
function linesOf(log: string): string[] {
  return log.split(/\n|\\x0a/).map(plainLine);
}

/** A function's name without what the compiler appended: `f.isra.0`, `f.cold`, `f.part.3`. */
function bareName(name: string): string {
  return name.replace(/\.(?:isra|part|constprop|cold|llvm|localalias)\b.*$/, '');
}

const sameModule = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && a.replaceAll('-', '_') === b.replaceAll('-', '_');

/** The frame that a line of a trace names; undefined for lines that name none, or only a leftover (`?`). */
function frameOf(line: string): Frame | undefined {
  const match =
    /^\s*(?:RIP: [0-9a-f]{4}:|\[<[0-9a-f]+>\] )?([A-Za-z_][\w.]*)\+0x[0-9a-f]+\/0x[0-9a-f]+(?: \[([\w-]+)[^\]]*\])?/.exec(line);
  return match === null ? undefined : { name: bareName(match[1]!), module: match[2] };
}

/** `in FUNCTION` or `at FILE:LINE FUNCTION` of a report's first line. */
function headFrame(line: string): Frame | undefined {
  const match = /(?: in:? | at \S+:\d+,? |\d )([A-Za-z_][\w.]*)\+0x[0-9a-f]+\/0x[0-9a-f]+(?: \[([\w-]+)[^\]]*\])?/.exec(line);
  return match === null ? undefined : { name: bareName(match[1]!), module: match[2] };
}

/** The first frame of the module under test, else the first that is not generic. */
function pick(frames: readonly Frame[], module: string | undefined): string | undefined {
  const own = frames.find((frame) => sameModule(frame.module, module));
  return (own ?? frames.find((frame) => !GENERIC.test(frame.name)) ?? frames[0])?.name;
}

function nameOf(pattern: Pattern, match: RegExpExecArray): string {
  return pattern.name
    .replace(/\$(\d)/g, (_, n: string) => match[Number(n)] ?? '')
    .trim()
    .toLowerCase()
    // What follows the words (numbers, addresses) differs from boot to boot.
    .replace(/\b0x[0-9a-f]+\b|\b\d+\b/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
}

/**
 * All reports of a kernel log, in its order: lines as /dev/kmsg or the console
 * give them, with or without `<level>` and time stamps. `module` is the module
 * under test, if there is one.
 */
export function parseKernelLog(log: string, module?: string): Report[] {
  const lines = linesOf(log);
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
    // kernel BUG, and the invalid opcode that it is made of.
    const frames = pattern.bare === true ? [] : framesAfter(lines, i);
    const where = pick(frames, module);
    const name = nameOf(pattern, match);
    const report = { kind: pattern.kind, title: where === undefined ? name : `${name} in ${where}`, blamed: pattern.blamed !== false };
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

/** Frames of the report that begins at a line, up to the next report or the trace's end. */
function framesAfter(lines: readonly string[], start: number): Frame[] {
  const frames: Frame[] = [];
  const head = headFrame(lines[start]!);
  if (head !== undefined) frames.push(head);
  for (let i = start + 1; i < Math.min(lines.length, start + MAX_REPORT_LINES); i++) {
    const line = lines[i]!;
    if (/---\[ end (?:trace|Kernel panic)/.test(line)) break;
    const frame = frameOf(line);
    if (frame !== undefined) frames.push(frame);
    else if (/^(?:WARNING: |BUG: |INFO: task )/.test(line) && frames.length > 0) break;
  }
  return frames;
}

/** The title of a death: its first blamed report that is no leak; undefined where the log shows none. */
export function deathReport(log: string, module?: string): Report | undefined {
  const reports = parseKernelLog(log, module);
  return reports.find((report) => report.blamed && report.kind !== 'leak');
}

/** True where the kernel died of having no memory left, which we do not blame on anyone. */
export function diedOfMemory(log: string): boolean {
  return /Kernel panic - not syncing: .*(?:[Oo]ut of memory|deadlocked on memory)/.test(log);
}

/**
 * Where a VM hangs, from the stacks of all tasks: the code under test in the
 * agent's own stack, else what a workqueue runs or waits to run of it, else in any
 * stack; else the function that the agent waits in.
 */
export function hangTitle(log: string, module?: string): string {
  const lines = linesOf(log);
  const own = (frames: readonly Frame[]): string | undefined => frames.find((frame) => sameModule(frame.module, module))?.name;
  const start = lines.indexOf('agent stack');
  const end = lines.findIndex((line, i) => i > start + 1 && frameOf(line) === undefined);
  const agent = start < 0 ? [] : lines.slice(start, end < 0 ? undefined : end).map(frameOf).filter((frame) => frame !== undefined);
  const queued = lines.flatMap((line) =>
    /^\s*(?:in-flight|pending|inactive): /.test(line)
      ? [...line.matchAll(/([A-Za-z_][\w.]*) \[([\w-]+)\]/g)].map((match): Frame => ({ name: bareName(match[1]!), module: match[2] }))
      : [],
  );
  const all = lines.map(frameOf).filter((frame) => frame !== undefined);
  const where = own(agent) ?? own(queued) ?? own(all) ?? agent.find((frame) => !GENERIC.test(frame.name))?.name ?? interrupted(lines);
  return where === undefined ? 'hang' : `hang in ${where}`;
}

/** What the NMI of the last resort interrupted; a processor that idles hangs nobody. */
function interrupted(lines: readonly string[]): string | undefined {
  const at = lines.findIndex((line) => line.trim() === '</NMI>');
  const name = at < 0 ? undefined : framesAfter(lines, at).find((frame) => !GENERIC.test(frame.name))?.name;
  return name !== undefined && /idle/.test(name) ? undefined : name;
}
