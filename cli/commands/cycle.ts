// SPDX-License-Identifier: MIT
/** `ovbd lab cycle`: devices made and removed thousands of times, and whether the kernel holds more each time. */
import { cycleCases, CYCLE_SEED } from '../../engine/lifecycle.ts';
import type { Trial } from '../../engine/trials.ts';
import { examine } from '../../oracles/examine.ts';
import { Steps } from '../../targets/kernel/lab/index.ts';
import { runOnColumns, type TrialOptions } from '../trials.ts';

/** As commander hands them over. */
export interface CycleOptions extends TrialOptions {
  readonly iterations: number;
}

/** Censuses of one kind of device; the first comes when the kernel has made what it keeps. */
const CENSUSES = 8;

/** A line a kind of device, then findings as `ovbd run` has them. Exit code 1 where something leaks, dies, or a module does not come back. */
export async function labCycle(options: CycleOptions, signal: AbortSignal): Promise<number> {
  const every = Math.max(1, Math.floor(options.iterations / CENSUSES));
  const trials = cycleCases().map((c): Trial => ({
    id: c.id, make: async () => ({ case: c, expectation: examine(c).expectation, procedure: { kind: 'cycle', iterations: options.iterations, every } }),
  }));
  return runOnColumns('cycle', CYCLE_SEED, trials, options, new Steps(), signal);
}
