// SPDX-License-Identifier: MIT
/** One command from its start to its end, within bounds of time, memory and output. */
import { Child, type ChildEnd, type CommandLine } from './child.ts';

export interface CommandBounds {
  /** Milliseconds until it is killed with all it started. */
  readonly milliseconds: number;
  /** Bytes of standard output that are kept; a command that writes more is killed. Default 1 MiB. */
  readonly outputBytes?: number;
  /** Written to its standard input, which is then closed. */
  readonly input?: string;
  readonly signal?: AbortSignal;
}

export interface CommandResult {
  readonly end: ChildEnd;
  /** Why we killed it, if we did; the memory and the other limits are in `end.overrun`. */
  readonly stopped?: 'time' | 'output' | 'signal';
  readonly output: Buffer;
  /** Standard error: the beginning and the end where it is long. */
  readonly errors: string;
}

const OUTPUT_BYTES = 1 << 20;

/** Runs a command and waits for its end. Throws `UsageError` where there is no such program; never for what it does. */
export async function runCommand(line: CommandLine, { milliseconds, outputBytes = OUTPUT_BYTES, input, signal }: CommandBounds): Promise<CommandResult> {
  const output: Buffer[] = [];
  let bytes = 0;
  let stopped: CommandResult['stopped'];
  const stop = (why: NonNullable<CommandResult['stopped']>): void => {
    stopped ??= why;
    void child.kill();
  };
  const child = new Child(line, (piece) => {
    const room = outputBytes - bytes;
    bytes += piece.length;
    if (room > 0) output.push(piece.subarray(0, room));
    if (piece.length > room) stop('output');
  });
  const timer = setTimeout(() => stop('time'), milliseconds);
  const onAbort = (): void => stop('signal');
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted) onAbort();
  if (input !== undefined) child.write(input);
  child.closeInput();
  const end = await child.ended;
  clearTimeout(timer);
  signal?.removeEventListener('abort', onAbort);
  // Ended by itself at the last moment: then the time was enough.
  return { end, ...(stopped === undefined || (stopped === 'time' && !end.killed) ? {} : { stopped }), output: Buffer.concat(output), errors: child.takeErrors() };
}
