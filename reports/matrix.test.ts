// SPDX-License-Identifier: MIT
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Event, MatrixEvent } from '../model/index.ts';
import { matrixLines } from './matrix-text.ts';
import { MatrixReporter } from './matrix.ts';
import { IDENTITY, sampleEvents, sampleMatrixEvents } from './samples.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-matrix-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function report(events: readonly Event[]): void {
  const reporter = new MatrixReporter(folder);
  for (const event of events) reporter.event(event);
  reporter.close();
}

test('matrix.txt is for people, matrix.json for tools', () => {
  report(sampleMatrixEvents());
  expect(readFileSync(join(folder, 'matrix.txt'), 'utf8')).toBe([
    'cases that showed it, a column a target', '  a  v1/6.1', '  b  v2/6.1', '  c  v2/6.12/sanitize',
    '    a    b    c', '    1    1    1  pass', '  0.0  0.0  0.0  cases a second', '',
    'where the findings appear: X has it, · its smallest case does not show it, ? not tried',
    '  a  v1/6.1', '  b  v2/6.1', '  c  v2/6.12/sanitize',
    '      a b c', '      X X X  crash: x', '      X · ?  corruption: LS-MAP-01', '',
  ].join('\n'));
  const json = JSON.parse(readFileSync(join(folder, 'matrix.json'), 'utf8'));
  expect(json).toMatchObject({ schema: 'ovbd-matrix/1', seed: 1, cases: 1, complete: true, matrices: [{ family: 'patch', columns: ['v1/6.1', 'v2/6.1', 'v2/6.12/sanitize'] }] });
  expect(json.matrices[0].rows[1].cells['v2/6.1']).toEqual({ state: 'absent', count: 0, instead: 'pass' });
});

test('any two targets are one matrix: what their cases showed, and how fast they were', () => {
  report(sampleEvents());
  expect(readFileSync(join(folder, 'matrix.txt'), 'utf8').split('\n')).toEqual([
    'cases that showed it, a column a target', '  a  patch', '  b  oracle',
    '     a      b', '     1      ·  crash: page-fault in lsmt_bioremap', '     1      ·  corruption: LS-MAP-01',
    '     1      ·  engine-error', '     1      ·  unsupported', '     ·      4  pass', '  31.5  900.3  cases a second', '',
  ]);
  const { overview } = JSON.parse(readFileSync(join(folder, 'matrix.json'), 'utf8'));
  expect(overview).toMatchObject({ columns: ['patch', 'oracle'], rows: [{ kind: 'crash', cells: { patch: 1 } }, { signature: 'corruption: LS-MAP-01', clause: 'LS-MAP-01' }], rates: { patch: 31.5 } });
});

test('what did not show again is marked, in the column where it did not', () => {
  const events = sampleEvents().map((e): Event => (e.type === 'finding' && e.kind === 'crash' ? { ...e, confirmation: { shown: 0, tried: 3, blame: 'unreliable' } } : e));
  report(events);
  expect(readFileSync(join(folder, 'matrix.txt'), 'utf8')).toContain('    ~1      ·  crash: page-fault');
});

test('a run of one target, or without its footer, leaves no matrix', () => {
  const [run, ...rest] = sampleEvents();
  report([{ ...(run as Extract<Event, { type: 'run' }>), targets: [IDENTITY] }, ...rest]);
  report(sampleMatrixEvents().slice(0, -1));
  expect(readdirSync(folder)).toEqual([]);
  expect(existsSync(join(folder, 'matrix.txt'))).toBe(false);
});

test('more columns than letters, long and hostile names: every line fits, nothing is a control character', () => {
  const columns = Array.from({ length: 30 }, (_, i) => `v${i}`);
  const matrix: MatrixEvent = { type: 'matrix', family: 'f', columns, rows: [{ signature: `crash: \u001b[2J${'x'.repeat(200)}`, kind: 'crash', cells: {} }] };
  const lines = matrixLines(matrix, 130, () => 7);
  expect(lines).toContain('  ad  v29');
  expect(lines.at(-1)).toMatch(/^ {3}7 ( {2}\?){30} {2}crash: \\x1b\[2Jx+…$/);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(130);
});
