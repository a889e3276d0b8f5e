// SPDX-License-Identifier: MIT
/** run.jsonl: one event a line, the footer last (run.schema.json describes them). */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { UsageError, type Event, type Reporter } from '../model/index.ts';
import { writeAll } from './atomic.ts';

/** Writes each event as it comes, so that a killed run keeps what it had; the file reaches the disk at `close`. */
export class JsonlReporter implements Reporter {
  readonly #file: number;

  /** Throws `UsageError` where `path` exists: a run never writes over another one. */
  constructor(path: string) {
    try {
      this.#file = openSync(path, 'wx');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
        throw new UsageError(`${path} exists: the folder holds another run. Give another --out, or remove it`);
      }
      throw error;
    }
  }

  event(event: Event): void {
    writeAll(this.#file, `${JSON.stringify(event)}\n`);
  }

  close(): void {
    fsyncSync(this.#file);
    closeSync(this.#file);
  }
}
