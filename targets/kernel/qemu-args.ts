// SPDX-License-Identifier: MIT
/** The test machine as QEMU arguments. Everything here is part of a template's identity. */

export type Accelerator = 'kvm' | 'tcg';

/** Where the guest's memory comes from. */
export type Memory =
  /** Memory of its own, gone with the process: a plain boot. */
  | { readonly kind: 'private' }
  /** A file that keeps what the guest writes: the making of a template. */
  | { readonly kind: 'template'; readonly ram: string }
  /** A template's file, copied on write; the state of the devices is read from a file descriptor. */
  | { readonly kind: 'restore'; readonly ram: string };

export interface Machine {
  /** Folders of QEMU's firmware where it does not find them itself, as `-L` takes them. */
  readonly firmware: readonly string[];
  readonly bzImage: string;
  readonly initramfs: string;
  readonly accelerator: Accelerator;
  /** Absent: one. */
  readonly processors?: number;
  /** True: the log's errors are worth a slow serial port, since a report may be all that is left before a panic. */
  readonly errorsOnConsole?: boolean;
}

export const RAM_MEGABYTES = 256;
/** Bytes of the mailbox disk; sparse, so what is not written costs nothing. */
export const MAILBOX_BYTES = 512 << 20;

/**
 * `rcu…`: removing a device waits for several grace periods, which are most of
 * a case's time; these make them as short as the kernel can. `panic=-1` with QEMU's `-no-reboot`
 * ends the process at once on a panic. `unknown_nmi_panic`: an NMI from the
 * host makes a hung kernel say where it is. `loglevel=3`: the serial port is
 * slow; an oops raises the level itself, but a sanitizer's report is an error
 * (level 3) and would be lost with the panic that comes after it. `no_timer_check`:
 * the kernel counts timer interrupts while it spins, and panics where the host is
 * too busy to deliver them in time; emulated timers are wired right.
 */
export const kernelCommandLine = ({ errorsOnConsole = false }: Pick<Machine, 'errorsOnConsole'>): string => [
  'console=ttyS0', 'quiet', `loglevel=${errorsOnConsole ? 4 : 3}`, 'panic=-1', 'oops=panic', 'nokaslr', 'reboot=t', 'mitigations=off',
  'rcupdate.rcu_expedited=1', 'rcu_nocbs=all', 'rcutree.jiffies_till_first_fqs=0', 'rcutree.jiffies_till_next_fqs=1', 'unknown_nmi_panic=1', 'printk.devkmsg=on', 'random.trust_cpu=on', 'tsc=reliable', 'no_timer_check', 'nowatchdog',
].join(' ');

/**
 * Emulated, `rep movsb` costs a loop for each byte, five levels of page tables
 * a level more for each miss, and SMAP and protection keys an exit from the
 * translated code for each access to user memory.
 */
const CPU: Readonly<Record<Accelerator, string>> = { kvm: 'host', tcg: 'max,-erms,-fsrm,-la57,-smap,-pku' };

/** File descriptors that the process is started with. The first four after stderr are sockets. */
export const FD = { console: 3, agent: 4, rescue: 5, monitor: 6, state: 7 } as const;

/** Arguments of one VM. `mailbox` is the path of its disk file, of `MAILBOX_BYTES`. */
export function qemuArguments(machine: Machine, memory: Memory, mailbox: string): string[] {
  const socket = (id: string, fd: number): string[] => ['-chardev', `socket,id=${id},fd=${fd}`];
  const ram =
    memory.kind === 'private'
      ? `memory-backend-ram,id=ram,size=${RAM_MEGABYTES}M`
      : `memory-backend-file,id=ram,size=${RAM_MEGABYTES}M,mem-path=${comma(memory.ram)},share=${memory.kind === 'template' ? 'on' : 'off'}`;
  return [
    '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-name', 'ovbd',
    ...machine.firmware.flatMap((folder) => ['-L', folder]),
    '-machine', 'pc,memory-backend=ram,usb=off,vmport=off', '-accel', machine.accelerator, '-cpu', CPU[machine.accelerator],
    '-m', `${RAM_MEGABYTES}M`, '-smp', String(machine.processors ?? 1), '-object', ram,
    '-kernel', machine.bzImage, '-initrd', machine.initramfs, '-append', kernelCommandLine(machine),
    ...socket('console', FD.console), '-serial', 'chardev:console',
    ...socket('agent', FD.agent), ...socket('rescue', FD.rescue),
    '-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=agent,name=ovbd.agent', '-device', 'virtserialport,chardev=rescue,name=ovbd.rescue',
    '-drive', `if=none,id=mailbox,file=${comma(mailbox)},format=raw,cache=unsafe,file.locking=off`, '-device', 'virtio-blk-pci,drive=mailbox',
    ...socket('monitor', FD.monitor), '-mon', 'chardev=monitor,mode=control',
    ...(memory.kind === 'restore' ? ['-incoming', 'defer'] : []),
  ];
}

/** QEMU's option syntax: a comma in a value is written twice. */
function comma(text: string): string {
  return text.replaceAll(',', ',,');
}
