// SPDX-License-Identifier: MIT
/** Ctrl-C, termination, and a reader of our output that went away. */

/** Exit code of a command that was stopped: 128 + SIGINT, whatever stopped it. */
export const EXIT_STOPPED = 130;

/** Milliseconds in which two signals are one: npm passes on what the terminal has sent to us too. */
const ONE_PRESS = 300;

/**
 * A signal that aborts when the user wants us to stop; everything then ends in
 * good order. Asked a second time, the process ends at once.
 */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  let asked = 0;
  const onSignal = (): void => {
    const now = performance.now();
    if (!stop.signal.aborted) {
      asked = now;
      process.stderr.write('\nstopping; once more to stop at once\n');
      stop.abort(new Error('stopped'));
    } else if (now - asked > ONE_PRESS) {
      process.exit(EXIT_STOPPED);
    }
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  // `| head` closes the pipe: there is nobody to go on for. Messages on stderr are not worth ending for.
  process.stdout.on('error', () => stop.abort(new Error('standard output was closed')));
  process.stderr.on('error', () => undefined);
  return stop.signal;
}
