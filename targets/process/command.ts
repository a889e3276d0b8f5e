// SPDX-License-Identifier: MIT
/** One command from its start to its end, within bounds of time, memory and output. */
import { Child, type ChildEnd, type CommandLine } from './child.ts';

export interface CommandBounds {
  /** Milliseconds until it is killed with all it started; up to four times as many while it works but gets no processor to work on. */
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
  void isLate(child, milliseconds).then((late) => late && stop('time'));
  const onAbort = (): void => stop('signal');
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted) onAbort();
  if (input !== undefined) child.write(input);
  child.closeInput();
  const end = await child.ended;
  signal?.removeEventListener('abort', onAbort);
  // Ended by itself at the last moment: then the time was enough.
  return { end, ...(stopped === undefined || (stopped === 'time' && !end.killed) ? {} : { stopped }), output: Buffer.concat(output), errors: child.takeErrors() };
}

/** Windows, each half a deadline long, that one who is starved of processors has beyond it. */
const WINDOWS = 6;

/** Whether a child is still there at its deadline and was not kept from its work; false where it ended. */
async function isLate(child: Child, milliseconds: number): Promise<boolean> {
  const endsIn = async (ms: number): Promise<boolean> => {
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<boolean>((done) => { timer = setTimeout(() => done(false), ms); });
    const ended = await Promise.race([child.ended.then(() => true), timeUp]);
    clearTimeout(timer);
    return ended;
  };
  if (await endsIn(milliseconds)) return false;
  const first = child.effort();
  let before = first;
  for (let window = 0; window < WINDOWS; window++) {
    if (await endsIn(milliseconds / 2)) return false;
    const after = child.effort();
    const idle = after.milliseconds === before.milliseconds && !after.eager;
    if (idle || after.milliseconds - first.milliseconds >= milliseconds) return true;
    before = after;
  }
  return true;
}
