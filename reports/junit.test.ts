// SPDX-License-Identifier: MIT
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Event } from '../model/index.ts';
import { JunitReporter } from './junit.ts';
import { sampleEvents } from './samples.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-junit-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function report(events: readonly Event[]): string {
  const reporter = new JunitReporter(join(folder, 'junit.xml'));
  for (const event of events) reporter.event(event);
  reporter.close();
  expect(readdirSync(folder)).toEqual(['junit.xml']);
  return readFileSync(join(folder, 'junit.xml'), 'utf8');
}

test('a suite for each target, with its counts', () => {
  const xml = report(sampleEvents());
  expect(xml).toContain('<testsuite name="patch" tests="4" failures="2" errors="1" skipped="1">');
  expect(xml).toContain('<testsuite name="oracle" tests="1" failures="0" errors="0" skipped="0">');
  expect(xml).toContain('<failure type="crash" message="crash: page-fault in lsmt_bioremap">died</failure>');
  expect(xml).toContain('<testcase classname="run" name="complete"/>');
});

test('text is escaped, and what XML cannot hold is spelled out', () => {
  const xml = report(sampleEvents());
  expect(xml).toContain('a &#60; b &#38; &#34;c&#34; \\u0001\\u001b[31m\ufffd');
  expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
});

test('elements are closed in order', () => {
  const open: string[] = [];
  for (const [, close, name, empty] of report(sampleEvents()).matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (close) expect(open.pop()).toBe(name);
    else if (!empty) open.push(name!);
  }
  expect(open).toEqual([]);
});

test('a run without its footer, or stopped, is an error', () => {
  expect(report(sampleEvents().slice(0, -1))).toContain('the run ended without its footer');
  const stopped = sampleEvents().map((e) => (e.type === 'footer' ? { ...e, complete: false } : e));
  expect(report(stopped)).toContain('<error type="incomplete" message="the run was stopped after 4 cases"/>');
});
