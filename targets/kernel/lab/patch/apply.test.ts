// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { applyDiff } from './apply.ts';
import { parsePatches, type FileDiff } from './diff.ts';

function diff(...hunks: readonly string[]): FileDiff {
  return parsePatches(['--- a/f.c', '+++ b/f.c', ...hunks.flatMap((h) => h.split('\n'))], 'p')[0]!.diffs[0]!;
}

const apply = (before: string, ...hunks: string[]): string => applyDiff(before, diff(...hunks), { left: 10_000 });
const lines = (n: number, from = 1): string => Array.from({ length: n }, (_, i) => `${from + i}\n`).join('');

it('several hunks apply one after the other', () => {
  expect(apply(lines(9), '@@ -1,2 +1,3 @@\n 1\n+new\n 2', '@@ -8,2 +9,1 @@\n-8\n 9')).toBe(`1\nnew\n${lines(6, 2)}9\n`);
});

it('a hunk that stands elsewhere takes the ones behind it along', () => {
  const twice = `${lines(5, 100)}a\nb\n${lines(5, 200)}a\nb\n`;
  expect(apply(twice, '@@ -11,2 +11,2 @@\n a\n-b\n+c')).toBe(twice.replace(/b\n$/, 'c\n'));
  expect(apply(twice, '@@ -1,1 +1,1 @@\n-100\n+99', '@@ -7,2 +7,2 @@\n a\n-b\n+c')).toBe(twice.replace('100', '99').replace('b', 'c'));
});

it('lines are added at the start, at the end, and in between without context', () => {
  expect(apply('1\n2\n', '@@ -0,0 +1,1 @@\n+0')).toBe('0\n1\n2\n');
  expect(apply('1\n2\n', '@@ -1,0 +2,1 @@\n+x')).toBe('1\nx\n2\n');
  expect(apply('1\n2\n', '@@ -2,0 +3,1 @@\n+3')).toBe('1\n2\n3\n');
});

it('the end of the file has or has no line end, as the diff says', () => {
  expect(apply('1\n2', '@@ -2,1 +2,1 @@\n-2\n\\ No newline at end of file\n+3')).toBe('1\n3\n');
  expect(apply('1\n2\n', '@@ -2,1 +2,1 @@\n-2\n+3\n\\ No newline at end of file')).toBe('1\n3');
  expect(apply('1\n2', '@@ -1,2 +1,2 @@\n-1\n+0\n 2\n\\ No newline at end of file')).toBe('0\n2');
  expect(apply('1\n2', '@@ -1,1 +1,1 @@\n-1\n+0')).toBe('0\n2');
});

it('all lines may go', () => {
  expect(apply('1\n', '@@ -1,1 +0,0 @@\n-1')).toBe('');
});

it.each<[string, string[], RegExp]>([
  ['other text', ['@@ -1,2 +1,2 @@\n 1\n-x\n+y'], /^hunk 1 \(line 3\) of f.c does not apply: line 2 must be "x", is "2"$/],
  ['more than the file has', ['@@ -3,2 +3,1 @@\n 3\n-4'], /must be "4", is the end of the file$/],
  ['lines before the hunk above', ['@@ -3,1 +3,1 @@\n-3\n+x', '@@ -1,1 +1,1 @@\n-1\n+y'], /^hunk 2 .* does not apply/],
])('%s does not apply', (_, hunks, message) => {
  expect(() => apply(lines(3), ...hunks)).toThrow(message);
});
