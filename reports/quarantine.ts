// SPDX-License-Identifier: MIT
/** Signatures that did not show every time they were asked for: kept apart with the reason, until they expire. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { familyOf, UsageError, type Finding, type FindingEvent, type TargetIdentity } from '../model/index.ts';
import { writeAtomically } from './atomic.ts';
import { integer, list, Mismatch, oneOf, record, text } from './check.ts';

export const QUARANTINE_SCHEMA = 'ovbd-quarantine/1';
/** Days that an entry stays after it was last seen. */
export const QUARANTINE_DAYS = 14;
const DAY_MS = 86_400_000;
const MAX_BYTES = 16 << 20;

export interface QuarantineEntry {
  readonly family: string;
  readonly signature: string;
  /** For people: how often of how many tries. */
  readonly reason: string;
  readonly shown: number;
  readonly tried: number;
  /** What it was tried on: target, kernel, emulator, and how many processors the machine has. */
  readonly machine: string;
  /** ISO dates: first seen, and when the entry expires unless it is seen again. */
  readonly since: string;
  readonly until: string;
}

const date = text(40, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
const fileCheck = record({
  schema: oneOf(QUARANTINE_SCHEMA),
  quarantine: list(record({
    family: text(160), signature: text(65_536), reason: text(65_536), shown: integer(0, 1e6), tried: integer(1, 1e6), machine: text(65_536), since: date, until: date,
  }), 10_000),
});

export interface Quarantine {
  /**
   * Takes note of a finding. One that did not show each time is put into quarantine, or stays there; one that did leaves it.
   * Gives what is to be said of it where it was there before, or is unreliable: then it does not fail the run.
   */
  see(finding: Pick<Finding, 'signature' | 'confirmation'>, identity: TargetIdentity): FindingEvent['quarantined'];
  /** What is in it. */
  readonly entries: () => readonly QuarantineEntry[];
  /** Writes the file, without what has expired. */
  save(): void;
}

/** The quarantine in that file, which need not be there yet. `now`: ms since the epoch. Throws `UsageError` for what is none. */
export function openQuarantine(path: string, now: number, days = QUARANTINE_DAYS): Quarantine {
  const entries = new Map(load(path).filter((e) => Date.parse(e.until) > now).map((e) => [keyOf(e.family, e.signature), e]));
  return {
    entries: () => [...entries.values()],
    see: ({ signature, confirmation: { shown, tried, blame } }, identity) => {
      const family = familyOf(identity);
      const key = keyOf(family, signature);
      const before = entries.get(key);
      const unreliable = blame === 'unreliable';
      if (!unreliable && shown === tried) {
        entries.delete(key);
        return undefined;
      }
      // What shows now and then is a finding, unless it is known for that.
      if (!unreliable && before === undefined) return undefined;
      const machine = `${identity.description}; ${availableParallelism()} processors`;
      const reason = unreliable ? `seen in a run, and not once in ${tried} tries after it` : `shown ${shown} of ${tried} times`;
      const until = new Date(now + days * DAY_MS).toISOString();
      entries.set(key, { family, signature, reason, shown, tried, machine, since: before?.since ?? new Date(now).toISOString(), until });
      return { reason, until };
    },
    save: () => {
      const sorted = [...entries.values()].sort((a, b) => (keyOf(a.family, a.signature) < keyOf(b.family, b.signature) ? -1 : 1));
      if (sorted.length === 0 && !existsSync(path)) return;
      writeAtomically(path, `${JSON.stringify({ schema: QUARANTINE_SCHEMA, quarantine: sorted }, null, 2)}\n`);
    },
  };
}

function keyOf(family: string, signature: string): string {
  return `${family}\n${signature}`;
}

function load(path: string): readonly QuarantineEntry[] {
  if (!existsSync(path)) return [];
  try {
    if (statSync(path).size > MAX_BYTES) throw new UsageError(`${path}: more than ${MAX_BYTES} bytes are no quarantine`);
    return fileCheck(JSON.parse(readFileSync(path, 'utf8')), '').quarantine;
  } catch (error) {
    if (error instanceof Mismatch) throw new UsageError(`${path}: ${error.message}`);
    if (error instanceof SyntaxError) throw new UsageError(`${path}: not JSON: ${error.message}`);
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${path}: cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}
