// SPDX-License-Identifier: MIT
/** Coverage as lcov's tracefile, which genhtml and editors read (geninfo(1), section FILES). */
import type { FileCoverage } from '../model/index.ts';
import { oneLine } from './text.ts';

export function lcovText(files: readonly FileCoverage[]): string {
  return files.map(({ file, lines, functions }) => {
    const branches = lines.flatMap((l) => l.branches.map((taken, i) => ({ line: l.line, i, taken, reached: l.count > 0 })));
    return [
      'TN:',
      `SF:${oneLine(file)}`,
      ...functions.map((f) => `FN:${f.from},${oneLine(f.name)}`),
      ...functions.map((f) => `FNDA:${f.count},${oneLine(f.name)}`),
      `FNF:${functions.length}`,
      `FNH:${functions.filter((f) => f.count > 0).length}`,
      // "-": the line itself never ran.
      ...branches.map((b) => `BRDA:${b.line},0,${b.i},${b.reached ? b.taken : '-'}`),
      `BRF:${branches.length}`,
      `BRH:${branches.filter((b) => b.taken > 0).length}`,
      ...lines.map((l) => `DA:${l.line},${l.count}`),
      `LF:${lines.length}`,
      `LH:${lines.filter((l) => l.count > 0).length}`,
      'end_of_record\n',
    ].join('\n');
  }).join('');
}
