// SPDX-License-Identifier: MIT
/** The progress of a night: one line that is overwritten on a terminal, a line a batch elsewhere. */
import { nightProgress, oneLine, type Night } from '../reports/index.ts';

/** Milliseconds between two looks at it on a terminal. */
const EVERY = 200;
const WIDTH = 120;

export interface NightLine {
  /** `within` is absent when the batch has been recorded. */
  show(night: Night, target: string, first: number, within: { readonly phase: string; readonly done: number; readonly total: number } | undefined): void;
  /** One line that stays. */
  say(text: string): void;
}

export function nightLine(stream: NodeJS.WriteStream, quiet: boolean): NightLine {
  let open = false;
  let last = 0;
  const clear = (): void => {
    if (open) stream.write('\r\x1b[K');
    open = false;
  };
  return {
    show(night, target, first, within) {
      if (quiet || (!stream.isTTY && within !== undefined)) return;
      const now = Date.now();
      if (stream.isTTY && within !== undefined && now - last < EVERY) return;
      last = now;
      const text = oneLine(nightProgress(night, target, first, within)).slice(0, WIDTH);
      if (!stream.isTTY) stream.write(`${text}\n`);
      else {
        stream.write(`\r\x1b[K${text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`);
        open = true;
      }
    },
    say(text) {
      clear();
      stream.write(`${oneLine(text)}\n`);
    },
  };
}
