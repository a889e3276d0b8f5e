// SPDX-License-Identifier: MIT
/** How long the HTML report of many cases takes to make and to open: `node --import tsx bench/report-open.ts [cases] [targets]`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { RUN_SCHEMA, type Event, type VerdictKind } from '../model/index.ts';
import { htmlReport, viewOf } from '../reports/index.ts';
import { CLAUSES } from '../spec/index.ts';

const [cases = 10_000, targets = 6] = process.argv.slice(2).map(Number);
const random = xoroshiro128plus(1);
const below = (n: number): number => uniformInt(random, 0, n - 1);
const KINDS: readonly VerdictKind[] = ['pass', 'pass', 'pass', 'unsupported', 'crash', 'memory', 'corruption', 'accepts-invalid', 'refuses-valid'];
const names = Array.from({ length: targets }, (_, t) => `v${t}`);

function* events(): Generator<Event> {
  yield { type: 'run', schema: RUN_SCHEMA, suite: 'bench 0.0.0', seed: 1, cases, targets: names.map((name) => ({ name, description: name, parts: {}, remake: {} })), skipped: [] };
  for (let i = 0; i < cases; i++) {
    for (const target of names) {
      const kind = KINDS[below(KINDS.length)]!;
      const clause = CLAUSES[below(CLAUSES.length)]!.id;
      const bad = kind !== 'pass' && kind !== 'unsupported';
      yield { type: 'case', target, case: `s1-c${i}`, class: 'valid', kind, ...(bad && { clause, signature: `${kind}: ${clause}`, why: `byte ${below(100_000)} must be 0x01, is 0x00` }) };
    }
  }
  yield { type: 'footer', complete: true, cases, caseStream: '0'.repeat(64), verdicts: {}, findings: 0, unreliable: 0, seconds: 1, rates: {}, exitCode: 0 };
}

const folder = mkdtempSync(join(tmpdir(), 'ovbd-bench-'));
try {
  writeFileSync(join(folder, 'run.jsonl'), [...events()].map((e) => `${JSON.stringify(e)}\n`).join(''));
  let began = performance.now();
  const page = htmlReport(await viewOf(folder));
  console.log(`${cases} cases on ${targets} targets: made in ${((performance.now() - began) / 1000).toFixed(1)} s, ${(page.length / 1e6).toFixed(1)} MB`);
  writeFileSync(join(folder, 'report.html'), page);
  const driver = 'playwright-core';
  const { chromium } = await import(driver);
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
  const tab = await browser.newPage();
  for (let n = 0; n < 3; n++) {
    began = performance.now();
    await tab.goto(pathToFileURL(join(folder, 'report.html')).href);
    const opened = performance.now() - began;
    began = performance.now();
    await tab.locator('#case-filter input[name=text]').fill('s1-c9');
    console.log(`opened in ${opened.toFixed(0)} ms; a search in all cases: ${(performance.now() - began).toFixed(0)} ms; ${await tab.locator('#case-status').textContent()}`);
  }
  await browser.close();
} finally {
  rmSync(folder, { recursive: true });
}
