// SPDX-License-Identifier: MIT
/**
 * The versions of the module that a text holds: a patch, a series, or a whole
 * thread with its discussion. A diff that only changes the sources goes on top
 * of those that stand before it.
 */
import { posix } from 'node:path';
import { UsageError } from '../../../../model/errors.ts';
import { checkSourceName, hashSources, registersTarget } from '../sources.ts';
import { applyDiff, DoesNotApply, type Work } from './apply.ts';
import type { FileDiff, Patch } from './diff.ts';

/** The module's sources as one version of the patch has them. */
export interface Version {
  /** `v2`, as subjects have it; undefined where no subject says that it is a patch. */
  readonly label: string | undefined;
  /** File name without its folder → contents. */
  readonly sources: ReadonlyMap<string, string>;
  /** The folder of the sources in the kernel tree, as the patch has it. */
  readonly folder: string;
  /** Whether it is what was given as the base, or stood in another text, with changes on top. */
  readonly onTop: boolean;
}

export interface Versions {
  /** In the order of the text, each with a label of its own; at least one. */
  readonly versions: readonly Version[];
  /** What people should know of how it was read. */
  readonly notes: readonly string[];
}

/** Line comparisons for one text. A real series needs some thousands. */
const MAX_WORK = 50_000_000;

/** Builds every version. `base`: the sources that diffs may change besides those of the text. Throws `UsageError` with the reason where there is none. */
export function versionsOf(patches: readonly Patch[], name: string, base?: Version): Versions {
  const notes: string[] = [];
  const own = patches.filter((p) => !p.subject?.reply);
  const answers = patches.length - own.length;
  if (own.length > 0 && answers > 0) notes.push(`${name}: ${answers === 1 ? 'a diff in an answer is' : `diffs in ${answers} answers are`} left out`);
  const work: Work = { left: MAX_WORK };
  const built: Built[] = [];
  for (const group of groupsOf(own.length > 0 ? own : patches)) {
    const one = build(group, built.findLast((b) => b.broken === undefined)?.version, base, work);
    if (one === undefined) continue;
    const twin = built.find((b) => isSame(b, one));
    // An archive may show a mail twice; a version that changes nothing is still a version.
    if (twin !== undefined && twin.version.label === one.version.label) continue;
    if (twin !== undefined) {
      notes.push(`${name}: but for white space the sources of ${one.version.label ?? 'a version'} are those of ${twin.version.label ?? 'the one before'}`);
    }
    built.push(one);
  }
  const whole = built.filter((b) => b.broken === undefined);
  if (whole.length === 0) {
    const broken = built.at(-1)?.broken;
    if (broken !== undefined) throw new UsageError(`${name} is damaged: ${broken}`);
    throw new UsageError(`${name} is a patch without the sources of dm-overlaybd: ${whyNone(patches)}`);
  }
  for (const { version, broken } of built) if (broken !== undefined) notes.push(`${name}: ${version.label ?? 'a version'} is left out: ${broken}`);
  for (const { version } of whole) for (const file of version.sources.keys()) checkSourceName(file, name);
  return { versions: unique(whole.map((b) => b.version)), notes };
}

interface Group {
  readonly label: string | undefined;
  /** Whether a subject writes the version out. */
  stated: boolean;
  readonly parts: { readonly number: number; readonly diffs: FileDiff[] }[];
  readonly added: Set<string>;
}

/** Patches that make one version. A file that is added again begins the next one. */
function groupsOf(patches: readonly Patch[]): Group[] {
  const groups: Group[] = [];
  const begin = (label: string | undefined): Group => {
    groups.push({ label, stated: false, parts: [], added: new Set() });
    return groups.at(-1)!;
  };
  for (const { subject, diffs } of patches) {
    const label = subject?.version;
    const changesOnly = diffs.every((d) => d.from !== null);
    // A correction without a version of its own goes on top of what stands before it.
    const follows = label === undefined || (!subject!.stated && changesOnly && (subject!.part?.of ?? 1) <= 1);
    let group = (follows ? groups.at(-1) : groups.findLast((g) => g.label === label)) ?? begin(label);
    const number = subject?.part?.number ?? Number.MAX_SAFE_INTEGER;
    let part: FileDiff[] | undefined;
    group.stated ||= label !== undefined && subject!.stated;
    for (const diff of diffs) {
      if (diff.from === null && group.added.has(diff.to!)) {
        group = begin(group.label ?? label);
        part = undefined;
      }
      if (diff.from === null) group.added.add(diff.to!);
      if (part === undefined) {
        part = [];
        group.parts.push({ number, diffs: part });
      }
      part.push(diff);
    }
  }
  return groups;
}

interface Built {
  readonly version: Version;
  readonly broken?: string;
}

/** One version; undefined where the group does not touch the module's sources. */
function build(group: Group, own: Version | undefined, base: Version | undefined, work: Work): Built | undefined {
  const before = own ?? base;
  // Mails of a series may come in any order; a stable sort keeps the rest as it was.
  const diffs = group.parts.sort((a, b) => a.number - b.number).flatMap((p) => p.diffs);
  const added = new Map<string, string>();
  for (const d of diffs) if (d.from === null && /\.[ch]$/.test(d.to!)) added.set(d.to!, d.hunks.flatMap((h) => h.lines).join('\n'));
  const folder = ownFolder(added, diffs) ?? (before && touchedFolder(diffs, before));
  if (folder === undefined) return undefined;
  const standsAlone = ownFolder(added, diffs) !== undefined;
  const about = { label: standsAlone || group.stated ? group.label : undefined, folder, onTop: !standsAlone && own === undefined };
  const tree = new Map<string, string>(standsAlone ? [] : before!.sources);
  try {
    for (const diff of diffs) change(tree, diff, folder, work);
  } catch (error) {
    if (!(error instanceof DoesNotApply)) throw error;
    return { version: { ...about, sources: tree }, broken: error.message };
  }
  const sources = new Map([...tree].filter(([file]) => /\.[ch]$/.test(file)));
  return { version: { ...about, sources } };
}

/** The folder of the C files among which a device-mapper target for the formats is registered. */
function ownFolder(added: ReadonlyMap<string, string>, diffs: readonly FileDiff[]): string | undefined {
  const folders = new Map<string, string[]>();
  for (const path of added.keys()) folders.set(posix.dirname(path), [...(folders.get(posix.dirname(path)) ?? []), path]);
  for (const [folder, paths] of folders) {
    const text = paths.map((path) => added.get(path)!).join('\n');
    // A truncated file may have lost the call; it still counts, so that the damage is what is reported.
    const broken = diffs.some((d) => d.broken !== undefined && d.from === null && paths.includes(d.to!));
    if ((registersTarget(text) || broken) && /overlaybd|zfile|lsmt/i.test(`${paths.join(' ')} ${text}`)) return folder;
  }
  return undefined;
}

/** The folder in which diffs change sources of the version before; its files may be known by their names only. */
function touchedFolder(diffs: readonly FileDiff[], before: Version): string | undefined {
  const touched = diffs.find((d) => d.from !== null && before.sources.has(posix.basename(d.from)) && isIn(d.from, before.folder));
  return touched && posix.dirname(touched.from!);
}

/** Whether a path may be meant to lie in the folder: trees begin at different places, and a folder from a disk has no place in the tree. */
function isIn(path: string, folder: string): boolean {
  const own = posix.dirname(path);
  return folder === '' || own === folder || own.endsWith(`/${folder}`) || folder.endsWith(`/${own}`) || own === '.';
}

/** Applies one diff to the module's folder. What lies elsewhere in the kernel is not built and left alone. */
function change(tree: Map<string, string>, diff: FileDiff, folder: string, work: Work): void {
  const isHere = (path: string): boolean => (diff.from === null ? posix.dirname(path) === folder : isIn(path, folder));
  const inside = (path: string | null): string | undefined => (path !== null && isHere(path) ? posix.basename(path) : undefined);
  const [from, to] = [inside(diff.from), inside(diff.to)];
  // Kconfig and Makefile of the folder are not built.
  if (![from, to].some((file) => file !== undefined && /\.[ch]$/.test(file))) return;
  if (diff.broken !== undefined) throw new DoesNotApply(diff.broken);
  const old = diff.from === null ? '' : from === undefined ? undefined : tree.get(from);
  if (old === undefined) {
    throw new DoesNotApply(
      `${diff.from} is changed, but the text does not hold it; give the sources that it changes with --source, or as the --patch before it`,
    );
  }
  const after = applyDiff(old, diff, work);
  if (from !== undefined && from !== to && !diff.copy) tree.delete(from);
  if (to !== undefined) tree.set(to, after);
}

/** Whether a version came before, be it that mails or archives have other white space. */
function isSame(a: Built, b: Built): boolean {
  const squeezed = (v: Built): string => hashSources(new Map([...v.version.sources].map(([file, text]) => [file, text.replace(/\s+/g, '')])));
  return a.broken === b.broken && squeezed(a) === squeezed(b);
}

/** Labels that repeat get a number: `v2`, `v2-2`. */
function unique(versions: readonly Version[]): Version[] {
  const seen = new Set<string>();
  return versions.map((version) => {
    if (version.label === undefined && versions.length === 1) return version;
    const stem = version.label ?? 'v1';
    let label = stem;
    for (let n = 2; seen.has(label); n++) label = `${stem}-${n}`;
    seen.add(label);
    return { ...version, label };
  });
}

function whyNone(patches: readonly Patch[]): string {
  const diffs = patches.flatMap((p) => p.diffs);
  if (diffs.some((d) => d.from !== null && /(overlaybd|zfile|lsmt)[^/]*\.[ch]$|overlaybd\/[^/]+\.[ch]$/.test(d.from))) {
    return 'it changes them but does not hold them whole; give the folder that it applies to with --source, or the patch as the --patch before it';
  }
  return diffs.some((d) => d.from === null && /\.[ch]$/.test(d.to!))
    ? 'no file that it adds registers a device-mapper target for ZFile or LSMT'
    : 'it adds no C files';
}
