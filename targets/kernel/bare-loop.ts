// SPDX-License-Identifier: MIT
/** The speed limit: the same devices and reads as a case's, in a loop inside the guest, with no suite around it. */
import { join } from 'node:path';
import { mkdtemp } from 'node:fs/promises';
import { EngineError } from '../../model/errors.ts';
import type { Job } from '../target.ts';
import { tablesOf } from './backing.ts';
import { deployOnPatch, deployOnStock } from './deploy.ts';
import type { Launcher } from './kernel-target.ts';
import { Mailbox } from './mailbox.ts';
import { runDir } from './run-dir.ts';
import { encodeBench } from './wire.ts';

const TIMEOUT_MS = 600_000;
/** The emulator translates code as it is first run: a warm loop is what counts. */
const WARM_UP = 20;

/** Throws `EngineError` where the VM or the loop fails. */
export async function measureBareLoop(launcher: Launcher, name: 'stock' | 'patch', job: Job, iterations: number): Promise<{ milliseconds: number }> {
  const mailbox = new Mailbox(join(await mkdtemp(join(runDir(), 'bare-')), 'mailbox'));
  const vm = launcher.start(mailbox.path);
  try {
    if ((await vm.hello(TIMEOUT_MS, 1)) === undefined) throw new EngineError('the virtual machine does not start');
    const deployment = (name === 'patch' ? deployOnPatch : deployOnStock)(job);
    const placed = mailbox.place(deployment.slices);
    if (placed === undefined) throw new EngineError('the images are larger than the mailbox');
    const command = { number: 1, devices: tablesOf(deployment, placed.starts), target: deployment.devices.length - 1, reads: [] };
    for (const count of [WARM_UP, iterations]) {
      vm.send(encodeBench(command, count));
      const event = await vm.next(TIMEOUT_MS);
      if (event.type !== 'message' || event.message.type !== 'bench' || event.message.errno !== 0) {
        throw new EngineError(`the bare loop fails: ${JSON.stringify(event).slice(0, 200)}`);
      }
      if (count === iterations) return { milliseconds: event.message.nanoseconds / 1e6 / count };
    }
    throw new EngineError('no iterations');
  } finally {
    await vm.kill();
    mailbox.close();
  }
}
