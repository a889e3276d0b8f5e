// SPDX-License-Identifier: MIT
/** How far something long is: one line that is overwritten on a terminal, a plain line now and then elsewhere. */
import { oneLine } from '../reports/index.ts';

/** Milliseconds between two looks at it: on a terminal, and in a log. */
const EVERY = { terminal: 200, log: 30_000 } as const;
const WIDTH = 160;

export interface StatusLine {
  /** `text` is made only where it is shown. `done`: something has ended, which a log is told of at once. */
  show(text: () => string, done: boolean): void;
  /** One line that stays. */
  say(text: string): void;
}

export function statusLine(stream: NodeJS.WriteStream, quiet: boolean): StatusLine {
  let open = false;
  let last = Date.now();
  const clear = (): void => {
    if (open) stream.write('\r\x1b[K');
    open = false;
  };
  return {
    show(text, done) {
      if (quiet) return;
      const now = Date.now();
      if (!done && now - last < (stream.isTTY ? EVERY.terminal : EVERY.log)) return;
      last = now;
      const line = oneLine(text()).slice(0, WIDTH);
      if (!stream.isTTY) stream.write(`${line}\n`);
      else {
        stream.write(`\r\x1b[K${line.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`);
        open = true;
      }
    },
    say(text) {
      clear();
      stream.write(`${oneLine(text)}\n`);
    },
  };
}
