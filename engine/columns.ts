// SPDX-License-Identifier: MIT
/** The targets of a run, of which some may still be in the making when it begins. */
import type { RunEvent } from '../model/index.ts';
import type { Target } from '../targets/target.ts';

export type Skipped = RunEvent['skipped'][number];

/** A target that is still being made. What cases and instances depend on is known of it before. */
export interface Coming extends Pick<Target, 'stance' | 'lanes'> {
  /** The target, or why the run goes on without it. */
  readonly opened: Promise<Target | Skipped>;
}

/** The targets in their order, as far as they are there. */
export interface Columns {
  /** Those that are there now. */
  readonly ready: () => readonly Target[];
  /** True when no more will come. */
  readonly settled: () => boolean;
  /** Resolves when no more will come, or when the signal aborts. */
  readonly all: Promise<{ readonly targets: readonly Target[]; readonly skipped: readonly Skipped[] }>;
}

/** Watches what is being made. `all` rejects where making one throws, unless the signal has aborted. */
export function watchColumns(list: readonly (Target | Coming)[], signal: AbortSignal): Columns {
  const there: (Target | undefined)[] = list.map((one) => ('opened' in one ? undefined : one));
  const skipped: (Skipped | undefined)[] = list.map(() => undefined);
  let settled = !list.some((one) => 'opened' in one);
  const ready = (): readonly Target[] => there.filter((t) => t !== undefined);
  const made = Promise.all(list.map(async (one, i) => {
    if (!('opened' in one)) return;
    const result = await one.opened;
    if ('identity' in result) there[i] = result;
    else skipped[i] = result;
  }));
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const all = Promise.race([made, aborted]).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  }).then(() => {
    settled = true;
    return { targets: ready(), skipped: skipped.filter((s) => s !== undefined) };
  });
  // Whoever waits for it hears of it; until then it is no mistake of the program.
  all.catch(() => undefined);
  return { ready, settled: () => settled, all };
}
