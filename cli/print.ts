// SPDX-License-Identifier: MIT
/** Long output to standard output, at the pace of whoever reads it. */
import { setImmediate } from 'node:timers/promises';

/** Characters that are written at once. */
const PIECE = 1 << 16;

/** Prints each line with a line end. Throws where `signal` is aborted, as it is when standard output was closed. */
export async function printLines(lines: Iterable<string>, signal: AbortSignal): Promise<void> {
  await print(function* () {
    for (const line of lines) yield `${line}\n`;
  }(), signal);
}

/** Prints the pieces as they are. */
export async function print(pieces: Iterable<string>, signal: AbortSignal): Promise<void> {
  let waiting = '';
  const flush = async (): Promise<void> => {
    signal.throwIfAborted();
    // Standard output may be written without ever waiting: let signals in.
    await setImmediate();
    const text = waiting;
    waiting = '';
    // What goes wrong here aborts the signal.
    await new Promise<void>((done) => process.stdout.write(text, () => done()));
    signal.throwIfAborted();
  };
  for (const piece of pieces) {
    waiting += piece;
    if (waiting.length >= PIECE) await flush();
  }
  await flush();
}
