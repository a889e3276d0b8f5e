// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { VERDICT_KINDS, type Event } from '../model/index.ts';
import { sampleEvents, sampleMatrixEvents } from './samples.ts';
import { TerminalReporter, type TerminalOptions } from './terminal.ts';

function show(events: readonly Event[], options: Partial<TerminalOptions> = {}): string {
  let text = '';
  const reporter = new TerminalReporter({ write: (t) => { text += t; }, isTTY: false, colour: false, quiet: false, ...options });
  for (const event of events) reporter.event(event);
  reporter.close();
  return text;
}

test('what a run shows', () => {
  expect(show(sampleEvents())).toMatchSnapshot();
});

test('no line is wider than 100 columns, with all kinds and long names too', () => {
  const all = Object.fromEntries(VERDICT_KINDS.map((k) => [k, 99_999]));
  const events = sampleEvents().map((e) => (e.type === 'footer' ? { ...e, verdicts: { 'fake-crashes': all } } : e));
  for (const line of show(events).split('\n')) expect(line.length, line).toBeLessThanOrEqual(100);
});

test('nothing that a target says reaches the terminal as a control character', () => {
  expect(show(sampleEvents())).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
});

test('the worst finding comes first', () => {
  const text = show(sampleEvents());
  expect(text.indexOf('1. crash')).toBeGreaterThan(0);
  expect(text.indexOf('2. corruption')).toBeGreaterThan(text.indexOf('1. crash'));
});

test('colours only where asked for', () => {
  expect(show(sampleEvents(), { colour: true })).toContain('\x1b[31m');
});

test('progress: one line that is overwritten on a terminal, a line now and then in a log', () => {
  let now = 0;
  const lines = (isTTY: boolean): string => {
    let text = '';
    now = 0;
    const reporter = new TerminalReporter({ write: (t) => { text += t; }, isTTY, colour: false, quiet: false, now: () => now });
    for (now = 0; now <= 25_000; now += 1000) reporter.progress({ phase: 'screen', target: 'patch', done: now, total: 30_000, findings: 1 });
    return text;
  };
  expect(lines(true)).toContain('\r\x1b[Kscreen patch 2000/30000, 1 finding');
  expect(lines(true)).not.toContain('\n');
  expect(lines(false)).toBe('screen patch 10000/30000, 1 finding\nscreen patch 20000/30000, 1 finding\n');
});

test('a run without its footer is no report', () => {
  expect(show(sampleEvents().slice(0, -1))).toContain('without its footer');
});

test('three targets that are not compared by their findings are one matrix all the same', () => {
  const three = sampleEvents().map((e): Event => {
    if (e.type === 'run') return { ...e, targets: [...e.targets, { ...e.targets[0]!, name: 'third' }] };
    return e.type === 'footer' ? { ...e, verdicts: { ...e.verdicts, third: { pass: 4 } }, rates: { ...e.rates, third: 12 } } : e;
  });
  const text = show(three);
  expect(text).toContain(['cases that showed it, a column a target', '  a  patch', '  b  oracle', '  c  third', '     a      b     c', '     1      ·     ·  crash: page-fault in lsmt_bioremap'].join('\n'));
  expect(text).toContain('  31.5  900.3  12.0  cases a second');
  expect(show(sampleEvents())).not.toContain('a column a target');
});

test('findings of several columns stand together, and a matrix says where each appears', () => {
  const text = show(sampleMatrixEvents());
  expect(text).toMatchSnapshot();
  expect(text.match(/^ +\d+\. /gm)).toHaveLength(2);
});
