// SPDX-License-Identifier: MIT
/**
 * The sources of dm-overlaybd out of a mailed patch. They are new files, so they
 * are the `+` lines of its diffs, however the mail was archived: in a patchwork
 * page, a list archive (leading white space collapsed, which C does not mind) or
 * as git wrote it. Hunk counts say where a file ends, so that what an archive puts
 * after it is not taken.
 */
import { posix } from 'node:path';
import { UsageError } from '../../../model/errors.ts';
import { checkSourceName, registersTarget } from './sources.ts';

export interface Extracted {
  /** File name without its folder → contents. */
  readonly sources: Map<string, string>;
  /** The folder of the sources in the kernel tree, as the patch has it. */
  readonly folder: string;
  /** What people should know of how it was read. */
  readonly notes: readonly string[];
}

/** One new file of the text. */
interface NewFile {
  readonly path: string;
  readonly contents: string;
  /** Set where the text ends or breaks off before the hunk's count is reached. */
  readonly truncated?: string;
}

/** Takes the sources out of a text; `name` is for messages. Throws `UsageError` with the reason where it cannot. */
export function extractSources(text: string, name: string): Extracted {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  if (!lines.some((line) => /^diff --git |^@@\s+-\d/.test(line))) throw new UsageError(`${name} is not a patch: no diff in it${encodingHint(text)}`);
  const versions = splitVersions(newFiles(lines, name));
  const candidates = versions.map(pickFolder).filter((v) => v !== undefined);
  if (candidates.length === 0) throw new UsageError(`${name} is a patch without the sources of dm-overlaybd: ${whyNone(lines, versions)}`);
  const whole = candidates.filter((v) => v.files.every((file) => file.truncated === undefined));
  const chosen = whole.at(-1);
  if (chosen === undefined) {
    const broken = candidates.at(-1)!.files.find((file) => file.truncated !== undefined)!;
    throw new UsageError(`${name} is damaged: ${broken.truncated}${encodingHint(text)}`);
  }
  const sources = new Map<string, string>();
  for (const file of chosen.files) {
    const base = posix.basename(file.path);
    checkSourceName(base, name);
    sources.set(base, file.contents);
  }
  const notes: string[] = [];
  if (candidates.length > 1) {
    const at = candidates.indexOf(chosen) + 1;
    notes.push(`${name} holds ${candidates.length} versions of the sources; number ${at} was taken${at < candidates.length ? ', the last that is whole' : ', the last'}`);
  }
  return { sources, folder: chosen.folder, notes };
}

/** All new-file diffs, in order. */
function newFiles(lines: readonly string[], name: string): NewFile[] {
  const files: NewFile[] = [];
  for (let i = 0; i + 2 < lines.length; i++) {
    if (!/^---\s+\/dev\/null\s*$/.test(lines[i]!)) continue;
    const header = /^\+\+\+\s+(.+?)(?:\t.*)?\s*$/.exec(lines[i + 1]!);
    const hunk = /^@@\s+-0,0\s+\+1(?:,(\d+))?\s+@@/.exec(lines[i + 2]!);
    if (header === null || hunk === null) continue;
    const path = safePath(header[1]!, name);
    const count = Number(hunk[1] ?? 1);
    const first = i + 3;
    let end = first;
    while (end < lines.length && end - first < count && lines[end]!.startsWith('+')) end++;
    let contents = lines.slice(first, end).map((line) => `${line.slice(1)}\n`).join('');
    if (lines[end]?.startsWith('\\ No newline')) contents = contents.slice(0, -1);
    files.push({
      path,
      contents,
      ...(end - first < count ? { truncated: `line ${end + 1}: ${path} breaks off after ${end - first} of ${count} lines` } : {}),
    });
    i = end - 1;
  }
  return files;
}

/** The path of a `+++` line, without git's `b/`. Throws where it would leave the tree. */
function safePath(raw: string, name: string): string {
  const path = raw.replace(/^b\//, '');
  if (path.startsWith('/') || path.split('/').includes('..') || /[\0\\"]/.test(path)) {
    throw new UsageError(`${name} is refused: it names a file outside the kernel tree: ${JSON.stringify(raw)}`);
  }
  return path;
}

/** A file that comes again begins the next version. */
function splitVersions(files: readonly NewFile[]): NewFile[][] {
  const versions: NewFile[][] = [];
  let seen = new Set<string>();
  for (const file of files) {
    if (versions.length === 0 || seen.has(file.path)) {
      versions.push([]);
      seen = new Set();
    }
    versions.at(-1)!.push(file);
    seen.add(file.path);
  }
  return versions;
}

/** The C files of the folder in which a device-mapper target for the formats is registered. */
function pickFolder(files: readonly NewFile[]): { folder: string; files: NewFile[] } | undefined {
  const folders = new Map<string, NewFile[]>();
  for (const file of files) {
    if (!/\.[ch]$/.test(file.path)) continue;
    const folder = posix.dirname(file.path);
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  for (const [folder, inside] of folders) {
    const text = inside.map((file) => file.contents).join('');
    // A truncated file may have lost the call; it still counts, so that the damage is what is reported.
    const registers = registersTarget(text) || inside.some((file) => file.truncated !== undefined);
    if (registers && /overlaybd|zfile|lsmt/i.test(`${inside.map((file) => file.path).join(' ')} ${text}`)) return { folder, files: inside };
  }
  return undefined;
}

function whyNone(lines: readonly string[], versions: readonly NewFile[][]): string {
  const changed = lines.find((line) => /^\+\+\+\s+\S*(overlaybd|zfile|lsmt)\S*\.[ch]\s*$/.test(line));
  if (versions.every((files) => files.every((file) => !/\.[ch]$/.test(file.path)))) {
    return changed !== undefined
      ? 'it changes them but does not hold them whole; apply it and give the folder with --source'
      : 'it adds no C files';
  }
  return 'no file that it adds registers a device-mapper target for ZFile or LSMT';
}

function encodingHint(text: string): string {
  const encoding = /^Content-Transfer-Encoding:\s*(quoted-printable|base64)/im.exec(text)?.[1];
  return encoding === undefined ? '' : ` (the mail is encoded as ${encoding.toLowerCase()}: save its decoded text)`;
}
