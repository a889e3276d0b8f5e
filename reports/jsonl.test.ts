// SPDX-License-Identifier: MIT
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UsageError, VERDICT_KINDS, FINDING_KINDS } from '../model/index.ts';
import { JsonlReporter } from './jsonl.ts';
import { sampleEvents, sampleMatrixEvents } from './samples.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-jsonl-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const schema = JSON.parse(readFileSync(new URL('run.schema.json', import.meta.url), 'utf8'));
const valid = new Ajv2020({ allErrors: true }).compile(schema);

test.each([sampleEvents(), sampleMatrixEvents()].map((events) => [events]))('every line is an event of the schema, and the footer is last', (sample) => {
  const path = join(folder, 'run.jsonl');
  const reporter = new JsonlReporter(path);
  for (const event of sample) reporter.event(event);
  reporter.close();
  const lines = readFileSync(path, 'utf8').split('\n');
  expect(lines.pop()).toBe('');
  const events = lines.map((line) => JSON.parse(line));
  for (const event of events) expect(valid(event), JSON.stringify(valid.errors)).toBe(true);
  expect(events.at(-1).type).toBe('footer');
});

test('the schema refuses what is no event', () => {
  const footer = sampleEvents().at(-1)!;
  for (const bad of [{}, { type: 'case' }, { ...footer, caseStream: 'x' }, { ...footer, more: 1 }, { ...footer, verdicts: { a: { fine: 1 } } }]) {
    expect(valid(bad)).toBe(false);
  }
});

test('the schema takes what a footer says of lines reached', () => {
  const reached = { lines: 1, allLines: 2, branches: 0, allBranches: 0 };
  const footer = (coverage: unknown): unknown => ({ ...sampleEvents().at(-1)!, coverage });
  expect([{}, { 'v2/6.1/sanitize': reached }].every((c) => valid(footer(c)))).toBe(true);
  expect([null, { a: {} }, { a: { ...reached, lines: -1 } }, { a: { ...reached, more: 1 } }].some((c) => valid(footer(c)))).toBe(false);
});

test('the schema knows the kinds that the model knows', () => {
  expect(schema.$defs.verdictKind.enum).toEqual(VERDICT_KINDS);
  expect(schema.$defs.findingKind.enum).toEqual(FINDING_KINDS);
});

test('a second run does not write over the first', () => {
  const path = join(folder, 'run.jsonl');
  new JsonlReporter(path).close();
  expect(() => new JsonlReporter(path)).toThrow(UsageError);
});
