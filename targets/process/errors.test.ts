// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { ASAN, GO, LSAN, UBSAN } from '../fakes/process/reports.ts';
import { complaintsIn, diedOf, endingOf } from './ending.ts';
import { errorReports } from './errors.ts';

const titles = (log: string): string[] => errorReports(log).map((r) => `${r.kind}: ${r.title}`);

const SEGV = `AddressSanitizer:DEADLYSIGNAL
=================================================================
==99==ERROR: AddressSanitizer: SEGV on unknown address 0x000000000000 (pc 0x55 bp 0x7f sp 0x7e T0)
==99==The signal is caused by a READ memory access.
==99==Hint: address points to the zero page.
    #0 0x55d1 in lookup /src/map.c:12:9
    #1 0x55d2 in main /src/main.c:3
`;
const MSAN = `==7==WARNING: MemorySanitizer: use-of-uninitialized-value
    #0 0x4a in checksum(unsigned char const*, unsigned long) /src/sum.cpp:20:7
  Uninitialized value was created by a heap allocation
    #0 0x43 in malloc (/bin/reader+0x43)
SUMMARY: MemorySanitizer: use-of-uninitialized-value /src/sum.cpp:20:7 in checksum
`;
const TSAN = `==================
WARNING: ThreadSanitizer: data race (pid=1234)
  Write of size 8 at 0x7b0400000010 by thread T1:
    #0 fill_cache /src/cache.c:44:9 (reader+0x4c1)
  Previous read of size 8 at 0x7b0400000010 by main thread:
    #0 look_up /src/cache.c:31:9 (reader+0x4c2)
==================
`;
const NO_SYMBOLS = `==5==ERROR: AddressSanitizer: stack-buffer-overflow on address 0x7ffd
    #0 0x7f11  (/lib/x86_64-linux-gnu/libasan.so.8+0x3d)
    #1 0x55e0c0  (/opt/reader+0x12c0)
`;
const VALGRIND = `==31== Invalid read of size 4
==31==    at 0x4C32: memcpy (vg_replace_strmem.c:1033)
==31==    by 0x1091: decode_block (block.c:77)
==31==    by 0x10A1: main (main.c:9)
==31==  Address 0x4a2f0 is 0 bytes after a block of size 16 alloc'd
==31==    at 0x4C31: malloc (vg_replace_malloc.c:381)
`;
const RUST = `thread 'main' panicked at src/index.rs:88:17:
index out of bounds: the len is 3 but the index is 5
note: run with \`RUST_BACKTRACE=1\` environment variable to display a backtrace
`;
const OLD_RUST = 'thread \'main\' panicked at \'attempt to subtract with overflow\', src/index.rs:90:5\n';
const PYTHON = `Traceback (most recent call last):
  File "/opt/reader.py", line 40, in <module>
    main()
  File "/opt/reader.py", line 12, in read_index
    a, b = struct.unpack('<QQ', data)
struct.error: unpack requires a buffer of 16 bytes
`;
const NODE = `/opt/reader.mjs:12
    throw new RangeError('offset');
    ^

RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range.
    at boundsError (node:internal/buffer:88:9)
    at readIndex (file:///opt/reader.mjs:12:11)
`;

describe('what a program says of itself', () => {
  it.each<[string, string, readonly string[]]>([
    ['AddressSanitizer', ASAN, ['memory: heap-buffer-overflow in decode_entry']],
    ['UndefinedBehaviorSanitizer', UBSAN, ['memory: shift exponent is too large for 64-bit type in decode_entry']],
    ['LeakSanitizer', LSAN, ['leak: leak in read_index']],
    ['a Go panic', GO, ['crash: panic: index out of range with length in main.decodeEntry']],
    ['a signal under ASan', SEGV, ['crash: SEGV in lookup']],
    ['MemorySanitizer', MSAN, ['memory: use-of-uninitialized-value in checksum']],
    ['ThreadSanitizer', TSAN, ['memory: data race in fill_cache']],
    ['ASan without symbols', NO_SYMBOLS, ['memory: stack-buffer-overflow in reader+0x12c0']],
    ['valgrind', VALGRIND, ['memory: valgrind: Invalid read in decode_block']],
    ['a Rust panic', RUST, ['crash: panic in index.rs:88']],
    ['a panic of older Rust', OLD_RUST, ['crash: panic in index.rs:90']],
    ['a Go panic in a method', 'panic: bad\n\ngoroutine 7 [running]:\npanic({0x1, 0x2})\n\t/usr/lib/go/panic.go:1\ngithub.com/x/reader.(*Index).Decode(0xc0)\n', ['crash: panic: bad in reader.Index.Decode']],
    ['glibc', 'free(): invalid pointer\n', ['memory: free(): invalid pointer']],
    ['a stack protector', '*** stack smashing detected ***: terminated\n', ['memory: stack smashing detected']],
    ['assert', 'reader: src/lsmt.c:55: open_index: Assertion `n > 0\' failed.\n', ['crash: assertion failed in open_index']],
    ['C++', 'terminate called after throwing an instance of \'std::bad_alloc\'\n  what():  std::bad_alloc\n', ['crash: uncaught std::bad_alloc']],
    ['UBSan without a stack', 'src/map.c:12:9: runtime error: index 12 out of bounds for type \'int [8]\'\n', ['memory: index out of bounds for type in map.c:12']],
    ['a huge allocation', '==5==ERROR: AddressSanitizer: requested allocation size 0x1000000000 exceeds maximum supported size\n    #0 0x1 in malloc (/x+0x1)\n    #1 0x2 in read_table /s/t.c:4\n', ['crash: allocation-size-too-big in read_table']],
    ['two of one kind', UBSAN + UBSAN.replaceAll('0x55aa', '0x66bb'), ['memory: shift exponent is too large for 64-bit type in decode_entry']],
    ['two of two', UBSAN + ASAN, ['memory: shift exponent is too large for 64-bit type in decode_entry', 'memory: heap-buffer-overflow in decode_entry']],
    ['a leak beside something worse', ASAN + LSAN, ['memory: heap-buffer-overflow in decode_entry']],
    ['an ordinary log', 'opening 3 layers\nerror: bad magic in layer 2\nwarning: 5 blocks\n', []],
  ])('%s', (_name, log, expected) => expect(titles(log)).toEqual(expected));

  it('has the same title whatever the addresses', () => {
    expect(titles(ASAN.replaceAll(/0x[0-9a-f]{4,}/g, '0x123456'))).toEqual(titles(ASAN));
  });

  it('is one line without what a terminal obeys, however long', () => {
    const [report] = errorReports(`panic: ${'\u001b]0;x\u0007'.repeat(300)}\n`);
    expect(report!.title).toMatch(/^[^\p{Cc}]{1,201}$/u);
  });

  it('is searched in bounded time', () => {
    const nasty = `${'#0 0x1 in '.repeat(5000)}\n`.repeat(5) + `${'a'.repeat(100_000)}: runtime error: ${'\'[,'.repeat(30_000)}\n` + `${' ('.repeat(50_000)}\n`;
    expect(errorReports(nasty).length).toBeLessThanOrEqual(20);
  });

  it('only names a death where it is a traceback', () => {
    expect(complaintsIn(PYTHON + NODE)).toEqual([]);
    expect(diedOf(PYTHON, 'crash', 'exit code 1 in open', 'open').death?.title).toBe('struct.error in read_index');
    expect(diedOf(NODE, 'crash', 'exit code 1 in open', 'open').death?.title).toBe('RangeError in readIndex');
  });
});

describe('an end', () => {
  const end = { code: null, signal: null, killed: false, left: 0 };
  it.each([
    [{ ...end, signal: 'SIGSEGV' as const }, '', { death: { kind: 'crash', title: 'SIGSEGV in read', phase: 'read 2' }, complaints: [] }],
    [{ ...end, signal: 'SIGKILL' as const }, '', { death: { kind: 'lost', title: 'killed from outside by SIGKILL', phase: 'read 2' }, complaints: [] }],
    [{ ...end, signal: 'SIGABRT' as const }, ASAN, { complaints: [{ kind: 'memory', title: 'heap-buffer-overflow in decode_entry' }] }],
    [{ ...end, code: 1 }, SEGV, { death: { kind: 'crash', title: 'SEGV in lookup', phase: 'read 2' }, complaints: [] }],
    [{ ...end, signal: 'SIGKILL' as const, killed: true, overrun: 'memory' as const }, '', { death: { kind: 'crash', title: 'memory over its limit in read', phase: 'read 2' }, complaints: [] }],
  ])('%j', (how, log, expected) => expect(endingOf(how, 'read 2', log, '')).toEqual(expected));
});
