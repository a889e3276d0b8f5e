// SPDX-License-Identifier: MIT
/** One process at a time works in a folder; one that was killed leaves no lock that holds. */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../model/index.ts';
import { temporaryName } from '../reports/index.ts';

const LOCK = '.lock';

/** Takes the folder and gives what gives it back. Throws `UsageError` where another process that runs has it. */
export function lockFolder(folder: string): () => void {
  const path = join(folder, LOCK);
  const own = `${process.pid} ${startOf(process.pid) ?? ''}`;
  const temporary = temporaryName(folder, 'lock');
  writeFileSync(temporary, own);
  try {
    for (;;) {
      try {
        // A link is there whole or not at all, and for one only.
        linkSync(temporary, path);
        return () => rmSync(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const [pid, start] = readHolder(path);
      if (pid !== undefined && startOf(pid) === start) throw new UsageError(`${folder} is in use by process ${pid}: wait for it, or give another folder with --out`);
      rmSync(path, { force: true });
    }
  } finally {
    rmSync(temporary, { force: true });
  }
}

function readHolder(path: string): [number, string] | [] {
  try {
    const match = /^(\d{1,9}) (\d{1,20})$/.exec(readFileSync(path, 'utf8').slice(0, 64));
    return match ? [Number(match[1]), match[2]!] : [];
  } catch {
    return [];
  }
}

/** When a process began, in ticks of the kernel's: what tells it from another one that has its number now. Undefined where it does not run. */
function startOf(pid: number): string | undefined {
  try {
    // The second field is the program's name, in parentheses, and may hold any character.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[19];
  } catch {
    return undefined;
  }
}
