// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Event, Finding, Observation, Verdict } from '../model/index.ts';
import { examine } from '../oracles/examine.ts';
import type { Launcher } from '../targets/kernel/kernel-target.ts';
import { builtinTarget } from './builtin-targets.ts';
import { cycleCases } from './lifecycle.ts';
import { runTrials, type Trial } from './trials.ts';

const observation: Observation = { open: 'opened', reads: [], complaints: [], log: '', history: 0 };
const leak = (what: string): Verdict => ({ kind: 'leak', clause: 'DM-FREE-01', signature: `leak: ${what}`, why: `${what} is gone` });
const trials = cycleCases().map((c): Trial => ({ id: c.id, make: async () => ({ case: c, expectation: examine(c).expectation, procedure: { kind: 'cycle', iterations: 8, every: 1 } }) }));

/** `verdicts`: of each attempt in order, whatever is tried. */
async function run(verdicts: readonly Verdict[]): Promise<{ events: Event[]; saved: Finding[]; exitCode: number }> {
  const events: Event[] = [];
  const saved: Finding[] = [];
  let n = 0;
  const { exitCode } = await runTrials({
    suite: 'test', seed: 1, trials, benches: [{ target: builtinTarget('oracle')!, launcher: {} as Launcher, name: 'patch', module: undefined }],
    signal: new AbortController().signal, said: () => undefined, step: (_, work) => work(),
    attempt: async () => ({ verdict: verdicts[n++]!, observation, text: '' }),
    saveFinding: async (finding) => {
      saved.push(finding);
      return { folder: 'findings/x', replay: 'ovbd replay findings/x' };
    },
  }, (event) => void events.push(event));
  expect(n).toBe(verdicts.length);
  return { events, saved, exitCode };
}

const pass: Verdict = { kind: 'pass', why: '' };

describe('a run of trials', () => {
  it('ends well where all pass', async () => {
    const { events, exitCode } = await run([pass, pass, pass, pass]);
    expect(exitCode).toBe(0);
    expect(events.map((e) => e.type)).toEqual(['run', 'case', 'case', 'case', 'case', 'footer']);
    expect(events.at(-1)).toMatchObject({ complete: true, cases: 4, findings: 0, verdicts: { oracle: { pass: 4 } } });
  });

  it('makes one finding of a signature, tried once more, with what was done', async () => {
    const { events, saved, exitCode } = await run([leak('slab'), pass, leak('slab'), leak('tasks'), leak('slab'), leak('tasks')]);
    expect(exitCode).toBe(1);
    expect(saved.map((f) => [f.signature, f.count, f.firstCase, f.procedure!.kind, f.confirmation])).toEqual([
      ['leak: slab', 2, 'stack', 'cycle', { shown: 2, tried: 2, blame: 'alone' }], ['leak: tasks', 1, 'refused-zfile', 'cycle', { shown: 2, tried: 2, blame: 'alone' }],
    ]);
    expect(events.filter((e) => e.type === 'finding')).toHaveLength(2);
    expect(events.at(-1)).toMatchObject({ findings: 2, unreliable: 0, verdicts: { oracle: { leak: 3, pass: 1 } }, exitCode: 1 });
  });

  it('fails nobody for what does not show again, and itself where the lab failed', async () => {
    const { saved, exitCode } = await run([leak('slab'), pass, pass, pass, pass]);
    expect([saved[0]!.confirmation.blame, exitCode]).toEqual(['unreliable', 0]);
    expect((await run([pass, { kind: 'engine-error', why: 'lost' }, pass, pass])).exitCode).toBe(3);
  });
});
