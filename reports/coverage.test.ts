// SPDX-License-Identifier: MIT
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { SourceCoverage } from '../model/index.ts';
import { saveCoverage } from './coverage.ts';
import { percent, reachedOf, unreachedLines } from './coverage-text.ts';
import { lcovText } from './coverage-lcov.ts';

const COVERAGE: SourceCoverage = {
  instances: 3,
  lost: 1,
  problems: ['b.gcda: no file of counters'],
  files: [
    {
      file: 'a.c',
      text: 'if (x < y && "<script>")\n\tgo();\n\nelse\n\tstop();\n\u001b[31mred\n',
      lines: [{ line: 1, count: 7, branches: [7, 0] }, { line: 2, count: 7, branches: [] }, { line: 4, count: 0, branches: [0, 0] }, { line: 5, count: 0, branches: [] }],
    },
    { file: 'b.c', text: 'x\n', lines: [] },
  ],
};

const root = mkdtempSync(join(tmpdir(), 'ovbd-coverage-'));
afterAll(() => rmSync(root, { recursive: true }));

describe('coverage', () => {
  it('as lcov has a record a file', () => {
    expect(lcovText(COVERAGE.files.slice(0, 1))).toBe([
      'TN:', 'SF:a.c', 'BRDA:1,0,0,7', 'BRDA:1,0,1,0', 'BRDA:4,0,0,-', 'BRDA:4,0,1,-', 'BRF:4', 'BRH:1',
      'DA:1,7', 'DA:2,7', 'DA:4,0', 'DA:5,0', 'LF:4', 'LH:2', 'end_of_record', '',
    ].join('\n'));
    expect(lcovText(COVERAGE.files).match(/end_of_record/g)).toHaveLength(2);
  });

  it('counts lines and branches', () => {
    expect(reachedOf(COVERAGE.files)).toEqual({ lines: 2, allLines: 4, branches: 1, allBranches: 4 });
    expect(unreachedLines(COVERAGE.files[0]!)).toEqual(['4-5']);
    expect([percent(0, 0), percent(0, 9), percent(1, 1000), percent(999, 1000), percent(9, 9)]).toEqual(['-', '0 %', '1 %', '99 %', '100 %']);
  });

  it('is written as three files, of several targets in folders of their own', () => {
    expect(saveCoverage(root, [{ target: 'patch', coverage: COVERAGE }])).toEqual(['coverage']);
    expect(readdirSync(join(root, 'coverage')).sort()).toEqual(['index.html', 'lcov.info', 'summary.txt']);
    const summary = readFileSync(join(root, 'coverage/summary.txt'), 'utf8');
    expect(summary).toMatch(/^a\.c +2\/4 +50 % +1\/4 +25 %$/m);
    expect(summary).toMatch(/a\.c: lines not reached\n {2}4-5\n/);
    expect(summary).toContain('1 ended by itself');
    expect(summary).toContain('not counted: b.gcda: no file of counters');
    const several = saveCoverage(join(root, 'two'), ['v1/../x', 'v1-..-x'].map((target) => ({ target, coverage: COVERAGE })));
    expect(several).toEqual([join('coverage', 'v1-..-x'), join('coverage', 'v1-..-x-2')]);
  });

  it('as a page escapes what the sources hold', () => {
    saveCoverage(root, [{ target: '<b>patch</b>', coverage: COVERAGE }]);
    const page = readFileSync(join(root, 'coverage/index.html'), 'utf8');
    expect(page).toContain('<span class="part">if (x &#60; y &#38;&#38; &#34;&#60;script&#62;&#34;)</span>');
    expect(page).toContain('<span class="miss">\tstop();</span>');
    expect(page).toContain('\\x1b[31mred');
    for (const wrong of ['<script', '<b>patch', '\u001b']) expect(page).not.toContain(wrong);
  });
});
