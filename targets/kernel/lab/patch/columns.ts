// SPDX-License-Identifier: MIT
/** Everything that `--patch` gave, as columns of a run: one for each version of the module. */
import { UsageError } from '../../../../model/errors.ts';
import { readSourceFolder } from '../sources.ts';
import type { Patch } from './diff.ts';
import { patchesOf, readPatchInput, versionsOf, type PatchInput, type Version } from './index.ts';

/** One version under test. */
export interface PatchColumn {
  /** `v2`, or the name of its file: lower case, no other column's. */
  readonly name: string;
  /** For people: its file, and the version where the file holds several. */
  readonly title: string;
  readonly sources: ReadonlyMap<string, string>;
  /** What gives it again as `--patch` and `--source`; empty where nothing does (standard input, changes on top of another `--patch`). */
  readonly remake: Readonly<Record<string, string>>;
}

export interface PatchColumns {
  readonly columns: readonly PatchColumn[];
  readonly notes: readonly string[];
}

/**
 * Reads all of them. A thread gives each of its versions, parts of one series
 * given one by one are one version, and a patch that only changes the sources
 * is applied to those of `source`, else to those of the `--patch` before it.
 * Throws `UsageError` for what the user gave wrongly, `EngineError` without network.
 */
export async function loadPatches(given: readonly string[], source: string | undefined, signal?: AbortSignal): Promise<PatchColumns> {
  if (given.filter((one) => /^-(?:#|$)/.test(one)).length > 1) throw new UsageError('--patch - can be given only once: there is one standard input');
  const folder: Version | undefined = source === undefined
    ? undefined
    : { label: undefined, folder: '', sources: await readSourceFolder(source), onTop: false };
  const inputs: Loaded[] = [];
  for (const one of given) {
    const input = await readPatchInput(one, signal);
    const patches = input.files.flatMap((file) => patchesOf(file, input.name));
    if (patches.length === 0) throw new UsageError(`${input.name} is not a patch: no diff in it`);
    const last = inputs.at(-1);
    const both = [...(last?.patches ?? []), ...patches];
    if (last !== undefined && isSameSeries(both)) inputs[inputs.length - 1] = { input: last.input, patches: both, merged: true };
    else inputs.push({ input, patches, merged: false });
  }
  const notes: string[] = [];
  const found: Found[] = [];
  for (const { input, patches, merged } of inputs) {
    const read = versionsOf(patches, input.name, folder ?? found.at(-1)?.version);
    notes.push(...read.notes);
    const versions = choose(read.versions, input);
    if (folder !== undefined && versions.some((v) => !v.onTop)) {
      throw new UsageError(`${input.name} holds the sources whole, so there is nothing to take from --source: give one of them`);
    }
    for (const version of versions) found.push({ input, version, merged, several: read.versions.length > 1 });
  }
  const names = namesOf(found);
  return {
    notes,
    columns: found.map((f, i) => ({
      name: names[i]!, title: f.several ? `${f.input.name} ${f.version.label}` : f.input.name, sources: f.version.sources, remake: remakeOf(f, source),
    })),
  };
}

interface Loaded {
  readonly input: PatchInput;
  readonly patches: readonly Patch[];
  readonly merged: boolean;
}

interface Found {
  readonly input: PatchInput;
  readonly version: Version;
  readonly merged: boolean;
  /** Whether its input holds other versions too. */
  readonly several: boolean;
}

function choose(versions: readonly Version[], { name, version }: PatchInput): readonly Version[] {
  if (version === undefined) return versions;
  const chosen = versions.filter((v) => v.label === version);
  if (chosen.length === 0) throw new UsageError(`${name} holds no ${version}: it holds ${versions.map((v) => v.label ?? 'one version without a name').join(', ')}`);
  return chosen;
}

/** Mails `1/3`, `2/3` and `3/3` that were saved one by one. */
function isSameSeries(patches: readonly Patch[]): boolean {
  const [first] = patches;
  const parts = patches.map((p) => p.subject?.part);
  return parts.every((part) => part !== undefined && part.of > 1 && part.of === parts[0]!.of)
    && patches.every((p) => p.subject!.version === first!.subject!.version && !p.subject!.reply)
    && new Set(parts.map((part) => part!.number)).size === parts.length;
}

function remakeOf({ input, version, merged, several }: Found, source: string | undefined): Record<string, string> {
  if (input.given === undefined || merged || (version.onTop && source === undefined)) return {};
  return { patch: several ? `${input.given}#${version.label}` : input.given, ...(source !== undefined && { source }) };
}

/** Short names that differ: versions where they tell the columns apart, else file names, else numbers as well. */
function namesOf(found: readonly Found[]): string[] {
  const stems = found.map((f) => slug(f.input.name));
  const byVersion = found.map((f, i) => f.version.label ?? stems[i]!);
  const byFile = found.map((f, i) => (f.several ? `${stems[i]}-${f.version.label}` : stems[i]!));
  const distinct = [byVersion, byFile].find((names) => new Set(names).size === names.length);
  return distinct ?? byFile.map((name, i) => (byFile.indexOf(name) === i ? name : `${name}-${byFile.slice(0, i + 1).filter((n) => n === name).length}`));
}

/** A file's name as a column's: it goes into names of targets and folders. */
function slug(name: string): string {
  const stem = name.replace(/[?#].*$/, '').replace(/\/+$/, '').split('/').at(-1)!.replace(/(?:\.(?:patch|diff|txt|eml|mbox|mail|html?|gz))+$/i, '');
  const plain = stem.toLowerCase().replace(/[^a-z0-9._+]+/g, '-').replace(/^[^a-z0-9]+/, '').slice(0, 24).replace(/[^a-z0-9]+$/, '');
  return plain === '' ? 'patch' : plain;
}
