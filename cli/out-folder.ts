// SPDX-License-Identifier: MIT
/** Where a run's files go, and how its findings are replayed from here. */
import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../model/index.ts';

/**
 * Makes the run's folder and returns its path: the one that was given, or
 * `reports/out/<time>` below the working folder, one of its own for each of two
 * runs that start in the same second. Throws `UsageError` where it cannot be made.
 */
export function makeOutFolder(given: string | undefined, now = new Date()): string {
  try {
    if (given !== undefined) {
      mkdirSync(given, { recursive: true });
      return given;
    }
    const parent = join('reports', 'out');
    mkdirSync(parent, { recursive: true });
    const time = now.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
    for (let n = 1; ; n++) {
      const folder = join(parent, n === 1 ? time : `${time}-${n}`);
      try {
        mkdirSync(folder);
        return folder;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    throw new UsageError(`the folder ${given ?? 'reports/out'} cannot be made (${reason}): give one that can with --out`);
  }
}

/** The command that replays the finding in that folder, from the working folder of this process. */
export function replayCommand(folder: string): string {
  const program = relative(process.cwd(), fileURLToPath(new URL('ovbd.mjs', import.meta.url)));
  return `node ${shellWord(program)} replay ${shellWord(folder)}`;
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./][\w@%+=:,./-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
