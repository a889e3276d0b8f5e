// SPDX-License-Identifier: MIT
/** How programs say on standard error that something is wrong with them, and which frames are not their own. */

export type ErrorKind = 'crash' | 'memory' | 'leak';

export interface ErrorPattern {
  readonly match: RegExp;
  /** What it is; of sanitizers it follows from the name of the error. */
  readonly kind: ErrorKind | ((name: string) => ErrorKind);
  /** The same on every run: no addresses, no sizes. */
  readonly name: (match: RegExpExecArray) => string;
  /** Where the report itself says where. */
  readonly where?: (match: RegExpExecArray) => string | undefined;
  /** What a program also says that goes on: it only names a death. */
  readonly deathOnly?: true;
}

/** Errors of AddressSanitizer that are no access to wrong memory: what would end the program without it too. */
const ENDS = /^(?:SEGV|FPE|ILL|BUS|ABRT|TRAP|stack-overflow|allocation-size-too-big|calloc-overflow|out-of-memory|rss-limit-exceeded|CHECK failed)$/;

function sanitizerKind(name: string): ErrorKind {
  return ENDS.test(name) ? 'crash' : 'memory';
}

/** The first word of a sanitizer's error, which is its name; of some the name is a sentence. */
function sanitizerName(text: string): string {
  if (/^attempting double-free/.test(text)) return 'double-free';
  if (/^attempting free on address which was not/.test(text)) return 'bad-free';
  if (/^requested allocation size/.test(text)) return 'allocation-size-too-big';
  if (/^(?:failed to allocate|allocator is out of memory)/.test(text)) return 'out-of-memory';
  if (/^data race/.test(text)) return 'data race';
  return (/^[A-Za-z][A-Za-z0-9_-]*/.exec(text)?.[0] ?? 'error').replace(/-param-overlap$/, '-overlap');
}

/** A message of UBSan or a panic without what differs between two runs of it. */
function plainly(text: string): string {
  return text.split(/[:;]/)[0]!.replaceAll(/'[^']*'/g, '').replaceAll(/\[[^\]]*\]/g, '').replaceAll(/(?:\b0x[0-9a-f]+|-?\b\d+)\b(?!-bit)/gi, '').replaceAll(/,/g, ' ').replaceAll(/\s+/g, ' ').trim();
}

const baseName = (path: string): string => path.split('/').at(-1)!;

export const ERROR_PATTERNS: readonly ErrorPattern[] = [
  { match: /\b(?:HW)?(?:Address|Memory|Thread|DataFlow)Sanitizer(?: (CHECK failed)|: (\S.*))/, kind: sanitizerKind, name: (m) => m[1] ?? sanitizerName(m[2]!) },
  { match: /^(?:Direct|Indirect) leak of \d+ byte/, kind: 'leak', name: () => 'leak' },
  { match: /^(\S+?):(\d+)(?::\d+)?: runtime error: (.+)/, kind: 'memory', name: (m) => plainly(m[3]!), where: (m) => `${baseName(m[1]!)}:${m[2]!}` },
  { match: /^==\d+== (Invalid (?:read|write) of size \d+|Conditional jump or move depends on uninitialised|Use of uninitialised value|Invalid free|Mismatched free|Jump to the invalid address)/, kind: 'memory', name: (m) => `valgrind: ${m[1]!.replace(/ of size \d+/, '')}` },
  { match: /(?:^|: )((?:free|malloc|realloc|calloc|munmap_chunk|malloc_consolidate|unlink_chunk)\(\): [a-z][\w ()!.-]*|double free or corruption|corrupted (?:size vs\. prev_size|double-linked list)|\*\*\* (?:stack smashing|buffer overflow) detected \*\*\*)/, kind: 'memory', name: (m) => m[1]!.replaceAll('*', '').trim() },
  { match: /^(?:[^:\s]+: )?(\S+?):(\d+): (?:(.*): )?Assertion [`'].*failed\.?$/, kind: 'crash', name: () => 'assertion failed', where: (m) => (m[3] === undefined ? `${baseName(m[1]!)}:${m[2]!}` : functionName(m[3])) },
  { match: /^terminate called after throwing an instance of '([\w:<>, ]+)'/, kind: 'crash', name: (m) => `uncaught ${m[1]!}` },
  { match: /^thread '.*' (?:\(\d+\) )?panicked at (?:'.*', )?(\S+?):(\d+):\d+:?$/, kind: 'crash', name: () => 'panic', where: (m) => `${baseName(m[1]!)}:${m[2]!}` },
  { match: /^panic: (.+)$/, kind: 'crash', name: (m) => `panic: ${m[1]!.startsWith('runtime error: ') ? plainly(m[1]!.slice(15)) : plainly(m[1]!)}` },
  { match: /^fatal error: (.+)$/, kind: 'crash', name: (m) => `fatal error: ${plainly(m[1]!)}` },
  // The last line of a traceback is found by whoever reads on from here.
  { match: /^Traceback \(most recent call last\):/, kind: 'crash', name: () => 'exception', deathOnly: true },
  { match: /^(?:Uncaught )?(\w*(?:Error|Exception))(?: \[\w+\])?(?:: .*)?$/, kind: 'crash', name: (m) => m[1]!, deathOnly: true },
];

/** Frames of what every program is linked with: runtimes of sanitizers, of C, Go and Rust. */
const NOT_OWN = /^(?:_{0,3}(?:asan|ubsan|msan|tsan|lsan|hwasan|sanitizer|interceptor)_|__interception|_{0,3}interceptor_|(?:__GI_)?_{0,2}(?:mem(?:p?cpy|move|set|cmp|r?chr|mem)|str(?:n?len|n?cpy|n?cat|n?(?:case)?cmp|r?chr|str|n?dup|toull?|toll?)|bcopy)(?:_chk)?(?:_(?:sse|avx|evex|erms|unaligned|generic)\w*)?$|_{0,2}(?:read|pread(?:64)?|write|pwrite(?:64)?|abort|raise|assert_fail(?:_base)?|libc_\w+|fortify_fail|stack_chk_fail|pthread_\w+|clone3?)$|(?:malloc|calloc|realloc|reallocarray|free|posix_memalign|aligned_alloc|strdup|strndup|gsignal|_start|_int_\w+)$|operator (?:new|delete)|(?:__)?(?:rust|rdl|rg)_|rust_(?:begin_unwind|panic)|(?:core|std|alloc)::|<(?:core|std|alloc)::|runtime\.|panic$|__clang_call_terminate|std::)/;
const NOT_OWN_FILE = /(?:^|\/)(?:sysdeps|nptl|csu|string|malloc)\/|sanitizer_common|compiler-rt|lib(?:c|m|stdc\+\+|[a-z]*san|pthread|gcc_s)(?:[-.][\w.-]*)?\.so|^\/rustc\//;

/** The bare name of a function as a stack shows it. */
export function functionName(text: string): string {
  const name = text.replace(/\+0x[0-9a-f]+$/, '').replace(/\(.*$/, '').replace(/(?:\.(?:constprop|isra|part|cold|llvm)(?:\.\d+)*)+$/, '').replace(/^(?:static |inline |const )*/, '').trim();
  // Of `unsigned long f` the last word; `operator new` and templates stay as they are.
  return /^[\w :*&]+$/.test(name) && !name.includes('operator') ? name.split(/[\s*&]+/).at(-1)! : name;
}

/** The function, or `program+offset` without one, of a line of a stack that shows the target's own code; null where it does not, undefined for what is no frame. */
export function ownFrame(line: string): string | null | undefined {
  const gcc = /^\s*#\d+ 0x[0-9a-f]+ in (\S.*?)(?: \(([^()]+)\+0x[0-9a-f]+\)| (\/?[^\s()]+:\d+(?::\d+)?|<null>))?(?: \(BuildId.*)?$/.exec(line) ?? /^\s*#\d+ ([A-Za-z_<~]\S*(?: \S+::.*)?) (\S+:\d+(?::\d+)?|<null>) \(.*\)$/.exec(line);
  if (gcc) return own(gcc[1]!, gcc[2] ?? gcc[3] ?? '');
  const bare = /^\s*#\d+ 0x[0-9a-f]+\s+\((\S+?)\+(0x[0-9a-f]+)\)/.exec(line);
  if (bare) return NOT_OWN_FILE.test(bare[1]!) ? null : `${baseName(bare[1]!)}+${bare[2]!}`;
  const valgrind = /^==\d+==\s+(?:at|by) 0x[0-9A-F]+: (\S+) \((.*)\)$/.exec(line);
  if (valgrind) return own(valgrind[1]!, valgrind[2]!);
  const go = /^([\w./*()-]+\.[\w.*()-]+)\(.*\)$/.exec(line) ?? /^(panic)\(.*\)$/.exec(line);
  if (go) return own(go[1]!.includes('/') ? baseName(go[1]!) : go[1]!, '');
  return undefined;
}

function own(name: string, file: string): string | null {
  const bare = /^[\w.]+\.\(\*/.test(name) ? name.replaceAll(/[(*)]/g, '') : functionName(name);
  return NOT_OWN.test(bare) || NOT_OWN_FILE.test(file) ? null : bare;
}
