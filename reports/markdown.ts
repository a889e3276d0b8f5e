// SPDX-License-Identifier: MIT
/** Text that nobody here wrote, made harmless in Markdown as GitHub and mail archives show it. */
import { manyLines, oneLine } from './text.ts';

/** Plain words in a paragraph or a table's cell: no markup, no HTML, no mention of a person, one line. */
export function md(text: string): string {
  return oneLine(text).replace(/[&<>@]/g, (c) => `&#${c.charCodeAt(0)};`).replace(/[\\`*_{}[\]()#+|~!]/g, (c) => `\\${c}`)
    .replace(/:\/\//g, ':\u200b//').replace(/^([-=>]|\d+[.)])/, '\\$1');
}

/** As code in a line: whatever the text holds, it ends where it should. */
export function mdCode(text: string): string {
  const plain = oneLine(text).replaceAll('|', '¦');
  const fence = '`'.repeat(longestRun(plain) + 1);
  return plain === '' ? '' : `${fence}${/^`|`$/.test(plain) ? ` ${plain} ` : plain}${fence}`;
}

/** As a block of code. */
export function mdBlock(text: string, language = ''): string[] {
  const plain = manyLines(text).replace(/\n+$/, '');
  const fence = '`'.repeat(Math.max(3, longestRun(plain) + 1));
  return [`${fence}${language}`, ...plain.split('\n'), fence];
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}

/** A table; the cells are Markdown already. Columns after the first `left` ones stand at the right. */
export function mdTable(head: readonly string[], rows: readonly (readonly string[])[], left = 1): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map((_, i) => (i < left ? '---' : '---:')).join('|')}|`, ...rows.map(line)];
}
