// SPDX-License-Identifier: MIT
/** Readers of `targets.json` by the names that `--target` takes: `NAME`, or `NAME:VALUE` where an entry has a parameter. */
import { UsageError } from '../model/index.ts';
import { commandTarget, installed, loadTargets, READY_FILE, type LoadedTargets } from '../targets/commands/index.ts';
import type { Target } from '../targets/target.ts';

const loaded = new Map<string, LoadedTargets>();

/** The suite's entries and those of these files, read once. Throws `UsageError` with what is wrong with a file. */
export function entriesOf(files: readonly string[] = []): LoadedTargets {
  const key = JSON.stringify(files);
  const before = loaded.get(key);
  if (before) return before;
  const targets = loadTargets(files);
  loaded.set(key, targets);
  return targets;
}

/** The names of all readers. */
export function commandNames(files?: readonly string[]): string[] {
  return [...entriesOf(files).readers.keys()];
}

function split(name: string): { readonly base: string; readonly parameter: string } {
  const colon = name.indexOf(':');
  return colon < 0 ? { base: name, parameter: '' } : { base: name.slice(0, colon), parameter: name.slice(colon + 1) };
}

/** Whether an entry has that name. */
export function isCommandName(name: string, files?: readonly string[]): boolean {
  return entriesOf(files).readers.has(split(name).base);
}

/** Why an entry cannot be used here and now; null where it can. `fixed`: whether it may be one that reads what its user has set up. */
export async function whyNot(name: string, files: readonly string[] | undefined, fixed: boolean): Promise<string | null> {
  const entry = entriesOf(files).readers.get(split(name).base)!;
  if (entry.entry.fixed && !fixed) return `it reads what you have set up, not cases: ovbd compare --targets oracle,${name} IMAGE…`;
  const found = await installed(entry);
  return 'missing' in found ? found.missing : null;
}

/** The target of that name. Throws `UsageError` where it cannot be had. */
export async function openCommand(name: string, files?: readonly string[]): Promise<Target> {
  const { base, parameter } = split(name);
  const entry = entriesOf(files).readers.get(base);
  if (!entry) throw new UsageError(`there is no reader "${base}" in ${files?.join(', ') ?? 'the list of readers'}`);
  return commandTarget(entry, parameter, { kind: name, ...(entry.file === READY_FILE ? {} : { targetsFile: entry.file }) });
}
