// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { viewOf, type View } from '../view/index.ts';
import { HOSTILE, hostile, writeSampleRun } from '../view/testing.ts';
import { escapeHtml, html, scriptJson } from './markup.ts';
import { htmlReport } from './page.ts';

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((f) => rmSync(f, { recursive: true })));
async function stored(...args: Parameters<typeof writeSampleRun>): Promise<View> {
  folders.push(writeSampleRun(...args));
  return viewOf(folders.at(-1)!);
}

/** What the page's policy allows by hash. */
function allowed(page: string, what: string): string[] {
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(page)![1]!.replaceAll('&#39;', '\'');
  return policy.split(/; */).find((d) => d.startsWith(what))!.split(' ').slice(1);
}

test('the policy lets in this page\'s own script and style, and nothing else', async () => {
  const page = htmlReport(await stored());
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  expect(allowed(page, 'default-src')).toEqual(['\'none\'']);
  const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map((m) => hash(m[1]!));
  expect(scripts).toEqual(allowed(page, 'script-src'));
  expect([...page.matchAll(/<style>([\s\S]*?)<\/style>/g)].map((m) => hash(m[1]!))).toEqual(allowed(page, 'style-src'));
  expect(page).not.toMatch(/(src|href)="(?!#|data:,")/);
  expect(page).not.toMatch(/ on\w+=| style=/);
});

test('nothing that a run holds is markup', async () => {
  const plain = htmlReport(await stored());
  const evil = htmlReport(await stored(hostile));
  const tags = (page: string): string[] => [...new Set([...page.matchAll(/<\/?([a-z0-9]+)/gi)].map((m) => m[1]!))].sort();
  expect(tags(evil)).toEqual(tags(plain));
  expect(evil.match(/<script/g)).toHaveLength(2);
  const json = /<script type="application\/json" id="data">([\s\S]*?)<\/script>/.exec(evil)![1]!;
  expect(JSON.stringify(JSON.parse(json))).toContain('alert(1)');
  expect(json).not.toMatch(/[<>&\u2028]/);
  expect(html`<p>${HOSTILE}</p>`.markup).toBe(`<p>${escapeHtml(HOSTILE)}</p>`);
  expect(escapeHtml(HOSTILE)).not.toMatch(/[<>"'`\u001b]/);
  expect(scriptJson({ a: HOSTILE }).markup).not.toContain('<');
});

test('an unfinished run says so at the top, and embargo leaves bytes and commands out', async () => {
  const view = await stored((events) => events.slice(0, -1));
  expect(htmlReport(view)).toMatch(/<p class="state">not a whole run<\/p>/);
  const folder = folders.at(-1)!;
  const held = htmlReport(await viewOf(folder, { embargo: true }));
  expect(held).toMatch(/embargo/);
  expect(held.replace(/<script>[\s\S]*?<\/script>/, '')).not.toMatch(/ovbd\.mjs replay|repro\.sh|base64"/);
});
