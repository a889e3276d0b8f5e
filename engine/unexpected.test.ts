// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { EXIT, type Event, type Finding, type FooterEvent } from '../model/index.ts';
import { drawCase } from '../generators/draw.ts';
import { readerTarget } from '../targets/fakes/reader/target.ts';
import type { Target } from '../targets/target.ts';
import { execute } from './execute.ts';
import { prepare, type Prepared } from './prepare.ts';
import { runSuite } from './run.ts';

const DEFECT = 'stack-reversed';

/** A drawn case on which the defect shows, and its signature. */
async function shown(): Promise<{ one: Prepared; signature: string }> {
  const target = readerTarget(DEFECT);
  const session = await target.open();
  for (let i = 0; ; i++) {
    const one = prepare(drawCase(3, i));
    const [result] = await execute(target, session, [one]);
    if (result!.verdict.signature !== undefined) return { one, signature: result!.verdict.signature };
  }
}

const knowing = (target: Target, signature: string): Target =>
  ({ ...target, stance: { ...target.stance, knownFailures: [{ signature, reason: 'it is being worked on' }] } });

async function run(target: Target, stored: { case: Prepared['case']; signatures: string[] }[]): Promise<FooterEvent> {
  return runSuite({
    suite: 'test', seed: 0, cases: stored.length, targets: [target], skipped: [], jobs: 1, signal: new AbortController().signal, shrinkExecutions: 0,
    stored: { name: 'corpus', cases: stored }, saveFinding: (f: Finding) => Promise.resolve({ folder: f.signature, replay: '' }),
  }, (_: Event) => undefined);
}

test('a stored case fails a run where a known failure no longer shows, and only then', async () => {
  const { one, signature } = await shown();
  const stored = [{ case: one.case, signatures: [signature] }];
  const broken = readerTarget(DEFECT);
  expect(await run(broken, stored)).toMatchObject({ findings: 1, exitCode: EXIT.findings });
  const known = await run(knowing(broken, signature), stored);
  expect(known).toMatchObject({ findings: 1, exitCode: EXIT.ok });
  expect(known.unexpectedPasses).toBeUndefined();

  const repaired = await run(knowing(readerTarget(), signature), stored);
  expect(repaired).toMatchObject({ findings: 0, exitCode: EXIT.findings });
  expect(repaired.unexpectedPasses).toEqual([{ target: 'fake-reader', signature, reason: 'it is being worked on', cases: [one.case.id] }]);

  // Nobody has seen the known failure on this case: that it does not show says nothing.
  const silent = await run(knowing(readerTarget(), signature), [{ case: one.case, signatures: ['corruption: another'] }]);
  expect(silent).toMatchObject({ exitCode: EXIT.ok });
  expect(silent.unexpectedPasses).toBeUndefined();
});

test('a stored case is run as it is, and gives the stream that its bytes give', async () => {
  const cases = [0, 1, 2].map((i) => prepare(drawCase(5, i)));
  const stored = cases.map((p) => ({ case: p.case, signatures: [] }));
  const a = await run(readerTarget(), stored);
  expect(a).toMatchObject({ cases: 3, exitCode: EXIT.ok, verdicts: { 'fake-reader': { pass: 3 } } });
  const drawn = await runSuite({
    suite: 'test', seed: 5, cases: 3, targets: [readerTarget()], skipped: [], jobs: 1, signal: new AbortController().signal,
    saveFinding: () => Promise.reject(new Error('no finding')),
  }, () => undefined);
  expect(a.caseStream).toBe(drawn.caseStream);
});
