// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findCommand, run } from './child.ts';

describe('run', () => {
  it('gives code and output, in an environment of its own and without our stdin', async () => {
    process.env['OVBD_TEST_LEAK'] = '1';
    const result = await run('sh', ['-c', 'echo out; echo err >&2; cat; echo "[$OVBD_TEST_LEAK]"; exit 3'], { seconds: 10 });
    expect(result).toEqual({ code: 3, stdout: 'out\n[]\n', stderr: 'err\n', timedOut: false });
  });

  it('ends a child, and what that started, when its time is up', async () => {
    const began = Date.now();
    const result = await run('sh', ['-c', 'trap "" TERM; sleep 60 & sleep 60; sleep 60'], { seconds: 0.2 });
    expect(result.timedOut).toBe(true);
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  it('ends a child when aborted', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 100);
    await expect(run('sleep', ['60'], { seconds: 60, signal: abort.signal })).rejects.toMatchObject({ name: 'AbortError' });
  });

  it.skipIf(findCommand('setpriv') === undefined)('ends the child, and what that started, when we are killed', async () => {
    const module = JSON.stringify(fileURLToPath(new URL('./child.ts', import.meta.url)));
    // Two levels, and a shell that minds no SIGTERM: like make, a recipe's shell and gcc.
    const script = 'trap "" TERM; sleep 60 & echo $!; wait';
    const code = `import(${module}).then(({ run }) => run('sh', ['-c', ${JSON.stringify(script)}], { seconds: 60, onLine: console.log }))`;
    const parent = spawn(process.execPath, ['--import', 'tsx', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<string>((done) => parent.stdout.once('data', (data: Buffer) => done(data.toString().trim())));
    const alive = (): boolean => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep');
      } catch {
        return false;
      }
    };
    // The shell names its child before that has become sleep.
    for (let i = 0; i < 250 && !alive(); i++) await new Promise((done) => setTimeout(done, 20));
    expect(alive()).toBe(true);
    parent.kill('SIGKILL');
    for (let i = 0; i < 100 && alive(); i++) await new Promise((done) => setTimeout(done, 20));
    expect(alive()).toBe(false);
  });

  it('says that a command is not there', async () => {
    await expect(run('ovbd-no-such-command', [], { seconds: 1 })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
