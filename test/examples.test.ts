// SPDX-License-Identifier: MIT
/** The adapters of examples/, and what `ovbd smoke` says of them and of what is wrong. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { smoke } from '../cli/commands/smoke.ts';
import type { Fault } from '../targets/fakes/process/faults.ts';
import { findCommand } from '../targets/kernel/lab/child.ts';

const ROOT = resolve(import.meta.dirname, '..');
const NODE = process.execPath;
const FAKE = join(ROOT, 'targets/fakes/process/fake.mjs');
/** Milliseconds that nobody misses but by hanging, on a machine however busy. */
const LONG = 200_000;

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'ovbd-examples-')); });
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => { vi.restoreAllMocks(); });

async function smoked(command: string, milliseconds = LONG): Promise<{ code: number; text: string }> {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((piece) => {
    text += String(piece);
    return true;
  });
  const code = await smoke(command, { time: milliseconds }, new AbortController().signal);
  vi.restoreAllMocks();
  return { code, text };
}

const ALL_RIGHT = [
  /^ok {6}describe: example in .+; compression lz4, zstd; up to 255 layers; says its size itself$/, 'ok      a raw LSMT layer', 'ok      a ZFile', 'ok      a stack of 3 layers',
  'ok      an image that must be refused', 'ok      reads past the end', 'ok      two images after each other', 'ok      a big image', 'all right: ovbd run can use it', '',
].map((line) => (typeof line === 'string' ? line : expect.stringMatching(line) as string));

describe('an adapter around a reader command', () => {
  const python = findCommand('python3');
  it.skipIf(python === undefined)('in Python', async () => {
    const { code, text } = await smoked(`python3 ${join(ROOT, 'examples/adapter-python/adapter.py')}`);
    expect([code, text.split('\n')]).toEqual([0, ALL_RIGHT]);
  }, 600_000);

  it('in TypeScript', async () => {
    const { code, text } = await smoked(`${NODE} --import ${import.meta.resolve('tsx')} ${join(ROOT, 'examples/adapter-typescript/adapter.ts')}`);
    expect([code, text.split('\n')]).toEqual([0, ALL_RIGHT]);
  }, 600_000);

  const cc = findCommand('cc') ?? findCommand('gcc');
  it.skipIf(cc === undefined)('in C', async () => {
    const adapter = join(folder, 'adapter');
    execFileSync(cc!, ['-O2', '-Wall', '-Werror', '-o', adapter, join(ROOT, 'examples/adapter-c/adapter.c')]);
    const { code, text } = await smoked(`${adapter} ${NODE} ${join(ROOT, 'cli/ovbd.mjs')} read`);
    expect([code, text.split('\n')]).toEqual([0, ALL_RIGHT]);
    const dead = await smoked(`${adapter} sh -c 'kill -SEGV $$'`);
    expect(dead.code).toBe(1);
    expect(dead.text).toMatch(/WRONG {3}a raw LSMT layer\n {8}it must open it .*\n {8}case smoke-raw: crashed during open: SIGSEGV/);
  }, 600_000);
});

describe('ovbd smoke', () => {
  it.each<[Fault, RegExp]>([
    ['describes-nonsense', /^WRONG {3}describe\n {8}the target does not describe itself: a describe: capabilities message whose "devices" must be "lsmt" or "zfile": \["disk"\]\n/],
    ['no-json', /WRONG {3}a raw LSMT layer\n.*\n {8}case smoke-raw: the adapter breaks the protocol: a line that is no JSON: opened the image\n {8}Standard output carries messages only/],
    ['output-too-short', /the adapter breaks the protocol: its "result" is 65536 bytes, but it wrote 65535 to "output"\n {8}"output" holds exactly the bytes of that read/],
    ['exits', /crashed during open: exit code 0 in open\n {8}A target answers every case and goes on/],
    ['stale-bytes', /^ok {6}a raw LSMT layer[^]*WRONG {3}two images after each other\n {8}it must keep nothing of an image once its case is done[^]*\n1 of 7 are wrong\n$/m],
    ['reports-asan', /the target's log says: heap-buffer-overflow in decode_entry\n[^]* {8}on standard error:\n/],
  ])('says what is wrong where a target %s', async (fault, says) => {
    const { code, text } = await smoked(`${NODE} ${FAKE} ${fault}`);
    expect(text).toMatch(says);
    expect(code).toBe(1);
  }, 600_000);

  it('is wrong usage where there is no such program', async () => {
    await expect(smoked('no-such-program')).rejects.toThrow('no-such-program: there is no such program');
    await expect(smoked('python3 "x')).rejects.toThrow('a quote (") does not end');
  });
});
