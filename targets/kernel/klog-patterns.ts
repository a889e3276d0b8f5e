// SPDX-License-Identifier: MIT
/**
 * The kernel's ways of complaining, and what we call each. The words are those
 * of the kernel's own sources (lib/bug.c, mm/kasan/report.c, lib/ubsan.c,
 * kernel/locking/lockdep.c, kernel/hung_task.c, kernel/watchdog.c, mm/kmemleak.c
 * and so on) in 6.1 and 6.12.
 */

export type ReportKind = 'crash' | 'hang' | 'memory' | 'leak';

/** Worst first: what most likely is the cause where a log holds several reports. */
export const SEVERITIES = ['damage', 'fault', 'warning', 'stall', 'leak'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Pattern {
  readonly match: RegExp;
  readonly kind: ReportKind;
  readonly severity: Severity;
  /** The short kind; `$1` and so on take from the match. */
  readonly name: string;
  /** Does not say where: no frame is looked for. */
  readonly bare?: true;
  readonly blamed?: false;
  /** Only the consequence of an earlier report: counts when there is none. */
  readonly consequence?: true;
  /** A line that says more, before or after the first one; what it captures is `$n` of `name`, in place of the first line's. */
  readonly detail?: { readonly match: RegExp; readonly lines: number; readonly name: string };
}

const trap = (match: RegExp, name: string, more: Partial<Pattern> = {}): Pattern => ({ match, kind: 'crash', severity: 'fault', name, ...more });
const damage = (match: RegExp, name: string, more: Partial<Pattern> = {}): Pattern => ({ match, kind: 'memory', severity: 'damage', name, ...more });
const warning = (match: RegExp, name: string, more: Partial<Pattern> = {}): Pattern => ({ match, kind: 'crash', severity: 'warning', name, ...more });
const stall = (match: RegExp, name: string): Pattern => ({ match, kind: 'hang', severity: 'stall', name });
const leak = (match: RegExp, name: string, more: Partial<Pattern> = {}): Pattern => ({ match, kind: 'leak', severity: 'leak', name, ...more });

/** In order; the first that matches a line names it. */
export const PATTERNS: readonly Pattern[] = [
  trap(/\bout_of_memory\b.*deadlocked|System is deadlocked on memory|invoked oom-killer|Out of memory(?: \(|:| and no killable)/, 'out-of-memory', { bare: true, blamed: false }),
  warning(/page allocation failure|vmalloc error:|vmap allocation for size \d+ failed/, 'allocation-failure', { bare: true, blamed: false }),
  // The sanitizers' own limits say nothing of the code under test.
  warning(/BUG: MAX_(?:LOCKDEP_|LOCK_|STACK_)\w+ too low|kmemleak: (?:Kernel memory leak detector|Automatic memory|Early log|Cannot)/, 'checker-limit', { bare: true, blamed: false }),

  // 6.1 says use-after-free where 6.12 says slab-use-after-free.
  damage(/BUG: KASAN: (?:slab-(?=use-after-free))?([\w-]+)/, 'kasan-$1', { detail: { match: /^(Read|Write) of size \d+ at addr/, lines: 3, name: 'kasan-$1-$2' } }),
  damage(/BUG: KFENCE: ([\w-]+(?: [\w-]+)?)/, 'kfence-$1'),
  damage(/BUG: KMSAN: ([\w-]+)/, 'kmsan-$1'),
  leak(/BUG ([\w.:-]+) ?\(.*\): Objects remaining in/, 'objects-remaining', { bare: true }),
  leak(/Objects remaining in (\S+)/, 'objects-remaining', { bare: true }),
  damage(/BUG ([\w.:-]+) ?\((?:.*)\): ([A-Za-z][\w -]*)/, 'slub-$2'),
  leak(/unreferenced object 0x/, 'unreferenced-object'),
  leak(/dm_put_device call missing/, 'dm-device-not-put', { bare: true }),
  leak(/bufio: leaked buffer|dm-bufio.*leaked/, 'bufio-buffer-leaked', { bare: true }),

  { match: /(?:kernel BUG|WARNING: .*) at \S*lib\/list_debug\.c/, kind: 'crash', severity: 'damage', name: 'list-corruption' },
  { match: /WARNING: .* at \S*lib\/refcount\.c/, kind: 'crash', severity: 'damage', name: 'refcount', detail: { match: /^refcount_t: ([a-z]+)/, lines: -3, name: 'refcount-$1' } },
  { match: /stack-protector: Kernel stack is corrupted/, kind: 'crash', severity: 'damage', name: 'stack-corruption' },
  { match: /BUG: Bad (page state|page map|rss-counter|page)/, kind: 'crash', severity: 'damage', name: 'bad-$1' },

  // One name for both: whether a wild pointer is near zero is a matter of what happened to lie in memory.
  trap(/BUG: kernel NULL pointer dereference/, 'page-fault'),
  trap(/BUG: unable to handle (?:page fault|kernel paging request|kernel NULL pointer)/, 'page-fault'),
  // Under KASAN it is the look-up of the shadow that traps; the note says what the access itself would have done.
  trap(/general protection fault/, 'general-protection-fault', { detail: { match: /^KASAN: null-ptr-deref in range/, lines: 2, name: 'page-fault' } }),
  trap(/kernel BUG at/, 'kernel-bug'),
  trap(/divide error:/, 'divide-error'),
  trap(/invalid opcode:/, 'invalid-opcode', { consequence: true }),
  trap(/PANIC: double fault|BUG: (?:TASK )?stack guard page was hit|kernel stack overflow/, 'stack-overflow'),
  trap(/(?:stack segment|double fault|alignment check|int3|overflow|bounds|invalid TSS|segment not present|control protection).*: [0-9a-f]{4} \[#\d+\]/, 'trap'),

  { match: /UBSAN: ([\w-]+)/, kind: 'memory', severity: 'warning', name: 'ubsan-$1' },
  stall(/BUG: soft lockup/, 'soft-lockup'),
  stall(/watchdog: .*hard LOCKUP|Watchdog detected hard LOCKUP/, 'hard-lockup'),
  stall(/INFO: task \S+ blocked (?:on an? \S+(?: \S+)* )?for more than/, 'hung-task'),
  stall(/rcu: INFO: \w+ (?:self-)?detected/, 'rcu-stall'),
  warning(/WARNING: (?:possible (?:circular locking|recursive locking|irq lock inversion)|inconsistent lock state|suspicious RCU usage|bad unlock balance|held lock freed|lock held when returning|\S+-safe -> \S+-unsafe lock order|Nested lock was not taken)/, 'lockdep'),
  warning(/INFO: trying to register non-static key|WARNING: .* at \S*kernel\/locking\/lockdep\.c/, 'lockdep'),
  warning(/BUG: sleeping function called from invalid context/, 'sleep-in-atomic'),
  warning(/BUG: scheduling while atomic/, 'scheduling-while-atomic'),
  warning(/BUG: workqueue (leaked lock|lockup)/, 'workqueue-$1'),
  warning(/BUG: spinlock ([\w ]+?) on CPU/, 'spinlock-$1'),
  warning(/BUG: non-zero (?:pgtables_bytes|nr_ptes)/, 'bad-page-tables'),
  warning(/\bWARNING: .* at /, 'warning'),
  trap(/Kernel panic - not syncing: Attempted to kill init/, 'agent-killed', { consequence: true }),
  trap(/Kernel panic - not syncing: (?:NMI: Not continuing|sysrq triggered crash)/, 'panic', { consequence: true }),
  trap(/Kernel panic - not syncing: ([A-Za-z][\w -]*)/, 'panic-$1', { consequence: true }),
  trap(/\bBUG: ([A-Za-z][\w -]*)/, 'bug-$1'),
  trap(/^Oops: /, 'oops', { consequence: true }),
];

/** How bad what a title names is: an index into `SEVERITIES`; the last one where no pattern gives such a title. */
export function severityOf(title: string): number {
  const name = title.split(' in ')[0]!;
  const fixed = (pattern: string): string => pattern.split('$')[0]!;
  const found = PATTERNS.find((p) => (p.name.includes('$') ? name.startsWith(fixed(p.name)) : name === p.name) || (p.detail !== undefined && name.startsWith(fixed(p.detail.name))));
  return found === undefined ? SEVERITIES.length - 1 : SEVERITIES.indexOf(found.severity);
}
