// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { runCommand, type CommandBounds, type CommandResult } from './command.ts';
import type { ChildLimits } from './limits.ts';

// What waits for a busy machine is not wrong.
vi.setConfig({ testTimeout: 300_000 });

/** Milliseconds that nobody misses but by hanging, on a machine however busy. */
const LONG = 100_000;
const SHORT = 1_000;

function sh(script: string, bounds: Partial<CommandBounds> = {}, limits: Partial<ChildLimits> = {}): Promise<CommandResult> {
  return runCommand({ command: 'sh', args: ['-c', script], limits }, { milliseconds: LONG, ...bounds });
}

/** Whether a process lives whose command line holds this word. */
function lives(word: string): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(word) && !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    } catch {
      return false;
    }
  });
}

describe('a command', () => {
  it('gives its output, its errors and its exit code', async () => {
    const { end, stopped, output, errors } = await sh('cat; echo there >&2; exit 3', { input: 'here' });
    expect([end.code, end.signal, stopped, output.toString(), errors]).toEqual([3, null, undefined, 'here', 'there\n']);
  });

  it('that is too slow is killed', async () => {
    const { end, stopped } = await sh('trap "" TERM INT HUP; sleep 4711001', { milliseconds: SHORT });
    expect([end.signal, end.killed, stopped]).toEqual(['SIGKILL', true, 'time']);
    expect(lives('4711001')).toBe(false);
  });

  it('that says too much is killed', async () => {
    const { end, stopped, output } = await sh('exec yes', { outputBytes: 1000 });
    expect([end.killed, stopped, output.length]).toEqual([true, 'output', 1000]);
  });

  it('whose errors are long keeps their ends', async () => {
    const { end, errors } = await sh('echo first >&2; yes | head -c 1000000 >&2; echo last >&2');
    expect(end.code).toBe(0);
    expect(errors.length).toBeLessThan(300_000);
    expect(errors).toMatch(/^first\n[^]* characters left out\n[^]*\nlast\n$/);
  });

  it('whose errors never end is killed', async () => {
    expect((await sh('exec yes >&2', {}, { errorBytes: 1 << 20 })).end).toMatchObject({ killed: true, overrun: 'errors' });
  });

  it('that starts too many processes is killed, and they with it', async () => {
    expect((await sh('for i in $(seq 60); do sleep 4711002 & done; wait', {}, { processes: 30 })).end).toMatchObject({ killed: true, overrun: 'processes' });
    expect(lives('4711002')).toBe(false);
  });

  it('that leaves processes behind takes them with it, whoever their parent and session are', async () => {
    const { end, output } = await sh('sleep 4711003 & setsid sleep 4711003 & (setsid setsid sh -c "sleep 4711003; true" &) ; sleep 1; echo done');
    expect([end.code, output.toString()]).toEqual([0, 'done\n']);
    expect(end.left).toBeGreaterThanOrEqual(3);
    expect(lives('4711003')).toBe(false);
  });

  it('cannot write a file beyond its limit, nor leave a core', async () => {
    const { end, output } = await sh('ulimit -c; f="${TMPDIR:-/tmp}/ovbd-command-test.$$"; head -c 5000 /dev/zero > "$f"; code=$?; wc -c < "$f"; rm "$f"; exit $code', {}, { fileBytes: 4096 });
    expect(output.toString()).toBe('0\n4096\n');
    expect(end.code).not.toBe(0);
  });

  it('has no more address space than it is given', async () => {
    const { output } = await sh('ulimit -v; ulimit -c', {}, { addressSpaceBytes: 1 << 30 });
    expect(output.toString()).toBe('1048576\n0\n');
  });

  it('is stopped by a signal', async () => {
    const stop = new AbortController();
    const running = sh('sleep 4711004', { signal: stop.signal });
    stop.abort();
    expect(await running).toMatchObject({ stopped: 'signal' });
    expect(await sh('sleep 4711004', { signal: stop.signal })).toMatchObject({ stopped: 'signal' });
  });

  it.each([['no-such-program', /there is no such program/], [import.meta.filename, /it cannot be run: no permission to/], ['/etc', /it cannot be run: it is no file/], ['./nothing', /there is no such program/]])('%s is none', async (command, why) => {
    await expect(runCommand({ command, args: [] }, { milliseconds: LONG })).rejects.toThrow(why);
  });
});
