// SPDX-License-Identifier: MIT
/** One pair of kernel and emulator under soak: boots, then the stock target's cases, then the record. */
import { runSuite } from '../engine/run.ts';
import type { FooterEvent } from '../model/index.ts';
import { openKernelTarget } from '../targets/kernel/kernel-target.ts';
import {
  addSoak, chosenKernel, forgetSoak, kernelLabel, prepareLab, type KernelOptions, type PreparedLab, type SoakRecord,
} from '../targets/kernel/lab/index.ts';
import { backportsQemu, machineQemu, qemusFor } from '../targets/kernel/lab/qemu.ts';
import { soakOf } from '../targets/kernel/lab/soak-record.ts';
import { bootOften } from '../targets/kernel/soak.ts';
import { suiteVersion } from './version.ts';

export interface SoakOptions extends KernelOptions {
  readonly boots: number;
  readonly cases: number;
  /** Default: the one that the lab takes for this kernel. */
  readonly qemu?: 'machine' | 'backports' | undefined;
  /** Forget what was found before. */
  readonly afresh: boolean;
}

/** Soaks a pair and gives its whole record. A soak that is stopped counts as far as it came. */
export async function soakPair(options: SoakOptions): Promise<SoakRecord> {
  const { cache, steps, signal } = options;
  const kernel = await chosenKernel(options);
  const qemu =
    options.qemu === 'machine' ? await machineQemu(signal)
    : options.qemu === 'backports' ? await backportsQemu(cache, steps, signal)
    : (await qemusFor(kernel, cache, steps, signal))[0]!;
  const lab = await prepareLab({ kernel: options.kernel, sanitize: options.sanitize, cache, steps, signal, qemu });
  if (options.afresh) await forgetSoak(cache, kernel, qemu);
  const name = `${kernelLabel(options.kernel ?? { kind: 'debian', series: '6.1' }, options.sanitize)} with QEMU ${qemu.version.split(' ')[0]}`;
  const booted = await steps.run(`boot ${name}`, (say) => bootOften(lab, cache, options.boots, say, signal));
  await addSoak(cache, kernel, qemu, { ...booted, cases: 0 });
  if (options.cases > 0 && booted.failures < booted.boots && signal?.aborted !== true) {
    await steps.run(`the stock target on ${name}`, (say) => soakCases(lab, options, say));
  }
  return (await soakOf(cache, kernel, qemu))!;
}

/** Every verdict but pass and unsupported is a failure of the pair: there is nobody else in the machine. */
async function soakCases(lab: PreparedLab, options: SoakOptions, say: (text: string) => void): Promise<void> {
  const { cache, steps, cases } = options;
  const seed = 1 + ((await soakOf(cache, lab.kernel, lab.qemu))?.cases ?? 0);
  const target = await openKernelTarget(lab, { name: 'stock', cacheDir: cache.root, ...(options.signal !== undefined && { signal: options.signal }) });
  try {
    let first: string | undefined;
    const footer: FooterEvent = await runSuite({
      suite: `overlaybd-conformance ${suiteVersion()}`, seed, cases, targets: [target], skipped: [], shrinkExecutions: 0, jobs: target.lanes,
      signal: options.signal ?? new AbortController().signal,
      saveFinding: async () => ({ folder: '', replay: '' }),
      progress: (p) => say(`${p.done} of ${p.total} cases`),
    }, (event) => {
      if (event.type === 'finding') first ??= `stock target, seed ${seed}, case ${event.firstCase}: ${event.signature}`;
    });
    const counts = footer.verdicts['stock'] ?? {};
    const failures = Object.entries(counts).filter(([kind]) => kind !== 'pass' && kind !== 'unsupported').reduce((sum, [, n]) => sum + (n ?? 0), 0);
    if (failures > 0) steps.note(`${failures} of ${footer.cases} stock cases failed`);
    await addSoak(cache, lab.kernel, lab.qemu, {
      boots: 0, failures, cases: footer.cases, ...(first === undefined ? failures > 0 ? { first: `stock target, seed ${seed}` } : {} : { first }),
    });
  } finally {
    await target.close();
  }
}
