// SPDX-License-Identifier: MIT
/** Coverage for a terminal: a row a file, then the lines that were not reached, each as the source has it. */
import type { FileCoverage, FunctionCoverage, Reached, SourceCoverage } from '../model/index.ts';
import { count, manyLines, oneLine } from './text.ts';

/** How much of these files was reached. */
export function reachedOf(files: readonly FileCoverage[]): Reached {
  const lines = files.flatMap((f) => f.lines);
  const branches = lines.flatMap((l) => l.branches);
  return {
    lines: lines.filter((l) => l.count > 0).length, allLines: lines.length,
    branches: branches.filter((n) => n > 0).length, allBranches: branches.length,
  };
}

/** What one run, or several together, has reached of the files; `name` heads its columns where there are several. */
export interface CoverageColumn {
  readonly name: string;
  readonly files: readonly FileCoverage[];
}

/** A row a file and one for all, with lines and branches of each column; with several of them their names stand above. */
export function coverageTable(columns: readonly CoverageColumn[]): string[] {
  const names = [...new Set(columns.flatMap((c) => c.files.map((f) => f.file)))].sort();
  const row = (name: string, of: (c: CoverageColumn) => readonly FileCoverage[]): string[] =>
    [oneLine(name), ...columns.flatMap((c) => (of(c).length === 0 ? ['-', '', '-', ''] : cells(reachedOf(of(c)))))];
  const table = [
    ['file', ...columns.flatMap(() => ['lines', '', 'branches', ''])],
    ...names.map((name) => row(name, (c) => c.files.filter((f) => f.file === name))),
    row('all', (c) => c.files),
  ];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((r) => r[i]!.length)));
  const heads = columns.map((c, i) => {
    const width = widths.slice(1 + 4 * i, 5 + 4 * i).reduce((sum, w) => sum + w + 2, -2);
    // A name that is wider than its columns makes the last of them wider.
    const name = oneLine(c.name);
    if (columns.length > 1 && name.length > width) widths[4 + 4 * i]! += name.length - width;
    return name.padStart(width);
  });
  const lines = table.map((r) => r.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ').trimEnd());
  return columns.length > 1 ? [[' '.repeat(widths[0]!), ...heads].join('  '), ...lines] : lines;
}

/** The table of a summary, and under it the unreached lines of each file. */
export function coverageText(target: string, coverage: SourceCoverage): string {
  return [
    `${oneLine(target)}: lines and branches reached`, '', ...coverageTable([{ name: target, files: coverage.files }]), '', ...notesOf(coverage),
    ...coverage.files.flatMap(unreachedText), '',
  ].join('\n');
}

/** The lines of a file that were not reached, as the source has them, under the function that they are in; a function that never ran is one line. */
export function unreachedText(file: FileCoverage): string[] {
  const ranges = unreachedRanges(file);
  if (ranges.length === 0) return [];
  const source = manyLines(file.text).split('\n');
  const text: string[] = ['', `${oneLine(file.file)}: lines not reached`];
  const width = String(source.length).length;
  let before: FunctionCoverage | undefined;
  for (const { from, to } of ranges) {
    const within = file.functions.find((f) => f.from <= from && from <= f.to);
    if (within === undefined || within !== before) text.push(within === undefined ? '  outside of functions' : `  ${oneLine(within.name)}${within.count === 0 ? ' (never called)' : ''}`);
    before = within;
    for (let n = from; n <= to; n++) {
      const line = source[n - 1] ?? '';
      if (line.trim() !== '') text.push(`    ${String(n).padStart(width)}  ${line.replaceAll('\t', '  ')}`);
    }
  }
  return text;
}

/** What the counts leave out, for people. */
export function notesOf({ instances, lost, problems }: SourceCoverage): string[] {
  return [
    `counts of ${count(instances, 'virtual machine')}; ${lost === 0 ? 'none ended by itself' : `${lost} ended by ${lost === 1 ? 'itself' : 'themselves'}: of the last case of each only the opening of its devices is counted, where that ended`}`,
    ...problems.map((p) => `not counted: ${oneLine(p)}`),
  ];
}

/** Lines [from, to]: those without code between two that were not reached belong to the range, but not those of another function. */
function unreachedRanges({ lines, functions }: FileCoverage): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  let open = false;
  for (const { line, count: n } of lines) {
    if (n > 0) open = false;
    else if (open && !functions.some((f) => f.from === line)) ranges.at(-1)!.to = line;
    else {
      ranges.push({ from: line, to: line });
      open = true;
    }
  }
  return ranges;
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
