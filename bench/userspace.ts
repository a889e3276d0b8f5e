// SPDX-License-Identifier: MIT
/**
 * How fast the patch's code runs in userspace, each part by itself, in seconds
 * of one processor, whatever else the machine does:
 * `node --import tsx bench/userspace.ts PATCH [cases] [seed]`. `target` is the
 * program alone, between the message of a case and its last answer.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { declaredFlags, jobOrWhy } from '../engine/prepare.ts';
import { build, drawCase } from '../generators/draw.ts';
import { judge } from '../judge/judge.ts';
import { examine } from '../oracles/examine.ts';
import { Cache, loadPatches, Steps } from '../targets/kernel/lab/index.ts';
import { CaseFolder } from '../targets/process/folder.ts';
import { encode } from '../targets/process/messages.ts';
import { runDir } from '../targets/kernel/run-dir.ts';
import type { Job } from '../targets/target.ts';
import { buildProgram } from '../targets/userspace/build.ts';
import { openUserspaceTarget } from '../targets/userspace/userspace-target.ts';

const [patch, count = '2000', seed = '1'] = process.argv.slice(2);
if (patch === undefined) throw new Error('bench/userspace.ts PATCH [cases] [seed]');
const cases = Number(count);
const BATCH = 500;

/** Seconds that `work` takes are added to the row of this name. */
const seconds = new Map<string, number>();
async function timed<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const began = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(began);
  seconds.set(name, (seconds.get(name) ?? 0) + (user + system) / 1e6);
  return result;
}

/** The program by itself on the cases' files, without a runner that waits for it. */
async function runAlone(jobs: readonly Job[], program: string): Promise<{ cases: number; seconds: number }> {
  const folder = new CaseFolder(runDir(existsSync('/dev/shm') ? '/dev/shm' : undefined));
  try {
    const input = jobs.map((job, i) => encode(folder.deploy(job, i + 2, ['table', 'fault', 'shared', 'replaces']).message)).join('');
    const { stderr, status } = spawnSync(program, [], { input, env: { OVBD_TIMES: '1' }, maxBuffer: 2 ** 30, encoding: 'utf8' });
    const [, count, us] = /(\d+) cases in (\d+) microseconds/.exec(stderr) ?? [];
    if (status !== 0 || count === undefined) throw new Error(`the program ended with ${status}: ${stderr.slice(0, 500)}`);
    return { cases: Number(count), seconds: Number(us) / 1e6 };
  } finally {
    folder.close();
  }
}

const { columns } = await loadPatches([patch], undefined);
const cache = new Cache();
for (const column of columns) {
  seconds.clear();
  const target = await openUserspaceTarget({ name: column.name, sources: { files: column.sources, name: column.title }, cache, steps: new Steps() });
  const program = await buildProgram(column.sources, column.title, cache, new Steps());
  const declared = declaredFlags([target]);
  const session = await target.open();
  const verdicts = new Map<string, number>();
  const signatures = new Map<string, number>();
  let run = 0;
  let bytes = 0;
  let alone = { cases: 0, seconds: 0 };
  for (let from = 0; from < cases; from += BATCH) {
    const indices = Array.from({ length: Math.min(BATCH, cases - from) }, (_, k) => from + k);
    const drawn = await timed('generate', () => indices.map((i) => drawCase(Number(seed), i)));
    const made = await timed('encode', () => drawn.map((d) => build(d)));
    const examined = await timed('oracle', () => made.map((b) => examine(b.case, declared)));
    const jobs = await timed('job', () => examined.flatMap((e) => {
      const job = jobOrWhy(e, target);
      return typeof job === 'string' ? [] : [{ e, job }];
    }));
    run += jobs.length;
    for (const { job } of jobs) bytes += job.case.layers.reduce((n, l) => n + l.bytes.length, 0);
    const seen = await timed('runner', async () => {
      const list: Parameters<typeof judge>[2][] = [];
      await session.run(jobs.map((j) => j.job), (_, observation) => list.push(observation));
      return list;
    });
    const one = await runAlone(jobs.map((j) => j.job), program.path);
    alone = { cases: alone.cases + one.cases, seconds: alone.seconds + one.seconds };
    const judged = await timed('judge', () => jobs.map(({ e }, k) => judge(e.case, e.expectation, seen[k]!, target.stance, target)));
    for (const [k, v] of judged.entries()) {
      verdicts.set(v.kind, (verdicts.get(v.kind) ?? 0) + 1);
      if (v.signature !== undefined) signatures.set(v.signature, (signatures.get(v.signature) ?? 0) + 1);
      if (v.kind === 'engine-error') console.log(`${jobs[k]!.e.case.id}: ${v.why}`);
    }
  }
  seconds.set('target', alone.seconds);
  const whole = [...seconds.values()].reduce((a, b) => a + b, 0);
  await session.close();
  await target.close();
  console.log(`${column.name}: ${cases} cases, ${run} of them run, ${Math.round(bytes / Math.max(1, run))} bytes of images a case; ${(cases / whole).toFixed(0)} cases/s a core in all, ${(alone.cases / alone.seconds).toFixed(0)} in the target itself`);
  for (const [name, s] of seconds) console.log(`  ${name.padEnd(10)}${s.toFixed(2).padStart(8)} s ${((s * 1e6) / cases).toFixed(0).padStart(8)} us a case`);
  console.log(`  ${[...verdicts].map(([k, n]) => `${k} ${n}`).join(', ')}`);
  for (const [s, n] of [...signatures].sort((a, b) => b[1] - a[1]).slice(0, 40)) console.log(`  ${String(n).padStart(6)} ${s}`);
}
