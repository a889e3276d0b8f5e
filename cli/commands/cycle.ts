// SPDX-License-Identifier: MIT
/** `ovbd lab cycle`: devices made and removed thousands of times, and whether the kernel holds more each time. */
import { cycleCases, leaksIn } from '../../engine/lifecycle.ts';
import { jobFor } from '../../engine/prepare.ts';
import { EXIT } from '../../model/index.ts';
import { examine } from '../../oracles/examine.ts';
import { Cache, prepareLab, Steps } from '../../targets/kernel/lab/index.ts';
import { openKernelTarget, openLauncher } from '../../targets/kernel/kernel-target.ts';
import { cycle, type Cycled } from '../../targets/kernel/lifecycle.ts';
import { columnsOf, subjectOf, type Kernels, type Subject } from '../columns.ts';

/** As commander hands them over. */
export interface CycleOptions extends Subject, Kernels {
  readonly iterations: number;
}

/** Censuses of one kind of device; the first comes when the kernel has made what it keeps. */
const CENSUSES = 8;

/** Prints a line a kind of device. Exit code 1 where something leaks, dies, or a module does not come back. */
export async function labCycle(options: CycleOptions, signal: AbortSignal): Promise<number> {
  const cache = new Cache();
  const steps = new Steps();
  const role = subjectOf(options).length > 0 ? 'patch' : 'stock';
  let failed = false;
  for (const column of await columnsOf([role], options, (text) => steps.note(text), signal)) {
    const lab = await prepareLab({ ...column.lab, kernel: column.kernel, sanitize: column.sanitize, cache, steps, signal });
    const launcher = await openLauncher(lab, { steps, cacheDir: cache.root });
    const target = await openKernelTarget(lab, { name: column.name, cacheDir: cache.root, lanes: 1 });
    try {
      for (const c of cycleCases()) {
        const job = jobFor({ case: c, expectation: examine(c).expectation }, target);
        // The stock kernel has no table over what must be refused, nor over a ZFile.
        if (job === null || !target.stance.supports.devices.includes(c.device)) continue;
        const every = Math.max(1, Math.floor(options.iterations / CENSUSES));
        const seen = await steps.run(`${column.name}: ${options.iterations} cycles of ${c.id}`, () => cycle(launcher, role, lab.module?.kernelName, job, options.iterations, every, signal));
        const { found, text } = summary(seen);
        failed ||= found;
        process.stdout.write(`${column.name} ${c.id}: ${text}\n`);
      }
    } finally {
      await target.close();
    }
  }
  return failed ? EXIT.findings : EXIT.ok;
}

/** What became of one kind of device, in words. */
export function summary({ censuses, reloaded, death }: Cycled): { readonly found: boolean; readonly text: string } {
  const last = censuses.at(-1);
  const first = censuses.find((s) => s.done > 0);
  const leaks = leaksIn(censuses).map((leak) => `leak: ${leak}`);
  const more = death === undefined ? [] : [`crash or hang after ${last?.done ?? 0} cycles: ${death.trim().split('\n').at(-1) ?? ''}`];
  if (reloaded && reloaded.unload !== 0) more.push(`leak: the module cannot be removed (errno ${reloaded.unload})`);
  else if (reloaded && reloaded.load !== 0) more.push(`the module cannot be inserted again (errno ${reloaded.load})`);
  const kib = (bytes: number): string => `${bytes < 0 ? '' : '+'}${Math.round(bytes / 1024)} KiB`;
  const figures = first && last
    ? `${last.done} cycles, ${last.opened} opened; from cycle ${first.done} on: slab ${kib(last.slab - first.slab)}, vmalloc ${kib(last.vmalloc - first.vmalloc)}, `
      + `available ${kib(last.available - first.available)}, tasks ${first.tasks} to ${last.tasks}, dm-bufio ${last.bufio} bytes`
    : 'no census';
  const found = [...leaks, ...more];
  const back = reloaded && found.length === 0 ? '; the module was removed and inserted again' : '';
  return { found: found.length > 0, text: `${[...found, figures].join('; ')}${back}` };
}
