// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineError, type NightBatch } from '../model/index.ts';
import { nightStore } from '../reports/index.ts';
import type { Session, Target } from '../targets/target.ts';
import { builtinTarget } from './builtin-targets.ts';
import { nightExit, runNight, type NightSettings, type NightState } from './night.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-night-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Night {
  readonly state: NightState;
  readonly said: readonly string[];
  /** `target first` of each batch that was run, in order. */
  readonly ran: readonly string[];
}

async function night(change: Partial<NightSettings> = {}, out = folder): Promise<Night> {
  const said: string[] = [];
  const ran: string[] = [];
  const state = await runNight({
    suite: 'test', seed: 1, cases: 20, batch: 5, targets: [named('a'), named('b')], jobs: 1, shrinkExecutions: 0, signal: new AbortController().signal,
    store: nightStore(out), saveFinding: (f) => Promise.resolve({ folder: `findings/${f.kind}`, replay: 'ovbd replay' }), say: (text) => said.push(text),
    progress: (p) => void (p.within === undefined && ran.push(`${p.target} ${p.first}`)), ...change,
  });
  return { state, said, ran };
}

function named(name: string, of = 'oracle', parts: Record<string, string> = {}): Target {
  const target = builtinTarget(of)!;
  return { ...target, identity: { ...target.identity, name, parts: { ...target.identity.parts, ...parts } } };
}

/** Does something when the target is given its `nth` batch. */
function interrupted(target: Target, nth: number, what: () => void): Target {
  let opened = 0;
  return {
    ...target,
    open: async (): Promise<Session> => {
      if (++opened === nth) what();
      return target.open();
    },
  };
}

/** Everything of the batches but how long they took. */
function results({ state }: Pick<Night, 'state'>): Record<string, Omit<NightBatch, 'seconds'>[]> {
  return Object.fromEntries(state.targets.map((t) => [t.identity.name, t.batches.map(({ seconds: _, ...rest }) => rest)]));
}

describe('a night', () => {
  it('runs a batch of each target in turn, and ends well only where all of them are done', async () => {
    const n = await night();
    expect(n.ran).toEqual(['a 0', 'b 0', 'a 5', 'b 5', 'a 10', 'b 10', 'a 15', 'b 15']);
    expect(nightExit(n.state)).toBe(0);
    const more = await night({ cases: 22 });
    expect(more.ran).toEqual(['a 20', 'b 20']);
    expect(more.state.targets[0]!.batches.at(-1)).toMatchObject({ first: 20, cases: 2, verdicts: { pass: 2 } });
  });

  it('stopped in a batch, goes on where it was, with the results of one that was not stopped', async () => {
    const stop = new AbortController();
    const targets = [named('a', 'fake-lies'), interrupted(named('b'), 3, () => stop.abort())];
    const first = await night({ targets, signal: stop.signal });
    expect(first.ran).toEqual(['a 0', 'b 0', 'a 5', 'b 5', 'a 10']);
    const second = await night({ targets: [named('a', 'fake-lies'), named('b')] });
    expect(second.ran).toEqual(['b 10', 'a 15', 'b 15']);
    const unbroken = await night({ targets: [named('a', 'fake-lies'), named('b')] }, join(folder, 'other'));
    expect(results(second)).toEqual(results(unbroken));
    expect(results(unbroken)['a']!.length).toBe(4);
  });

  it('killed in mid-batch, goes on where it was', async () => {
    const url = (path: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, path)).href);
    const script = join(folder, 'night.mts');
    writeFileSync(script, `
      import { runNight } from ${url('night.ts')};
      import { builtinTarget } from ${url('builtin-targets.ts')};
      import { nightStore } from ${url('../reports/index.ts')};
      const oracle = builtinTarget('oracle');
      let opened = 0;
      // The third batch never ends.
      const target = { ...oracle, open: async () => (++opened === 3 ? { run: () => new Promise((done) => setTimeout(done, 600000)), close: async () => {} } : oracle.open()) };
      await runNight({ suite: 'test', seed: 1, cases: 20, batch: 5, targets: [target], jobs: 1, signal: new AbortController().signal,
        store: nightStore(${JSON.stringify(folder)}), saveFinding: async () => ({ folder: '', replay: '' }), say: () => {} });
    `);
    const child = spawn(process.execPath, ['--import', 'tsx', script], { cwd: join(import.meta.dirname, '..'), stdio: 'ignore' });
    const ended = new Promise((done) => child.once('exit', (_, signal) => done(signal)));
    const second = join(folder, 'batches', 'oracle', '0000000005.json');
    while (child.exitCode === null && !existsSync(second)) await new Promise((done) => setTimeout(done, 50));
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    expect(readdirSync(join(folder, 'batches', 'oracle'))).toEqual(['0000000000.json', '0000000005.json']);
    const after = await night({ targets: [builtinTarget('oracle')!] });
    expect(after.ran).toEqual(['oracle 10', 'oracle 15']);
    const unbroken = await night({ targets: [builtinTarget('oracle')!] }, join(folder, 'other'));
    expect(results(after)).toEqual(results(unbroken));
  }, 60_000);

  it('begins no batch after its time, which is no success', async () => {
    const n = await night({ deadline: Date.now() - 1 });
    expect(n.ran).toEqual([]);
    expect(nightExit(n.state)).toBe(4);
  });

  it('a finding fails it, also the night that only reads of it', async () => {
    const targets = (): Target[] => [named('a'), named('b', 'fake-lies')];
    const n = await night({ targets: targets() });
    expect(n.state.targets[1]!.batches.some((b) => b.findings.length > 0)).toBe(true);
    expect(nightExit(n.state)).toBe(1);
    const again = await night({ targets: targets() });
    expect(again.ran).toEqual([]);
    expect(nightExit(again.state)).toBe(1);
  });

  it('counts the instances that died', async () => {
    const n = await night({ targets: [named('a', 'fake-crashes')] });
    expect(n.state.targets[0]!.batches.reduce((sum, b) => sum + b.deaths, 0)).toBeGreaterThan(0);
  });
});

describe('a night is not mixed with another', () => {
  it('of another suite, seed or identity: begins anew, says so and keeps what was there', async () => {
    await night();
    for (const [change, why] of [
      [{ suite: 'other' }, 'that was test, this is other'],
      [{ suite: 'other', seed: 2 }, 'that was seed 1, this is seed 2'],
      [{ suite: 'other', seed: 2, targets: [named('a', 'oracle', { qemu: '9' }), named('b', 'oracle', { qemu: '9' })] }, '"qemu" was not there, and is 9'],
    ] as const) {
      const n = await night(change);
      expect(n.ran.length).toBe(8);
      expect(n.said.filter((text) => text.includes(why)), n.said.join('\n')).toHaveLength(2);
    }
    expect(readdirSync(join(folder, 'batches')).sort()).toEqual(['a', 'a.before-1', 'a.before-2', 'a.before-3', 'b', 'b.before-1', 'b.before-2', 'b.before-3']);
  });

  it('what soaks found since then makes no other night', async () => {
    await night({ targets: [named('a', 'oracle', { soak: 'never soaked' })] });
    expect((await night({ targets: [named('a', 'oracle', { soak: '5 boots' })] })).ran).toEqual([]);
  });

  it('where the generator makes other cases: noticed by the first case of a batch', async () => {
    await night();
    change('a', 5, (b) => ({ ...b, probe: '0'.repeat(64) }));
    const n = await night();
    expect(n.ran).toEqual(['a 0', 'a 5', 'a 10', 'a 15']);
    expect(n.said.join('\n')).toContain('case s1-c5 or what is expected of it is another now');
  });

  it('where other cases of a batch are others: noticed by what another target ran', async () => {
    await night();
    change('a', 5, (b) => ({ ...b, stream: '0'.repeat(64) }));
    rmSync(join(folder, 'batches', 'b'), { recursive: true });
    const n = await night();
    expect(n.said.join('\n')).toContain('a: begins anew, for the cases from s1-c5 on are others now');
    expect(nightExit(n.state)).toBe(0);
    const unbroken = await night({}, join(folder, 'other'));
    expect(results(n)).toEqual(results(unbroken));
  });

  it('damaged and half-written records count as absent', async () => {
    await night();
    writeFileSync(join(folder, 'batches', 'a', '0000000005.json'), '{"schema": "ovbd-night/1", "seed"');
    writeFileSync(join(folder, 'batches', 'b', '0000000010.json'), JSON.stringify({ schema: 'ovbd-night/1' }));
    expect((await night()).ran).toEqual(['a 5', 'b 10']);
  });
});

describe('an error of ours', () => {
  it('once costs a second try; again and again it costs the target, and the others go on', async () => {
    const fails = (): never => {
      throw new EngineError('no machine');
    };
    const once = await night({ targets: [interrupted(named('a'), 2, fails)] });
    expect(once.said).toContain('a, cases 5 and on: no machine');
    expect(nightExit(once.state)).toBe(0);
    const never = await night({ targets: [{ ...named('a'), open: fails }, named('b')] }, join(folder, 'other'));
    expect(never.ran).toEqual(['b 0', 'b 5', 'b 10', 'b 15']);
    expect(never.state.targets[0]).toMatchObject({ error: 'no machine', batches: [] });
    expect(nightExit(never.state)).toBe(3);
  });

  it('in a verdict is run again by the next night', async () => {
    const lost = named('a');
    const open = lost.open;
    const target = { ...lost, open: async (): Promise<Session> => {
      const session = await open();
      return { ...session, run: (jobs, done, options) => session.run(jobs, (i, o) => done(i, jobs[i]!.case.id === 's1-c6' ? { ...o, death: { kind: 'lost', title: 'gone', phase: 'open' } } : o), options) };
    } };
    const n = await night({ targets: [target] });
    expect(nightExit(n.state)).toBe(3);
    expect((await night({ targets: [named('a')] })).ran).toEqual(['a 5']);
  });
});

function change(target: string, first: number, how: (batch: NightBatch) => NightBatch): void {
  const store = nightStore(folder);
  store.save(how(store.load(target).find((b) => b.first === first)!));
}
