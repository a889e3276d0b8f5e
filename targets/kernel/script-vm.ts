// SPDX-License-Identifier: MIT
/** A shell script in a virtual machine in which nothing but Debian's own programs runs: what the receiver of a repro.sh would see. */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../model/errors.ts';
import { deathReport, diedOfMemory } from './klog.ts';
import type { Cache } from './lab/cache.ts';
import { writeCpio, type CpioEntry } from './lab/cpio.ts';
import { readModuleInfo } from './lab/elf.ts';
import type { PreparedLab } from './lab/index.ts';
import { stockModules } from './lab/modules.ts';
import type { Steps } from './lab/steps.ts';
import { plainSystem } from './lab/tools.ts';
import { MAILBOX_BYTES, type Machine } from './qemu-args.ts';
import { runDir } from './run-dir.ts';
import { Vm } from './vm.ts';

/** Milliseconds for boot and script, under emulation on a busy machine; a hang in the script has a minute of its own. */
const LIMIT_MS = 300_000;
const BEGIN = '=== script ===';
const END = '=== exit code ';

/** PID 1 of the guest. The script gets the path of the module, which it inserts itself. */
const INIT = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /root
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mkdir -p /applets
/bin/busybox --install -s /applets
PATH=/sbin:/bin:/applets
export PATH
while read -r name; do insmod "/modules/$name" || echo "insmod $name failed"; done < /modules/order
mkdir -p /dev/mapper
[ -e /dev/mapper/control ] || mknod /dev/mapper/control c 10 236
echo '${BEGIN}'
sh /repro.sh $(cat /modules/own) 2>&1
echo "${END}$?"
sync
reboot -f
`;

/** What a script said and how it ended. */
export interface ScriptRun {
  /** Lines that it printed, and the kernel's among them. */
  readonly output: string;
  /** Its exit code; undefined where the kernel died or the time was up. */
  readonly exitCode: number | undefined;
  /** What the kernel died of, where it died. */
  readonly death?: string;
}

/** Runs the script with the lab's module. Throws `EngineError` where the guest does not come up, `UsageError` where its programs cannot be had. */
export async function runScript(script: string, lab: PreparedLab, cache: Cache, steps: Steps, signal?: AbortSignal): Promise<ScriptRun> {
  const archive = writeCpio([...(await plainSystem(cache, steps, signal)), ...ownFiles(script, lab)]);
  const name = createHash('sha256').update(archive).digest('hex').slice(0, 16);
  const initramfs = join(runDir(), `script-${name}.cpio`);
  const mailbox = join(runDir(), `script-${name}.disk`);
  writeFileSync(initramfs, archive);
  writeFileSync(mailbox, '');
  truncateSync(mailbox, MAILBOX_BYTES);
  const machine: Machine = { firmware: lab.qemu.firmware, bzImage: lab.kernel.bzImage, initramfs, accelerator: 'tcg' };
  const vm = new Vm({ qemu: lab.qemu.path, machine, memory: { kind: 'private' }, mailbox });
  const stop = (): void => void vm.kill();
  signal?.addEventListener('abort', stop, { once: true });
  let timer: NodeJS.Timeout | undefined;
  try {
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LIMIT_MS);
    });
    await steps.run('run the script in a virtual machine of its own', () => Promise.race([vm.exited, limit]));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
    await vm.kill();
    for (const path of [initramfs, mailbox]) rmSync(path, { force: true });
  }
  signal?.throwIfAborted();
  return readConsole(vm.console, lab.module?.kernelName);
}

function ownFiles(script: string, lab: PreparedLab): CpioEntry[] {
  const own = lab.module === undefined ? undefined : readFileSync(lab.module.path);
  const modules = stockModules(lab.kernel, ['loop', ...(own === undefined ? [] : (readModuleInfo(own)?.depends ?? []))]);
  return [
    { name: 'dev', mode: 0o040755 }, { name: 'dev/console', mode: 0o020600, device: [5, 1] }, { name: 'modules', mode: 0o040755 },
    { name: 'init', mode: 0o100755, data: Buffer.from(INIT) },
    { name: 'repro.sh', mode: 0o100755, data: Buffer.from(script) },
    ...modules.map(({ file, bytes }): CpioEntry => ({ name: `modules/${file}`, mode: 0o100644, data: bytes })),
    { name: 'modules/order', mode: 0o100644, data: Buffer.from(modules.map(({ file }) => `${file}\n`).join('')) },
    ...(own === undefined ? [] : [{ name: 'modules/own.ko', mode: 0o100644, data: own }]),
    { name: 'modules/own', mode: 0o100644, data: Buffer.from(own === undefined ? '' : '/modules/own.ko\n') },
  ];
}

function readConsole(console: string, module: string | undefined): ScriptRun {
  const begin = console.indexOf(BEGIN);
  if (begin < 0) throw new EngineError(`the guest for the script does not come up; its console ends: ${console.trim().split('\n').slice(-5).join(' | ').slice(-500)}`);
  const output = console.slice(begin + BEGIN.length + 1);
  const end = new RegExp(`^${END}(\\d+)$`, 'm').exec(output);
  if (end !== null) return { output: output.slice(0, end.index), exitCode: Number(end[1]) };
  if (diedOfMemory(output)) throw new EngineError('the guest for the script ran out of memory');
  const death = deathReport(output, module)?.title ?? (output.includes('Kernel panic') ? 'panic' : 'no answer, or a reset without a panic');
  return { output, exitCode: undefined, death };
}
