// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import type { CorpusEntry, Sighting } from '../../model/index.ts';
import { entryOf } from './entry.ts';
import { dispensable } from './minimize.ts';
import { duplicatesIn, gapsOf } from './lint.ts';

/** An entry that covers what it is told to, with so many bytes. */
function entry(name: string, bytes: number, exercises: string[], violates: string[] = [], seen: Sighting[] = []): CorpusEntry {
  const one = entryOf(name, {
    id: '', device: 'lsmt', layers: [{ wrapping: [], bytes: new Uint8Array(bytes) }], access: { slack: 'page', deviceBytes: 512, reads: [] },
    clauses: { exercises: [], violates: [] },
  }, seen);
  return { ...one, case: { ...one.case, clauses: { exercises, violates } } };
}

test('of equals the smaller one stays', () => {
  expect(dispensable([entry('a', 20, ['LS-HDR-01']), entry('b', 10, ['LS-HDR-01'])])).toEqual(['a']);
  expect(dispensable([entry('b', 10, ['LS-HDR-01']), entry('a', 10, ['LS-HDR-01'])])).toEqual(['b']);
});

test('one case that covers all makes the others needless, touching and breaking are two things', () => {
  const all = [entry('a', 1, ['LS-HDR-01']), entry('b', 1, ['LS-HDR-02']), entry('c', 99, ['LS-HDR-01', 'LS-HDR-02'])];
  expect(dispensable(all)).toEqual(['a', 'b']);
  expect(dispensable([...all, entry('d', 1, [], ['LS-HDR-01'])])).toEqual(['a', 'b']);
});

test('what was taken first goes where the others cover it together', () => {
  const all = [entry('big', 1, ['A', 'B', 'C', 'D']), entry('x', 1, ['A', 'B', 'E']), entry('y', 1, ['C', 'D', 'F'])];
  expect(dispensable(all)).toEqual(['big']);
});

test('a signature that no other case has keeps its case', () => {
  const seen = [{ by: 'dm-overlaybd RFC v3', signature: 'crash: page-fault in f' }];
  expect(dispensable([entry('a', 1, ['LS-HDR-01']), entry('b', 5, [], [], seen), entry('c', 4, [], [], seen)])).toEqual(['b']);
  expect(dispensable([entry('a', 1, []), entry('b', 5, ['LS-HDR-01'])])).toEqual(['a']);
});

test('lint names clauses without cases and cases that are the same', () => {
  const one = entry('one', 7, ['LS-HDR-01'], ['LS-HDR-02'], [{ by: 'fake-reader:table-length-must-fit', signature: 'x' }]);
  const gaps = gapsOf([one]);
  expect(gaps).not.toContain('LS-HDR-01: no case exercises it');
  expect(gaps).toContain('LS-HDR-01: no case violates it');
  expect(gaps).toContain('LS-HDR-02: no case exercises it');
  expect(gaps).not.toContain('LS-HDR-02: no case violates it');
  expect(gaps).toContain('DM-TBL-11: no case exercises it');
  expect(gaps).not.toContain('DM-TBL-11: no case catches a reader that violates it');
  expect(gaps).toContain('DM-TBL-12: no case catches a reader that violates it');
  expect(gaps.filter((g) => g.startsWith('LS-RW-05'))).toEqual(['LS-RW-05: no case exercises it']);
  // A SHOULD clause needs none.
  expect(gaps.filter((g) => g.startsWith('LS-HDR-05'))).toEqual([]);
  expect(duplicatesIn([one, { ...one, name: 'two' }, entry('three', 8, [])])).toEqual(['two: the same case as one']);
});
