// SPDX-License-Identifier: MIT
/** Entries of `targets.json` files: read, linted, and looked up on this machine. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../model/errors.ts';
import { commandPath, runCommand } from '../process/index.ts';
import type { ReaderEntry, TargetsFile, WriterEntry } from './entry.ts';
import { fill } from './expand.ts';
import { lintTargets } from './lint.ts';

/** The entries that come with the suite. */
export const READY_FILE = fileURLToPath(new URL('targets.json', import.meta.url));

const MAX_BYTES = 4 << 20;
/** Problems that are told of one file. */
const MOST_PROBLEMS = 12;

export interface Loaded<Entry> {
  readonly entry: Entry;
  /** The file that it stands in, and its folder. */
  readonly file: string;
  readonly here: string;
}

export interface LoadedTargets {
  readonly readers: ReadonlyMap<string, Loaded<ReaderEntry>>;
  readonly writers: ReadonlyMap<string, Loaded<WriterEntry>>;
}

/** Reads the suite's own entries and those of these files; one of the user's may replace one of the suite's. Throws `UsageError` with every problem. */
export function loadTargets(files: readonly string[] = []): LoadedTargets {
  const readers = new Map<string, Loaded<ReaderEntry>>();
  const writers = new Map<string, Loaded<WriterEntry>>();
  for (const [i, file] of [READY_FILE, ...files].entries()) {
    const here = dirname(resolve(file));
    const { readers: ours = [], writers: others = [] } = readTargetsFile(file);
    const add = <E extends { readonly name: string }>(into: Map<string, Loaded<E>>, entry: E): void => {
      const before = into.get(entry.name);
      if (i > 1 && before && before.file !== READY_FILE) throw new UsageError(`${file}: "${entry.name}" is in ${before.file} too`);
      into.set(entry.name, { entry, file, here });
    };
    for (const entry of ours) add(readers, entry);
    for (const entry of others) add(writers, entry);
  }
  return { readers, writers };
}

/** One file. Throws `UsageError` with what is wrong with it and where. */
export function readTargetsFile(file: string): TargetsFile {
  let text: string;
  try {
    if (statSync(file).size > MAX_BYTES) throw new UsageError(`${file}: more than ${MAX_BYTES} bytes are no list of targets`);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${file}: cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file}: is no JSON: ${(error as Error).message}`);
  }
  const problems = lintTargets(json);
  if (problems.length === 0) return json as TargetsFile;
  const shown = problems.slice(0, MOST_PROBLEMS).map((p) => `  ${p.at}: ${p.what}`);
  const more = problems.length - shown.length;
  throw new UsageError([`${file}: not as it must be (docs/readers.md):`, ...shown, ...(more > 0 ? [`  and ${more} more`] : [])].join('\n'));
}

/** Milliseconds of a probe, and bytes of what it prints. */
const PROBE = { milliseconds: 20_000, outputBytes: 1 << 20 };

/** The full path of the first program, or why the entry cannot be used here. */
export async function installed({ entry: { programs, probe, install }, here }: Loaded<ReaderEntry | WriterEntry>): Promise<{ readonly program: string } | { readonly missing: string }> {
  const paths: string[] = [];
  try {
    for (const name of programs) paths.push(commandPath(name, here));
    const program = paths[0]!;
    if (!probe) return { program };
    const [command, ...args] = probe.command.map((text) => fill(text, { program, here, node: process.execPath }));
    const { end, stopped, output } = await runCommand({ command: command!, args, cwd: here }, PROBE);
    const prints = probe.stdout === undefined || output.toString('utf8').split('\n').some((line) => new RegExp(probe.stdout!).test(line));
    return end.code === 0 && stopped === undefined && prints ? { program } : { missing: `${probe.otherwise}; ${install}` };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { missing: `${error.message}; ${install}` };
  }
}
