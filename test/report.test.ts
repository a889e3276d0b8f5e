// SPDX-License-Identifier: MIT
/** `ovbd report` from the command line: each form of a stored run, and what it says where it cannot. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Event, Reporter } from '../model/index.ts';
import { feed, JunitReporter, KtapReporter, viewOf } from '../reports/index.ts';
import { sampleMatrixEvents } from '../reports/samples.ts';
import { writeSampleRun } from '../reports/view/testing.ts';

const PROGRAM = join(import.meta.dirname, '..', 'cli', 'ovbd.mjs');
let run: string;
let cut: string;
let folder: string;
beforeAll(() => {
  run = writeSampleRun();
  cut = writeSampleRun((events) => events.slice(0, -1));
  folder = mkdtempSync(join(tmpdir(), 'ovbd-report-'));
});
afterAll(() => [run, cut, folder].forEach((f) => rmSync(f, { recursive: true })));

function report(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [PROGRAM, 'report', ...args], { encoding: 'utf8', cwd: folder });
}

it.each([
  ['html', /^<!DOCTYPE html>/], ['junit', /^<\?xml/], ['ktap', /^KTAP version 1\n/], ['sarif', /"version": "2\.1\.0"/], ['summary', /^## OverlayBD conformance: 2 findings/],
  ['errata', /^# Errata: patch/], ['badge', /^<svg /], ['badge-json', /"schemaVersion":1/], ['json', /"touched":false/],
])('makes %s', (format, expected) => {
  const { status, stdout, stderr } = report(run, '--format', format);
  expect(status).toBe(0);
  expect(stdout).toMatch(expected);
  // The sample's second finding has no folder.
  expect(stderr).toMatch(/^note: /m);
  if (format !== 'html') return;
  const file = join(folder, 'report.html');
  expect(report(run, '--format', format, '-o', file)).toMatchObject({ status: 0, stdout: '' });
  expect(readFileSync(file, 'utf8')).toBe(stdout);
});

it('errata go into a folder, a page for each implementation', () => {
  expect(report(run, '--format', 'errata', '-o', join(folder, 'pages')).stdout).toBe(`${join(folder, 'pages', 'patch.md')}\n`);
  expect(readdirSync(join(folder, 'pages'))).toEqual(['patch.md']);
});

it('a run without its footer is reported as what it is', () => {
  const { status, stdout, stderr } = report(cut, '--format', 'summary');
  expect(status).toBe(0);
  expect(stderr).toMatch(/without its footer/);
  expect(stdout).toMatch(/no whole run/);
});

it('under embargo no form has bytes, scripts or commands', () => {
  for (const format of ['html', 'sarif', 'errata', 'json']) {
    const { stdout } = report(run, '--format', format, '--embargo');
    // The page's own script names the file that it would show.
    expect(stdout.replace(/<script>[\s\S]*?<\/script>/, ''), format).not.toMatch(/ovbd\.mjs replay|"base64":|repro\.sh|00000000 {2}/);
  }
});

it('says what is wrong, and leaves nothing', () => {
  for (const args of [[run], [run, '--format', 'pdf'], [join(folder, 'none'), '--format', 'html'], [PROGRAM, '--format', 'html'], [run, '--format', 'html', '-o', join(folder, 'none', 'x')], [run, '--format', 'html', '-o', folder]]) {
    const { status, stdout, stderr } = report(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).not.toBe('');
    expect(stderr).not.toContain('internal error');
  }
  expect(existsSync(join(folder, 'none'))).toBe(false);
});

describe('a stored run told again', () => {
  it.each([['plain', undefined], ['with columns', sampleMatrixEvents]])('is what the run told (%s)', async (_, events) => {
    const stored = writeSampleRun(events && (() => events()));
    try {
      const told = readFileSync(join(stored, 'run.jsonl'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Event);
      for (const make of [(write: (t: string) => void): Reporter => new JunitReporter(write), (write: (t: string) => void): Reporter => new KtapReporter(write)]) {
        const texts = ['', ''];
        const first = make((t) => { texts[0] += t; });
        told.forEach((e) => first.event(e));
        first.close();
        feed(await viewOf(stored), make((t) => { texts[1] += t; }));
        // Findings may come in another order: worst first.
        const sorted = texts.map((t) => t.split('\n').sort());
        expect(sorted[1]).toEqual(sorted[0]);
      }
    } finally {
      rmSync(stored, { recursive: true });
    }
  });
});
