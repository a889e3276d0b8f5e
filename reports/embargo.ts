// SPDX-License-Identifier: MIT
/**
 * What may be seen of a run under embargo: which signatures, how many, on what; nothing from which an image could be made
 * again. A seed and a case's number are as good as the image itself, so they are withheld like its bytes.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError, type ClauseTally, type Event, type Reporter, type TargetIdentity } from '../model/index.ts';
import { temporaryName } from './atomic.ts';

/** Stands for what is withheld. */
export const WITHHELD = 'withheld (embargo)';

const KEY = 'embargo.key';
/** What of `remake` tells only which kind of target it was. */
const ROLE = ['role', 'kernel', 'sanitize'];

/**
 * Makes public events of a run's events. The names of cases are hashed with a key that lies in the private folder
 * (it is made there once), so that two nights can be compared and nobody can guess a seed and see whether he is right.
 */
export function embargo(privateFolder: string): (event: Event) => Event {
  const key = keyIn(privateFolder);
  const hash = (text: string): string => createHmac('sha256', key).update(text).digest('hex');
  const name = (id: string): string => `case-${hash(id).slice(0, 12)}`;
  const identity = ({ name: own, description, parts, remake }: TargetIdentity): TargetIdentity =>
    ({ name: own, description, parts, remake: Object.fromEntries(Object.entries(remake).filter(([field]) => ROLE.includes(field))) });
  return (event) => {
    const open = SHOWN[event.type];
    // What a later version adds to an event is withheld until somebody says that it tells nothing.
    const shown = Object.fromEntries(Object.entries(event).filter(([field]) => open.includes(field))) as unknown as Event;
    switch (shown.type) {
      case 'run': return { ...shown, seed: 0, embargo: true, targets: shown.targets.map(identity) };
      case 'case': return { ...shown, case: name(shown.case) };
      case 'finding': return { ...shown, why: WITHHELD, firstCase: name(shown.firstCase), folder: WITHHELD, replay: WITHHELD };
      case 'matrix': return shown;
      case 'footer': return {
        ...shown, caseStream: hash(shown.caseStream), ...(shown.clauses && { clauses: tally(shown.clauses, name) }),
        ...(shown.unexpectedPasses && { unexpectedPasses: shown.unexpectedPasses.map((p) => ({ ...p, cases: p.cases.map(name) })) }),
      };
    }
  };
}

/** Fields that may be seen; of some of them only what `embargo` makes of them. */
const SHOWN: Readonly<Record<Event['type'], readonly string[]>> = {
  run: ['type', 'schema', 'suite', 'seed', 'corpus', 'cases', 'targets', 'skipped'],
  case: ['type', 'target', 'case', 'class', 'kind', 'clause', 'signature', 'undeclared'],
  finding: ['type', 'target', 'signature', 'kind', 'clause', 'why', 'count', 'firstCase', 'smallest', 'confirmation', 'label', 'known', 'quarantined', 'folder', 'replay'],
  matrix: ['type', 'family', 'columns', 'rows'],
  footer: [
    'type', 'complete', 'cases', 'caseStream', 'verdicts', 'findings', 'known', 'unreliable', 'seconds', 'rates', 'coverage', 'clauses', 'unexpectedPasses', 'exitCode',
  ],
};

/** The same counts, with other names of cases. */
function tally(clauses: ClauseTally, name: (id: string) => string): ClauseTally {
  const renamed = (of: ClauseTally['passedExercising']): ClauseTally['passedExercising'] =>
    Object.fromEntries(Object.entries(of).map(([target, rows]) => [target, Object.fromEntries(Object.entries(rows).map(([clause, [n, id]]) => [clause, [n, name(id)] as const]))]));
  return { exercised: clauses.exercised, violated: clauses.violated, passedExercising: renamed(clauses.passedExercising), passedViolating: renamed(clauses.passedViolating) };
}

/** A reporter that sees only what may be seen. */
export function embargoed(reporter: Reporter, redact: (event: Event) => Event): Reporter {
  return { event: (event) => reporter.event(redact(event)), close: () => reporter.close() };
}

/** The key of the folder, which is made with it where it is not there; of two processes that make it, one wins. */
function keyIn(folder: string): Buffer {
  const path = join(folder, KEY);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!existsSync(path)) {
      const temporary = temporaryName(folder, KEY);
      writeFileSync(temporary, randomBytes(32), { mode: 0o600 });
      try {
        linkSync(temporary, path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      } finally {
        rmSync(temporary, { force: true });
      }
    }
    const key = readFileSync(path);
    if (key.length === 32) return key;
  } catch (error) {
    throw new UsageError(`${folder}: cannot hold what is under embargo: ${(error as NodeJS.ErrnoException).code}`);
  }
  throw new UsageError(`${path}: not the 32 bytes of a key: remove it, and names of cases will be other ones from now on`);
}
