// SPDX-License-Identifier: MIT
/** Writers by name: our own, those of `targets.json`, and any command line. */
import { ownWriter, type Writer } from '../engine/compare/writers.ts';
import type { WriterInput } from '../generators/writer-inputs.ts';
import { UsageError } from '../model/index.ts';
import { installed, runWriter, type Loaded, type WriterEntry, type WriterJob } from '../targets/commands/index.ts';
import { splitWords } from '../targets/process/index.ts';
import { entriesOf } from './command-targets.ts';

export interface OpenWriters {
  readonly writers: readonly Writer[];
  readonly skipped: readonly { readonly target: string; readonly reason: string }[];
}

/** A command line in place of an entry: `command:PROGRAM ARGUMENTS` with the placeholders of a writer. */
const COMMAND = 'command:';

/** The writers of these names; those that are not installed are skipped. Throws `UsageError` for names that there are not. */
export async function openWriters(names: readonly string[], makes: 'lsmt' | 'zfile', files?: readonly string[]): Promise<OpenWriters> {
  const writers: Writer[] = [];
  const skipped: { target: string; reason: string }[] = [];
  const { writers: entries } = entriesOf(files);
  for (const name of new Set(names)) {
    if (name === 'ours') {
      writers.push(ownWriter(makes));
      continue;
    }
    const loaded = name.startsWith(COMMAND) ? byCommand(name, makes) : entries.get(name);
    if (!loaded) throw new UsageError(`there is no writer "${name}"; there are ${['ours', ...entries.keys()].join(', ')}, and ${COMMAND}PROGRAM ARGUMENTS`);
    if (loaded.entry.makes !== makes) throw new UsageError(`${name} makes ${loaded.entry.makes === 'lsmt' ? 'LSMT layers: --writers lsmt' : 'ZFiles: --writers zfile'}`);
    const found = await installed(loaded);
    if ('missing' in found) skipped.push({ target: name, reason: found.missing });
    else writers.push(commandWriter(loaded, found.program));
  }
  return { writers, skipped };
}

function byCommand(name: string, makes: 'lsmt' | 'zfile'): Loaded<WriterEntry> {
  const command = splitWords(name.slice(COMMAND.length));
  const wanted = makes === 'lsmt' ? ['{data}', '{index}', '{out}'] : ['{in}', '{out}'];
  const missing = wanted.filter((w) => !command.some((word) => word.includes(w)));
  if (missing.length > 0) throw new UsageError(`${name}: it must name ${missing.join(', ')}`);
  return {
    entry: {
      name, description: 'a command line of yours', install: 'it is yours', tried: { with: 'untested', note: 'given on the command line' },
      programs: [command[0]], makes, write: [{ command }], algorithms: ['lz4', 'zstd'],
    },
    file: 'the command line', here: process.cwd(),
  };
}

function commandWriter({ entry, here }: Loaded<WriterEntry>, program: string): Writer {
  return {
    name: entry.name, description: `${entry.description}${entry.tried.with === 'real' ? '' : ` (${entry.tried.with})`}`, algorithms: entry.algorithms ?? ['lz4'],
    write: (input, signal) => runWriter(entry, program, here, jobOf(input), signal),
  };
}

function jobOf(input: WriterInput): WriterJob {
  if (input.makes === 'zfile') {
    return { files: { in: input.content }, values: { algorithm: input.algorithm, blockSize: String(input.blockSize), blockKiB: String(input.blockSize / 1024) } };
  }
  const { virtualSize, uuid, parentUuid = '', userTag = '' } = input.options;
  return { files: { data: input.layer.data, index: input.layer.index }, values: { virtualSize: String(virtualSize), uuid, parentUuid, userTag } };
}
