// SPDX-License-Identifier: MIT
/**
 * What a case of the stock target costs on each of the lab's kernels, in processor
 * time, so that it can be measured beside other work: on our side of the port, in a
 * machine that is fresh, and in one that has run cases before.
 *
 *   node --import tsx bench/case-cost.ts [--kernel 6.1] [--sanitize] [--cases N] [--seed N] [--chunk N] [--slowest N]
 */
import { parseArgs } from 'node:util';
import { drawCase } from '../generators/draw.ts';
import { jobOrWhy, prepare } from '../engine/prepare.ts';
import { deployOnStock } from '../targets/kernel/deploy.ts';
import { openKernelTarget, openLauncher } from '../targets/kernel/kernel-target.ts';
import { Cache, Steps, parseKernelChoice, prepareLab } from '../targets/kernel/lab/index.ts';
import { KernelSession } from '../targets/kernel/session.ts';
import type { Vm } from '../targets/kernel/vm.ts';
import type { Job } from '../targets/target.ts';

const { values } = parseArgs({
  options: {
    kernel: { type: 'string', default: '6.1' }, sanitize: { type: 'boolean', default: false }, cases: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' }, chunk: { type: 'string', default: '25' }, slowest: { type: 'string', default: '5' },
  },
});
const count = Number(values.cases);
const chunk = Number(values.chunk);
const cache = new Cache();
const lab = await prepareLab({ cache, steps: new Steps(), kernel: parseKernelChoice(values.kernel), sanitize: values.sanitize });
const launcher = await openLauncher(lab, { cacheDir: cache.root });
const target = await openKernelTarget(lab, { name: 'stock', cacheDir: cache.root });

/** Milliseconds of processor time of this process. */
const own = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const began = own();
const jobs: (Job | null)[] = Array.from({ length: count }, (_, i) => {
  const prepared = prepare(drawCase(Number(values.seed), i));
  const job = jobOrWhy(prepared, target);
  return typeof job === 'string' ? null : job;
});
const made = own() - began;

interface Spent {
  readonly id: string;
  readonly cpu: number;
  readonly wall: number;
  /** It was the first in its machine. */
  readonly first: boolean;
}
const spent: Spent[] = [];
let machines = 0;
let starting = 0;
let started = 0;
let vm: Vm | undefined;
const session = new KernelSession({
  start: async (mailbox) => {
    machines++;
    started = performance.now();
    vm = launcher.start(mailbox);
    return vm;
  },
  deploy: deployOnStock,
  module: undefined,
});
const ours = own();
for (let from = 0; from < count; from += chunk) {
  const batch = jobs.slice(from, from + chunk).filter((job) => job !== null);
  if (batch.length === 0) continue;
  let cpu = 0;
  let since = 0;
  await session.run(batch, (index) => {
    const now = vm?.cpuTime() ?? cpu;
    const wall = performance.now();
    spent.push({ id: batch[index]!.case.id, cpu: now - cpu, wall: wall - (index === 0 ? started : since), first: index === 0 });
    if (index === 0) starting += now;
    cpu = now;
    since = wall;
  });
}
const host = own() - ours;
await session.close();
await target.close();

const mean = (list: readonly Spent[], of: (s: Spent) => number): string => (list.length === 0 ? '-' : (list.reduce((sum, s) => sum + of(s), 0) / list.length).toFixed(0));
const later = spent.filter((s) => !s.first);
const total = spent.reduce((sum, s) => sum + s.cpu, 0);
console.log(`${lab.kernel.release}, QEMU ${lab.qemu.version.split(' ')[0]}: ${count} cases, ${spent.length} of them lowered, ${machines} machines`);
console.log(`processor time, milliseconds: drawing and judging ${(made / count).toFixed(1)} a case; our side of the port ${(host / spent.length).toFixed(1)} a lowered case`);
console.log(`  a fresh machine with its first case ${mean(spent.filter((s) => s.first), (s) => s.cpu)} (wall ${mean(spent.filter((s) => s.first), (s) => s.wall)}); a later case ${mean(later, (s) => s.cpu)} (wall ${mean(later, (s) => s.wall)})`);
console.log(`  all machines ${(total / spent.length).toFixed(0)} a lowered case, ${(total / count).toFixed(0)} a case; of it in fresh machines ${((100 * starting) / total).toFixed(0)} %`);
for (const s of [...later].sort((a, b) => b.cpu - a.cpu).slice(0, Number(values.slowest))) console.log(`  ${s.id}: ${s.cpu} ms (wall ${s.wall.toFixed(0)})`);
process.exit(0);
