// SPDX-License-Identifier: MIT
/**
 * The cache folder: `<root>/<kind>/<key>/`, each entry made in `<root>/tmp/` and
 * renamed into place, so that an entry is whole or absent. Entries are never
 * changed once there, and reading them writes nothing.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { EngineError, UsageError } from '../../../model/errors.ts';
import { withLock, type LockOptions } from './lock.ts';

/** `$OVBD_CACHE`, else `$XDG_CACHE_HOME/overlaybd-conformance`, else `~/.cache/overlaybd-conformance`. */
export function defaultCacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  const own = env['OVBD_CACHE'];
  if (own) return resolve(own);
  // The XDG base directory specification: relative paths are to be ignored.
  const xdg = env['XDG_CACHE_HOME'];
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'overlaybd-conformance');
}

const FULL = ['ENOSPC', 'EDQUOT'];

/** Entries begun by this process. */
let made = 0;

export class Cache {
  readonly root: string;

  constructor(root: string = defaultCacheRoot()) {
    this.root = resolve(root);
  }

  /** The folder of a finished entry, or undefined. */
  find(kind: string, key: string): string | undefined {
    const path = join(this.root, kind, key);
    return existsSync(path) ? path : undefined;
  }

  /** The keys of all finished entries of a kind, sorted. */
  async list(kind: string): Promise<string[]> {
    return (await readdir(join(this.root, kind)).catch(() => [])).sort();
  }

  /**
   * The folder of the entry, made first where it is absent: `maker` fills the
   * folder it is given. Of processes that ask at once, one makes it and the others
   * wait. Throws `UsageError` where the cache cannot be written and `EngineError`
   * where it is full, naming `what` is missing; what `maker` throws otherwise.
   */
  async make(kind: string, key: string, what: string, maker: (folder: string) => Promise<void>, options: LockOptions = {}): Promise<string> {
    const final = join(this.root, kind, key);
    if (existsSync(final)) return final;
    return withLock(
      final,
      async () => {
        if (existsSync(final)) return final;
        let temp: string | undefined;
        try {
          await this.#sweep();
          temp = await this.#temp(kind, what);
          await maker(temp);
          await rename(temp, final);
        } catch (error) {
          const full = await this.#isFull();
          if (temp !== undefined) await rm(temp, { recursive: true, force: true }).catch(() => undefined);
          // Somebody whose locks we do not see (another container) was first.
          if (isErrno(error, 'ENOTEMPTY', 'EEXIST') && existsSync(final)) return final;
          throw this.#explain(error, what, full);
        }
        return final;
      },
      options,
    );
  }

  async #temp(kind: string, what: string): Promise<string> {
    const temp = join(this.root, 'tmp', `${machineId()}.${process.pid}.${startTime(process.pid) ?? '0'}.${made++}`);
    try {
      await makeFolders(join(this.root, kind));
      await makeFolders(join(this.root, 'tmp'));
      await mkdir(temp);
    } catch (error) {
      // Whatever else stands in the way (a file of that name, a folder gone): it is the cache's place that is wrong.
      throw isErrno(error, ...FULL) ? error : this.#unwritable(what, error);
    }
    return temp;
  }

  /** Removes what killed runs left half made. */
  async #sweep(): Promise<void> {
    const folder = join(this.root, 'tmp');
    for (const name of await readdir(folder).catch(() => [])) {
      const [machine, pid, start] = name.split('.');
      const path = join(folder, name);
      const dead =
        machine === machineId()
          ? startTime(Number(pid)) !== start
          // Made before a reboot or in another container: we cannot see its maker, so judge by age.
          : Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now()) > 24 * 3600 * 1000;
      if (dead) await rm(path, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  /** Tools fail in many words when a disk is full; that it is, is easier to see. */
  async #isFull(): Promise<boolean> {
    const disk = await statfs(this.root).catch(() => undefined);
    return disk !== undefined && disk.bavail * disk.bsize < 1 << 20;
  }

  #explain(error: unknown, what: string, full: boolean): unknown {
    const text = error instanceof Error ? error.message : String(error);
    if (full || isErrno(error, ...FULL) || /No space left on device|Disk quota exceeded/i.test(text)) {
      return new EngineError(`cannot make ${what}: no space left in the cache folder ${this.root}; free some, or set OVBD_CACHE to another folder`);
    }
    const path = (error as NodeJS.ErrnoException).path;
    return isErrno(error, 'EROFS', 'EACCES', 'EPERM') && path?.startsWith(this.root) ? this.#unwritable(what, error) : error;
  }

  #unwritable(what: string, error: unknown): UsageError {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    return new UsageError(`cannot make ${what}: the cache folder ${this.root} cannot be written (${code}); set OVBD_CACHE to a folder that can`);
  }
}

/** Like mkdir with `recursive`, which in Node never returns where a parent exists and takes no folders (/proc). */
async function makeFolders(path: string): Promise<void> {
  const parts = path.split('/');
  for (let i = 2; i <= parts.length; i++) {
    await mkdir(parts.slice(0, i).join('/')).catch((error: unknown) => {
      if (!isErrno(error, 'EEXIST')) throw error;
    });
  }
}

/** Tells this boot and this container's process ids from others; 8 hex digits. */
function machineId(): string {
  let text = 'unknown';
  try {
    text = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8') + readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not Linux: all machines look alike and the age decides nothing; process ids still do.
  }
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** When a process started, in clock ticks since boot (proc(5), field 22), which tells it from a later one of the same id. */
function startTime(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function isErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');
}
