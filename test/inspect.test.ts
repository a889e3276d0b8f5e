// SPDX-License-Identifier: MIT
/** `ovbd inspect` and `ovbd spec`, as a user calls them. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeLsmt, writePair } from '../generators/lsmt-writer.ts';
import { PLAIN_ZFILE, writeZFile } from '../generators/zfile-writer.ts';
import { CLAUSES } from '../spec/index.ts';

const PROGRAM = resolve(import.meta.dirname, '../cli/ovbd.mjs');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-inspect-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function ovbd(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    cwd: folder, encoding: 'utf8', timeout: 100_000, maxBuffer: 1 << 28,
  });
  expect(stderr, 'no bare stack trace').not.toMatch(/\n\s+at /);
  return { code: status, stdout, stderr };
}

const segments = Array.from({ length: 900 }, (_, i) => ({ offset: 2 * i, length: 1, content: new Uint8Array(512).fill(i) }));
const layer = writeLsmt(segments, { virtualSize: 1 << 20, form: 'committed', placement: 'packed', invalidBefore: [] });

describe('inspect', () => {
  test('a layer and what is in it, no wider than a terminal', () => {
    writeFileSync(join(folder, 'a.zf'), writeZFile(layer, PLAIN_ZFILE));
    const { code, stdout } = ovbd('inspect', 'a.zf');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^a\.zf: \d+ bytes \([\d.]+ KiB\)\n/);
    for (const word of ['ZFile header at byte 0', 'index_offset', 'LSMT committed layer', '1024 entries', 'INVALID, 124 of them to number 1023']) expect(stdout).toContain(word);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    // No terminal, no colour.
    expect(stdout).not.toContain('\x1b');
  });

  test('--limit, --all, --blocks and --entries say which rows', () => {
    writeFileSync(join(folder, 'a.zf'), writeZFile(layer, PLAIN_ZFILE));
    expect(ovbd('inspect', 'a.zf', '--limit', '3', '--entries').stdout).not.toMatch(/^ {2}\d+ blocks$/m);
    expect(ovbd('inspect', 'a.zf', '--limit', '3', '--blocks').stdout).not.toContain(' entries (offset');
    const rows = (stdout: string): number => stdout.split('\n').filter((line) => /^[! ] {2,}\d+( +[\d.]+%?)+/.test(line)).length;
    expect(rows(ovbd('inspect', 'a.zf', '--limit', '3', '--entries').stdout)).toBeLessThan(20);
    expect(rows(ovbd('inspect', 'a.zf', '--all', '--entries').stdout)).toBeGreaterThanOrEqual(900);
  });

  test('--json is one document, of as many images as are asked for', () => {
    writeFileSync(join(folder, 'a'), layer);
    const pair = writePair([{ offset: 0, length: 1, content: new Uint8Array(512) }], 4096);
    writeFileSync(join(folder, 'd'), pair.data);
    writeFileSync(join(folder, 'i'), pair.index);
    const { code, stdout } = ovbd('inspect', '--json', '--all', 'a', 'd:i');
    const document = JSON.parse(stdout) as { schema: string; images: { files: { role: string; levels: { entries?: { rows: unknown[] } }[] }[] }[] };
    expect(code).toBe(0);
    expect(document.schema).toBe('ovbd-inspect/1');
    expect(document.images.map((i) => i.files.map((f) => f.role))).toEqual([['layer'], ['data', 'index']]);
    expect(document.images[0]!.files[0]!.levels[0]!.entries!.rows).toHaveLength(901);
  });

  test('exit code 1 where one image is none, and the others are shown', () => {
    writeFileSync(join(folder, 'a'), layer);
    writeFileSync(join(folder, 'x'), 'hello');
    const { code, stdout } = ovbd('inspect', 'x', 'a');
    expect(code).toBe(1);
    expect(stdout).toContain('neither tar nor ZFile nor LSMT');
    expect(stdout).toContain('LSMT committed layer');
  });

  test('exit code 2 for what is no file or no usage', () => {
    mkdirSync(join(folder, 'd'));
    for (const args of [[], ['nothing'], ['d'], ['a:b'], ['x', '--limit', '-1'], ['x', '--limit', 'x'], ['x', '--nope']]) {
      expect(ovbd('inspect', ...args)).toMatchObject({ code: 2, stdout: '' });
    }
  });

  test.skipIf(process.getuid?.() === 0)('exit code 1 for what cannot be read', () => {
    writeFileSync(join(folder, 'a'), layer);
    chmodSync(join(folder, 'a'), 0);
    expect(ovbd('inspect', 'a')).toMatchObject({ code: 1, stderr: expect.stringContaining('a: cannot be read: EACCES') });
  });

  test('a huge sparse file opens without being read', () => {
    writeFileSync(join(folder, 'a'), layer.subarray(0, 4096));
    truncateSync(join(folder, 'a'), 2 ** 40);
    const { code, stdout } = ovbd('inspect', 'a');
    expect(code).toBe(0);
    expect(stdout).toContain('stopped  trailer: byte 1099511623680 (LS-TRL-01)');
  });

  test('| head ends it without a word', () => {
    writeFileSync(join(folder, 'a'), layer);
    const { stdout, stderr } = spawnSync('sh', ['-c', `"${process.execPath}" "${PROGRAM}" inspect --all --json a a a a a a a a | head -n 2`], { cwd: folder, encoding: 'utf8' });
    expect(stdout).toBe('{\n  "schema": "ovbd-inspect/1",\n');
    expect(stderr).toBe('');
  });
});

describe('spec', () => {
  test('Markdown on standard output, whole or by prefix', () => {
    const { code, stdout } = ovbd('spec', '--no-cases');
    expect(code).toBe(0);
    for (const c of CLAUSES) expect(stdout.split('\n').filter((line) => line.startsWith(`| ${c.id} |`))).toHaveLength(1);
    const some = ovbd('spec', 'ZF-IDX', '--no-cases').stdout;
    expect(some.split('\n').filter((line) => line.startsWith('| ZF-IDX-'))).toHaveLength(CLAUSES.filter((c) => c.id.startsWith('ZF-IDX-')).length);
    expect(some).not.toContain('LS-');
  });

  test('each clause with cases that touch and break it, a run of the default seed', () => {
    const { code, stdout } = ovbd('spec', 'ZF-HDR-04');
    expect(code).toBe(0);
    expect(stdout).toMatch(/\| ZF-HDR-04 \|.*s1-c\d+.*defect zfile-/);
  });

  test('JSON to a file, whole or not at all', () => {
    expect(ovbd('spec', '--format', 'json', '--no-cases', '-o', 'spec.json')).toMatchObject({ code: 0, stdout: '' });
    const document = JSON.parse(readFileSync(join(folder, 'spec.json'), 'utf8')) as { schema: string; families: { clauses: unknown[] }[] };
    expect(document.schema).toBe('ovbd-spec/1');
    expect(document.families.flatMap((f) => f.clauses)).toHaveLength(CLAUSES.length);
    expect(readdirSync(folder)).toEqual(['spec.json']);
  });

  test.each([[['XX']], [['--format', 'pdf']], [['ZF', 'LS']], [['-o', 'nowhere/spec.md']]])('%j is wrong usage', (args) => {
    expect(ovbd('spec', ...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/./) });
    expect(readdirSync(folder)).toEqual([]);
  });
});
