// SPDX-License-Identifier: MIT
/**
 * How much the suite costs over the kernel itself: cases a second through the
 * whole path of a session, beside a loop in the guest that only makes the same
 * devices, reads them, and removes them.
 *
 *   node --import tsx bench/bare-loop.ts [--patch FILE] [--cases N] [--kernel 6.12] [--kernel-build DIR] [--sanitize] [--only-bare]
 */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { openKernelTarget, openLauncher } from '../targets/kernel/kernel-target.ts';
import { Cache, Steps, parseKernelChoice, prepareLab } from '../targets/kernel/lab/index.ts';
import { measureBareLoop } from '../targets/kernel/bare-loop.ts';
import { jobOf, lsmt, noise } from '../targets/kernel/testing.ts';

const { values } = parseArgs({
  options: {
    'patch': { type: 'string' }, 'cases': { type: 'string', default: '500' }, 'kernel': { type: 'string' }, 'kernel-build': { type: 'string' },
    'sanitize': { type: 'boolean', default: false }, 'only-bare': { type: 'boolean', default: false },
  },
});
const count = Number(values.cases);
const cache = new Cache();
const steps = new Steps();
const lab = await prepareLab({ cache, steps, patch: values.patch, kernel: parseKernelChoice(values.kernel, values['kernel-build']), sanitize: values.sanitize });
const name = values.patch === undefined ? 'stock' : 'patch';
const target = await openKernelTarget(lab, { name, cacheDir: cache.root, steps });
const launcher = await openLauncher(lab, { cacheDir: cache.root });

/** 64 KiB of device over one layer of 16 KiB. */
const content = noise(16 << 10, 1);
const device = Buffer.alloc(64 << 10);
content.copy(device, 4096);
const layer = lsmt([{ offset: 8, data: content }], device.length);
const job = jobOf('bench', {
  deviceBytes: device.length,
  layers: [{ bytes: layer }],
  reads: [{}],
  wanted: [createHash('sha256').update(device).digest('hex')],
  lowered: {
    images: [layer],
    pieces: [
      { start: 0, sectors: 8, source: null },
      { start: 8, sectors: 32, source: { layer: 0, sector: 8 } },
      { start: 40, sectors: 88, source: null },
    ],
  },
});

const bare = await measureBareLoop(launcher, name, job, count);
console.log(`bare loop:          ${bare.milliseconds.toFixed(1)} ms a case`);
if (!values['only-bare']) await wholePath();
await target.close();

async function wholePath(): Promise<void> {
  for (const lanes of [1, target.lanes]) {
    const sessions = await Promise.all(Array.from({ length: lanes }, () => target.open()));
    let right = 0;
    const began = performance.now();
    const each = Math.ceil(count / lanes);
    await Promise.all(
      sessions.map((session) =>
        session.run(Array.from({ length: each }, () => job), (_, observation) => {
          if (observation.reads[0]?.sha256 === job.wanted[0]) right++;
        }),
      ),
    );
    const ms = performance.now() - began;
    await Promise.all(sessions.map((session) => session.close()));
    console.log(`session, ${lanes} lane${lanes === 1 ? ' ' : 's'}:    ${(ms / (each * lanes)).toFixed(1)} ms a case, ${((each * lanes * 1000) / ms).toFixed(0)} cases/s (${right} of ${each * lanes} right)`);
  }
  const starts: number[] = [];
  for (let i = 0; i < 10; i++) {
    const session = await target.open();
    const began = performance.now();
    await session.run([job], () => undefined);
    starts.push(performance.now() - began);
    await session.close();
  }
  console.log(`one case in a fresh VM: ${starts.sort((a, b) => a - b)[5]!.toFixed(0)} ms`);
}
