// SPDX-License-Identifier: MIT
/** The completions that shells are given, tried in those shells that are installed. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const PROGRAM = join(import.meta.dirname, '..', 'cli', 'ovbd.mjs');

function script(shell: string): string {
  const { status, stdout } = spawnSync(process.execPath, [PROGRAM, 'completion', shell], { encoding: 'utf8' });
  expect(status).toBe(0);
  return stdout;
}

/** What bash offers for a line. */
function offered(completion: string, ...words: string[]): string[] {
  const line = words.map((w) => `'${w}'`).join(' ');
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', `${completion}\nCOMP_WORDS=(ovbd ${line}); COMP_CWORD=${words.length}; _ovbd; printf '%s\\n' "\${COMPREPLY[@]}"`], { encoding: 'utf8', cwd: '/' });
  expect(stderr).toBe('');
  return stdout.split('\n').filter(Boolean);
}

it('bash completes commands, their options, and the words of those', () => {
  const bash = script('bash');
  expect(offered(bash, 're')).toEqual(expect.arrayContaining(['report', 'replay', 'read']));
  expect(offered(bash, 'report', '--f')).toEqual(['--format']);
  expect(offered(bash, 'report', 'x', '--format', 's')).toEqual(expect.arrayContaining(['sarif', 'summary']));
  expect(offered(bash, 'lab', 'so')).toContain('soak');
  expect(offered(bash, 'lab', 'soak', '--bo')).toEqual(['--boots']);
  expect(offered(bash, 'completion', 'f')).toContain('fish');
  expect(offered(bash, 'read', '/et')).toContain('/etc');
});

it.each(['zsh', 'fish'])('%s takes its script', (shell) => {
  const text = script(shell);
  expect(text).toContain('report');
  // Where the shell is installed, it reads it; elsewhere its text is all that can be looked at.
  if (spawnSync(shell, ['--version']).status !== 0) return;
  const { status, stderr } = spawnSync(shell, ['-n'], { input: text, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});

it('refuses a shell that it does not know', () => {
  expect(spawnSync(process.execPath, [PROGRAM, 'completion', 'csh']).status).toBe(2);
});
