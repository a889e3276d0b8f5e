// SPDX-License-Identifier: MIT
/** A matrix for people: findings down, targets across. */
import type { MatrixCell, MatrixEvent } from '../model/index.ts';
import { oneLine } from './text.ts';

const MARKS: Readonly<Record<MatrixCell['state'], string>> = { shown: 'X', unreliable: '~', absent: '·', unknown: '?' };

/**
 * The legend, one line a column, then one a finding, at most `width` columns
 * wide: names of targets are too long to stand above their columns, so letters
 * do. `number` gives the number by which a finding is known elsewhere.
 */
export function matrixLines(matrix: MatrixEvent, width: number, number: (signature: string) => number | undefined = () => undefined): string[] {
  const used = new Set(matrix.rows.flatMap((row) => matrix.columns.map((name) => row.cells[name]?.state ?? 'unknown')));
  const legend = [
    'X has it', ...(used.has('unreliable') ? ['~ seen once, not again'] : []), ...(used.has('absent') ? ['· its smallest case does not show it'] : []),
    ...(used.has('unknown') ? ['? not tried'] : []),
  ];
  const heads = matrix.columns.map((_, i) => letters(i));
  const cell = Math.max(...heads.map((h) => h.length));
  const lines = [
    `where the findings appear: ${legend.join(', ')}`,
    ...matrix.columns.map((name, i) => `  ${heads[i]}  ${oneLine(name)}`),
  ];
  const marks = (row: MatrixEvent['rows'][number]): string => matrix.columns.map((name) => ` ${MARKS[row.cells[name]?.state ?? 'unknown'].padStart(cell)}`).join('');
  lines.push(`     ${heads.map((h) => ` ${h.padStart(cell)}`).join('')}`);
  const place = (signature: string): number => number(signature) ?? Infinity;
  // By the numbers where there are any; a stable sort keeps the rest as it is.
  const rows = [...matrix.rows].sort((a, b) => (place(a.signature) === place(b.signature) ? 0 : place(a.signature) - place(b.signature)));
  for (const row of rows) {
    const head = `${String(number(row.signature) ?? '').padStart(4)} ${marks(row)}  `;
    lines.push(head + cut(oneLine(row.signature), Math.max(20, width - head.length)));
  }
  return lines;
}

/** a … z, aa, ab, … */
export function letters(n: number): string {
  const last = String.fromCharCode(97 + (n % 26));
  return n < 26 ? last : letters(Math.floor(n / 26) - 1) + last;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
