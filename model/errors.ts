// SPDX-License-Identifier: MIT
/** The two ways we stop ourselves; everything else is a verdict. */

/** The user asked for something that cannot be done: exit code 2. The message is for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Our own machinery failed (QEMU missing in mid-run, disk full): exit code 3. Never blamed on a target. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
}

/** Exit codes of every command. `unfinished`: the time that was given ran out before the work was done, which is asked for again to go on. */
export const EXIT = { ok: 0, findings: 1, usage: 2, engine: 3, unfinished: 4 } as const;
