// SPDX-License-Identifier: MIT
/** The folder of one process's short-lived files; what dead processes left behind is removed on the way. */
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'ovbd-vm-';

const made = new Map<string, string>();
process.on('exit', () => {
  for (const folder of made.values()) rmSync(folder, { recursive: true, force: true });
});

/** This process's folder in `parent`, made when first asked for and removed when the process ends. */
export function runDir(parent: string = tmpdir()): string {
  let folder = made.get(parent);
  if (folder === undefined) {
    sweep(parent);
    folder = mkdtempSync(join(parent, `${PREFIX}${nameSpace()}.${process.pid}.${startTime(process.pid)}.`));
    made.set(parent, folder);
  }
  return folder;
}

/** Process ids mean something only within their name space, which containers may share a folder across. */
function nameSpace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

/** Ticks since boot (proc(5), field 22), which tells a process from a later one of the same id; '' where there is none. */
function startTime(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/** Removes the folders of processes that are no more. */
export function sweep(parent: string = tmpdir()): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(PREFIX)) continue;
    const [space, pid, start] = name.slice(PREFIX.length).split('.');
    if (space !== nameSpace() || startTime(Number(pid)) === start) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // Another user's: not ours to remove.
    }
  }
}
