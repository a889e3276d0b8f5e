// SPDX-License-Identifier: MIT
/** `ovbd failures`: what earlier runs found, kept until it expires, and run again. */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, UsageError, type FailureSummary } from '../../model/index.ts';
import { archiveOf, count, fetchFailures, folderStore, loadManifest, oneLine, type FolderStore } from '../../reports/index.ts';
import { namesIn } from '../../reports/failure-folder.ts';
import { print, printLines } from '../print.ts';
import { runCases, type ExecuteOptions } from './run.ts';

/** Where failures are kept unless the user says. */
export const DEFAULT_STORE = join('reports', 'failures');

export interface StoreOptions {
  readonly store?: string;
}

const DAY_MS = 86_400_000;

const note = (text: string): void => void process.stderr.write(`${oneLine(text)}\n`);

/** The store that options name. */
export function storeOf({ store }: StoreOptions): FolderStore {
  return folderStore(store ?? DEFAULT_STORE, note);
}

/** Saves findings, each from its folder, or all of a run's. Throws `UsageError` for what is neither. */
export function failuresSave(folders: readonly string[], options: StoreOptions): number {
  const store = storeOf(options);
  const tally = { new: 0, smaller: 0, kept: 0 };
  for (const finding of folders.flatMap(findingsOf)) {
    const { signature, confirmation } = loadManifest(finding);
    if (confirmation.blame === 'unreliable') {
      note(`not saved, for it was not shown again: ${signature}`);
      continue;
    }
    const { key, state } = store.take(finding);
    tally[state]++;
    process.stdout.write(`${state.padEnd(7)}  ${key}  ${oneLine(signature)}\n`);
  }
  note(`${store.path}: ${tally.new} new, ${tally.smaller} smaller than before, ${tally.kept} seen again`);
  return EXIT.ok;
}

/** A finding's folder, or those of a run. */
function findingsOf(folder: string): string[] {
  if (existsSync(join(folder, 'finding.json'))) return [folder];
  const findings = join(folder, 'findings');
  if (!statSync(findings, { throwIfNoEntry: false })?.isDirectory()) {
    if (existsSync(join(folder, 'run.jsonl'))) return [];
    throw new UsageError(`${folder}: neither a finding's folder nor a run's`);
  }
  return namesIn(findings).sort().map((name) => join(findings, name));
}

/** One line a failure. */
export async function failuresList(options: StoreOptions & { readonly json?: boolean }, signal: AbortSignal): Promise<number> {
  const store = storeOf(options);
  const failures = store.list();
  if (options.json) await print([`${JSON.stringify(failures, null, 2)}\n`], signal);
  else {
    await printLines(failures.map(({ key, family, signature, layers, bytes, seen }) =>
      oneLine([key, family, signature, count(layers, 'layer'), count(bytes, 'byte'), `seen ${new Date(seen).toISOString().slice(0, 10)}`].join('  '))), signal);
    note(`${store.path}: ${count(failures.length, 'failure')}`);
  }
  return EXIT.ok;
}

/** Copies from shared folders and archives what the store has not, or has larger. */
export async function failuresFetch(keys: readonly string[], options: StoreOptions & { readonly from: readonly string[] }): Promise<number> {
  const store = storeOf(options);
  const fetched = await fetchFailures(store, options.from, keys, note);
  for (const { summary, state, layer } of fetched) process.stdout.write(`${state.padEnd(7)}  ${summary.key}  ${oneLine(summary.signature)}  from ${oneLine(layer)}\n`);
  note(`${store.path}: ${count(fetched.filter((f) => f.state !== 'kept').length, 'failure')} fetched, ${fetched.filter((f) => f.state === 'kept').length} were there`);
  return EXIT.ok;
}

/** Runs them as `run` does drawn cases, and returns the same exit codes; what shows again counts as seen. */
export async function failuresReplay(keys: readonly string[], options: StoreOptions & ExecuteOptions, signal: AbortSignal): Promise<number> {
  const store = storeOf(options);
  const chosen = chooseOf(store.list(), keys);
  const cases = chosen.flatMap(({ key, signature }) => {
    const stored = store.load(key);
    if (stored === undefined) return [];
    if (stored.before.length > 0 || stored.procedure !== undefined) {
      note(`${signature}: takes more than its case: ovbd replay ${stored.path}`);
      return [];
    }
    return [{ case: { ...stored.smallest, id: `failure-${key.slice(0, 12)}` }, signatures: [signature] }];
  });
  if (cases.length === 0) throw new UsageError(`${store.path}: no failure that can be replayed; ovbd failures list shows what there is`);
  return runCases({ ...options, store: store.path }, { seed: 0, cases: cases.length, stored: { name: 'failures', cases }, shrinkExecutions: 0 }, signal);
}

function chooseOf(all: readonly FailureSummary[], keys: readonly string[]): readonly FailureSummary[] {
  if (keys.length === 0) return all;
  const none = keys.find((key) => !all.some((one) => one.key.startsWith(key)));
  if (none !== undefined) throw new UsageError(`there is no failure ${none}; ovbd failures list names them`);
  return all.filter(({ key }) => keys.some((one) => key.startsWith(one)));
}

/** Removes what is too old or too much. */
export function failuresExpire({ days, maxBytes, ...options }: StoreOptions & { readonly days?: number; readonly maxBytes?: number }): number {
  if (days === undefined && maxBytes === undefined) throw new UsageError('give --days, --max-bytes, or both');
  const store = storeOf(options);
  const { removed, kept, bytes } = store.expire({ ...(days !== undefined && { olderMs: days * DAY_MS }), ...(maxBytes !== undefined && { maxBytes }), now: Date.now() });
  process.stdout.write(`${store.path}: ${removed.length} removed, ${kept} kept, ${count(bytes, 'byte')}\n`);
  return EXIT.ok;
}

/** Writes the store as one archive, for `fetch --from` elsewhere. */
export function failuresExport(options: StoreOptions & { readonly output: string }): number {
  const store = storeOf(options);
  const { bytes, entries } = archiveOf(store.path, note);
  try {
    writeFileSync(options.output, bytes);
  } catch (error) {
    throw new UsageError(`${options.output}: cannot be written: ${(error as NodeJS.ErrnoException).code}`);
  }
  process.stdout.write(`${options.output}: ${count(entries, 'failure')}, ${count(bytes.length, 'byte')}\n`);
  return EXIT.ok;
}
