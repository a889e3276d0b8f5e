// SPDX-License-Identifier: MIT
/** Sessions of one target, handed out one user at a time. */
import type { Session, Target } from '../targets/target.ts';

export interface Lanes {
  /** How many there are. */
  readonly count: number;
  /** Runs `work` with a session of its own; waits where all are taken. */
  use<T>(work: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** At most `limit` sessions of the target, opened when they are first needed. */
export function openLanes(target: Target, limit: number): Lanes {
  const count = Math.max(1, Math.min(target.lanes, limit));
  const idle: Session[] = [];
  const waiting: ((s: Session) => void)[] = [];
  const all: Session[] = [];
  let opened = 0;

  const take = async (): Promise<Session> => {
    const session = idle.pop();
    if (session) return session;
    if (opened < count) {
      opened++;
      const made = await target.open();
      all.push(made);
      return made;
    }
    return new Promise((resolve) => waiting.push(resolve));
  };

  return {
    count,
    async use(work) {
      const session = await take();
      try {
        return await work(session);
      } finally {
        const next = waiting.shift();
        if (next) next(session);
        else idle.push(session);
      }
    },
    async close() {
      await Promise.all(all.map((s) => s.close()));
    },
  };
}

/** Runs `work` for every item, `width` at a time, starting them in order. Stops starting when the signal aborts. */
export async function inParallel<T>(items: readonly T[], width: number, signal: AbortSignal, work: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && !signal.aborted) {
      const index = next++;
      // Targets that answer at once would keep signals and closed pipes from ever being noticed.
      await new Promise((resolve) => setImmediate(resolve));
      await work(items[index]!, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}
