// SPDX-License-Identifier: MIT
/** Reports as sanitizers and runtimes write them, of a program that never was. */

export const ASAN = `=================================================================
==4711==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000018 at pc 0x55aa bp 0x7ffc sp 0x7ffb
READ of size 8 at 0x602000000018 thread T0
    #0 0x7f2a3c447d9e in __interceptor_memcpy ../../../../src/libsanitizer/sanitizer_common/sanitizer_common_interceptors.inc:827
    #1 0x55aa11cc in decode_entry /src/reader/index.c:88
    #2 0x55aa22dd in open_layer /src/reader/open.c:31:7

0x602000000018 is located 0 bytes to the right of 8-byte region [0x602000000010,0x602000000018)
allocated by thread T0 here:
    #0 0x7f2a3c4b1887 in __interceptor_malloc ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:145
    #1 0x55aa3344 in read_index /src/reader/index.c:40

SUMMARY: AddressSanitizer: heap-buffer-overflow /src/reader/index.c:88 in decode_entry
==4711==ABORTING
`;

export const UBSAN = `/src/reader/index.c:91:14: runtime error: shift exponent 64 is too large for 64-bit type 'unsigned long'
    #0 0x55aa11cc in decode_entry /src/reader/index.c:91:14
    #1 0x55aa22dd in open_layer /src/reader/open.c:31:7
`;

export const LSAN = `
=================================================================
==4711==ERROR: LeakSanitizer: detected memory leaks

Direct leak of 4096 byte(s) in 1 object(s) allocated from:
    #0 0x7f2a3c4b1887 in __interceptor_malloc ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:145
    #1 0x55aa3344 in read_index /src/reader/index.c:40
    #2 0x55aa22dd in open_layer /src/reader/open.c:31:7

SUMMARY: AddressSanitizer: 4096 byte(s) leaked in 1 allocation(s).
`;

export const GO = `panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.decodeEntry(0xc000012345, 0x5)
	/src/reader/index.go:88 +0x1d
main.main()
	/src/reader/main.go:12 +0x25
`;
