// SPDX-License-Identifier: MIT
/** What inspecting is asked for, and which rows of a long list that means. */
/** Rows at the end of a cut list. */
export const LAST_ROWS = 4;

/** What inspecting is asked for. */
export interface InspectOptions {
  /** Rows at the start of a list, and rows with marks after them; null: all rows. */
  readonly limit: number | null;
  /** Whether to list the blocks of a ZFile, and the entries of a layer. */
  readonly blocks: boolean;
  readonly entries: boolean;
}

/** Looks at every row once and keeps the first, the first of the others that have marks, and the last. */
export function cutRows<Row extends object>(
  rows: Iterable<Row>, limit: number,
): { readonly rows: readonly Row[]; readonly cut: boolean; readonly marked: number } {
  const first: Row[] = [];
  const withMarks: Row[] = [];
  const last: Row[] = [];
  let marked = 0;
  let cut = false;
  for (const row of rows) {
    if (hasMarks(row)) marked++;
    if (first.length < limit) {
      first.push(row);
      continue;
    }
    last.push(row);
    if (last.length <= LAST_ROWS) continue;
    const middle = last.shift()!;
    if (hasMarks(middle) && withMarks.length < limit) withMarks.push(middle);
    else cut = true;
  }
  return { rows: [...first, ...withMarks, ...last], cut, marked };
}

function hasMarks(row: object): boolean {
  return 'marks' in row && (row.marks as readonly unknown[]).length > 0;
}
