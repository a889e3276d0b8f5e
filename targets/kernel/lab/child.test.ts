// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { run } from './child.ts';

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

  it('says that a command is not there', async () => {
    await expect(run('ovbd-no-such-command', [], { seconds: 1 })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
