// SPDX-License-Identifier: MIT
/** The page that leads to the runs of a folder. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { count } from '../text.ts';
import { html } from './markup.ts';

/** A run that can be shown. */
export interface ListedRun {
  /** Its folder, below the one that is served. */
  readonly name: string;
  readonly href: string;
  /** Of its run.jsonl. */
  readonly bytes: number;
  /** ISO 8601. */
  readonly changed: string;
}

/** The whole page; it has no script. */
export function runListPage(runs: readonly ListedRun[]): string {
  const style = readFileSync(new URL('style.css', import.meta.url), 'utf8');
  const hash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`;
  return html`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${`default-src 'none'; style-src ${hash}; img-src data:; base-uri 'none'; form-action 'none'`}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>Runs</title><link rel="icon" href="data:,"><style>${{ markup: style }}</style></head>
<body><header><div class="title"><h1>OverlayBD conformance</h1><p class="state">${count(runs.length, 'run')}</p></div></header>
<main>${runs.length === 0 ? html`<p>No run is in this folder, nor in the folders of it.</p>` : html`<div class="scroll" tabindex="0" role="region" aria-label="Runs"><table><caption>The latest first</caption>
<thead><tr><th scope="col">Run</th><th scope="col">Changed</th><th scope="col">Bytes</th></tr></thead>
<tbody>${runs.map((r) => html`<tr><th scope="row"><a href="${r.href}">${r.name}</a></th><td><time datetime="${r.changed}">${r.changed.slice(0, 16).replace('T', ' ')} UTC</time></td><td>${r.bytes}</td></tr>`)}</tbody></table></div>`}</main></body></html>
`.markup;
}
