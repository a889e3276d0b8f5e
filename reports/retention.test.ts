// SPDX-License-Identifier: MIT
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UsageError } from '../model/index.ts';
import { retain } from './retention.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-retain-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const NOW = Date.UTC(2026, 0, 10);
const HOUR = 3_600_000;
const RUN = '{"type":"run","schema":"ovbd-run/1","suite":"x"}\n';
const FOOTER = '{"type":"footer","complete":true}\n';

/** A folder with these files, written so many hours ago. */
function make(name: string, hours: number, files: Readonly<Record<string, string>>): void {
  const path = join(folder, name);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(path, file, '..'), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  const time = (NOW - hours * HOUR) / 1000;
  for (const file of readdirSync(path, { recursive: true })) utimesSync(join(path, String(file)), time, time);
  utimesSync(path, time, time);
}

test('the newest stay; what is in use and what is not ours always does', () => {
  make('old', 50, { 'run.jsonl': RUN + FOOTER });
  make('older', 60, { 'run.jsonl': RUN + FOOTER, 'findings/a/layer0.img': 'x'.repeat(1000) });
  make('new', 1, { 'run.jsonl': RUN + FOOTER });
  make('going-on', 3, { 'run.jsonl': RUN });
  make('killed', 48, { 'run.jsonl': RUN });
  make('night', 70, { 'batches/stock/0000000000.json': '{\n "schema": "ovbd-night/1"\n}' });
  make('photos', 900, { 'run.jsonl': 'dear diary', 'cat.jpg': 'x' });
  make('.hidden', 900, { 'run.jsonl': RUN + FOOTER });
  writeFileSync(join(folder, 'notes.txt'), 'x');
  symlinkSync(join(folder, 'photos'), join(folder, 'link'));
  const before = readdirSync(folder).sort();
  const dry = retain(folder, { keep: 2, now: NOW }, true);
  expect(readdirSync(folder).sort()).toEqual(before);
  const done = retain(folder, { keep: 2, now: NOW });
  expect(done).toEqual(dry);
  expect(done).toMatchObject({ kept: 2, inUse: ['going-on'], others: ['photos'] });
  expect(done.removed.map((r) => r.name)).toEqual(['killed', 'old', 'older', 'night']);
  expect(readdirSync(folder).sort()).toEqual(['.hidden', 'going-on', 'link', 'new', 'notes.txt', 'photos']);
  expect(retain(folder, { keep: 0, now: NOW }).kept).toBe(1);
  expect(existsSync(join(folder, 'going-on'))).toBe(true);
});

test('by bytes, and by age', () => {
  for (const [i, name] of ['a', 'b', 'c'].entries()) make(name, 30 + i, { 'run.jsonl': RUN + FOOTER, data: 'x'.repeat(1000) });
  const each = (RUN + FOOTER).length + 1000;
  expect(retain(folder, { maxBytes: 2 * each + 1, now: NOW })).toMatchObject({ removed: [{ name: 'c', bytes: each }], kept: 2, bytes: 2 * each });
  expect(retain(folder, { olderMs: 30.5 * HOUR, now: NOW }).removed.map((r) => r.name)).toEqual(['b']);
});

test('what is no folder is said', () => {
  expect(() => retain(join(folder, 'none'), { keep: 1, now: NOW })).toThrow(UsageError);
  symlinkSync(folder, join(folder, 'self'));
  expect(() => retain(join(folder, 'self'), { keep: 0, now: NOW })).toThrow(UsageError);
});
