// SPDX-License-Identifier: MIT
/** Tells people what is being done, that it is still being done, and how long it took. */

export interface StepsOptions {
  /** Takes the text to show; standard error by default. */
  readonly write?: (text: string) => void;
  /** True where a line can be overwritten. */
  readonly tty?: boolean;
  /** Milliseconds between signs of life where it cannot. */
  readonly every?: number;
}

export class Steps {
  readonly #write: (text: string) => void;
  readonly #tty: boolean;
  readonly #every: number;

  constructor(options: StepsOptions = {}) {
    this.#write = options.write ?? ((text) => void process.stderr.write(text));
    this.#tty = options.tty ?? (options.write === undefined && process.stderr.isTTY === true);
    this.#every = options.every ?? 10_000;
  }

  /** Shows one line. */
  note(text: string): void {
    this.#write(this.#tty ? `\r\x1b[K${text}\n` : `${text}\n`);
  }

  /**
   * Runs a step and shows its name, its progress as given to `say`, and its time
   * in seconds. Throws what the work throws, after showing that it failed.
   */
  async run<T>(name: string, work: (say: (detail: string) => void) => Promise<T>): Promise<T> {
    const began = performance.now();
    const seconds = (): number => (performance.now() - began) / 1000;
    let detail = '';
    const alive = (): void => {
      const more = detail === '' ? '' : ` (${detail})`;
      if (this.#tty) this.#write(`\r\x1b[K${`${name} … ${seconds().toFixed(0)} s${more}`.slice(0, 78)}`);
      else this.#write(`${name}: still running after ${seconds().toFixed(0)} s${more}\n`);
    };
    this.#write(this.#tty ? `\r\x1b[K${name} …` : `${name} …\n`);
    const timer = setInterval(alive, this.#tty ? Math.min(1000, this.#every) : this.#every);
    try {
      const result = await work((text) => {
        detail = text;
      });
      this.note(`${name}: ${seconds().toFixed(1)} s`);
      return result;
    } catch (error) {
      this.note(`${name}: failed after ${seconds().toFixed(1)} s`);
      throw error;
    } finally {
      clearInterval(timer);
    }
  }
}
