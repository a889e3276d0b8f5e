// SPDX-License-Identifier: MIT
/** A campaign over workers, as processes: killed, stopped, of other targets, hostile, and without a Redis. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { identityOf, mismatch, queueOf } from '../cli/batch-identity.ts';
import { builtinTarget } from '../engine/builtin-targets.ts';
import { redisAddress } from '../engine/queue/address.ts';
import { serve } from '../engine/queue/redis.ts';
import { startRedis, whyNoRedis, type TestRedis } from '../engine/queue/testing.ts';
import { campaignStore } from '../reports/index.ts';

const why = await whyNoRedis();
if (why !== undefined) console.warn(`skipped: workers, ${why}`);
const test = it.skipIf(why !== undefined);
const PASSWORD = 'open-sesame-77';

const folder = mkdtempSync(join(tmpdir(), 'ovbd-workers-'));
let redis: TestRedis;
beforeAll(async () => {
  if (why === undefined) redis = await startRedis(PASSWORD);
}, 60_000);
afterAll(async () => {
  await redis?.close();
  rmSync(folder, { recursive: true, force: true });
});

const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
});

interface Running {
  readonly child: ChildProcess;
  readonly text: () => string;
  readonly ended: Promise<number | null>;
  says(what: RegExp): Promise<void>;
}

function ovbd(args: readonly string[], url = redis.url): Running {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../cli/ovbd.mjs'), ...args], { env: { ...process.env, OVBD_REDIS: url }, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding('utf8').on('data', (part: string) => void (text += part));
  return {
    child, text: () => text, ended: once(child, 'close').then(([code]) => code as number | null),
    says: (what) => expect.poll(() => text, { timeout: 60_000, interval: 50 }).toMatch(what),
  };
}

const TARGETS = ['--target', 'oracle', '--target', 'fake-lies', '--target', 'canary'];
const worker = (...more: string[]): Running => ovbd(['worker', ...TARGETS, '--jobs', '1', '--lock', '2s', ...more]);
const fuzz = (out: string, batches: number, ...more: string[]): Running =>
  ovbd(['fuzz', '--redis', ...TARGETS, '--batches', String(batches), '--batch-cases', '6', '--shrink', '8', '--jobs', '4', '--out', join(folder, out), ...more]);

test('a campaign is whole when a worker and the coordinator were killed: every batch once, every finding once', async () => {
  const workers = [worker(), worker(), worker('--target', 'fake-crashes')];
  let coordinator = fuzz('killed', 16);
  const done = (one: Running): number => one.text().match(/batch \d+: done/g)?.length ?? 0;
  await expect.poll(() => workers.reduce((sum, one) => sum + done(one), 0), { timeout: 120_000, interval: 50 }).toBeGreaterThan(3);
  workers.reduce((a, b) => (done(a) >= done(b) ? a : b)).child.kill('SIGKILL');
  coordinator.child.kill('SIGKILL');
  await coordinator.ended;
  expect(coordinator.text()).not.toContain(PASSWORD);
  coordinator = fuzz('killed', 16);
  expect(await coordinator.ended, coordinator.text()).toBe(1);
  expect(coordinator.text()).toMatch(/goes on: \d+ batches/);
  const out = join(folder, 'killed');
  const records = campaignStore(out).records();
  expect(records.map((r) => r.plan.number)).toEqual(Array.from({ length: 16 }, (_, n) => n));
  expect(campaignStore(out).plans()).toEqual([]);
  const findings = readFileSync(join(out, 'run.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { type: string; signature: string; folder: string }).filter((e) => e.type === 'finding');
  expect(findings.length).toBeGreaterThan(2);
  expect(new Set(findings.map((f) => f.signature)).size).toBe(findings.length);
  expect(readdirSync(join(out, 'findings')).map((name) => join('findings', name)).toSorted()).toEqual(findings.map((f) => f.folder).toSorted());
  expect(readdirSync(out).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  // The third has other targets: it leaves all of it to the others, and says why.
  await workers[2]!.says(/leaves the batches of campaign [0-9a-f]{16} to others: the targets/);
  expect(workers[2]!.text()).not.toContain('done');
  for (const one of [...workers, coordinator]) expect(one.text()).not.toContain(PASSWORD);
  for (const name of readdirSync(out, { recursive: true, withFileTypes: true })) {
    if (name.isFile()) expect(readFileSync(join(name.parentPath, name.name), 'latin1')).not.toContain(PASSWORD);
  }
  // What was found can be shown by whoever has the folder.
  const replay = ovbd(['replay', join(out, findings[0]!.folder)]);
  expect(await replay.ended, replay.text()).toBe(1);
}, 240_000);

test('a worker that is stopped gives back its batch and ends; another one does it', async () => {
  const first = worker();
  await first.says(/worker .*: oracle/);
  const coordinator = ovbd(['fuzz', '--redis', ...TARGETS, '--batches', '1', '--batch-cases', '120', '--shrink', '4', '--out', join(folder, 'stopped')]);
  // Which campaign that is may be told after a short batch is done.
  await first.says(/batch 0: begun/);
  first.child.kill('SIGINT');
  expect(await first.ended, first.text()).toBe(130);
  const second = worker();
  expect(await coordinator.ended, coordinator.text()).toBe(1);
  expect(second.text()).toMatch(/batch 0: done/);
}, 240_000);

test('what a hostile worker sends is not taken, and said', async () => {
  const targets = ['oracle', 'canary'].map((name) => builtinTarget(name)!);
  const stop = new AbortController();
  const served = serve(redisAddress(redis.url), {
    queue: queueOf(identityOf(targets)), name: 'hostile', jobs: 1, lockMs: 2000, signal: stop.signal, say: () => undefined, work: async () => Buffer.from('\u001b[2Jnothing of the kind'),
  });
  try {
    const coordinator = ovbd(['fuzz', '--redis', '--target', 'oracle', '--target', 'canary', '--batches', '1', '--batch-cases', '4', '--out', join(folder, 'hostile')]);
    expect(await coordinator.ended, coordinator.text()).toBe(3);
    expect(coordinator.text()).toMatch(/what hostile sent as batch 0 is not taken: .*; it is given out again/);
    expect(campaignStore(join(folder, 'hostile')).records()).toEqual([]);
  } finally {
    stop.abort();
    await served;
  }
}, 120_000);

it('without a Redis, or an address of one, it is said what to do', async () => {
  const nowhere = 'redis://:open-sesame-77@127.0.0.1:1';
  for (const args of [['worker'], ['fuzz', '--redis']]) {
    const one = ovbd([...args, ...TARGETS, ...(args[0] === 'fuzz' ? ['--out', join(folder, 'none')] : [])], nowhere);
    expect(await one.ended, one.text()).toBe(3);
    expect(one.text()).toMatch(/^ovbd: no Redis can be used at redis:\/\/127\.0\.0\.1:1: .*ECONNREFUSED.*redis-server/);
    expect(one.text()).not.toContain(PASSWORD);
  }
  const wrong = ovbd(['worker', ...TARGETS], 'http://:open-sesame-77@h');
  expect(await wrong.ended).toBe(2);
  expect(wrong.text()).not.toContain(PASSWORD);
}, 60_000);

it('a worker says how it differs from a campaign', () => {
  const of = (parts: Record<string, string>, suite = 's') => ({ suite, targets: { patch: parts } });
  expect(mismatch(of({ module: 'a' }), of({ module: 'a' }))).toBeUndefined();
  expect(mismatch(of({ module: 'a' }), of({ module: 'b' }))).toBe('"module" of patch of the campaign: a; of this worker: b');
  expect(mismatch(of({}, 's'), of({}, 't'))).toMatch(/suite is s, this worker's t/);
  expect(mismatch({ suite: 's', targets: { oracle: {} } }, { suite: 's', targets: { stock: {} } })).toMatch(/oracle.*stock/);
});
