// SPDX-License-Identifier: MIT
/**
 * A diff applied to the file that it changes. Context must be exact; where an
 * archive has collapsed white space, context that differs in nothing else will do.
 */
import type { FileDiff, Hunk } from './diff.ts';

/** Line comparisons that may still be made: searching for the place of a hunk must not take for ever. */
export interface Work {
  left: number;
}

/** Why a diff does not apply. */
export class DoesNotApply extends Error {
  override readonly name = 'DoesNotApply';
}

/** The file after the change. Throws `DoesNotApply` with the file and the hunk. */
export function applyDiff(before: string, diff: FileDiff, work: Work): string {
  const open = before !== '' && !before.endsWith('\n');
  const old = before === '' ? [] : before.split('\n');
  if (!open && before !== '') old.pop();
  const folded: string[] = [];
  const result: string[] = [];
  let openEnd = open;
  let done = 0;
  let shift = 0;
  diff.hunks.forEach((hunk, n) => {
    const wanted = hunk.lines.filter((line) => line[0] !== '+').map((line) => line.slice(1));
    // Git counts lines from 1, and names the line before where a hunk takes none away.
    const stated = hunk.start - (wanted.length === 0 ? 0 : 1);
    const guess = Math.max(0, Math.min(old.length, stated + shift));
    const where = { diff, hunk, n, work };
    const at = place(old, wanted, guess, done, where)
      ?? place(old.length === folded.length ? folded : fill(folded, old), wanted.map(fold), guess, done, where);
    if (at === undefined) throw new DoesNotApply(`${label(diff, hunk, n)} does not apply: ${misfit(old, wanted, guess)}`);
    for (; done < at; done++) result.push(old[done]!);
    for (const line of hunk.lines) {
      if (line[0] === '+') result.push(line.slice(1));
      else {
        // What stays keeps its own white space.
        if (line[0] === ' ') result.push(old[done]!);
        done++;
      }
    }
    if (done === old.length) openEnd = hunk.openEnd.new || (open && hunk.lines.at(-1)?.[0] === ' ');
    shift = at - stated;
  });
  for (; done < old.length; done++) result.push(old[done]!);
  return result.length === 0 ? '' : `${result.join('\n')}${openEnd ? '' : '\n'}`;
}

interface Where {
  readonly diff: FileDiff;
  readonly hunk: Hunk;
  readonly n: number;
  readonly work: Work;
}

/** The place nearest to `guess`, not before `first`, at which the lines stand; undefined where there is none. */
function place(lines: readonly string[], wanted: readonly string[], guess: number, first: number, where: Where): number | undefined {
  const last = lines.length - wanted.length;
  if (wanted.length === 0) return guess >= first && guess <= lines.length ? guess : undefined;
  const fits = (at: number): boolean => {
    for (let k = 0; k < wanted.length; k++) {
      if (where.work.left-- <= 0) throw new DoesNotApply(`${label(where.diff, where.hunk, where.n)}: looking for its place takes too long`);
      if (lines[at + k] !== wanted[k]) return false;
    }
    return true;
  };
  for (let away = 0; guess - away >= first || guess + away <= last; away++) {
    for (const at of away === 0 ? [guess] : [guess - away, guess + away]) {
      if (at >= first && at <= last && fits(at)) return at;
    }
  }
  return undefined;
}

/** White space collapsed as archives do. */
function fold(line: string): string {
  return line.split(/[\t ]+/).filter((word) => word !== '').join(' ');
}

function fill(folded: string[], lines: readonly string[]): string[] {
  for (const line of lines.slice(folded.length)) folded.push(fold(line));
  return folded;
}

/** `hunk 2 (line 40 of the diff) of drivers/md/x.c`. */
function label(diff: FileDiff, hunk: Hunk, n: number): string {
  return `hunk ${n + 1} (line ${hunk.at}) of ${diff.from ?? diff.to}`;
}

function misfit(lines: readonly string[], wanted: readonly string[], guess: number): string {
  const k = wanted.findIndex((line, i) => fold(lines[guess + i] ?? '\0') !== fold(line));
  const shown = (line: string | undefined): string => (line === undefined ? 'the end of the file' : JSON.stringify(line.slice(0, 80)));
  return k < 0 ? 'its lines stand before those of the hunk above it' : `line ${guess + k + 1} must be ${shown(wanted[k])}, is ${shown(lines[guess + k])}`;
}
