// SPDX-License-Identifier: MIT
/**
 * How fast the patch's code runs in userspace:
 * `node --import tsx bench/userspace.ts PATCH [cases] [seed] [largeEvery]`.
 * First each part by itself, in seconds of processor time, this process's and
 * its threads'; `target` is the program alone, between the message of a case
 * and its last answer, by the clock. Then the whole as `ovbd run --fast` screens
 * it, by the clock and in processor time of everything, its children included.
 * `largeEvery` 8 is what `--fast` draws, 1 every size (default: both).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { watchColumns } from '../engine/columns.ts';
import { FAST_CHUNK, FAST_LARGE_EVERY } from '../engine/fast.ts';
import { openLanes } from '../engine/lanes.ts';
import { openPreparePool } from '../engine/prepare-pool.ts';
import { caseDigest, declaredFlags, disagreementOf, jobOrWhy, prepare } from '../engine/prepare.ts';
import { screen } from '../engine/screen.ts';
import { build, drawCase } from '../generators/draw.ts';
import { judge } from '../judge/judge.ts';
import { examine } from '../oracles/examine.ts';
import { Cache, loadPatches, Steps } from '../targets/kernel/lab/index.ts';
import { CaseFolder } from '../targets/process/folder.ts';
import { encode } from '../targets/process/messages.ts';
import { runDir } from '../targets/kernel/run-dir.ts';
import type { Job, Target } from '../targets/target.ts';
import { buildProgram } from '../targets/userspace/build.ts';
import { openUserspaceTarget } from '../targets/userspace/userspace-target.ts';

const [patch, count = '2000', seedText = '1', every] = process.argv.slice(2);
if (patch === undefined) throw new Error('bench/userspace.ts PATCH [cases] [seed] [largeEvery]');
const cases = Number(count);
const seed = Number(seedText);
const BATCH = 100;
/** Cases before those that are measured, until V8 has compiled what a run of thousands keeps using. */
const WARM = 300;

/** Processor time of this process with all its threads, seconds. */
function ownSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Processor time of its children that have ended and were waited for, seconds (proc(5), fields 16 and 17 of stat). */
function childSeconds(): number {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** The program by itself on the cases' files, without a runner that waits for it. */
function runAlone(jobs: readonly Job[], program: string): { cases: number; seconds: number } {
  const folder = new CaseFolder(runDir(existsSync('/dev/shm') ? '/dev/shm' : undefined));
  try {
    const input = jobs.map((job, i) => encode(folder.deploy(job, i + 2, ['table', 'fault', 'shared', 'replaces']).message)).join('');
    const { stderr, status } = spawnSync(program, [], { input, env: { OVBD_TIMES: '1' }, maxBuffer: 2 ** 30, encoding: 'utf8' });
    const [, ran, us] = /(\d+) cases in (\d+) microseconds/.exec(stderr) ?? [];
    if (status !== 0 || ran === undefined) throw new Error(`the program ended with ${status}: ${stderr.slice(0, 500)}`);
    return { cases: Number(ran), seconds: Number(us) / 1e6 };
  } finally {
    folder.close();
  }
}

/** Each part by itself, on one processor. */
async function parts(target: Target, program: string, largeEvery: number): Promise<void> {
  const declared = declaredFlags([target]);
  const seconds = new Map<string, number>();
  let from = 0;
  /** Seconds that `work` takes are added to the row of this name. */
  const timed = async <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
    const began = ownSeconds();
    const result = await work();
    if (from >= WARM) seconds.set(name, (seconds.get(name) ?? 0) + ownSeconds() - began);
    return result;
  };
  const session = await target.open();
  const verdicts = new Map<string, number>();
  let [run, bytes, alone] = [0, 0, { cases: 0, seconds: 0 }];
  for (; from < WARM + cases; from += BATCH) {
    const indices = Array.from({ length: Math.min(BATCH, WARM + cases - from) }, (_, k) => from + k);
    const drawn = await timed('generate', () => indices.map((i) => drawCase(seed, i, largeEvery)));
    const made = await timed('encode', () => drawn.map((d) => build(d)));
    const examined = await timed('oracle', () => made.map((b) => examine(b.case, declared)));
    await timed('agreement', () => {
      for (const [k, b] of made.entries()) if (b.readModel && disagreementOf(examined[k]!.case, examined[k]!.expectation, b.size, b.readModel) !== null) throw new Error(`${b.case.id}: two opinions`);
      for (const e of examined) caseDigest(e.case);
    });
    const jobs = await timed('job', () => examined.flatMap((e) => {
      const job = jobOrWhy(e, target);
      return typeof job === 'string' ? [] : [{ e, job }];
    }));
    const seen = await timed('runner', async () => {
      const list: Parameters<typeof judge>[2][] = [];
      await session.run(jobs.map((j) => j.job), (_, observation) => list.push(observation));
      return list;
    });
    const judged = await timed('judge', () => jobs.map(({ e }, k) => judge(e.case, e.expectation, seen[k]!, target.stance, target)));
    if (from < WARM) continue;
    run += jobs.length;
    for (const { job } of jobs) bytes += job.case.layers.reduce((n, l) => n + l.bytes.length, 0);
    const one = runAlone(jobs.map((j) => j.job), program);
    alone = { cases: alone.cases + one.cases, seconds: alone.seconds + one.seconds };
    for (const v of judged) verdicts.set(v.kind, (verdicts.get(v.kind) ?? 0) + 1);
  }
  await session.close();
  seconds.set('target', alone.seconds);
  const whole = [...seconds.values()].reduce((a, b) => a + b, 0);
  console.log(`  ${run} of ${cases} cases are for it, ${Math.round(bytes / Math.max(1, run))} bytes of images each; ${(cases / whole).toFixed(0)} cases/s a core in all, ${(alone.cases / alone.seconds).toFixed(0)} in the target itself`);
  for (const [name, s] of seconds) console.log(`    ${name.padEnd(10)}${s.toFixed(2).padStart(8)} s ${((s * 1e3) / cases).toFixed(2).padStart(8)} ms a case`);
  console.log(`    ${[...verdicts].map(([k, n]) => `${k} ${n}`).join(', ')}`);
}

/** Everything together, as a run screens its cases: threads that make them ready, a process a lane, verdicts. */
async function together(target: Target, largeEvery: number, workers: number): Promise<string> {
  const declared = declaredFlags([target]);
  const { signal } = new AbortController();
  const jobs = availableParallelism();
  const lanes = openLanes(target, jobs);
  const [own, children, began] = [ownSeconds(), childSeconds(), performance.now()];
  const pool = workers > 0 ? openPreparePool({ seed, first: 0, cases, largeEvery, declared, unit: FAST_CHUNK, workers }) : undefined;
  const screened = await screen({
    draw: (i) => drawCase(seed, i, largeEvery), ready: (i) => prepare(drawCase(seed, i, largeEvery), declared), ...(pool && { batch: pool.take }),
    cases, chunk: FAST_CHUNK, columns: watchColumns([target], signal), declared, width: jobs, lanesOf: () => lanes,
    begin: () => undefined, signal, deadline: Infinity, emit: () => undefined, progress: () => undefined,
  });
  const wall = (performance.now() - began) / 1000;
  await pool?.close();
  await lanes.close();
  const processor = ownSeconds() - own + childSeconds() - children;
  const verdicts = screened.results.get(target)!.map((r) => `${r.verdict.kind} ${r.verdict.signature ?? ''}`);
  console.log(`  the whole, ${workers} threads, ${jobs} lanes: ${cases} cases in ${wall.toFixed(1)} s: ${(cases / wall).toFixed(0)} cases/s by the clock; ${((processor * 1e3) / cases).toFixed(2)} ms of processor a case: ${(cases / processor).toFixed(0)} cases/s a core; ${jobs} at that rate would make ${((cases * jobs) / processor).toFixed(0)}`);
  return verdicts.join('\n');
}

const { columns } = await loadPatches([patch], undefined);
const cache = new Cache();
console.log(`${cpus()[0]?.model ?? 'a processor'}, ${availableParallelism()} of them; load ${loadavg()[0]!.toFixed(1)}; seed ${seed}`);
for (const column of columns) {
  const target = await openUserspaceTarget({ name: column.name, sources: { files: column.sources, name: column.title }, cache, steps: new Steps() });
  const { path: program } = await buildProgram(column.sources, column.title, cache, new Steps());
  for (const largeEvery of every === undefined ? [FAST_LARGE_EVERY, 1] : [Number(every)]) {
    console.log(`${column.name}, ${largeEvery === 1 ? 'images of every size' : `images above 1 MiB in one of ${largeEvery} cases at the most`}:`);
    await parts(target, program, largeEvery);
    const threaded = await together(target, largeEvery, availableParallelism());
    if (await together(target, largeEvery, 0) !== threaded) throw new Error('the verdicts depend on the threads');
  }
  await target.close();
}
