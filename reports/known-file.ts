// SPDX-License-Identifier: MIT
/** A stance file of the user's: failures that are known, each with the reason. known.schema.json describes it. */
import { readFileSync, statSync } from 'node:fs';
import { FINDING_KINDS, UsageError, type KnownEntry } from '../model/index.ts';
import { writeAtomically } from './atomic.ts';
import { list, Mismatch, oneOf, optional, record, text } from './check.ts';

export const KNOWN_SCHEMA = 'ovbd-known/1';

/** What stands for a reason that nobody has written yet. A file with it is refused: a failure that nobody has looked at is not known. */
export const TO_BE_FILLED_IN = 'to be filled in';

const LIMITS = { bytes: 16 << 20, entries: 10_000, line: 65_536 } as const;
/** Entries without a reason that are named in one message. */
const MOST_NAMED = 8;

const line = text(LIMITS.line, /\S/);
const entryCheck = record({
  signature: line, reason: text(LIMITS.line), link: optional(text(4096, /^https?:\/\/\S+$/)),
  targets: optional(list(text(160, /^[a-z0-9][a-z0-9:._+/-]*$/), 100, 1)),
  kind: optional(oneOf(...FINDING_KINDS)), why: optional(line), firstCase: optional(text(256)), smallest: optional(text(256)),
});
const FIELDS = ['signature', 'reason', 'link', 'targets', 'kind', 'why', 'firstCase', 'smallest'];
const fileCheck = record({ $schema: optional(text(4096)), schema: oneOf(KNOWN_SCHEMA), known: list(entryCheck, LIMITS.entries) });

/**
 * The entries of the file, in its order. Throws `UsageError` with the file and the field for what is not as it must be,
 * for a field that there is not (a misspelled `link` would be lost), for two entries of one signature and target, and,
 * unless `unfinished`, for entries whose reason is still to be filled in.
 */
export function loadKnown(path: string, unfinished = false): KnownEntry[] {
  const known = parse(path);
  const wrong = (i: number, what: string): never => { throw new UsageError(`${path}: known[${i}]: ${what}`); };
  const seen = new Map<string, number>();
  known.forEach(({ signature, targets }, i) => {
    for (const target of targets ?? ['']) {
      const key = `${target}\n${signature}`;
      const before = seen.get(key);
      if (before !== undefined) wrong(i, `${JSON.stringify(signature)} is known[${before}] too`);
      seen.set(key, i);
    }
  });
  const open = unfinished ? [] : known.filter(({ reason }) => isOpen(reason));
  if (open.length > 0) {
    const more = open.length > MOST_NAMED ? [`  and ${open.length - MOST_NAMED} more`] : [];
    throw new UsageError([
      `${path}: ${open.length} of ${known.length} entries have no reason yet: write why each is known in place of "${TO_BE_FILLED_IN}", or take it out`,
      ...open.slice(0, MOST_NAMED).map(({ signature }) => `  ${signature}`), ...more,
    ].join('\n'));
  }
  return known;
}

/** The entries of all files. Throws as `loadKnown` does. */
export function loadAllKnown(paths: readonly string[]): KnownEntry[] {
  return paths.flatMap((path) => loadKnown(path));
}

/** Whether a reason is none. */
export function isOpen(reason: string): boolean {
  return reason.trim() === '' || reason.trim().toLowerCase() === TO_BE_FILLED_IN;
}

/** The file's text: entries as they are given, one field a line, so that a change is a small one. */
export function knownText(entries: readonly KnownEntry[]): string {
  return `${JSON.stringify({ schema: KNOWN_SCHEMA, known: entries.map(inOrder) }, null, 2)}\n`;
}

/** Writes the file, whole or not at all. */
export function saveKnown(path: string, entries: readonly KnownEntry[]): void {
  try {
    writeAtomically(path, knownText(entries));
  } catch (error) {
    throw new UsageError(`${path}: cannot be written: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function inOrder(entry: KnownEntry): object {
  return Object.fromEntries(FIELDS.flatMap((key) => {
    const value = entry[key as keyof KnownEntry];
    return value === undefined ? [] : [[key, value]];
  }));
}

function parse(path: string): KnownEntry[] {
  let bytes: string;
  try {
    const { size } = statSync(path);
    if (size > LIMITS.bytes) throw new UsageError(`${path}: ${size} bytes are no list of known failures`);
    bytes = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${path}: cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  try {
    const json: unknown = JSON.parse(bytes);
    const { known } = fileCheck(json, '');
    const raw = (json as { known: readonly object[] }).known;
    raw.forEach((entry, i) => {
      const odd = Object.keys(entry).find((key) => !FIELDS.includes(key));
      if (odd !== undefined) throw new UsageError(`${path}: known[${i}]: there is no field ${JSON.stringify(odd)}; there are ${FIELDS.join(', ')}`);
    });
    return known as KnownEntry[];
  } catch (error) {
    if (error instanceof Mismatch) throw new UsageError(`${path}: ${error.message}`);
    if (error instanceof SyntaxError) throw new UsageError(`${path}: not JSON: ${error.message}`);
    throw error;
  }
}
