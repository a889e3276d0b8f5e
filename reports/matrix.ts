// SPDX-License-Identifier: MIT
/** matrix.txt and matrix.json of a run with several targets: how many cases show what on each, and where the findings of one family appear. */
import { join } from 'node:path';
import type { Event, FooterEvent, MatrixEvent, Reporter, RunEvent } from '../model/index.ts';
import { writeAtomically } from './atomic.ts';
import { matrixLines } from './matrix-text.ts';
import { OverviewCounter, overviewLines } from './overview.ts';

export const MATRIX_SCHEMA = 'ovbd-matrix/1';

/** Characters of a line of matrix.txt: as many as the longest signature needs. */
const WIDTH = 1000;

/** Writes both files into the run's folder at `close`, where the run came to its footer and compared something. */
export class MatrixReporter implements Reporter {
  readonly #folder: string;
  readonly #matrices: MatrixEvent[] = [];
  readonly #counter = new OverviewCounter();
  #run: RunEvent | undefined;
  #footer: FooterEvent | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether there are files to come. */
  get isThere(): boolean {
    return this.#counter.columns.length > 1 && this.#footer !== undefined;
  }

  event(event: Event): void {
    this.#counter.event(event);
    if (event.type === 'run') this.#run = event;
    if (event.type === 'matrix') this.#matrices.push(event);
    if (event.type === 'footer') this.#footer = event;
  }

  close(): void {
    if (!this.isThere) return;
    const { complete, cases, caseStream } = this.#footer!;
    const matrices = this.#matrices.map(({ type: _, ...matrix }) => matrix);
    const overview = this.#counter.overview(this.#footer!);
    const json = { schema: MATRIX_SCHEMA, suite: this.#run?.suite, seed: this.#run?.seed, cases, caseStream, complete, overview, matrices };
    writeAtomically(join(this.#folder, 'matrix.json'), `${JSON.stringify(json, null, 2)}\n`);
    const texts = [overviewLines(overview), ...this.#matrices.map((m) => matrixLines(m, WIDTH))];
    writeAtomically(join(this.#folder, 'matrix.txt'), texts.map((lines) => `${lines.join('\n')}\n`).join('\n'));
  }
}
