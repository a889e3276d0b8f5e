// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { UNCONFIRMED } from '../model/index.ts';
import type { CaseEvent, Event, Finding, FindingEvent, FooterEvent, Observation } from '../model/index.ts';
import type { Session, Target } from '../targets/target.ts';
import { BUILTIN_TARGETS, oracleTarget } from './builtin-targets.ts';
import { replayFinding } from './replay.ts';
import { runSuite } from './run.ts';

interface Ran {
  readonly footer: FooterEvent;
  readonly events: readonly Event[];
  readonly saved: readonly Finding[];
}

async function run(targets: readonly Target[], change: { seed?: number; cases?: number; jobs?: number; signal?: AbortSignal; shrink?: number } = {}): Promise<Ran> {
  const events: Event[] = [];
  const saved: Finding[] = [];
  const footer = await runSuite({
    suite: 'test', seed: change.seed ?? 1, cases: change.cases ?? 60, targets, skipped: [], jobs: change.jobs ?? 2,
    shrinkExecutions: change.shrink ?? 12, signal: change.signal ?? new AbortController().signal,
    saveFinding: (finding) => {
      saved.push(finding);
      return Promise.resolve({ folder: `findings/${saved.length}`, replay: 'ovbd replay' });
    },
  }, (e) => events.push(e));
  return { footer, events, saved };
}

const findings = (r: Ran): FindingEvent[] => r.events.filter((e) => e.type === 'finding');

describe('a run', () => {
  it('finds nothing in the reference reader', async () => {
    const r = await run([oracleTarget()], { cases: 300 });
    expect(r.footer).toMatchObject({ complete: true, cases: 300, findings: 0, exitCode: 0, verdicts: { oracle: { pass: 300 } } });
  });

  it('labels what only userspace shows, and not what a machine of the run shows too', async () => {
    const crashing = BUILTIN_TARGETS['fake-crashes']!();
    const as = (name: string, role: string): Target => ({ ...crashing, family: 'patch', identity: { ...crashing.identity, name, remake: { role } } });
    const labels = (r: Ran): (string | undefined)[] => findings(r).filter((f) => f.target === 'userspace').map((f) => f.label);
    const alone = await run([as('userspace', 'userspace')], { shrink: 0 });
    expect(labels(alone)).toEqual([UNCONFIRMED]);
    expect(alone.saved.map((f) => f.label)).toEqual([UNCONFIRMED]);
    // Whichever stands first. What is found first is kept at once, as it is known then, and once more where that has changed.
    const orders = [[as('userspace', 'userspace'), as('vm', 'patch')], [as('vm', 'patch'), as('userspace', 'userspace')]];
    const kept = [[['userspace', UNCONFIRMED], ['vm', undefined], ['userspace', undefined]], [['vm', undefined], ['userspace', undefined]]];
    for (const [i, targets] of orders.entries()) {
      const both = await run(targets, { shrink: 0 });
      expect(labels(both)).toEqual([undefined]);
      expect(findings(both)).toHaveLength(2);
      expect(both.saved.map((f) => [f.target, f.label])).toEqual(kept[i]);
    }
  });

  it('finds the lie and the crash, each under its own signature, and ends with its footer', async () => {
    const r = await run([BUILTIN_TARGETS['fake-lies']!(), BUILTIN_TARGETS['fake-crashes']!()]);
    const signatures = findings(r).map((f) => f.signature);
    expect(signatures).toContain('crash: NULL pointer dereference in fake_read');
    expect(signatures.some((s) => s.startsWith('corruption: '))).toBe(true);
    expect(new Set(findings(r).map((f) => `${f.target} ${f.signature}`)).size).toBe(signatures.length);
    expect(r.events.at(-1)).toBe(r.footer);
    expect(r.footer.exitCode).toBe(1);
  });

  it('does not shrink into a case that shows something else, nor into a larger one', async () => {
    // Of a seed whose first hit is no file cut short: to leave out the cut is simpler, and larger.
    const r = await run([BUILTIN_TARGETS['fake-crashes']!()], { seed: 3, shrink: 80 });
    const [finding] = r.saved;
    const bytes = (f: Finding): number => f.smallest.layers.reduce((n, l) => n + l.bytes.length, 0);
    const replayed = await replayFinding(finding!, BUILTIN_TARGETS['fake-crashes']!(), { signal: new AbortController().signal });
    expect(replayed).toMatchObject({ shown: 1, tried: 1 });
    expect(bytes(finding!)).toBeLessThanOrEqual(bytes((await run([BUILTIN_TARGETS['fake-crashes']!()], { seed: 3, shrink: 0 })).saved[0]!));
  });

  it('the canary must fail: a run in which it passes is no proof', async () => {
    const bad = await run([BUILTIN_TARGETS['canary']!()], { cases: 5 });
    expect(bad.footer.findings).toBeGreaterThan(0);
    expect(bad.footer.exitCode).toBe(0);
    const healthy: Target = { ...oracleTarget(), identity: { ...oracleTarget().identity, name: 'canary' } };
    expect((await run([healthy], { cases: 5 })).footer.exitCode).toBe(3);
  });

  it('one seed, the same cases and verdicts, however many instances', async () => {
    const target = () => [oracleTarget(), BUILTIN_TARGETS['fake-lies']!()];
    const [a, b] = [await run(target(), { jobs: 1 }), await run(target(), { jobs: 3 })];
    expect(a.footer.caseStream).toBe(b.footer.caseStream);
    const cases = (r: Ran): CaseEvent[] => r.events.filter((e) => e.type === 'case');
    expect(cases(a)).toEqual(cases(b));
    expect(findings(a)).toEqual(findings(b));
    expect((await run(target(), { seed: 2 })).footer.caseStream).not.toBe(a.footer.caseStream);
  });

  it('is cut short without losing its footer', async () => {
    const stop = new AbortController();
    let cases = 0;
    const target: Target = { ...oracleTarget() };
    const opened = target.open;
    target.open = async () => {
      const session = await opened();
      return { ...session, run: (jobs, done, options) => session.run(jobs, (i, o) => {
        if (++cases === 30) stop.abort();
        done(i, o);
      }, options) };
    };
    const r = await run([target], { signal: stop.signal, cases: 200, jobs: 1 });
    expect(r.footer.complete).toBe(false);
    expect(r.footer.cases).toBeLessThan(200);
    expect(r.events.at(-1)).toBe(r.footer);
  });
});

/** A reader that goes wrong only after it has been poisoned by one case, or only once. */
function moody(moods: (job: number, instance: number) => Partial<Observation>): Target {
  const honest = oracleTarget();
  let instance = 0;
  return {
    ...honest,
    identity: { ...honest.identity, name: 'moody' },
    async open(): Promise<Session> {
      const session = await honest.open();
      return {
        ...session,
        run: (jobs, done, options) => {
          const mine = instance++;
          return session.run(jobs, (i, o) => done(i, { ...o, history: i, ...moods(i, mine) }), options);
        },
      };
    },
  };
}

describe('blame', () => {
  const death = { death: { kind: 'crash' as const, title: 'page-fault in victim', phase: 'read 0' } };

  it('goes to the sequence, where the case alone shows nothing', async () => {
    const r = await run([moody((job) => (job === 7 ? death : {}))], { cases: 25, jobs: 1 });
    expect(r.saved).toHaveLength(1);
    expect(r.saved[0]!.confirmation.blame).toBe('sequence');
    expect(r.saved[0]!.before).toHaveLength(7);
    expect(r.saved[0]!.confirmation).toEqual({ blame: 'sequence', shown: 3, tried: 3 });
  });

  it('goes to the shortest sequence that shows it', async () => {
    const poison = 's1-c3';
    const target = moody(() => ({}));
    const open = target.open;
    target.open = async () => {
      const session = await open();
      return {
        ...session,
        run: (jobs, done, options) => session.run(jobs, (i, o) => {
          const poisoned = jobs.slice(0, i).some((job) => job.case.id === poison);
          done(i, { ...o, history: i, ...(poisoned && jobs[i]!.case.id === 's1-c7' ? death : {}) });
        }, options),
      };
    };
    const r = await run([target], { cases: 25, jobs: 1 });
    expect(r.saved[0]!.before.map((c) => c.id)).toEqual([poison]);
    expect(r.saved[0]!.confirmation).toEqual({ blame: 'sequence', shown: 3, tried: 3 });
  });

  it('says how often, where the case alone shows it only sometimes', async () => {
    // Instance 0 runs all cases; in 1, 2 and 3 the case is alone.
    const r = await run([moody((job, instance) => ((instance === 0 ? job === 3 : instance === 2) ? death : {}))], { cases: 25, jobs: 1 });
    expect(r.saved[0]!.confirmation).toEqual({ blame: 'alone', shown: 1, tried: 3 });
    expect(r.saved[0]!.before).toEqual([]);
    expect(r.footer.findings).toBe(1);
  });

  it('is looked for on more processors before it is unreliable, and replayed there', async () => {
    const asked: (number | undefined)[] = [];
    const target: Target = { ...moody(() => ({})), processors: [2, 4] };
    const open = target.open;
    let instance = 0;
    target.open = async () => {
      const session = await open();
      return {
        ...session,
        run: (jobs, done, options) => {
          asked.push(options?.processors);
          const first = instance++ === 0;
          return session.run(jobs, (i, o) => done(i, { ...o, history: i, ...(first ? i === 3 : options?.processors === 4) ? death : {} }), options);
        },
      };
    };
    const r = await run([target], { cases: 25, jobs: 1 });
    expect(r.saved[0]!.confirmation).toEqual({ blame: 'alone', shown: 6, tried: 6, processors: 4 });
    // Six times alone, three times after those before it.
    expect(asked.filter((n) => n === 2)).toHaveLength(9);
    expect(await replayFinding(r.saved[0]!, target, { signal: new AbortController().signal })).toMatchObject({ shown: 1 });
  });

  it('is not given for what is never seen again; it is kept, apart, and fails no run', async () => {
    const r = await run([moody((job, instance) => (job === 3 && instance === 0 ? death : {}))], { cases: 25, jobs: 1 });
    expect(r.saved[0]!.confirmation).toMatchObject({ blame: 'unreliable', shown: 0 });
    expect(r.footer).toMatchObject({ findings: 0, unreliable: 1, exitCode: 0 });
  });

  it('an instance that is lost costs its case one more try, not a verdict', async () => {
    const lost = { death: { kind: 'lost' as const, title: 'killed from outside', phase: 'open' } };
    const r = await run([moody((job, instance) => (job === 5 && instance === 0 ? lost : {}))], { cases: 25, jobs: 1 });
    expect(r.footer).toMatchObject({ verdicts: { moody: { pass: 25 } }, exitCode: 0 });
    const always = await run([moody((job) => (job === 0 ? lost : {}))], { cases: 25, jobs: 1 });
    expect(always.footer).toMatchObject({ verdicts: { moody: { 'engine-error': 1 } }, exitCode: 3 });
  });
});
