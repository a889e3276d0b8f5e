// SPDX-License-Identifier: MIT
/**
 * A campaign over three workers, of which two are killed: `node --import tsx bench/workers.ts [batches] [seed]`.
 * Says whether every batch was done, every finding is there once, and what came of it is what the plans say.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from 'fast-check';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { startRedis, whyNoRedis } from '../engine/queue/testing.ts';
import type { BatchRecord } from '../model/index.ts';
import { campaignStore } from '../reports/index.ts';

const batches = Number(process.argv[2] ?? 1000);
const seed = Number(process.argv[3] ?? 1);
const CASES = '2';
const TARGETS = ['--target', 'oracle', '--target', 'fake-lies'];
/** Milliseconds without a sign of life. */
const LOCK = '3s';

const why = await whyNoRedis();
if (why !== undefined) throw new Error(why);
const redis = await startRedis();
const folder = mkdtempSync(join(tmpdir(), 'ovbd-workers-'));
const out = join(folder, 'campaign');
const program = join(import.meta.dirname, '..', 'cli', 'ovbd.mjs');
const random = new Random(xoroshiro128plus(seed));

function begin(name: string, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, OVBD_REDIS: redis.url }, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = createWriteStream(join(folder, `${name}.log`));
  child.stdout!.pipe(log, { end: false });
  child.stderr!.pipe(log, { end: false });
  return child;
}

const recorded = (): number => {
  try {
    return readdirSync(join(out, 'batches')).filter((name) => /^\d{10}\.json$/.test(name)).length;
  } catch {
    return 0;
  }
};

const began = Date.now();
const seconds = (): string => ((Date.now() - began) / 1000).toFixed(1);
const workers = [1, 2, 3].map((n) => begin(`worker-${n}`, ['worker', ...TARGETS, '--jobs', '1', '--lock', LOCK, '--quiet']));
const fuzz = ['fuzz', '--redis', ...TARGETS, '--seed', String(seed), '--batches', String(batches), '--batch-cases', CASES, '--shrink', '6', '--jobs', '12', '--out', out, '--quiet'];
let coordinator = begin('coordinator', fuzz);
/** Workers 1 and 2, each after so many recorded batches, and the coordinator between; a kill that finds a batch in work is what is wanted. */
const kills = [random.nextInt(1, Math.floor(batches / 2)), random.nextInt(Math.floor(batches / 2), Math.floor((batches * 9) / 10))];
const restart = Math.floor(batches / 3);
let restarted = false;
let exit: number | null = null;
try {
  for (let killed = 0; ;) {
    if (coordinator.exitCode !== null) {
      exit = coordinator.exitCode;
      break;
    }
    const done = recorded();
    if (killed < kills.length && done >= kills[killed]!) {
      await pause(random.nextInt(0, 400));
      workers[killed]!.kill('SIGKILL');
      console.log(`${seconds()} s: worker ${killed + 1} killed (SIGKILL) after ${done} batches were recorded`);
      killed++;
    }
    if (!restarted && done >= restart) {
      restarted = true;
      coordinator.kill('SIGKILL');
      await once(coordinator, 'exit');
      console.log(`${seconds()} s: the coordinator killed (SIGKILL) after ${recorded()} batches were recorded, and begun again`);
      coordinator = begin('coordinator-again', fuzz);
    }
    await pause(200);
  }
} finally {
  for (const child of [...workers, coordinator]) child.kill('SIGKILL');
  await redis.close();
}

const records: readonly BatchRecord[] = campaignStore(out).records();
const numbers = new Set(records.map((r) => r.plan.number));
const events = readFileSync(join(out, 'run.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { type: string; target: string; signature: string; folder: string; complete?: boolean });
const findings = events.filter((e) => e.type === 'finding');
const distinct = new Set(findings.map((e) => `${e.target} ${e.signature}`));
const seen = new Set(records.flatMap((r) => Object.entries(r.targets).filter(([name]) => name !== 'canary').flatMap(([name, t]) => Object.keys(t.seen).map((signature) => `${name} ${signature}`))));
const folders = readdirSync(join(out, 'findings'));
const log = ['worker-1', 'worker-2', 'worker-3'].map((name) => [...readFileSync(join(folder, `${name}.log`), 'utf8').matchAll(/batch (\d+): done/g)].map((m) => m[1]!));
const again = log.flat().length - new Set(log.flat()).size;
const left = readdirSync(out).filter((name) => name.endsWith('.tmp') || name === '.lock');
console.log(`${seconds()} s: ${records.length} batches of ${CASES} cases recorded, numbers 0 to ${Math.max(...numbers)} ${numbers.size === batches ? 'all there' : 'NOT all there'}; exit code ${exit}`);
console.log(`workers did ${log.map((l) => l.length).join(', ')}; ${again} of them a second time, ${readdirSync(join(out, 'batches')).length - records.length} plans are left without a record`);
console.log(`${findings.length} findings, ${distinct.size} of them distinct, in ${folders.length} folders; ${seen.size} signatures were seen${[...seen].every((s) => distinct.has(s)) ? ', each is a finding' : ', NOT each of them is a finding'}`);
const good = exit === 1 && records.length === batches && numbers.size === batches && findings.length === distinct.size && folders.length === findings.length && [...distinct].every((s) => seen.has(s)) && [...seen].every((s) => distinct.has(s)) && left.length === 0;
console.log(good ? 'every batch is done, every finding is there once' : `SOMETHING IS WRONG: see ${folder}`);
if (good) rmSync(folder, { recursive: true });
process.exit(good ? 0 : 1);
