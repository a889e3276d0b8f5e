// SPDX-License-Identifier: MIT
/**
 * How fast the patch's code runs in userspace, each part by itself:
 * `node --import tsx bench/userspace.ts PATCH [cases] [seed]`. One core does
 * all of it, one thing after the other, but the process, which has its own.
 */
import { declaredFlags, jobFor, notDeployable } from '../engine/prepare.ts';
import { build, drawCase } from '../generators/draw.ts';
import { judge } from '../judge/judge.ts';
import { examine } from '../oracles/examine.ts';
import { Cache, loadPatches, Steps } from '../targets/kernel/lab/index.ts';
import { openUserspaceTarget } from '../targets/userspace/userspace-target.ts';

const [patch, count = '2000', seed = '1'] = process.argv.slice(2);
if (patch === undefined) throw new Error('bench/userspace.ts PATCH [cases] [seed]');
const cases = Number(count);
const BATCH = 500;

/** Seconds that `work` takes are added to the row of this name. */
const seconds = new Map<string, number>();
async function timed<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  seconds.set(name, (seconds.get(name) ?? 0) + (performance.now() - began) / 1000);
  return result;
}

const { columns } = await loadPatches([patch], undefined);
const cache = new Cache();
for (const column of columns) {
  seconds.clear();
  const target = await openUserspaceTarget({ name: column.name, sources: { files: column.sources, name: column.title }, cache, steps: new Steps() });
  const declared = declaredFlags([target]);
  const session = await target.open();
  const verdicts = new Map<string, number>();
  const signatures = new Map<string, number>();
  let run = 0;
  let bytes = 0;
  const began = performance.now();
  for (let from = 0; from < cases; from += BATCH) {
    const indices = Array.from({ length: Math.min(BATCH, cases - from) }, (_, k) => from + k);
    const drawn = await timed('generate', () => indices.map((i) => drawCase(Number(seed), i)));
    const built = await timed('encode', () => drawn.map((d) => build(d)));
    const examined = await timed('oracle', () => built.map((b) => examine(b.case, declared)));
    const jobs = await timed('job', () => examined.flatMap((e) => (notDeployable(e.case, target) === null ? [{ e, job: jobFor(e, target)! }] : [])));
    run += jobs.length;
    for (const { job } of jobs) bytes += job.case.layers.reduce((n, l) => n + l.bytes.length, 0);
    const seen = await timed('process', async () => {
      const list: Parameters<typeof judge>[2][] = [];
      await session.run(jobs.map((j) => j.job), (_, observation) => list.push(observation));
      return list;
    });
    const judged = await timed('judge', () => jobs.map(({ e }, k) => judge(e.case, e.expectation, seen[k]!, target.stance, target)));
    for (const [k, v] of judged.entries()) {
      verdicts.set(v.kind, (verdicts.get(v.kind) ?? 0) + 1);
      if (v.signature !== undefined) signatures.set(v.signature, (signatures.get(v.signature) ?? 0) + 1);
      if (v.kind === 'engine-error') console.log(`${jobs[k]!.e.case.id}: ${v.why}`);
    }
  }
  const whole = (performance.now() - began) / 1000;
  await session.close();
  await target.close();
  console.log(`${column.name}: ${cases} cases, ${run} of them run, ${Math.round(bytes / Math.max(1, run))} bytes of images a case; ${(cases / whole).toFixed(0)} cases/s in all`);
  for (const [name, s] of seconds) console.log(`  ${name.padEnd(10)}${s.toFixed(2).padStart(8)} s ${((s * 1e6) / cases).toFixed(0).padStart(8)} us a case`);
  console.log(`  ${[...verdicts].map(([k, n]) => `${k} ${n}`).join(', ')}`);
  for (const [s, n] of [...signatures].sort((a, b) => b[1] - a[1]).slice(0, 40)) console.log(`  ${String(n).padStart(6)} ${s}`);
}
