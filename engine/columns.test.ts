// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import type { Event } from '../model/index.ts';
import type { Target } from '../targets/target.ts';
import { oracleTarget } from './builtin-targets.ts';
import type { Coming } from './columns.ts';
import { runSuite } from './run.ts';

/** The oracle under a name; `ran` is told of each batch. */
function named(name: string, ran: (jobs: number) => void = () => undefined): Target {
  const honest = oracleTarget();
  return {
    ...honest, identity: { ...honest.identity, name },
    open: async () => {
      const session = await honest.open();
      return { close: () => session.close(), run: (jobs, done, options) => (ran(jobs.length), session.run(jobs, done, options)) };
    },
  };
}

const coming = (opened: Coming['opened']): Coming => ({ stance: oracleTarget().stance, lanes: 2, opened });

async function run(targets: readonly (Target | Coming)[], cases: number, signal = new AbortController().signal): Promise<Event[]> {
  const events: Event[] = [];
  await runSuite({
    suite: 'test', seed: 1, cases, targets, skipped: [{ target: 'before', reason: 'no' }], jobs: 2, shrinkExecutions: 0, signal,
    saveFinding: () => Promise.resolve({ folder: '', replay: '' }),
  }, (e) => events.push(e));
  return events;
}

it('a run begins with the targets that are there, and tells the same as one that has waited', async () => {
  let there!: (target: Target) => void;
  const late = new Promise<Target>((resolve) => { there = resolve; });
  const order: string[] = [];
  const events = await run([
    named('first', () => {
      order.push('first');
      if (order.length === 2) there(named('late', () => order.push('late')));
    }),
    coming(late),
  ], 55);
  expect(order.slice(0, 2)).toEqual(['first', 'first']);
  expect(order.filter((name) => name === 'late')).toHaveLength(3);
  const timeless = (list: Event[]): unknown[] => list.map((e) => (e.type === 'footer' ? { ...e, seconds: 0, rates: {} } : e));
  expect(timeless(events)).toEqual(timeless(await run([named('first'), named('late')], 55)));
});

it('one that cannot be made is skipped with its reason, and costs the others nothing', async () => {
  let fail!: () => void;
  const late = new Promise<{ target: string; reason: string }>((resolve) => { fail = () => resolve({ target: 'late', reason: 'it does not compile' }); });
  const events = await run([coming(late), named('first', () => fail())], 30);
  expect(events[0]).toMatchObject({
    type: 'run', targets: [{ name: 'first' }], skipped: [{ target: 'before', reason: 'no' }, { target: 'late', reason: 'it does not compile' }],
  });
  expect(events.filter((e) => e.type === 'case')).toHaveLength(30);
  expect(events.at(-1)).toMatchObject({ type: 'footer', complete: true, cases: 30, verdicts: { first: { pass: 30 } } });
});

it('does not wait for one in the making when it is stopped, and keeps its footer', async () => {
  const stop = new AbortController();
  const events = await run([named('first', () => stop.abort()), coming(new Promise(() => undefined))], 60, stop.signal);
  expect(events[0]).toMatchObject({ type: 'run', targets: [{ name: 'first' }] });
  expect(events.at(-1)).toMatchObject({ type: 'footer', complete: false });
  expect(events.filter((e) => e.type === 'case').length).toBeLessThan(60);
});
