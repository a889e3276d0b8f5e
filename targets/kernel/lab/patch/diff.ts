// SPDX-License-Identifier: MIT
/**
 * Unified diffs out of text, whatever stands around them. Hunk counts say where
 * a hunk ends, so that what an archive puts after it is not taken; an archive
 * that collapses white space also eats the space before a context line.
 * Quoted diffs (`> +…`) are not diffs.
 */
import { UsageError } from '../../../../model/errors.ts';
import { MAX_HEADER, subjectLine, titleLine, type Subject } from './subject.ts';

/** Some lines of a file replaced by others. */
export interface Hunk {
  /** First line of the old file, from 1; 0 where the file is new. */
  readonly start: number;
  /** Lines with their mark: a space, `+` or `-`. */
  readonly lines: readonly string[];
  /** Whether the last line of the new file, or of the old, is without its line end. */
  readonly openEnd: { readonly old: boolean; readonly new: boolean };
  /** Where it stands in the text, from 1. */
  readonly at: number;
}

/** What a diff does to one file. */
export interface FileDiff {
  /** Path in the tree before; null where the file is new. */
  readonly from: string | null;
  /** Path after; null where the file is removed. */
  readonly to: string | null;
  readonly hunks: readonly Hunk[];
  /** Whether `from` stays as it was where the paths differ. */
  readonly copy: boolean;
  /** Set where the text breaks off before a hunk's count is reached. */
  readonly broken?: string;
}

/** The diffs of one mail. */
export interface Patch {
  readonly subject?: Subject;
  readonly diffs: readonly FileDiff[];
}

const HUNK = /^@@\s+-(\d{1,9})(?:,(\d{1,9}))?\s+\+(\d{1,9})(?:,(\d{1,9}))?\s+@@/;

/**
 * The patches of a text, in order, only those that have diffs. `first`: the
 * subject, where the mail's header had it. Throws `UsageError` for a path that
 * leaves the tree.
 */
export function parsePatches(lines: readonly string[], name: string, first?: Subject): Patch[] {
  const patches: { subject?: Subject; diffs: FileDiff[] }[] = [{ ...(first && { subject: first }), diffs: [] }];
  let extended: Extended | undefined;
  const finish = (): void => {
    // Without hunks: an empty new file, or one that only gets another name.
    if (extended && extended.to !== undefined) patches.at(-1)!.diffs.push({ from: extended.from ?? null, to: extended.to, hunks: [], copy: extended.copy });
    extended = undefined;
  };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (line.startsWith('diff --git ')) {
      finish();
      extended = extendedHeader(lines, i, name);
      continue;
    }
    if (isFileHeader(lines, i)) {
      const read = fileDiff(lines, i, extended, name);
      extended = undefined;
      patches.at(-1)!.diffs.push(read.diff);
      i = read.next - 1;
      continue;
    }
    const current = patches.at(-1)!;
    const subject = subjectLine(line) ?? (current.subject === undefined && current.diffs.length === 0 ? titleLine(line) : undefined);
    if (subject === undefined) continue;
    finish();
    patches.push({ subject, diffs: [] });
  }
  finish();
  return patches.filter((p) => p.diffs.length > 0);
}

/** What git writes between `diff --git` and the hunks. */
interface Extended {
  readonly from?: string;
  readonly to?: string;
  readonly copy: boolean;
}

/** Lines of an extended header; git writes at most seven. */
const EXTENDED_LINES = 10;

function extendedHeader(lines: readonly string[], at: number, name: string): Extended {
  const found: Record<string, string> = {};
  let empty = false;
  for (let i = at + 1; i < Math.min(lines.length, at + EXTENDED_LINES); i++) {
    const line = lines[i]!;
    if (line.length > MAX_HEADER) break;
    const moved = /^(rename|copy) (from|to) (.+)$/.exec(line);
    if (moved) found[`${moved[1]} ${moved[2]}`] = safePath(moved[3]!.trim(), name);
    // The object name of an empty file.
    else if (/^index 0+\.\.e69de29/.test(line)) empty = true;
    else if (!/^(?:index |new file |deleted file |old mode|new mode|similarity |dissimilarity )/.test(line)) break;
  }
  if (empty) {
    const path = /^diff --git \S+ (\S+)$/.exec(lines[at]!.slice(0, MAX_HEADER))?.[1];
    return path === undefined ? { copy: false } : { to: safePath(path, name, true), copy: false };
  }
  for (const how of ['rename', 'copy']) {
    const [from, to] = [found[`${how} from`], found[`${how} to`]];
    if (from !== undefined && to !== undefined) return { from, to, copy: how === 'copy' };
  }
  return { copy: false };
}

function isFileHeader(lines: readonly string[], i: number): boolean {
  return /^---\s+\S/.test(lines[i]!) && /^\+\+\+\s+\S/.test(lines[i + 1] ?? '') && HUNK.test(lines[i + 2] ?? '')
    && lines[i]!.length <= MAX_HEADER && lines[i + 1]!.length <= MAX_HEADER;
}

function fileDiff(lines: readonly string[], at: number, extended: Extended | undefined, name: string): { diff: FileDiff; next: number } {
  const [from, to] = [headerPath(lines[at]!, name), headerPath(lines[at + 1]!, name)];
  const hunks: Hunk[] = [];
  let i = at + 2;
  let broken: string | undefined;
  while (broken === undefined && HUNK.test(lines[i]?.slice(0, MAX_HEADER) ?? '')) {
    const read = readHunk(lines, i);
    hunks.push(read.hunk);
    i = read.next;
    if (read.missing) broken = `line ${i + 1}: ${to ?? from} breaks off after ${read.missing.got} of ${read.missing.of} lines`;
  }
  return { diff: { from, to, hunks, copy: extended?.copy ?? false, ...(broken !== undefined && { broken }) }, next: i };
}

interface ReadHunk {
  readonly hunk: Hunk;
  /** The first line after it. */
  readonly next: number;
  /** Lines of the new file that came, and that its header says. */
  readonly missing?: { readonly got: number; readonly of: number };
}

function readHunk(lines: readonly string[], at: number): ReadHunk {
  const [, start, oldCount, , newCount] = HUNK.exec(lines[at]!.slice(0, MAX_HEADER))! as unknown as [string, string, string?, string?, string?];
  let oldLeft = Number(oldCount ?? 1);
  const added = Number(newCount ?? 1);
  let newLeft = added;
  const taken: string[] = [];
  const openEnd = { old: false, new: false };
  const noLineEnd = (): void => {
    const mark = taken.at(-1)?.[0];
    if (mark !== '+') openEnd.old = true;
    if (mark !== '-') openEnd.new = true;
  };
  let i = at + 1;
  for (; oldLeft > 0 || newLeft > 0; i++) {
    const line = lines[i];
    // Behind the last line end there is no line.
    const ended = line === undefined || (line === '' && i === lines.length - 1);
    if (ended || line.startsWith('diff --git ') || isFileHeader(lines, i)) break;
    if (line.startsWith('\\')) {
      noLineEnd();
    } else if (line.startsWith('+') && newLeft > 0) {
      taken.push(line);
      newLeft--;
    } else if (line.startsWith('-') && oldLeft > 0) {
      taken.push(line);
      oldLeft--;
    } else if (oldLeft > 0 && newLeft > 0 && !/^[+-]/.test(line)) {
      taken.push(line.startsWith(' ') ? line : ` ${line}`);
      oldLeft--;
      newLeft--;
    } else {
      break;
    }
  }
  const whole = oldLeft === 0 && newLeft === 0;
  if (whole && lines[i]?.startsWith('\\ No newline')) {
    noLineEnd();
    i++;
  }
  return { hunk: { start: Number(start), lines: taken, openEnd, at: at + 1 }, next: i, ...(!whole && { missing: { got: added - newLeft, of: added } }) };
}

/** The path of a `---` or `+++` line; null for `/dev/null`. Where white space was collapsed a time stamp follows after a space. */
function headerPath(line: string, name: string): string | null {
  const raw = line.slice(3).trim().split('\t')[0]!.replace(/ \d{4}-\d\d-\d\d\b.*$/, '').trimEnd();
  return raw === '/dev/null' ? null : safePath(raw, name, true);
}

/** A path of the tree, without git's `a/` and `b/`. Throws where it would leave the tree. */
function safePath(raw: string, name: string, prefixed = false): string {
  const path = prefixed ? raw.replace(/^[abciow]\//, '') : raw;
  if (path.startsWith('/') || path.split('/').includes('..') || /[\0\\"]/.test(path)) {
    throw new UsageError(`${name} is refused: it names a file outside the kernel tree: ${JSON.stringify(raw.slice(0, 200))}`);
  }
  return path;
}
