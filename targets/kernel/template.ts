// SPDX-License-Identifier: MIT
/**
 * A booted VM on disk. The first VM boots; its memory and device state are
 * kept; every later one is restored from them, copying memory on write, in a
 * tenth of a second instead of seconds. All start from the same instant.
 */
import { createHash } from 'node:crypto';
import { accessSync, closeSync, constants, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { copyFile, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../model/errors.ts';
import { Cache } from './lab/cache.ts';
import { FD, MAILBOX_BYTES, qemuArguments, type Machine } from './qemu-args.ts';
import { runDir } from './run-dir.ts';
import { Vm } from './vm.ts';

/** To be raised when templates made before must not be used any more. */
const FORMAT = 1;

export interface Template {
  readonly ram: string;
  readonly state: string;
  /** What tells it from others, hex. */
  readonly key: string;
}

export interface TemplateOptions {
  readonly qemu: { readonly path: string; readonly version: string };
  readonly machine: Machine;
  /** Content hash of the initramfs, hex. */
  readonly initramfsSha256: string;
  readonly cache: Cache;
  /** Milliseconds that booting may take. */
  readonly bootMs: number;
  /** Boots that are tried; an emulated machine may rarely not come up. */
  readonly tries: number;
  /** Aborted, it ends the boot with its machine. */
  readonly signal?: AbortSignal | undefined;
}

/** The agent did not greet in time. */
export class BootError extends EngineError {}

/**
 * The template for a machine, made where it is not in the cache. A cache that
 * cannot be written is no obstacle: the template then lives as long as this
 * process. Throws `BootError` where the guest does not come up, and the signal's
 * reason where that is aborted.
 */
export async function obtainTemplate(options: TemplateOptions): Promise<Template> {
  const key = templateKey(options);
  let folder: string;
  try {
    folder = await options.cache.make('vm', key, 'the booted virtual machine', (into) => makeTemplate(options, into), { signal: options.signal });
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof BootError) throw error;
    folder = await mkdtemp(join(runDir(), 'template-'));
    await makeTemplate(options, folder);
  }
  let ram = join(folder, 'ram');
  try {
    // QEMU opens the file for writing although it never writes to it.
    accessSync(ram, constants.W_OK);
  } catch {
    const copy = join(runDir(), `ram-${key.slice(0, 16)}`);
    await copyFile(ram, copy);
    ram = copy;
  }
  return { ram, state: join(folder, 'state'), key };
}

function templateKey(options: TemplateOptions): string {
  const { machine } = options;
  const parts = [
    FORMAT, options.qemu.version, createHash('sha256').update(readFileSync(machine.bzImage)).digest('hex'), options.initramfsSha256,
    // The file names in the arguments are no part of it.
    qemuArguments({ ...machine, bzImage: '', initramfs: '', firmware: [] }, { kind: 'restore', ram: '' }, ''),
    MAILBOX_BYTES,
    // With KVM the guest has seen this very processor.
    machine.accelerator === 'kvm' ? processor() : '',
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40);
}

function processor(): string {
  return readFileSync('/proc/cpuinfo', 'latin1').split('\n\n')[0]!.split('\n').filter((line) => /^(model name|stepping|microcode|flags)/.test(line)).join('\n');
}

/** Boots and leaves `ram` and `state` in the folder. */
async function makeTemplate(options: TemplateOptions, folder: string): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      return await bootOnce(options, folder);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (tried >= options.tries || !(error instanceof BootError)) throw error;
    }
  }
}

async function bootOnce(options: TemplateOptions, folder: string): Promise<void> {
  const ram = join(folder, 'ram');
  const state = join(folder, 'state');
  const mailbox = join(folder, 'mailbox');
  writeFileSync(mailbox, '');
  truncateSync(mailbox, MAILBOX_BYTES);
  const vm = new Vm({ qemu: options.qemu.path, machine: options.machine, memory: { kind: 'template', ram }, mailbox, signal: options.signal });
  try {
    const hello = await vm.hello(options.bootMs);
    options.signal?.throwIfAborted();
    if (hello === undefined) throw await bootFailure(vm, options.bootMs);
    if (hello.problems !== '') throw new BootError(`the guest does not come up whole: ${hello.problems.slice(0, 500)}`);
    // Lets what the boot left to do in the background end, so that no clone does it again.
    await new Promise((resolve) => setTimeout(resolve, 200));
    writeFileSync(state, '');
    await ignoreShared(vm);
    await vm.monitor.command('migrate', { uri: `exec:cat > '${state.replaceAll("'", `'\\''`)}'` });
    for (const until = performance.now() + 60_000; ; ) {
      const info = (await vm.monitor.command('query-migrate')) as { status?: string; 'error-desc'?: string };
      if (info.status === 'completed') break;
      if (info.status === 'failed' || performance.now() > until) throw new BootError(`QEMU cannot save the VM: ${info['error-desc'] ?? info.status}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  } finally {
    await vm.kill();
    await rm(mailbox, { force: true });
  }
  // The cache must not hold an entry that a power cut turns into half of one.
  for (const path of [ram, state]) {
    const file = await open(path, 'r+');
    await file.sync().finally(() => file.close());
  }
}

/** Why a guest did not greet: how its QEMU ended, or that it did not, and the end of its console. */
export async function bootFailure(vm: Vm, milliseconds: number): Promise<BootError> {
  const ended = await Promise.race([vm.exited, new Promise<undefined>((resolve) => setTimeout(resolve, 50, undefined))]);
  // Makes a kernel that hangs say where.
  if (ended === undefined) await vm.nmi(2000);
  const lines = vm.console.trim().split('\n');
  const console = lines.slice(-5).join(' | ').slice(-500);
  // In later kernels the stack comes after the panic's reason, and is all that the end of the console has.
  const reason = lines.find((line) => /Kernel panic|BUG:|Oops:/.test(line))?.trim().slice(0, 200);
  const said = console === '' ? 'its console is silent' : `${reason === undefined ? '' : `it said: ${reason}; `}its console ends: ${console}`;
  if (ended === undefined) return new BootError(`the guest does not boot within ${(milliseconds / 1000).toFixed(0)} s; ${said}`);
  const how = ended.signal ?? `code ${ended.code}`;
  return new BootError(`QEMU ended (${how}) before the guest was up${ended.stderr === '' ? '' : `: ${ended.stderr.slice(0, 500)}`}; ${said}`);
}

/** The memory is in its file: only the state of the devices goes through the stream. */
function ignoreShared(vm: Vm): Promise<unknown> {
  return vm.monitor.command('migrate-set-capabilities', { capabilities: [{ capability: 'x-ignore-shared', state: true }] });
}

/** A VM that goes on where the template stopped. It answers a ping once it runs; where it cannot, it ends or stays silent. */
export function restore(template: Template, qemu: string, machine: Machine, mailbox: string, signal?: AbortSignal): Vm {
  const stateFd = openSync(template.state, constants.O_RDONLY);
  let vm: Vm;
  try {
    vm = new Vm({ qemu, machine, memory: { kind: 'restore', ram: template.ram }, stateFd, mailbox, signal });
  } finally {
    closeSync(stateFd);
  }
  ignoreShared(vm)
    .then(() => vm.monitor.command('migrate-incoming', { uri: `fd:${FD.state}` }))
    .catch(() => vm.kill());
  return vm;
}
