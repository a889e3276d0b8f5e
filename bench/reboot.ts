// SPDX-License-Identifier: MIT
/**
 * What a panic costs: the time from the guest's death to the answer of the next
 * case, with a machine restored from its saved boot, as runs do it, and with one
 * that boots.
 *
 *   node --import tsx bench/reboot.ts [--kernel 6.1|6.12] [--sanitize] [--times N]
 */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { deployOnStock } from '../targets/kernel/deploy.ts';
import { openLauncher } from '../targets/kernel/kernel-target.ts';
import { Cache, Steps, parseKernelChoice, prepareLab } from '../targets/kernel/lab/index.ts';
import { KernelSession, type SessionParts } from '../targets/kernel/session.ts';
import { jobOf } from '../targets/kernel/testing.ts';
import { Vm } from '../targets/kernel/vm.ts';
import { encodeTest } from '../targets/kernel/wire.ts';

const { values } = parseArgs({ options: { kernel: { type: 'string' }, sanitize: { type: 'boolean', default: false }, times: { type: 'string', default: '5' } } });
const cache = new Cache();
const steps = new Steps();
const lab = await prepareLab({ cache, steps, kernel: parseKernelChoice(values.kernel, undefined), sanitize: values.sanitize });
const launcher = await openLauncher(lab, { cacheDir: cache.root, steps });

/** 64 KiB of zeros. */
const bytes = Buffer.alloc(64 << 10);
const job = (id: string): ReturnType<typeof jobOf> => jobOf(id, {
  deviceBytes: bytes.length, layers: [{ bytes }], reads: [{}], wanted: [createHash('sha256').update(bytes).digest('hex')],
  lowered: { images: [bytes], pieces: [{ start: 0, sectors: bytes.length / 512, source: { layer: 0, sector: 0 } }] },
});

const STARTS: Readonly<Record<string, SessionParts['start']>> = {
  'restored from its saved boot': async (mailbox) => launcher.start(mailbox),
  booted: async (mailbox) => {
    const vm = new Vm({ qemu: lab.qemu.path, machine: launcher.machine, memory: { kind: 'private' }, mailbox });
    if ((await vm.hello(120_000)) === undefined) throw new Error(`it does not boot: ${vm.console.slice(-500)}`);
    return vm;
  },
};

const median = (list: number[]): string => list.sort((a, b) => a - b)[list.length >> 1]!.toFixed(0);

for (const [name, start] of Object.entries(STARTS)) {
  const times: number[] = [];
  for (let i = 0; i < Number(values.times); i++) {
    const session = new KernelSession({
      start, deploy: deployOnStock, module: undefined,
      before: ({ case: { id } }) => (id === 'dies' ? [encodeTest('panic')] : []),
    });
    let died = 0;
    await session.run([job('dies'), job('next')], (index, { death, reads }) => {
      if (index === 0 && death?.kind === 'crash') died = performance.now();
      else if (index === 1 && reads[0]?.sha256 !== undefined && died > 0) times.push(performance.now() - died);
      else throw new Error(`case ${index} ends otherwise: ${JSON.stringify({ death, reads })}`);
    });
    await session.close();
  }
  console.log(`Linux ${lab.kernel.release}, next case after a panic, ${name}: ${median(times)} ms (${times[0]!.toFixed(0)} to ${times.at(-1)!.toFixed(0)}, ${times.length} times)`);
}
