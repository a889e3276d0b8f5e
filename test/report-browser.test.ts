// SPDX-License-Identifier: MIT
/** The report in a real browser: Debian's Chromium, driven by playwright-core, with every request written down. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { examineLayer } from '../cli/view-help.ts';
import { ClauseCounter, type CaseEvent, type FieldView, type Layer, type LevelView } from '../model/index.ts';
import { htmlReport, viewOf, type Examined } from '../reports/index.ts';
import { hostile, writeSampleRun } from '../reports/view/testing.ts';
import { Steps } from '../targets/kernel/lab/index.ts';
import { ensurePackages } from '../targets/kernel/lab/packages.ts';

/** The few calls of playwright-core that are made here. */
interface Page {
  goto(url: string): Promise<unknown>;
  on(event: string, listener: (what: any) => void): void;
  evaluate<T>(work: string): Promise<T>;
  locator(selector: string): Locator;
  keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> };
  waitForTimeout(ms: number): Promise<void>;
  context(): { grantPermissions(names: string[]): Promise<void>; close(): Promise<void> };
}
interface Locator {
  click(): Promise<void>;
  fill(text: string): Promise<void>;
  selectOption(value: string): Promise<unknown>;
  count(): Promise<number>;
  textContent(): Promise<string>;
  first(): Locator;
  isVisible(): Promise<boolean>;
  waitFor(options?: { state?: 'visible' | 'hidden' | 'attached' }): Promise<void>;
}
interface Browser {
  newContext(options: object): Promise<{ newPage(): Promise<Page> }>;
  close(): Promise<void>;
}

const why = await ensurePackages('browser', new Steps()).then(() => '', (error: Error) => ` (skipped: ${error.message})`);
/** Cases beside those of the sample. */
const MANY = 1200;

/** The sample's images are of a few bytes: they are told to hold two fields. */
const examined = (layer: Layer): Examined => {
  const field = (name: string, offset: number): FieldView => ({ name, offset, size: 1, value: 0, shown: '0x0', text: '', marks: [] });
  const level: LevelView = {
    kind: 'lsmt', title: 'a layer', space: 'file', offset: 0, size: layer.bytes.length, differ: [], layout: [], facts: [], stops: [], marks: [{ clause: 'LS-VER-01', at: 1, note: 'version is 2' }],
    structures: [{ structure: 'LSMT header', offset: 0, size: 2, authoritative: true, fields: [field('flags', 0), field('version', 1)] }],
  };
  return { view: { recognised: true, files: [{ role: 'layer', path: 'layer', size: layer.bytes.length, levels: [level] }] } };
};

describe.skipIf(why !== '')(`the report in Chromium${why}`, () => {
  let folder: string;
  let browser: Browser;
  let page: Page;
  let said: string[];
  let requests: string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ovbd-browser-'));
    const many = Array.from({ length: MANY }, (_, i): CaseEvent => ({ type: 'case', target: 'oracle', case: `m${i}`, class: 'valid', kind: 'pass' }));
    const counter = new ClauseCounter();
    counter.case({ exercises: ['LS-IDX-04'], violates: [] });
    counter.result('oracle', 'm7', { exercises: ['LS-IDX-04'], violates: [] }, 'pass');
    for (const [name, change] of [['plain', (e: any[]) => [...e.slice(0, -1), ...many, e.at(-1)]], ['hostile', hostile]] as const) {
      const run = writeSampleRun(change);
      try {
        writeFileSync(join(folder, `${name}.html`), htmlReport(await viewOf(run, { examine: name === 'plain' ? examined : examineLayer, tallyOf: async () => counter.tally() })));
      } finally {
        rmSync(run, { recursive: true });
      }
    }
    // By a name that is no literal: only who runs this test needs the package.
    const driver = 'playwright-core';
    const { chromium } = await import(driver) as { chromium: { launch(options: object): Promise<Browser> } };
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  async function open(name: string, options: object = { viewport: { width: 1280, height: 900 } }): Promise<void> {
    page = await (await browser.newContext(options)).newPage();
    said = [];
    requests = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(String(error)));
    page.on('dialog', (dialog) => {
      said.push('a dialog');
      dialog.dismiss();
    });
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(join(folder, `${name}.html`)).href);
  }
  beforeEach(() => open('plain'));
  afterEach(async () => {
    // In every test: nothing on the console, and no request but for the page.
    expect(said).toEqual([]);
    expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([expect.stringMatching(/^file:.*\.html$/)]);
    await page.context().close();
  });

  it('filters findings, clauses and cases, and says how many are left', async () => {
    expect(await page.locator('#finding-status').textContent()).toBe('2 of 2 findings');
    await page.locator('#findings select[name=kind]').selectOption('crash');
    expect(await page.locator('#finding-status').textContent()).toBe('1 of 2 findings');
    await page.locator('#clauses input[name=text]').fill('ls-idx-04');
    expect(await page.locator('#clause-status').textContent()).toMatch(/^1 of \d+ clauses$/);
    expect(await page.locator('#clause-LS-IDX-04').textContent()).toMatch(/pass 1\s*m7/);
    await page.locator('#case-filter select[name=kind]').selectOption('crash');
    expect(await page.locator('#case-status').textContent()).toBe(`1 of ${MANY + 4} cases`);
    await page.locator('#case-filter select[name=kind]').selectOption('');
    await page.locator('#case-filter input[name=text]').fill('m119');
    expect(await page.locator('#case-status').textContent()).toBe(`11 of ${MANY + 4} cases`);
  });

  it('makes rows of cases as they are asked for', async () => {
    expect(await page.locator('#case-rows tr').count()).toBe(200);
    await page.locator('#more-cases').click();
    expect(await page.locator('#case-rows tr').count()).toBe(400);
  });

  it('links lead from cells to findings, from fields to clauses, and to cases that are not shown yet', async () => {
    await page.locator('#clause-LS-MAP-01 td a').first().click();
    const open = page.locator('details[data-finding][open]');
    expect(await open.count()).toBe(1);
    expect(await open.textContent()).toMatch(/Expected.*Observed.*Smallest image.*Access plan.*Who shows it/s);
    await page.locator('#clauses input[name=text]').fill('nothing has this');
    await page.locator('details[open] .clause a').first().click();
    expect(await page.evaluate<string>('document.activeElement.id')).toBe('clause-LS-MAP-01');
    expect(await page.locator('#clause-LS-MAP-01').isVisible()).toBe(true);
    await page.evaluate(`location.hash = 'case-m1100'`);
    await page.locator('#case-m1100').waitFor();
    expect(await page.evaluate<string>('document.activeElement.id')).toBe('case-m1100');
  });

  it('marks what differs in a read, and points from a byte to its field', async () => {
    await page.evaluate(`[...document.querySelectorAll('details[data-finding]')].at(-1).open = true`);
    await page.locator('details[open] .body .part').first().waitFor();
    expect(await page.locator('details[open] [aria-label="Bytes of read 1"] .fault').count()).toBe(2);
    const hex = page.locator('details[open] .hex').first();
    expect(await hex.textContent()).toContain('To be noted at byte 1: version is 2');
    await page.locator('details[open] .hex [data-at="0"]').first().click();
    expect(await page.locator('details[open] .hex .pointed').first().textContent()).toMatch(/LSMT header: flags at 0.*LS-HDR-03/);
    await page.locator('details[open] .fields button[data-index="1"]').first().click();
    expect(await page.locator('details[open] .hex .pointed').first().textContent()).toMatch(/version at 1/);
    await page.locator('details[open] .hex .pointed a').first().click();
    expect(await page.evaluate<string>('document.activeElement.id')).toBe('clause-LS-VER-01');
  });

  it('copies the replay command', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.evaluate(`[...document.querySelectorAll('details[data-finding]')].at(-1).open = true`);
    await page.locator('[aria-label="Copy the replay command"]').first().click();
    await page.locator('#said.shown').waitFor();
    expect(await page.locator('#said').textContent()).toBe('Copied the replay command');
    expect(await page.evaluate<string>('navigator.clipboard.readText()')).toMatch(/^node cli\/ovbd\.mjs replay /);
  });

  it('is reached by the keyboard alone, and every control has a name', async () => {
    const reached = new Set<string>();
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab');
      reached.add(await page.evaluate<string>(`(() => { const e = document.activeElement; return e.id || e.name || e.textContent.slice(0, 20); })()`));
    }
    for (const one of ['To the report', 'theme', 'Findings', 'text', 'kind', 'target']) expect([...reached]).toContain(one);
    await page.evaluate(`document.querySelector('details[data-finding] summary').focus()`);
    await page.keyboard.press('Enter');
    expect(await page.locator('details[data-finding][open]').count()).toBe(1);
    expect(await page.evaluate<string[]>(`[...document.querySelectorAll('button, input, select, [role=region]')].filter((e) => !(e.labels?.length || e.ariaLabel || e.textContent.trim())).map((e) => e.outerHTML)`)).toEqual([]);
    expect(await page.evaluate<string[]>(`[...document.querySelectorAll('th')].filter((e) => !e.scope).map((e) => e.outerHTML)`)).toEqual([]);
    expect(await page.evaluate<number>(`document.querySelectorAll('h1').length + document.querySelectorAll('main').length`)).toBe(2);
  });

  it('changes between light and dark, and follows the system', async () => {
    const paper = (): Promise<string> => page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    const light = await paper();
    await page.locator('#theme').click();
    const dark = await paper();
    expect(dark).not.toBe(light);
    await page.context().close();
    await open('plain', { colorScheme: 'dark' });
    expect(await paper()).toBe(dark);
  });

  it('fits a phone: nothing is wider than the page', async () => {
    await page.context().close();
    await open('plain', { viewport: { width: 390, height: 844 } });
    await page.evaluate(`document.querySelectorAll('details').forEach((d) => { d.open = true; })`);
    await page.waitForTimeout(100);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')).toBe(0);
  });

  it('runs nothing that a hostile run holds', async () => {
    await page.context().close();
    await open('hostile');
    await page.evaluate(`document.querySelectorAll('details').forEach((d) => { d.open = true; })`);
    await page.waitForTimeout(200);
    expect(await page.evaluate<number>(`document.querySelectorAll('img, script:not([type])').length`)).toBe(1);
    expect(await page.locator('#case-rows').textContent()).toContain('corruption');
  });
});
