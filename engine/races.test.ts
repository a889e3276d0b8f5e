// SPDX-License-Identifier: MIT
/** What races: seen once, then only with more than one processor, and there not every time. */
import { describe, expect, it } from 'vitest';
import type { Event, Finding, MatrixEvent, Observation } from '../model/index.ts';
import type { Job, Target } from '../targets/target.ts';
import { oracleTarget } from './builtin-targets.ts';
import { runSuite } from './run.ts';

/** What a case of a crowd makes of an observation. */
type Race = (seen: Observation) => Observation;

const RACES: Readonly<Record<string, Race>> = {
  crash: (seen) => ({ ...seen, open: 'none', reads: [], death: { kind: 'crash', title: 'page-fault in it', phase: 'open' } }),
  hang: (seen) => ({ ...seen, open: 'none', reads: [], death: { kind: 'hang', title: 'hang in it', phase: 'open' } }),
  memory: (seen) => ({ ...seen, complaints: [{ kind: 'memory', title: 'kasan-use-after-free in it' }] }),
};

const isRacy = (job: Job): boolean => job.case.access.crowd !== undefined;

/** The oracle; `loses` says of each run of a case in which many read whether it goes wrong. */
function racing(name: string, race: Race, loses: (run: { readonly processors: number; readonly nth: number; readonly jobs: readonly Job[] }) => boolean): Target {
  const honest = oracleTarget();
  let nth = 0;
  return {
    ...honest, family: 'f', processors: [2, 4],
    identity: { ...honest.identity, name },
    async open() {
      const session = await honest.open();
      return {
        close: () => session.close(),
        run: (jobs, done, options) => {
          const processors = options?.processors ?? 1;
          if (jobs.some(isRacy)) nth++;
          let ended = false;
          return session.run(jobs, (i, seen) => {
            const lost = !ended && isRacy(jobs[i]!) && loses({ processors, nth, jobs: jobs.slice(0, i + 1) });
            ended ||= lost;
            done(i, { ...(lost ? race(seen) : seen), history: i });
          }, options);
        },
      };
    },
  };
}

/** Cases of the seed of which at least one has many readers. */
const CASES = 25;
const SEED = 1;

async function run(targets: readonly Target[]): Promise<{ saved: Finding[]; matrix: MatrixEvent | undefined }> {
  const saved: Finding[] = [];
  let matrix: MatrixEvent | undefined;
  await runSuite({
    suite: 'test', seed: SEED, cases: CASES, targets, skipped: [], jobs: 1, shrinkExecutions: 0, signal: new AbortController().signal,
    saveFinding: (finding) => {
      saved.push(finding);
      return Promise.resolve({ folder: '', replay: '' });
    },
  }, (event: Event) => {
    if (event.type === 'matrix') matrix = event;
  });
  return { saved, matrix };
}

describe('what races', () => {
  it.each(Object.keys(RACES))('is tried on more processors before it is unreliable: a %s that shows one time in three', async (kind) => {
    const target = racing('one', RACES[kind]!, ({ processors, nth }) => nth === 1 || (processors >= 2 && nth % 3 === 0));
    const { saved } = await run([target]);
    expect(saved).toHaveLength(1);
    expect(saved[0]!.kind).toBe(kind);
    expect(saved[0]!.confirmation).toMatchObject({ blame: 'alone', processors: 2 });
    // A hang that shows has waited long enough.
    if (kind !== 'hang') expect(saved[0]!.confirmation).toMatchObject({ shown: 2, tried: 6 });
    expect(saved[0]!.smallest.access.crowd).toBeDefined();
  });

  it('after the cases before it, too', async () => {
    const target = racing('one', RACES['crash']!, ({ processors, nth, jobs }) => nth === 1 || (processors === 4 && jobs.length > 1 && nth % 3 === 0));
    const { saved } = await run([target]);
    expect(saved[0]!.confirmation).toEqual({ blame: 'sequence', shown: 1, tried: 3, processors: 4 });
    expect(saved[0]!.before.length).toBeGreaterThan(0);
  });

  it('is tried on the other columns as it was found: on so many processors, and again', async () => {
    const loses = ({ processors, nth }: { processors: number; nth: number }): boolean => nth === 1 || (processors >= 2 && nth % 3 === 0);
    const { saved, matrix } = await run([
      racing('found', RACES['crash']!, loses),
      racing('never-seen', RACES['crash']!, ({ processors, nth }) => processors >= 2 && nth % 3 === 0),
      racing('sound', RACES['crash']!, () => false),
    ]);
    expect(matrix!.rows.map(({ cells }) => Object.fromEntries(Object.entries(cells).map(([name, { state }]) => [name, state])))).toEqual([
      { found: 'shown', 'never-seen': 'shown', sound: 'absent' },
    ]);
    expect(saved.map((f) => [f.target, f.confirmation.processors])).toEqual([['found', 2], ['never-seen', 2]]);
  });
});
