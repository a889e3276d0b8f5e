// SPDX-License-Identifier: MIT
/**
 * Work that is done by other processes, on any machine: text goes in, bytes come
 * out, and what is asked for twice is done once. What the work is, a queue does not
 * know. It is kept by BullMQ on Redis (engine/queue/redis.ts).
 */

/** Bytes of the text of one piece of work, and of what comes back. */
export const LIMITS = { payload: 16 << 20, result: 128 << 20 } as const;

/** One piece of work. The same id stands for the same payload, whoever asks. */
export interface Work {
  /** Letters, digits and dashes, at most 100. */
  readonly id: string;
  readonly payload: string;
}

/** What a worker made of it: bytes from a stranger, of bounded length. */
export interface Done {
  readonly bytes: Buffer;
  /** What the worker calls itself: for people, one line. */
  readonly worker: string;
}

/** Workers have tried a piece of work as often as they do, and failed. */
export class WorkFailed extends Error {
  override readonly name = 'WorkFailed';
}

/** Whoever wants work done. */
export interface Coordinator {
  /**
   * Puts the work there, where it is not there yet, and waits until it is done. Work that is gone (the Redis lost it) is
   * put there again. Throws `WorkFailed` where it failed for good, and the signal's reason; the work is left where it is then.
   */
  result(work: Work, signal: AbortSignal): Promise<Done>;
  /** Removes the work with its result: it is recorded, or of no use. */
  forget(id: string): Promise<void>;
  /** Removes what is done or failed and of which `isOver` says so: an earlier process may have ended before it could. */
  sweep(isOver: (id: string) => boolean): Promise<void>;
  /** Says to workers what this queue is about, until it is closed. */
  announce(name: string, text: string): void;
  /** Workers that listen now. */
  workers(): Promise<number>;
  close(): Promise<void>;
}

/** Whoever does work. */
export interface WorkerSettings {
  /** Its name: letters, digits and dashes. */
  readonly queue: string;
  /** What it calls itself. */
  readonly name: string;
  /** Pieces at the same time. */
  readonly jobs: number;
  /** Milliseconds without a sign of life after which its work is given to others. */
  readonly lockMs: number;
  /** Does one piece; undefined where the signal had it give the work back. What it throws fails this try. */
  readonly work: (work: Work, signal: AbortSignal) => Promise<Buffer | undefined>;
  /** One line for people. */
  readonly say: (text: string) => void;
  /** Aborted: what is done is given back, and nothing else taken. */
  readonly signal: AbortSignal;
}
