// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import type { Event, Finding, FindingEvent, MatrixEvent, Observation } from '../model/index.ts';
import type { Job, Target } from '../targets/target.ts';
import { oracleTarget } from './builtin-targets.ts';
import { caseDigest } from './prepare.ts';
import { runSuite } from './run.ts';

/** The oracle, dying of the cases that `dies` says. `together`: how many cases its instance is given. */
function dying(name: string, dies: (job: Job, together: number) => boolean): Target {
  const honest = oracleTarget();
  return {
    ...honest, family: 'f',
    identity: { ...honest.identity, name },
    async open() {
      const session = await honest.open();
      return {
        close: () => session.close(),
        run: (jobs, done, options) => session.run(jobs, (i, seen) => done(i, dies(jobs[i]!, jobs.length) ? dead(seen) : seen), options),
      };
    },
  };
}

const dead = (seen: Observation): Observation => ({ ...seen, open: 'none', reads: [], death: { kind: 'crash', title: 'page-fault in it', phase: 'open' } });
const isLsmt = (job: Job): boolean => job.case.device === 'lsmt';

async function run(targets: readonly Target[]): Promise<{ events: Event[]; saved: Finding[] }> {
  const events: Event[] = [];
  const saved: Finding[] = [];
  await runSuite({
    suite: 'test', seed: 1, cases: 6, targets, skipped: [], jobs: 2, shrinkExecutions: 12, signal: new AbortController().signal,
    saveFinding: (finding) => {
      saved.push(finding);
      return Promise.resolve({ folder: `findings/${saved.length}`, replay: 'ovbd replay' });
    },
  }, (e) => events.push(e));
  return { events, saved };
}

it('a finding is shrunk once, on the first target that shows it, and tried on the others', async () => {
  const { events, saved } = await run([
    dying('first', isLsmt), dying('second', isLsmt), dying('alone', (job, together) => together === 1 && isLsmt(job)), dying('sound', () => false),
  ]);
  const matrix = events.filter((e): e is MatrixEvent => e.type === 'matrix');
  const count = events.filter((e) => e.type === 'case' && e.target === 'first' && e.kind === 'crash').length;
  expect(count).toBeGreaterThan(0);
  expect(matrix).toEqual([{
    type: 'matrix', family: 'f', columns: ['first', 'second', 'alone', 'sound'],
    rows: [{
      signature: 'crash: page-fault in it', kind: 'crash', clause: 'DM-SAFE-01',
      cells: {
        first: { state: 'shown', count }, second: { state: 'shown', count },
        // The run did not see it here; the smallest case of the first target does.
        alone: { state: 'shown', count: 0 }, sound: { state: 'absent', count: 0, instead: 'pass' },
      },
    }],
  }]);
  expect(events.filter((e): e is FindingEvent => e.type === 'finding').map((f) => [f.target, f.count])).toEqual([['first', count], ['second', count], ['alone', 0]]);
  expect(saved.map((f) => f.shrinkExecutions > 0)).toEqual([true, false, false]);
  expect(new Set(saved.map((f) => caseDigest(f.smallest))).size).toBe(1);
  expect(saved.map((f) => f.confirmation)).toEqual(Array(3).fill({ shown: 3, tried: 3, blame: 'alone' }));
  expect(events.at(-1)).toMatchObject({ type: 'footer', findings: 3, exitCode: 1 });
});

it('what the first one\'s smallest case does not show is confirmed and shrunk by itself', async () => {
  const tall = (job: Job): boolean => isLsmt(job) && job.case.layers.length > 1;
  const { saved } = await run([dying('any', isLsmt), dying('tall', tall)]);
  expect(saved.map((f) => [f.target, f.smallest.layers.length > 1])).toEqual([['any', false], ['tall', true]]);
});

it('there is no matrix of one target, nor of targets that are not compared', async () => {
  const { family: _, ...single } = dying('b', isLsmt);
  expect((await run([dying('a', isLsmt), single])).events.filter((e) => e.type === 'matrix')).toEqual([]);
});
