// SPDX-License-Identifier: MIT
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UsageError, type SourceCoverage } from '../model/index.ts';
import { coverageJson, loadCoverage, mergeCoverage } from './coverage-file.ts';
import { saveCoverage } from './coverage.ts';
import { coverageTable, percent, reachedOf } from './coverage-text.ts';
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
      functions: [{ name: 'go', from: 1, to: 2, count: 7 }, { name: 'stop', from: 4, to: 5, count: 0 }],
    },
    { file: 'b.c', text: 'x\n', lines: [], functions: [] },
  ],
};

const root = mkdtempSync(join(tmpdir(), 'ovbd-coverage-'));
afterAll(() => rmSync(root, { recursive: true }));

describe('coverage', () => {
  it('as lcov has a record a file', () => {
    expect(lcovText(COVERAGE.files.slice(0, 1))).toBe([
      'TN:', 'SF:a.c', 'FN:1,go', 'FN:4,stop', 'FNDA:7,go', 'FNDA:0,stop', 'FNF:2', 'FNH:1', 'BRDA:1,0,0,7', 'BRDA:1,0,1,0', 'BRDA:4,0,0,-', 'BRDA:4,0,1,-', 'BRF:4', 'BRH:1',
      'DA:1,7', 'DA:2,7', 'DA:4,0', 'DA:5,0', 'LF:4', 'LH:2', 'end_of_record', '',
    ].join('\n'));
    expect(lcovText(COVERAGE.files).match(/end_of_record/g)).toHaveLength(2);
  });

  it('counts lines and branches', () => {
    expect(reachedOf(COVERAGE.files)).toEqual({ lines: 2, allLines: 4, branches: 1, allBranches: 4 });
    expect([percent(0, 0), percent(0, 9), percent(1, 1000), percent(999, 1000), percent(9, 9)]).toEqual(['-', '0 %', '1 %', '99 %', '100 %']);
  });

  it('is written as four files, of several targets in folders of their own', () => {
    expect(saveCoverage(root, [{ target: 'patch', coverage: COVERAGE }])).toEqual(['coverage']);
    expect(readdirSync(join(root, 'coverage')).sort()).toEqual(['coverage.json', 'index.html', 'lcov.info', 'summary.txt']);
    const summary = readFileSync(join(root, 'coverage/summary.txt'), 'utf8');
    expect(summary).toMatch(/^a\.c +2\/4 +50 % +1\/4 +25 %$/m);
    expect(summary).toContain('a.c: lines not reached\n  stop (never called)\n    4  else\n    5    stop();\n');
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

  it('is read back from the folder of a run, of each target of it', () => {
    saveCoverage(root, [{ target: 'patch', coverage: COVERAGE }]);
    const run = root.slice(root.lastIndexOf('/') + 1);
    for (const given of [root, join(root, 'coverage')]) expect(loadCoverage(given)).toEqual([{ name: given === root ? run : 'coverage', coverage: COVERAGE }]);
    saveCoverage(join(root, 'both'), ['a', 'b'].map((target) => ({ target, coverage: COVERAGE })));
    expect(loadCoverage(join(root, 'both')).map((l) => l.name)).toEqual(['both a', 'both b']);
    expect(() => loadCoverage(tmpdir())).toThrow(/no coverage\/coverage.json in it/);
    expect(() => loadCoverage(join(root, 'none'))).toThrow(UsageError);
    const bad = join(root, 'bad.json');
    for (const text of ['', '{}', coverageJson('x', { ...COVERAGE, lost: -1 }), coverageJson('x', COVERAGE).replace('"count":7', '"count":"7"')]) {
      writeFileSync(bad, text);
      expect(() => loadCoverage(bad), text).toThrow(UsageError);
    }
  });

  it('of several runs adds up, of the same sources only', () => {
    const [a, b] = COVERAGE.files;
    const other: SourceCoverage = {
      instances: 2, lost: 0, problems: [],
      files: [{ ...a!, lines: [{ line: 1, count: 1, branches: [0, 1] }, { line: 2, count: 0, branches: [3] }, { line: 5, count: 4, branches: [] }], functions: [{ name: 'stop', from: 4, to: 5, count: 1 }] }],
    };
    const sum = mergeCoverage([{ name: 'x', coverage: COVERAGE }, { name: 'y', coverage: other }]);
    expect(sum).toMatchObject({ instances: 5, lost: 1, problems: COVERAGE.problems });
    expect(sum.files[0]!.lines).toEqual([
      { line: 1, count: 8, branches: [7, 1] }, { line: 2, count: 7, branches: [3] }, { line: 4, count: 0, branches: [0, 0] }, { line: 5, count: 4, branches: [] },
    ]);
    expect(sum.files[0]!.functions.map((f) => f.count)).toEqual([7, 1]);
    const table = coverageTable([{ name: 'x', files: COVERAGE.files }, { name: 'a longer name than its columns of numbers', files: other.files }, { name: 'together', files: sum.files }]);
    expect(table[0]).toMatch(/^ +x {2}a longer name than its columns of numbers +together$/);
    expect(table[2]).toMatch(/^a\.c +2\/4 +50 % +1\/4 +25 % +2\/3 +67 % +2\/3 +67 % +3\/4 +75 % +3\/5 +60 %$/);
    expect(table[3]).toMatch(/^b\.c +0\/0 +- +0\/0 +- +- +- +0\/0 +- +0\/0 +-$/);
    expect(new Set(table.filter((l) => !l.startsWith('file')).map((l) => l.length)).size).toBe(1);
    const changed = { ...COVERAGE, files: [{ ...a!, text: 'y' }, b!] };
    expect(() => mergeCoverage([{ name: 'x', coverage: COVERAGE }, { name: 'y', coverage: changed }])).toThrow(/a\.c is another source in y than in x/);
  });
});
