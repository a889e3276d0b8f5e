// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { COMPARE_SCHEMA, type ReaderComparison } from '../model/index.ts';
import { compareLines } from './compare-text.ts';

const target = (name: string) => ({ name, description: `the ${name}`, parts: {}, remake: {} });
const counts = { opened: 1, refused: 1, died: 0, notGiven: 0, failed: 0, rate: 12.34 };

const SAMPLE: ReaderComparison = {
  schema: COMPARE_SCHEMA, mode: 'readers', suite: 'suite', from: { seed: 3 }, cases: 2, complete: true,
  targets: [target('one'), target('two'), target('three')], skipped: [{ target: 'gone', reason: 'not \u001b[31mhere' }],
  answers: { one: counts, two: counts, three: { ...counts, died: 1 } },
  pairs: { one: { two: { same: 1, allowed: 1, differ: 0, notBoth: 0 }, three: { same: 1, allowed: 0, differ: 1, notBoth: 0 } }, two: { three: { same: 2, allowed: 0, differ: 0, notBoth: 0 } }, three: {} },
  rows: [{
    what: 'other bytes', clause: 'LS-MAP-01', cells: { three: 1 },
    smallest: {
      case: 's3-c1', class: 'valid', bytes: 9000, read: 0, position: 512, place: [{ layer: 0, text: 'sector 1: the layer' }],
      sides: [
        { target: 'one', does: 'gave 4096 bytes', verdict: 'pass', bytes: '00' }, { target: 'two', does: 'gave 4096 bytes', verdict: 'pass', bytes: '00' },
        { target: 'three', does: 'gave 4096 bytes', verdict: 'corruption', clause: 'LS-MAP-01', bytes: '01', origin: 'the bytes of sector 2' },
      ],
    },
  }],
};

test('counts, pairs, rows and the first difference; hostile text is harmless', () => {
  expect(compareLines(SAMPLE)).toEqual([
    'suite: seed 3, 2 cases',
    '  a  one    the one', '  b  two    the two', '  c  three  the three', '  skipped  gone: not \\x1b[31mhere', '',
    '                     a     b     c', '  opened             1     1     1', '  refused            1     1     1', '  died               ·     ·     1',
    '  cases a second  12.3  12.3  12.3', '',
    'cases on which two of them do the same / may differ / differ:', '         b      c', '  a  1/1/0  1/0/1', '  b         2/0/0', '',
    'where they differ from a (one), cases:', '     b  c', '  1  ·  1  other bytes: LS-MAP-01', '',
    '  1. other bytes: LS-MAP-01; smallest: s3-c1, valid, 9000 bytes, from byte 512 of the device on',
    '     sector 1: the layer', '     a, b  gave 4096 bytes (pass)', '           00',
    '     c  gave 4096 bytes (corruption LS-MAP-01)', '        01: the bytes of sector 2',
  ]);
});

test('no difference is said, and a run that was stopped', () => {
  const lines = compareLines({ ...SAMPLE, rows: [], complete: false, from: { images: ['a.lsmt'] } });
  expect(lines[0]).toBe('suite: a.lsmt; stopped before the end');
  expect(lines.at(-1)).toBe('nobody differs from one');
});
