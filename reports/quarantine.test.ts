// SPDX-License-Identifier: MIT
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Confirmation } from '../model/index.ts';
import { openQuarantine, QUARANTINE_SCHEMA } from './quarantine.ts';
import { IDENTITY } from './samples.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-quarantine-'));
  file = join(folder, 'q.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 0, 10);
const seen = (shown: number, blame: Confirmation['blame']) => ({ signature: 'hang: in read', confirmation: { shown, tried: 3, blame } });
const patch = { ...IDENTITY, remake: { role: 'patch' } };

test('what was not shown again goes in, with how often and on what, and expires', () => {
  const first = openQuarantine(file, NOW);
  expect(first.see(seen(0, 'unreliable'), patch)).toEqual({ reason: 'seen in a run, and not once in 3 tries after it', until: '2026-01-24T00:00:00.000Z' });
  first.save();
  const [entry] = openQuarantine(file, NOW + DAY).entries();
  expect(entry).toMatchObject({ family: 'patch', shown: 0, tried: 3, since: '2026-01-10T00:00:00.000Z', machine: expect.stringMatching(/Linux 6\.1; \d+ processors/) as string });
  expect(openQuarantine(file, NOW + 15 * DAY).entries()).toEqual([]);
});

test('in it, what shows now and then fails nothing; what shows each time leaves it', () => {
  // Nobody has called it unreliable: it is a finding.
  expect(openQuarantine(file, NOW).see(seen(1, 'alone'), patch)).toBeUndefined();
  const q = openQuarantine(file, NOW);
  q.see(seen(0, 'unreliable'), patch);
  expect(q.see(seen(1, 'alone'), { ...patch, remake: { role: 'userspace' } })).toMatchObject({ reason: 'shown 1 of 3 times' });
  expect(q.see(seen(1, 'alone'), { ...patch, remake: { role: 'stock' } })).toBeUndefined();
  expect(q.see(seen(3, 'alone'), patch)).toBeUndefined();
  expect(q.entries()).toEqual([]);
});

test('nothing to say makes no file; a file that is none is refused', () => {
  openQuarantine(file, NOW).save();
  expect(existsSync(file)).toBe(false);
  writeFileSync(file, '{');
  expect(() => openQuarantine(file, NOW)).toThrow(/q\.json: not JSON/);
  writeFileSync(file, JSON.stringify({ schema: QUARANTINE_SCHEMA, quarantine: [{ family: 1 }] }));
  expect(() => openQuarantine(file, NOW)).toThrow(/quarantine\[0\]\.family/);
});
