// SPDX-License-Identifier: MIT
/** Coverage for a terminal: a row a file, then the lines that were not reached. */
import type { FileCoverage, SourceCoverage } from '../model/index.ts';
import { count, oneLine, wrap } from './text.ts';

export interface Reached {
  readonly lines: number;
  readonly allLines: number;
  readonly branches: number;
  readonly allBranches: number;
}

/** How much of these files was reached. */
export function reachedOf(files: readonly FileCoverage[]): Reached {
  const lines = files.flatMap((f) => f.lines);
  const branches = lines.flatMap((l) => l.branches);
  return {
    lines: lines.filter((l) => l.count > 0).length, allLines: lines.length,
    branches: branches.filter((n) => n > 0).length, allBranches: branches.length,
  };
}

/** The table of a summary, and under it the unreached lines of each file. */
export function coverageText(target: string, coverage: SourceCoverage): string {
  const rows = coverage.files.map((f) => [oneLine(f.file), ...cells(reachedOf([f]))]);
  const table = [['file', 'lines', '', 'branches', ''], ...rows, ['all', ...cells(reachedOf(coverage.files))]];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  const text = table.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ').trimEnd());
  const unreached = coverage.files.flatMap((f) => {
    const ranges = unreachedLines(f);
    return ranges.length === 0 ? [] : ['', `${oneLine(f.file)}: lines not reached`, ...wrap(ranges.join(', '), 116).map((line) => `  ${line}`)];
  });
  return [`${oneLine(target)}: lines and branches reached`, '', ...text, '', ...notesOf(coverage), ...unreached, ''].join('\n');
}

/** What the counts leave out, for people. */
export function notesOf({ instances, lost, problems }: SourceCoverage): string[] {
  return [
    `counts of ${count(instances, 'virtual machine')}; ${lost === 0 ? 'none ended by itself' : `${lost} ended by ${lost === 1 ? 'itself' : 'themselves'}: what the last case of each reached is not counted`}`,
    ...problems.map((p) => `not counted: ${oneLine(p)}`),
  ];
}

/** `12`, `20-31`: lines without code between two that were not reached belong to the range. */
export function unreachedLines({ lines }: FileCoverage): string[] {
  const ranges: { from: number; to: number }[] = [];
  let open = false;
  for (const { line, count: n } of lines) {
    if (n > 0) open = false;
    else if (open) ranges.at(-1)!.to = line;
    else {
      ranges.push({ from: line, to: line });
      open = true;
    }
  }
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
}

function cells(r: Reached): string[] {
  return [`${r.lines}/${r.allLines}`, percent(r.lines, r.allLines), `${r.branches}/${r.allBranches}`, percent(r.branches, r.allBranches)];
}

/** `99 %` is never rounded up to all, nor something down to nothing. */
export function percent(part: number, all: number): string {
  if (all === 0) return '-';
  const rounded = Math.round((100 * part) / all);
  return `${part < all ? Math.min(99, part > 0 ? Math.max(1, rounded) : 0) : 100} %`;
}
