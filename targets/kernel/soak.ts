// SPDX-License-Identifier: MIT
/** Whether a pair of kernel and emulator boots, again and again, with nothing of anybody's in it. */
import { truncateSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseAccelerator } from './accelerator.ts';
import type { Cache } from './lab/cache.ts';
import type { PreparedLab } from './lab/index.ts';
import { MAILBOX_BYTES, type Machine } from './qemu-args.ts';
import { runDir } from './run-dir.ts';
import { bootFailure } from './template.ts';
import { Vm } from './vm.ts';

/** Milliseconds that a boot may take on a busy machine; 3 to 5 s are usual. */
const BOOT_MS = 180_000;

export interface Boots {
  /** Boots tried. */
  readonly boots: number;
  readonly failures: number;
  /** What the first failure was. */
  readonly first?: string;
}

/** Boots a machine from nothing that many times, one after the other. `say` is told how far it is. A boot that is stopped is not counted. */
export async function bootOften(lab: PreparedLab, cache: Cache, times: number, say: (text: string) => void, signal?: AbortSignal): Promise<Boots> {
  const parts = { firmware: lab.qemu.firmware, bzImage: lab.kernel.bzImage, initramfs: lab.initramfs };
  const machine: Machine = { ...parts, accelerator: await chooseAccelerator(lab.qemu, parts, cache, signal) };
  let boots = 0;
  let failures = 0;
  let first: string | undefined;
  const stopped = (): boolean => signal?.aborted === true;
  while (boots < times && !stopped()) {
    const failure = await bootOnce(lab.qemu.path, machine, boots, signal);
    if (stopped()) break;
    boots++;
    if (failure !== undefined) {
      failures++;
      first ??= failure;
    }
    say(`${boots} of ${times}${failures > 0 ? `, ${failures} failed` : ''}`);
  }
  return { boots, failures, ...(first === undefined ? {} : { first }) };
}

/** Boots and throws the machine away. Gives what went wrong. */
async function bootOnce(qemu: string, machine: Machine, at: number, signal: AbortSignal | undefined): Promise<string | undefined> {
  const mailbox = join(runDir(), `soak-${at}`);
  writeFileSync(mailbox, '');
  truncateSync(mailbox, MAILBOX_BYTES);
  const vm = new Vm({ qemu, machine, memory: { kind: 'private' }, mailbox, signal });
  try {
    const hello = await vm.hello(BOOT_MS);
    if (signal?.aborted === true) return undefined;
    if (hello === undefined) return (await bootFailure(vm, BOOT_MS)).message;
    return hello.problems === '' ? undefined : `the guest does not come up whole: ${hello.problems.slice(0, 300)}`;
  } finally {
    await vm.kill();
    await rm(mailbox, { force: true });
  }
}
