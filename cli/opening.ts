// SPDX-License-Identifier: MIT
/** Targets on their way: opened at the same time, each there when it is, or skipped with the reason. */
import { availableParallelism } from 'node:os';
import type { Skipped } from '../engine/columns.ts';
import { inParallel } from '../engine/lanes.ts';
import type { Target } from '../targets/target.ts';

/** One target to open. */
export interface Plan {
  readonly name: string;
  readonly open: (signal: AbortSignal) => Promise<Target>;
  /** True for one that takes its time. */
  readonly slow: boolean;
  /** Whether the others can go on without it, of this error. */
  readonly skips: (error: unknown) => Promise<boolean>;
}

export interface Opening {
  /** For each plan the target, or why there is none; open for ever where all is given up. */
  readonly slots: readonly Promise<Target | Skipped>[];
  /** The first slow one and all others are there, or skipped. */
  readonly begun: Promise<unknown>;
  /** All have been tried. Rejects with the first error that is no reason to skip, when the others have ended too. */
  readonly done: Promise<void>;
  /** The target of a plan, by its number; undefined where it is not there yet, or never will be. */
  readonly at: (i: number) => Target | undefined;
  /** In the order of the plans, as far as they are there. */
  readonly targets: () => readonly Target[];
  readonly skipped: () => readonly Skipped[];
  /** From now on every error is a reason to skip: what runs already is not lost for it. */
  hold(): void;
  /** Gives up what is being made, and closes all. */
  close(): Promise<void>;
}

export function startOpening(plans: readonly Plan[], outer: AbortSignal): Opening {
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const opened: (Target | undefined)[] = plans.map(() => undefined);
  const reasons: (Skipped | undefined)[] = plans.map(() => undefined);
  const tell: ((result: Target | Skipped) => void)[] = [];
  const slots = plans.map((_, i) => new Promise<Target | Skipped>((resolve) => { tell[i] = resolve; }));
  let running = false;
  let failure: unknown;
  let tellFirst!: () => void;
  const first = new Promise<void>((resolve) => { tellFirst = resolve; });

  const openOne = async ({ name, open, slow, skips }: Plan, i: number): Promise<void> => {
    try {
      opened[i] = await open(signal);
      tell[i]!(opened[i]);
      if (slow) tellFirst();
    } catch (error) {
      if (!signal.aborted && (running || await skips(error))) {
        reasons[i] = { target: name, reason: error instanceof Error ? error.message : String(error) };
        tell[i]!(reasons[i]);
        return;
      }
      // The others end first, so that none of them opens a target that nobody closes.
      failure ??= error;
      stop.abort();
    }
  };
  // A run can begin without slow ones, so they come last.
  const order = plans.map((_, i) => i).sort((a, b) => Number(plans[a]!.slow) - Number(plans[b]!.slow) || a - b);
  const done = inParallel(order, availableParallelism(), signal, (i) => openOne(plans[i]!, i)).then(() => {
    if (failure !== undefined) throw failure;
    outer.throwIfAborted();
  });
  // Who gives up does not wait for it.
  done.catch(() => undefined);
  return {
    slots, begun: Promise.all([first, ...slots.filter((_, i) => !plans[i]!.slow)]), done,
    at: (i) => opened[i],
    targets: () => opened.filter((t) => t !== undefined),
    skipped: () => reasons.filter((r) => r !== undefined),
    hold: () => { running = true; },
    close: async () => {
      stop.abort();
      await done.catch(() => undefined);
      await Promise.allSettled(opened.map((t) => t?.close()));
    },
  };
}
