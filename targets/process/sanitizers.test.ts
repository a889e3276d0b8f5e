// SPDX-License-Identifier: MIT
/** What real sanitizers say of a real program, as far as this machine's compilers have them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCommand } from '../kernel/lab/child.ts';
import { runCommand } from './command.ts';
import { endingOf } from './ending.ts';
import { errorReports } from './errors.ts';

const SOURCE = resolve(import.meta.dirname, '../fakes/process/faulty.c');
const BUILDS = {
  asan: ['gcc', '-fsanitize=address,undefined'],
  msan: ['clang', '-fsanitize=memory'],
  plain: ['gcc'],
} as const;
type Build = keyof typeof BUILDS;

let folder: string;
const built = new Set<Build>();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-sanitizers-'));
  for (const [name, [compiler, ...flags]] of Object.entries(BUILDS)) {
    const path = findCommand(compiler);
    if (path === undefined) continue;
    const { status } = spawnSync(path, ['-g', '-O1', '-w', '-fno-omit-frame-pointer', '-fno-optimize-sibling-calls', ...flags, '-o', join(folder, name), SOURCE]);
    // Some have no runtime of theirs beside them, and some do not run where addresses are randomised too widely.
    const runs = status === 0 && spawnSync(join(folder, name), ['nothing']).status === 0;
    if (runs) built.add(name as Build);
    else console.warn(`SKIPPED: ${compiler} cannot build a program with ${flags.join(' ')} that runs here`);
  }
}, 200_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe('a program that', () => {
  it.each<[Build, string, string, string]>([
    ['asan', 'overflow', '8', 'memory: heap-buffer-overflow in decode_entry'],
    ['asan', 'copy', '32', 'memory: heap-buffer-overflow in copy_name'],
    ['asan', 'twice', '0', 'memory: double-free in close_layer'],
    ['asan', 'null', '5', 'crash: SEGV in decode_entry'],
    ['asan', 'deep', '0', 'crash: stack-overflow in merge_layers'],
    ['asan', 'leak', '100', 'leak: leak in read_index'],
    ['asan', 'shift', '40', 'memory: shift exponent is too large for 32-bit type in block_bits'],
    ['asan', 'assert', '1', 'crash: assertion failed in check_magic'],
    ['msan', 'uninitialised', '0', 'memory: use-of-uninitialized-value in sum_of'],
    ['plain', 'assert', '1', 'crash: assertion failed in check_magic'],
    ['plain', 'null', '5', 'crash: SIGSEGV in open'],
    ['plain', 'nothing', '0', ''],
    ['asan', 'nothing', '0', ''],
  ])('under %s does %s %s: %s', async (build, what, n, expected) => {
    if (!built.has(build)) return;
    const { end, errors } = await runCommand({ command: join(folder, build), args: [what, n] }, { milliseconds: 200_000 });
    const { death, complaints } = endingOf(end, 'open', errors, '');
    const titles = expected === '' ? errorReports(errors).map((r) => r.title) : [...complaints.map((c) => `${c.kind}: ${c.title}`), ...(death ? [`${death.kind}: ${death.title}`] : [])];
    expect(titles, errors).toEqual(expected === '' ? [] : expect.arrayContaining([expected]));
  }, 250_000);
});
