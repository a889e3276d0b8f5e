// SPDX-License-Identifier: MIT
/** The kernel under test, in QEMU: the dm-overlaybd patch, or the stock device-mapper as a check on ourselves. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { mkdtemp } from 'node:fs/promises';
import { truncateSync, writeFileSync } from 'node:fs';
import type { SourceCoverage, Stance } from '../../model/index.ts';
import type { Target } from '../target.ts';
import { chooseAccelerator } from './accelerator.ts';
import { collectorFor, countReload, coverageOf } from './coverage/index.ts';
import { explain } from './explain.ts';
import { Symbols } from './frames.ts';
import { deployOnPatch, deployOnStock } from './deploy.ts';
import { Cache, defaultCacheRoot } from './lab/cache.ts';
import type { PreparedLab } from './lab/index.ts';
import type { Steps } from './lab/steps.ts';
import { severityOf } from './klog-patterns.ts';
import { kernelCommandLine, MAILBOX_BYTES, type Accelerator, type Machine } from './qemu-args.ts';
import { runDir } from './run-dir.ts';
import { KernelSession, type SessionParts } from './session.ts';
import { BootError, obtainTemplate, restore, type Template } from './template.ts';
import { Vm } from './vm.ts';

export interface KernelTargetOptions {
  /** The target's name. Whether it is the stock kernel or a patch follows from the lab. */
  readonly name: string;
  /** VMs at the same time; default: one a processor, at most 4. */
  readonly lanes?: number;
  /** Shows what takes time. */
  readonly steps?: Steps;
  /** The suite's cache folder; default: the user's. */
  readonly cacheDir?: string;
  /** Default: KVM where it works, else TCG. */
  readonly accelerator?: Accelerator;
  /** What `ovbd replay` needs to make this target again. */
  readonly remake?: Readonly<Record<string, string>>;
  /** True: count which lines the module runs, where its kernel can. */
  readonly coverage?: boolean;
  /** Aborted, it ends machines that boot or are tried; those of sessions have the signal of their run. */
  readonly signal?: AbortSignal;
  /** For our own tests. */
  readonly before?: SessionParts['before'];
}

/** Milliseconds for the one boot that everything else is restored from; under TCG 5 s, on a very busy machine more than a minute. */
const BOOT_MS: Readonly<Record<Accelerator, number>> = { kvm: 10_000, tcg: 180_000 };
const BOOT_TRIES: Readonly<Record<Accelerator, number>> = { kvm: 1, tcg: 3 };
const TRIAL_MS = 15_000;
/** Processors of machines in which what may race is tried. */
const PROCESSORS = [2, 4] as const;
/** Layers that one lsmt device takes, as the patch says. */
const MAX_LAYERS = 256;

const STANCE: Readonly<Record<'stock' | 'patch', Stance>> = {
  patch: {
    supports: { wrappings: ['zfile'], devices: ['zfile', 'lsmt'], forms: [], tables: true, algorithms: ['lz4'], blockSizes: [4096], maxLayers: MAX_LAYERS },
    flags: {},
    knownFailures: [],
  },
  stock: {
    // It is given the oracle's own table, so whatever the oracle can lower is supported.
    supports: { wrappings: ['zfile', 'tar'], devices: ['lsmt'], forms: ['pair', 'sparse', 'warp'], tables: false, algorithms: ['lz4', 'zstd'], blockSizes: [], maxLayers: MAX_LAYERS },
    flags: {},
    knownFailures: [],
  },
};

/** What a kernel target supports, which is known before it is opened. */
export function kernelStance(role: 'stock' | 'patch'): Stance {
  return STANCE[role];
}

/** VMs at the same time: so many, or one a processor, at most 4. */
export function kernelLanes(wanted: number | undefined): number {
  return Math.max(1, wanted ?? Math.min(4, availableParallelism()));
}

/** How a target starts its VMs. */
export interface Launcher {
  readonly machine: Machine;
  readonly template: Template;
  /** Aborted, the signal ends the machine. */
  start(mailbox: string, signal?: AbortSignal): Vm;
}

/**
 * Boots the lab's kernel once and gives the target whose sessions are restored
 * from it. Throws `EngineError` where the guest does not come up, with what its
 * console said, and the signal's reason where that is aborted.
 */
export async function openKernelTarget(lab: PreparedLab, options: KernelTargetOptions): Promise<Target> {
  const patch = lab.module !== undefined;
  const launcher = await openLauncher(lab, options);
  // Booted when they are first asked for, which is only where something may race.
  const others = new Map<number, Promise<Launcher>>();
  const closing = new AbortController();
  const signal = AbortSignal.any([closing.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const launcherOf = (processors = 1): Launcher | Promise<Launcher> => {
    if (processors === 1) return launcher;
    const other = others.get(processors) ?? openLauncher(lab, { ...options, accelerator: launcher.machine.accelerator, signal }, processors);
    others.set(processors, other);
    // What failed once is tried again when it is next asked for.
    other.catch(() => others.delete(processors));
    return other;
  };
  const collector = options.coverage === true && lab.module !== undefined ? await collectorFor(lab.module) : undefined;
  let reloaded = false;
  const coverage = async (signal?: AbortSignal): Promise<SourceCoverage> => {
    // Once, however often it is asked for.
    if (!reloaded) await countReload((mailbox) => launcher.start(mailbox), lab.module!.kernelName, collector!, signal);
    reloaded = true;
    return coverageOf(collector!, lab.module!, signal);
  };
  const sessions = new Set<KernelSession>();
  const symbols = new Symbols({ name: (patch && lab.module?.kernelName) || '', symbols: lab.module?.symbols, sourceFolder: lab.module?.sourceFolder });
  const kernel = lab.kernel.release;
  const { accelerator } = launcher.machine;
  return {
    identity: {
      name: options.name,
      description: patch
        ? `${lab.module!.name} on Linux ${kernel} (QEMU ${lab.qemu.version}, ${accelerator.toUpperCase()})`
        : `stock device-mapper of Linux ${kernel} (QEMU ${lab.qemu.version}, ${accelerator.toUpperCase()})`,
      parts: {
        ...lab.parts,
        ...lab.kernel.packages,
        ...(patch ? { module: lab.module!.sha256, 'module-sources': lab.module!.sources } : {}),
        kernel,
        qemu: lab.qemu.version,
        accelerator,
        initramfs: lab.initramfsSha256,
        'kernel-command-line': kernelCommandLine(launcher.machine),
      },
      remake: options.remake ?? {},
    },
    stance: kernelStance(patch ? 'patch' : 'stock'),
    family: patch ? 'patch' : 'stock',
    sizeUnit: 512,
    ...(patch ? {} : { needsLowering: true }),
    lanes: kernelLanes(options.lanes),
    processors: PROCESSORS,
    severity: severityOf,
    explain: (log, title) => explain(log, title, symbols),
    ...(collector === undefined ? {} : { coverage }),
    open: async () => {
      const session = new KernelSession({
        start: async (mailbox, processors, signal) => (await unlessAborted(launcherOf(processors), signal)).start(mailbox, signal),
        deploy: patch ? deployOnPatch : deployOnStock,
        module: patch ? lab.module!.kernelName : undefined,
        ...(collector === undefined ? {} : { coverage: collector }),
        ...(options.before === undefined ? {} : { before: options.before }),
      });
      sessions.add(session);
      return session;
    },
    close: async () => {
      closing.abort(new Error('the target is closed'));
      await Promise.all([...sessions].map((session) => session.close()));
      await Promise.allSettled(others.values());
      sessions.clear();
    },
  };
}

/** Chooses the accelerator, obtains the template and tries it once. Throws `EngineError` as `openKernelTarget` does. */
export async function openLauncher(lab: PreparedLab, options: Pick<KernelTargetOptions, 'steps' | 'cacheDir' | 'accelerator' | 'signal'>, processors = 1): Promise<Launcher> {
  const cache = new Cache(options.cacheDir ?? defaultCacheRoot());
  const step = <T>(name: string, work: () => Promise<T>): Promise<T> => (options.steps === undefined ? work() : options.steps.run(name, work));
  const parts: Omit<Machine, 'accelerator'> = { firmware: lab.qemu.firmware, bzImage: lab.kernel.bzImage, initramfs: lab.initramfs, ...(processors === 1 ? {} : { processors }), ...(lab.kernel.sanitizers === true && { errorsOnConsole: true }) };
  const chosen = options.accelerator ?? (await chooseAccelerator(lab.qemu, parts, cache, options.signal));
  return step('start the virtual machine', async () => {
    try {
      return await launcherFor(lab, { ...parts, accelerator: chosen }, cache, options.signal);
    } catch (error) {
      if (chosen === 'tcg' || options.accelerator !== undefined || !(error instanceof BootError)) throw error;
      return launcherFor(lab, { ...parts, accelerator: 'tcg' }, cache, options.signal);
    }
  });
}

async function launcherFor(lab: PreparedLab, machine: Machine, cache: Cache, signal: AbortSignal | undefined): Promise<Launcher> {
  const base = { qemu: lab.qemu, machine, initramfsSha256: lab.initramfsSha256, bootMs: BOOT_MS[machine.accelerator], tries: BOOT_TRIES[machine.accelerator], signal };
  const launcher = (template: Template): Launcher => ({
    machine,
    template,
    start: (mailbox, until) => restore(template, lab.qemu.path, machine, mailbox, until),
  });
  const cached = launcher(await obtainTemplate({ ...base, cache }));
  if (await works(cached, signal)) return cached;
  // A damaged cache entry costs one boot, not the run.
  const fresh = launcher(await obtainTemplate({ ...base, cache: new Cache(await mkdtemp(join(runDir(), 'cache-'))) }));
  if (await works(fresh, signal)) return fresh;
  throw new BootError('a saved virtual machine cannot be restored');
}

async function works(launcher: Launcher, signal: AbortSignal | undefined): Promise<boolean> {
  const mailbox = join(await mkdtemp(join(runDir(), 'trial-')), 'mailbox');
  writeFileSync(mailbox, '');
  truncateSync(mailbox, MAILBOX_BYTES);
  const vm = launcher.start(mailbox, signal);
  try {
    const hello = await vm.hello(TRIAL_MS, 1);
    signal?.throwIfAborted();
    return hello !== undefined && hello.problems === '' && hello.mailboxBytes === MAILBOX_BYTES;
  } finally {
    await vm.kill();
  }
}

/** What is being made, unless the signal is aborted before it is there; then throws the signal's reason. What is made may go on without us. */
async function unlessAborted<T>(making: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined || !(making instanceof Promise)) return making;
  signal.throwIfAborted();
  const stop = new AbortController();
  const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true, signal: stop.signal }));
  return Promise.race([making, aborted]).finally(() => stop.abort());
}
