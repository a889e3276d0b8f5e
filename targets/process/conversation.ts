// SPDX-License-Identifier: MIT
/** A running target and the lines it says, one at a time, each within its deadline. */
import { setImmediate } from 'node:timers/promises';
import { Child, type ChildEnd, type CommandLine } from './child.ts';
import { Lines } from './lines.ts';
import { encode, LINE_BYTES, type RunnerMessage } from './messages.ts';

/** What came next. */
export type Heard =
  | { readonly what: 'line'; readonly line: string }
  /** A line that is longer than any message. */
  | { readonly what: 'too-long' }
  /** It is dead; `rest` is a line that it did not finish. */
  | { readonly what: 'end'; readonly end: ChildEnd; readonly rest: string }
  /** Nothing in time, or not until the signal aborted. It still runs. */
  | { readonly what: 'silence' };

/** Windows, each half a deadline long: at the most a deadline becomes four of them. */
const WINDOWS = 6;

/** Hears every line that is said, for people. */
export type Watch = (from: 'runner' | 'target', line: string) => void;

export class Conversation {
  readonly #child: Child;
  readonly #watch: Watch | undefined;
  readonly #lines = new Lines(LINE_BYTES);
  readonly #heard: (string | null)[] = [];
  #end: ChildEnd | undefined;
  #wake: (() => void) | undefined;

  /** Starts the target. Throws `UsageError` where there is no such program. */
  constructor(line: CommandLine, watch?: Watch) {
    this.#watch = watch;
    this.#child = new Child(line, (bytes) => {
      const lines = this.#lines.add(bytes);
      if (lines.length === 0) return;
      if (watch) for (const one of lines) watch('target', one ?? '(a line longer than any message)');
      this.#heard.push(...lines);
      this.#wake?.();
    });
    void this.#child.ended.then((end) => {
      this.#end = end;
      this.#wake?.();
    });
  }

  say(message: RunnerMessage): void {
    const text = encode(message);
    this.#watch?.('runner', text.trimEnd());
    this.#child.write(text);
    if (message.type === 'bye') this.#child.closeInput();
  }

  /**
   * Waits for the next line, or for the end, so many milliseconds; longer,
   * within bounds, while the target works but gets no processor to work on.
   */
  async next(milliseconds: number, signal?: AbortSignal): Promise<Heard> {
    if (this.#isQuiet && !signal?.aborted) await this.#waitFor(milliseconds, signal);
    if (this.#isQuiet && !signal?.aborted) await this.#waitForStarving(milliseconds / 2, signal);
    // Where nobody had time to read what came in time, it did come in time.
    if (this.#isQuiet) await this.settle();
    const line = this.#heard.shift();
    if (line === null) return { what: 'too-long' };
    if (line !== undefined) return { what: 'line', line };
    return this.#end ? { what: 'end', end: this.#end, rest: this.#lines.rest } : { what: 'silence' };
  }

  /** Lets in what the target has written until now on either of its outputs. */
  async settle(): Promise<void> {
    await setImmediate();
    await setImmediate();
  }

  /** The next line if it is here already; undefined where nothing is. */
  get waiting(): string | null | undefined {
    return this.#heard[0];
  }

  get isDead(): boolean {
    return this.#end !== undefined;
  }

  /** Standard error since the last call. */
  takeErrors(): string {
    return this.#child.takeErrors();
  }

  /** Kills it with all it started. */
  async kill(): Promise<void> {
    await this.#child.kill();
  }

  get #isQuiet(): boolean {
    return this.#heard.length === 0 && this.#end === undefined;
  }

  /** Windows of time that one who works has beyond his deadline, until he had as much of a processor as one of them. */
  async #waitForStarving(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    const first = this.#child.effort();
    let before = first;
    for (let window = 0; window < WINDOWS; window++) {
      await this.#waitFor(milliseconds, signal);
      if (!this.#isQuiet || signal?.aborted) return;
      const after = this.#child.effort();
      const idle = after.milliseconds === before.milliseconds && !after.eager;
      if (idle || after.milliseconds - first.milliseconds >= milliseconds) return;
      before = after;
    }
  }

  async #waitFor(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((done) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        this.#wake = undefined;
        done();
      };
      const timer = setTimeout(wake, milliseconds);
      signal?.addEventListener('abort', wake);
      this.#wake = wake;
    });
  }
}
