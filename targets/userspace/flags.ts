// SPDX-License-Identifier: MIT
/** How the layer and the module are compiled. */
import { COMPILER } from '../kernel/lab/compiler.ts';

export interface Toolchain {
  readonly command: string;
  /** For files of ours that the sanitizer watches, and for those that it does not: they touch no memory of the module's for it. */
  readonly sanitized: readonly string[];
  readonly plain: readonly string[];
  /** For the module's sources, besides `MODULE_FLAGS`. */
  readonly module: readonly string[];
  readonly link: readonly string[];
  /** What the names of memcpy and the like begin with where code is sanitized. */
  readonly copies: '' | '__asan_';
}

/** Frame pointers are how stacks are walked; the rest is what the kernel is compiled with. */
export const COMMON_FLAGS: readonly string[] = ['-std=gnu11', '-g', '-Wall', '-Wextra', '-fno-omit-frame-pointer', '-fwrapv', '-fno-strict-aliasing'];

/**
 * As Debian's kernels have it: optimized like there, so that functions are
 * inlined likewise and stacks show the same names, and variables that nobody
 * sets are zero. The checks of undefined behaviour are those of the lab's sanitizer kernel.
 */
export const MODULE_FLAGS: readonly string[] = [
  '-std=gnu11', '-O2', '-g', '-w', '-fno-omit-frame-pointer', '-fno-optimize-sibling-calls', '-fwrapv', '-fno-strict-aliasing', '-ftrivial-auto-var-init=zero',
  '-fsanitize=address,bounds,shift,bool,enum', '-fsanitize-recover=address,bounds,shift,bool,enum',
];

/** The sanitizer's functions that the module's objects call, and those of kernel-api/checks.c that they call instead. */
const REPORTS: readonly (readonly [string, string])[] = [
  ...['out_of_bounds', 'shift_out_of_bounds', 'load_invalid_value'].map((name): [string, string] => [`__ubsan_handle_${name}`, `layer_ubsan_${name}`]),
  ...['1', '2', '4', '8', '16', '_n'].flatMap((size): [string, string][] => [
    [`__asan_report_load${size}_noabort`, `layer_load${size.replace('_', '')}`], [`__asan_report_store${size}_noabort`, `layer_store${size.replace('_', '')}`],
  ]),
];

/** What is renamed in the objects that this toolchain makes. */
export function renamed({ copies }: Toolchain): readonly (readonly [string, string])[] {
  return [...REPORTS, ...['memcpy', 'memmove', 'memset'].map((name): [string, string] => [`${copies}${name}`, `layer_${name}`])];
}

/** Decoders of ours and string functions: what a module has them read or write is looked at. */
export const SANITIZED_FILES: readonly string[] = ['kernel-api/lz4.c', 'kernel-api/text.c'];

/** Files that use libc and nothing of the kernel's. */
export const LIBC_FILES: readonly string[] = ['kernel-api/symbols.c', 'process/main.c', 'process/json.c', 'process/sha256.c'];

export const GCC: Toolchain = {
  command: COMPILER,
  sanitized: ['-O2', '-fsanitize=address', '-fsanitize-recover=address'],
  plain: ['-O2'],
  module: ['-fno-reorder-blocks-and-partition', '--param', 'asan-use-after-return=0'],
  link: ['-fsanitize=address', '-static-libasan'],
  copies: '',
};

/** libFuzzer's: only the module's code says what it reaches. */
export const FUZZER: Toolchain = {
  command: 'clang-14',
  sanitized: ['-O2', '-fsanitize=address', '-fsanitize-recover=address'],
  plain: ['-O2'],
  module: [
    '-fsanitize=fuzzer-no-link', '-fsanitize-address-use-after-return=never', '-mllvm', '-asan-instrumentation-with-call-threshold=1000000',
    '-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang',
  ],
  link: ['-fsanitize=fuzzer,address'],
  copies: '__asan_',
};
