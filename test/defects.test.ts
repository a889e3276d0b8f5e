// SPDX-License-Identifier: MIT
/** The suite sees: each defect of a reader shows within the cases of an ordinary run, and shrinks to a case that explains itself. */
import { beforeAll, describe, expect, it } from 'vitest';
import { isTiny, sizeOf, sizeText } from '../engine/case-size.ts';
import { screenDefects, shrinkDefect, type DefectScreen } from '../engine/defects.ts';
import { CLAUSES } from '../spec/index.ts';
import { DEFECTS, NOT_SHOWN } from '../targets/fakes/reader/defects.ts';

const SEED = 1;
const CASES = 2000;
/** Executions for one defect, at most about. */
const SHRINK = 480;
/** Never a measure of anything: a busy machine takes its time. */
const PATIENCE_MS = 900_000;

describe('the clauses', () => {
  it('each have a defect, or a reason why none can be seen', () => {
    const covered = new Set<string>(DEFECTS.map((d) => d.clause));
    for (const { id } of CLAUSES) expect(covered.has(id) !== id in NOT_SHOWN, id).toBe(true);
  });
});

describe('the defects of a reader', () => {
  let screened: DefectScreen;
  beforeAll(async () => {
    screened = await screenDefects(SEED, CASES);
  }, PATIENCE_MS);

  it('are defects: without them the reader and the suite agree on every case', () => {
    expect(screened.disputed).toEqual([]);
  });

  it(`all show within ${CASES} cases`, () => {
    expect(screened.missed.map((d) => d.name)).toEqual([]);
  });

  it('shrink to three layers and three entries, or three blocks', async () => {
    const large: string[] = [];
    const table: string[] = [];
    for (const found of screened.found) {
      const { name, clause, ...defect } = found.defect;
      const { smallest, executions } = await shrinkDefect(found, SHRINK, (c) => isTiny(sizeOf(c)));
      const size = sizeOf(smallest);
      table.push([name, clause, found.cases, found.shown.verdict.signature, sizeText(size, smallest.case.device), executions].join(' | '));
      if (!isTiny(size) && defect.needs === undefined) large.push(`${name}: ${sizeText(size, smallest.case.device)}`);
    }
    console.log(['defect | clause | cases needed | found as | smallest case | executions', ...table].join('\n'));
    expect(large).toEqual([]);
  }, PATIENCE_MS);
});
