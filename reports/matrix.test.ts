// SPDX-License-Identifier: MIT
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Event, MatrixEvent } from '../model/index.ts';
import { matrixLines } from './matrix-text.ts';
import { MatrixReporter } from './matrix.ts';
import { sampleEvents, sampleMatrixEvents } from './samples.ts';

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
    'where the findings appear: X has it, · its smallest case does not show it, ? not tried',
    '  a  v1/6.1', '  b  v2/6.1', '  c  v2/6.12/sanitize',
    '      a b c', '      X X X  crash: x', '      X · ?  corruption: LS-MAP-01', '',
  ].join('\n'));
  const json = JSON.parse(readFileSync(join(folder, 'matrix.json'), 'utf8'));
  expect(json).toMatchObject({ schema: 'ovbd-matrix/1', seed: 1, cases: 1, complete: true, matrices: [{ family: 'patch', columns: ['v1/6.1', 'v2/6.1', 'v2/6.12/sanitize'] }] });
  expect(json.matrices[0].rows[1].cells['v2/6.1']).toEqual({ state: 'absent', count: 0, instead: 'pass' });
});

test('a run without columns, or without its footer, leaves no matrix', () => {
  report(sampleEvents());
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
