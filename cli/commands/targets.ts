// SPDX-License-Identifier: MIT
/** `ovbd targets`: readers and writers that join by their command line. */
import { EXIT } from '../../model/index.ts';
import { oneLine, wrap } from '../../reports/index.ts';
import { installed, READY_FILE, type Loaded, type ReaderEntry, type WriterEntry } from '../../targets/commands/index.ts';
import { entriesOf } from '../command-targets.ts';
import { print, printLines } from '../print.ts';

/** As commander hands them over. */
export interface TargetsOptions {
  readonly file?: readonly string[];
  readonly json?: boolean;
}

const WIDTH = 100;

interface Row {
  readonly role: 'reader' | 'writer';
  readonly name: string;
  readonly description: string;
  readonly installed: boolean;
  /** Path of the program, or what is missing. */
  readonly detail: string;
  readonly tried: 'real' | 'stand-in' | 'untested';
  readonly note: string;
  /** The user's file; absent for those of the suite. */
  readonly file?: string;
}

/** Prints every entry. Exit code 0, however few are installed; 2 where a file is not as it must be. */
export async function listTargets({ file, json }: TargetsOptions, signal: AbortSignal): Promise<number> {
  const { readers, writers } = entriesOf(file);
  const rows: Row[] = [];
  for (const one of readers.values()) rows.push(await rowOf('reader', one));
  for (const one of writers.values()) rows.push(await rowOf('writer', one));
  if (json) await print([`${JSON.stringify({ schema: 'ovbd-target-list/1', entries: rows }, null, 2)}\n`], signal);
  else await printLines(rows.flatMap(linesOf), signal);
  return EXIT.ok;
}

async function rowOf(role: Row['role'], loaded: Loaded<ReaderEntry | WriterEntry>): Promise<Row> {
  const { entry: { name, description, tried }, file } = loaded;
  const found = await installed(loaded);
  return {
    role, name, description, installed: 'program' in found, detail: 'program' in found ? found.program : found.missing,
    tried: tried.with, note: tried.note, ...(file === READY_FILE ? {} : { file }),
  };
}

const TRIED: Readonly<Record<Row['tried'], string>> = { real: 'tried', 'stand-in': 'untested, proven against a stand-in', untested: 'untested' };

function linesOf(row: Row): string[] {
  return [
    oneLine(`${row.installed ? '+' : '-'} ${row.role} ${row.name}: ${row.installed ? 'installed' : 'not installed'}; ${TRIED[row.tried]}`),
    ...[row.description, row.detail, row.note, ...(row.file === undefined ? [] : [`from ${row.file}`])].flatMap((text) => wrap(oneLine(text), WIDTH).map((line) => `    ${line}`)),
  ];
}
