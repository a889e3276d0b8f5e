// SPDX-License-Identifier: MIT
/** Starts a process that the kernel kills when this one ends, however it ends. */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { findCommand } from './lab/child.ts';
import { EngineError } from '../../model/errors.ts';

const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) {
    try {
      // Its session's first group, so with it what it started.
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      child.kill('SIGKILL');
    }
  }
});

export interface SupervisedOptions {
  /** Its whole environment; absent: one in which nothing of the user's changes what it does. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Lines of shell that run in its place first, such as `ulimit -c 0`. */
  readonly before?: string;
}

/**
 * `kill -9` of this process runs no code of ours, so the child asks the kernel
 * for a signal on our death (util-linux's setpriv, essential on Debian) and
 * then makes sure that we were still alive when it asked. It has its own
 * session: Ctrl-C reaches us, and we decide. Throws `EngineError` where
 * setpriv is missing.
 */
export function spawnSupervised(command: string, args: readonly string[], stdio: StdioOptions, options: SupervisedOptions = {}): ChildProcess {
  const setpriv = findCommand('setpriv');
  if (setpriv === undefined) throw new EngineError('setpriv (util-linux) is not there: without it a killed run would leave its children behind');
  const child = spawn(
    setpriv,
    ['--pdeathsig', 'KILL', '--', '/bin/sh', '-c', `test "$PPID" = "$0" || exit 1\n${options.before ?? ''}\nexec "$@"`, String(process.pid), command, ...args],
    { stdio, detached: true, ...(options.cwd === undefined ? {} : { cwd: options.cwd }), env: options.env ?? { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', ...(process.env['TMPDIR'] ? { TMPDIR: process.env['TMPDIR'] } : {}) } },
  );
  living.add(child);
  child.once('exit', () => living.delete(child));
  child.once('error', () => living.delete(child));
  return child;
}
