// SPDX-License-Identifier: MIT
/** matrix.txt and matrix.json: where each finding of a run with several columns appears. */
import { join } from 'node:path';
import type { Event, FooterEvent, MatrixEvent, Reporter, RunEvent } from '../model/index.ts';
import { writeAtomically } from './atomic.ts';
import { matrixLines } from './matrix-text.ts';

export const MATRIX_SCHEMA = 'ovbd-matrix/1';

/** Characters of a line of matrix.txt: as many as the longest signature needs. */
const WIDTH = 1000;

/** Writes both files into the run's folder at `close`, where the run came to its footer and compared something. */
export class MatrixReporter implements Reporter {
  readonly #folder: string;
  readonly #matrices: MatrixEvent[] = [];
  #run: RunEvent | undefined;
  #footer: FooterEvent | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether there are files to come. */
  get isThere(): boolean {
    return this.#matrices.length > 0 && this.#footer !== undefined;
  }

  event(event: Event): void {
    if (event.type === 'run') this.#run = event;
    if (event.type === 'matrix') this.#matrices.push(event);
    if (event.type === 'footer') this.#footer = event;
  }

  close(): void {
    if (!this.isThere) return;
    const { complete, cases, caseStream } = this.#footer!;
    const matrices = this.#matrices.map(({ type: _, ...matrix }) => matrix);
    const json = { schema: MATRIX_SCHEMA, suite: this.#run?.suite, seed: this.#run?.seed, cases, caseStream, complete, matrices };
    writeAtomically(join(this.#folder, 'matrix.json'), `${JSON.stringify(json, null, 2)}\n`);
    writeAtomically(join(this.#folder, 'matrix.txt'), this.#matrices.map((m) => `${matrixLines(m, WIDTH).join('\n')}\n`).join('\n'));
  }
}
