// SPDX-License-Identifier: MIT
/** KVM where it works, else TCG. /dev/kvm can be there, answer its API, and still hang the guest. */
import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cache } from './lab/cache.ts';
import type { Accelerator, Machine } from './qemu-args.ts';
import { MAILBOX_BYTES } from './qemu-args.ts';
import { runDir } from './run-dir.ts';
import { Vm } from './vm.ts';

/** Milliseconds in which a guest under KVM reaches its agent's greeting; it needs one second. */
const PROBE_MS = 5000;

/**
 * Finds out by booting, once for each boot of this machine: the answer is kept
 * in the cache, where that can be written. Throws the signal's reason where that is aborted.
 */
export async function chooseAccelerator(qemu: { path: string; version: string }, machine: Omit<Machine, 'accelerator'>, cache: Cache, signal?: AbortSignal): Promise<Accelerator> {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return 'tcg';
  }
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1');
  const key = createHash('sha256').update(JSON.stringify([boot, qemu.version, machine.bzImage])).digest('hex').slice(0, 40);
  let answer: Accelerator | undefined;
  try {
    const folder = await cache.make('accelerator', key, 'the answer of the KVM probe', async (into) => {
      answer = await probe(qemu.path, machine, signal);
      writeFileSync(join(into, 'answer'), answer);
    }, { signal });
    return readFileSync(join(folder, 'answer'), 'latin1') === 'kvm' ? 'kvm' : 'tcg';
  } catch {
    signal?.throwIfAborted();
    return answer ?? probe(qemu.path, machine, signal);
  }
}

async function probe(qemu: string, machine: Omit<Machine, 'accelerator'>, signal: AbortSignal | undefined): Promise<Accelerator> {
  const mailbox = join(runDir(), 'probe');
  writeFileSync(mailbox, '');
  truncateSync(mailbox, MAILBOX_BYTES);
  const vm = new Vm({ qemu, machine: { ...machine, accelerator: 'kvm' }, memory: { kind: 'private' }, mailbox, signal });
  try {
    const hello = await vm.hello(PROBE_MS);
    // A probe that was stopped has no answer to keep.
    signal?.throwIfAborted();
    return hello === undefined ? 'tcg' : 'kvm';
  } finally {
    await vm.kill();
    await rm(mailbox, { force: true });
  }
}
