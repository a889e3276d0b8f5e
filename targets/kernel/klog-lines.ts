// SPDX-License-Identifier: MIT
/** Lines of a kernel log and the frames that they name. */

/** One frame of a stack, as the kernel prints it: `zfile_open.cold+0x82/0x237 [dm_overlaybd]`. */
export interface Frame {
  /** The function without what the compiler appended. */
  readonly name: string;
  /** As printed, `zfile_open.cold`. */
  readonly symbol: string;
  /** Bytes from the function's start. */
  readonly offset: number;
  /** Bytes of the function. */
  readonly size: number;
  readonly module: string | undefined;
  /** True where the address is that of the instruction itself; in a trace it is the one after the call. */
  readonly exact: boolean;
}

/** Frames that say how a report came about, not where. */
const GENERIC = new RegExp(
  '^(?:' +
    [
      'dump_stack\\w*', 'show_stack\\w*', 'panic', 'nmi_panic\\w*', '__warn\\w*', 'warn_\\w+', 'report_bug', 'handle_bug', 'exc_\\w+', 'asm_\\w+', 'page_fault\\w*',
      'do_user_addr_fault', 'do_kern_addr_fault', 'bad_area\\w*', 'no_context', 'oops_\\w+', '__?die\\w*', 'die\\w*', 'do_trap\\w*', 'do_error_trap', 'fixup_\\w+',
      'search_\\w+', 'print_\\w+', '_?kasan_\\w+', '__?asan_\\w+', '__kasan_\\w+', '__ubsan_\\w+', 'ubsan_\\w+', 'check_memory_region', 'mem\\w+', '__mem\\w+', '_*copy_\\w+', 'str\\w+',
      'rep_\\w+', '_raw_\\w+', 'native_\\w+', 'end_repeat_nmi', 'unknown_nmi_error', 'default_do_nmi', 'do_nmi', '__might_\\w+', 'lock_acquire', 'lock_release', '__lock_acquire',
      'kmem_cache_\\w+', '__kmem_cache_\\w+', 'k[mz]alloc\\w*', '__kmalloc\\w*', 'kfree\\w*', '__kfree\\w*', 'vfree\\w*', '__vfree', 'slab_\\w+', '___?slab_\\w+', '__slab_\\w+', 'object_err', 'check_\\w+',
      'schedule\\w*', '__schedule\\w*', 'io_schedule\\w*', 'wait_for_\\w+', '__wait_\\w+', 'preempt_\\w+', 'mutex_\\w+', '__mutex_\\w+', 'down_\\w+', 'rwsem_\\w+',
      '__list_\\w+_valid\\w*', 'refcount_warn_saturate', 'ubsan_epilogue', 'handle_overflow', '__kasan_check_\\w+', 'kasan_check_range', 'bad_page\\w*', 'free_pages_prepare', 'watchdog\\w*',
    ].join('|') +
    ')$',
);

export function isGeneric(frame: Frame): boolean {
  return GENERIC.test(frame.name);
}

/** The line without its level, time stamp and caller. */
export function plainLine(line: string): string {
  return line.replace(/^<\d+>/, '').replace(/^\[\s*\d+\.\d+\]\s?(?:\[\s*[TC]\d+\]\s?)?/, '');
}

/** A log's lines; /dev/kmsg writes a line break inside a message as `\x0a`. */
export function linesOf(log: string): string[] {
  return log.split(/\n|\\x0a/);
}

/** A function's name without what the compiler appended: `f.isra.0`, `f.cold`, `f.part.3`. */
export function bareName(name: string): string {
  return name.replace(/\.(?:isra|part|constprop|cold|llvm|localalias)\b.*$/, '');
}

/** The kernel's names for modules have `_` where their files have `-`. */
export function sameModule(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a.replaceAll('-', '_') === b.replaceAll('-', '_');
}

const FRAME = /([A-Za-z_][\w.]*)\+0x([0-9a-f]{1,8})\/0x([0-9a-f]{1,8})(?: \[([\w-]+)[^\]]*\])?/.source;
const TRACE_LINE = new RegExp(`^\\s*(RIP: [0-9a-f]{4}:|\\[<[0-9a-f]+>\\] )?${FRAME}`);
const HEAD_LINE = new RegExp(`(?: in:? | at \\S+:\\d+,? |\\d )${FRAME}`);

/** The frame that a plain line of a trace names; undefined for lines that name none, or only a leftover (`?`). */
export function frameOf(line: string): Frame | undefined {
  const match = TRACE_LINE.exec(line);
  return match === null ? undefined : frameFrom(match[2]!, match[3]!, match[4]!, match[5], match[1]?.startsWith('RIP') === true);
}

/** `in FUNCTION` or `at FILE:LINE FUNCTION` of a report's first line. */
export function headFrame(line: string): Frame | undefined {
  const match = HEAD_LINE.exec(line);
  return match === null ? undefined : frameFrom(match[1]!, match[2]!, match[3]!, match[4], true);
}

function frameFrom(symbol: string, offset: string, size: string, module: string | undefined, exact: boolean): Frame {
  return { name: bareName(symbol), symbol, offset: Number.parseInt(offset, 16), size: Number.parseInt(size, 16), module, exact };
}

/** The first frame of the module under test, else the first that is not generic, else the first. */
export function telling(frames: readonly Frame[], module: string | undefined): Frame | undefined {
  return frames.find((frame) => sameModule(frame.module, module)) ?? frames.find((frame) => !isGeneric(frame)) ?? frames[0];
}
