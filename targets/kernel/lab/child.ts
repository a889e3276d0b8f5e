// SPDX-License-Identifier: MIT
/** Child processes with bounded time that never outlive us and never read our stdin. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface ChildOptions {
  readonly cwd?: string;
  /** The whole environment of the child; ours is not added. */
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds of wall time before the child and all it started are killed. */
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
  /** Called for each line of stdout as it comes. */
  readonly onLine?: (line: string) => void;
  /**
   * False for package installation: dpkg in mid-work is worse to kill than to
   * leave, should we be killed. Default true.
   */
  readonly diesWithParent?: boolean;
}

export interface ChildResult {
  /** Exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** True where the time was up. */
  readonly timedOut: boolean;
}

const SYSTEM_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/** An environment in which nothing of the user's can change what a tool makes. */
export const CLEAN_ENV: Readonly<Record<string, string>> = { PATH: SYSTEM_PATH, LC_ALL: 'C' };

/** Bytes of each output stream that are kept; the first errors are what people need. */
const KEPT_BYTES = 4 << 20;

/** Our children are their own process groups, so that what they started dies with them. */
const groups = new Set<number>();
process.on('exit', () => {
  for (const pid of groups) killGroup(pid, 'SIGKILL');
});

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}

/** Finds a command on the user's PATH or in the system's folders; undefined where there is none. */
export function findCommand(name: string): string | undefined {
  return `${process.env['PATH'] ?? ''}${delimiter}${SYSTEM_PATH}`
    .split(delimiter)
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

/**
 * `kill -9` of this process runs no code of ours. So the kernel is asked to tell a
 * guard (setpriv, of util-linux, essential on Debian), and the guard ends the whole
 * process group: make alone would wait for the compiler that it runs.
 */
const GUARD = 'trap "kill -KILL 0" TERM; "$@" & wait $!';
let setpriv: string | undefined | null = null;

/**
 * Runs a command to its end and gives its output; a non-zero exit is a result,
 * not an error. Throws what `spawn` throws where it cannot start, and the
 * signal's reason when aborted.
 */
export function run(command: string, args: readonly string[], options: ChildOptions): Promise<ChildResult> {
  options.signal?.throwIfAborted();
  if (setpriv === null) setpriv = findCommand('setpriv');
  const guarded = setpriv !== undefined && (options.diesWithParent ?? true) && findCommand(command) !== undefined;
  const argv = guarded ? [setpriv!, '--pdeathsig', 'TERM', 'sh', '-c', GUARD, 'sh', command, ...args] : [command, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0]!, argv.slice(1), {
      cwd: options.cwd,
      env: options.env ?? CLEAN_ENV,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const pid = child.pid;
    if (pid !== undefined) groups.add(pid);
    let timedOut = false;
    let later: NodeJS.Timeout | undefined;
    const stop = (): void => {
      if (pid === undefined) return;
      killGroup(pid, 'SIGTERM');
      later = setTimeout(() => killGroup(pid, 'SIGKILL'), 2000);
    };
    const timer = setTimeout(() => {
      timedOut = true;
      stop();
    }, options.seconds * 1000);
    options.signal?.addEventListener('abort', stop, { once: true });
    const stdout = keep(child.stdout, options.onLine);
    const stderr = keep(child.stderr);
    const clear = (): void => {
      clearTimeout(timer);
      clearTimeout(later);
      options.signal?.removeEventListener('abort', stop);
      if (pid !== undefined) {
        killGroup(pid, 'SIGKILL');
        groups.delete(pid);
      }
    };
    // 'exit', then a moment for the pipes: a grandchild that keeps them open must not hold us.
    child.once('exit', () => {
      if (pid !== undefined) killGroup(pid, 'SIGKILL');
    });
    child.once('error', (error) => {
      clear();
      reject(error);
    });
    child.once('close', (code) => {
      clear();
      if (options.signal?.aborted) reject(options.signal.reason);
      else resolve({ code, stdout: stdout(), stderr: stderr(), timedOut });
    });
  });
}

function keep(stream: NodeJS.ReadableStream, onLine?: (line: string) => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  let partial = '';
  stream.on('data', (chunk: Buffer) => {
    if (size < KEPT_BYTES) chunks.push(chunk);
    size += chunk.length;
    if (onLine === undefined) return;
    const lines = (partial + chunk.toString('latin1')).split('\n');
    partial = lines.pop()!.slice(-4096);
    for (const line of lines) onLine(line);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
