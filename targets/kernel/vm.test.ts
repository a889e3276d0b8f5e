// SPDX-License-Identifier: MIT
/** When a machine counts as silent, with a program in QEMU's place that does with the ports what it is told. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findCommand } from './lab/child.ts';
import { FD } from './qemu-args.ts';
import { Vm } from './vm.ts';

const folder = mkdtempSync(join(tmpdir(), 'ovbd-vm-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;

/** A machine whose QEMU is this shell script. */
function machine(script: string, signal?: AbortSignal): Vm {
  const qemu = join(folder, `qemu-${made++}`);
  writeFileSync(qemu, `#!/bin/sh\n${script}\n`);
  chmodSync(qemu, 0o755);
  return new Vm({ qemu, machine: { bzImage: '', initramfs: '', firmware: [], accelerator: 'tcg' }, memory: { kind: 'private' }, mailbox: '', signal });
}

const TALKS = `while :; do echo 'INFO: task made_up blocked' >&${FD.console} || exit; sleep 0.02; done`;

describe.skipIf(findCommand('setpriv') === undefined)('a machine', () => {
  it('that writes to its console for ever is silent at last', async () => {
    const vm = machine(TALKS);
    try {
      expect(await vm.next(500)).toEqual({ type: 'silence' });
      // It was alive: the console did come.
      expect(vm.console).toContain('made_up');
      expect(await vm.hello(300)).toBeUndefined();
    } finally {
      await vm.kill();
    }
  });

  it('that says nothing is silent, and one that ends is not', async () => {
    const vm = machine('exec sleep 1000');
    try {
      expect(await vm.next(50)).toEqual({ type: 'silence' });
    } finally {
      await vm.kill();
    }
    const short = machine('echo last words >&2; exit 7');
    expect(await short.next(60_000)).toEqual({ type: 'ended', ended: { code: 7, signal: null, stderr: 'last words' } });
  });

  it('ends when its signal is aborted, before or after its start', async () => {
    const stop = new AbortController();
    const vm = machine(TALKS, stop.signal);
    stop.abort();
    expect((await vm.exited).signal).toBe('SIGKILL');
    expect(await machine(TALKS, stop.signal).hello(60_000)).toBeUndefined();
  });
});
