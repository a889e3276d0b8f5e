// SPDX-License-Identifier: MIT
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UsageError, type KnownEntry } from '../model/index.ts';
import { saveFinding } from './finding-folder.ts';
import { knownText, KNOWN_SCHEMA, loadKnown, saveKnown, TO_BE_FILLED_IN } from './known-file.ts';
import { mergeKnown, proposeKnown } from './known-merge.ts';
import type { LoadedFinding, LoadedRun } from './run-file.ts';
import { loadFound } from './run-findings.ts';
import { IDENTITY, sampleFinding } from './samples.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-known-'));
  file = join(folder, 'known.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const schema = new Ajv2020().compile(JSON.parse(readFileSync(join(import.meta.dirname, 'known.schema.json'), 'utf8')) as object);
const entry: KnownEntry = { signature: 'crash: oops in zfile_open', reason: 'reported', link: 'https://lore.example/1', targets: ['patch'], kind: 'crash', why: 'died', firstCase: 's1-c3', smallest: '1 layer' };
const write = (value: unknown): string => {
  writeFileSync(file, JSON.stringify(value));
  return file;
};

test('what is saved is loaded again, in its order, and is as the schema says', () => {
  const entries = [entry, { signature: 'hang: in read', reason: 'slow' }];
  saveKnown(file, entries);
  expect(loadKnown(file)).toEqual(entries);
  expect(schema(JSON.parse(knownText(entries)))).toBe(true);
});

test.each<[string, unknown, RegExp]>([
  ['not JSON', undefined, /not JSON/],
  ['no schema', { known: [] }, /schema: expected "ovbd-known\/1"/],
  ['no reason', { schema: KNOWN_SCHEMA, known: [{ signature: 'x' }] }, /known\[0\]\.reason/],
  ['an empty reason', { schema: KNOWN_SCHEMA, known: [{ signature: 'x', reason: ' ' }] }, /1 of 1 entries have no reason yet/],
  ['a reason to be filled in', { schema: KNOWN_SCHEMA, known: [{ ...entry, reason: TO_BE_FILLED_IN }] }, /oops in zfile_open/],
  ['a misspelled field', { schema: KNOWN_SCHEMA, known: [{ ...entry, Link: 'x' }] }, /there is no field "Link"/],
  ['no address', { schema: KNOWN_SCHEMA, known: [{ ...entry, link: 'javascript:x' }] }, /known\[0\]\.link/],
  ['no signature', { schema: KNOWN_SCHEMA, known: [{ reason: 'x', signature: '' }] }, /known\[0\]\.signature/],
])('%s is refused, by the schema too', (name, value, message) => {
  if (value === undefined) writeFileSync(file, '{');
  else {
    write(value);
    expect(schema(value), name).toBe(false);
  }
  expect(() => loadKnown(file)).toThrow(UsageError);
  expect(() => loadKnown(file)).toThrow(message);
});

test('one signature twice is refused for the same target only', () => {
  expect(() => loadKnown(write({ schema: KNOWN_SCHEMA, known: [entry, { ...entry, reason: 'again' }] }))).toThrow(/known\[1\].*known\[0\] too/);
  expect(loadKnown(write({ schema: KNOWN_SCHEMA, known: [entry, { ...entry, targets: ['stock'] }] }))).toHaveLength(2);
});

test('a file that is not there, and one that is unfinished', () => {
  expect(() => loadKnown(join(folder, 'none.json'))).toThrow(/none\.json: cannot be read: ENOENT/);
  write({ schema: KNOWN_SCHEMA, known: [{ ...entry, reason: TO_BE_FILLED_IN }] });
  expect(loadKnown(file, true)).toHaveLength(1);
});

function run(targets: readonly { name: string; role?: string; findings: readonly Partial<LoadedFinding>[] }[]): LoadedRun {
  return {
    path: 'run.jsonl', suite: 'x', seed: 1, cases: 1, caseStream: 'x', complete: true,
    targets: targets.map(({ name, role, findings }) => ({
      name, role, parts: {}, remake: role === undefined ? {} : { role }, seen: new Map(),
      findings: new Map(findings.map((f) => [f.signature!, { kind: 'corruption', count: 1, reliable: true, why: 'w', firstCase: 's1-c1', smallest: '1 layer', replay: 'r', ...f } as LoadedFinding])),
    })),
  };
}

test('each confirmed finding of a family is proposed once, worst first, without a reason', () => {
  const proposed = proposeKnown(run([
    { name: 'patch', role: 'patch', findings: [{ signature: 'corruption: A' }, { signature: 'crash: B', kind: 'crash' }, { signature: 'hang: C', kind: 'hang', reliable: false }] },
    { name: 'userspace', role: 'userspace', findings: [{ signature: 'crash: B', kind: 'crash' }] },
    { name: 'canary', findings: [{ signature: 'corruption: D' }] },
  ]));
  expect(proposed.map((e) => [e.signature, e.targets, e.reason])).toEqual([['crash: B', ['patch'], TO_BE_FILLED_IN], ['corruption: A', ['patch'], TO_BE_FILLED_IN]]);
});

test('merging keeps what is written, in its order, and says what was not seen', () => {
  const before: KnownEntry[] = [{ signature: 'corruption: Z', reason: 'ours' }, { signature: 'corruption: A', reason: 'told them', targets: ['patch'] }, { signature: 'x', reason: 'elsewhere', targets: ['stock'] }];
  const now = run([{ name: 'patch', role: 'patch', findings: [{ signature: 'corruption: A' }, { signature: 'crash: B', kind: 'crash' }] }]);
  const merged = mergeKnown(before, now, proposeKnown(now));
  expect(merged.entries.slice(0, 3)).toEqual(before);
  expect(merged.added.map((e) => e.signature)).toEqual(['crash: B']);
  expect(merged.unseen.map((e) => e.signature)).toEqual(['corruption: Z']);
  expect(mergeKnown(merged.entries, now, proposeKnown(now)).added).toEqual([]);
});

test('a folder without run.jsonl, as a campaign leaves it, is read by its findings', async () => {
  saveFinding(folder, sampleFinding(), { ...IDENTITY, remake: { role: 'patch' } }, () => 'replay');
  saveFinding(folder, { ...sampleFinding(), signature: 'hang: in x', kind: 'hang', confirmation: { shown: 0, tried: 3, blame: 'unreliable' } }, IDENTITY, () => 'replay');
  const proposed = proposeKnown(await loadFound(folder));
  expect(proposed).toMatchObject([{ signature: 'corruption: LS-MAP-01', targets: ['patch'], kind: 'corruption', smallest: '2 layers, 6 bytes, 2 reads', firstCase: 's1-c7' }]);
  rmSync(join(folder, 'findings'), { recursive: true });
  await expect(loadFound(folder)).rejects.toThrow(/no such file/);
});
