// SPDX-License-Identifier: MIT
/** `ovbd lab`: what the kernel lab has in its cache, getting it ready, emptying it, and whether its machines hold. */
import { EngineError, EXIT, UsageError } from '../../model/index.ts';
import { whileUnused } from '../../targets/kernel/lab/in-use.ts';
import {
  Cache, Steps, kernelLabel, newestCached, parseKernelChoice, prepareLab, SERIES, soakRecords, soakText, type KernelChoice,
} from '../../targets/kernel/lab/index.ts';
import { inventory, removable, remove, type Entry } from '../../targets/kernel/lab/inventory.ts';
import { cachedSanitizer } from '../../targets/kernel/lab/sanitizer.ts';

/** As commander hands them over. */
export interface LabKernelOptions {
  readonly kernel?: readonly string[];
  readonly kernelBuild?: string;
  readonly sanitize?: boolean;
}

export interface LabSoakOptions extends LabKernelOptions {
  readonly boots: number;
  readonly cases: number;
  readonly qemu?: 'machine' | 'backports';
  readonly afresh?: boolean;
}

export interface LabKernel {
  readonly kernel: KernelChoice;
  readonly sanitize: boolean;
}

/** `ovbd lab list`: a line an entry, then a line a pair that was soaked. */
export async function labList(): Promise<number> {
  const cache = new Cache();
  const entries = inventory(cache).filter(({ kind }) => kind !== 'apt' && kind !== 'soak');
  const out: string[] = [`cache folder ${cache.root}`];
  for (const entry of entries) out.push(`${entry.kind.padEnd(12)} ${megabytes(entry.bytes).padStart(7)} MB  ${age(entry.made).padStart(8)}  ${entry.key}`);
  out.push(`${entries.length} entries, ${megabytes(entries.reduce((sum, { bytes }) => sum + bytes, 0))} MB`, '');
  const records = soakRecords(cache);
  if (records.length === 0) out.push('no pair of kernel and emulator was soaked yet: ovbd lab soak');
  for (const record of records) {
    out.push(`soak         ${record.kernel} with QEMU ${record.qemu}: ${soakText(record)}`);
    if (record.failures > 0) out.push(`             refused by runs; the first failure: ${record.first ?? 'unknown'}`);
  }
  process.stdout.write(`${out.join('\n')}\n`);
  return EXIT.ok;
}

/** `ovbd lab prepare`: everything that a run on these kernels downloads or builds, the patch apart. */
export async function labPrepare(options: LabKernelOptions, signal: AbortSignal): Promise<number> {
  const cache = new Cache();
  const steps = new Steps();
  for (const { kernel, sanitize } of chosen(options)) {
    const lab = await prepareLab({ kernel, sanitize, cache, steps, signal });
    process.stdout.write(`${kernelLabel(kernel, sanitize)}: Linux ${lab.kernel.release} with QEMU ${lab.qemu.version}, ${soakText(lab.qemu.soak)}\n`);
  }
  return EXIT.ok;
}

/** `ovbd lab clean`: removes entries unless another process uses the cache. */
export async function labClean(options: { readonly all?: boolean }, signal: AbortSignal): Promise<number> {
  const cache = new Cache();
  let gone: Entry[] = [];
  const users = await whileUnused(cache, async () => {
    gone = removable(inventory(cache), options.all === true);
    for (const entry of gone) {
      if (signal.aborted) break;
      remove(entry, cache);
    }
  }, signal);
  if (users.length > 0) throw new UsageError(`nothing removed: the cache ${cache.root} is used by process ${users.join(', ')}; try again when it has ended`);
  process.stdout.write(`${gone.length} entries removed, ${megabytes(gone.reduce((sum, { bytes }) => sum + bytes, 0))} MB\n`);
  return EXIT.ok;
}

/**
 * `ovbd lab soak`: boots each pair of kernel and emulator again and again, runs the
 * stock target's cases on it, and keeps what failed. Exit code 1 where something did.
 */
export async function labSoak(options: LabSoakOptions, signal: AbortSignal): Promise<number> {
  const { soakPair } = await import('../soak-pair.ts');
  const cache = new Cache();
  const steps = new Steps();
  const kernels = options.kernel === undefined && options.sanitize !== true ? await cachedKernels(cache) : chosen(options);
  let failed = false;
  for (const { kernel, sanitize } of kernels) {
    const record = await soakPair({ kernel, sanitize, cache, steps, signal, boots: options.boots, cases: options.cases, qemu: options.qemu, afresh: options.afresh === true });
    signal.throwIfAborted();
    failed ||= record.failures > 0;
    process.stdout.write(`${record.kernel} with QEMU ${record.qemu}: ${soakText(record)}${record.first === undefined ? '' : `; the first: ${record.first}`}\n`);
  }
  return failed ? EXIT.findings : EXIT.ok;
}

/** The kernels that options name, as they are or all with sanitizers. Throws `UsageError`. */
export function chosen({ kernel, kernelBuild, sanitize = false }: LabKernelOptions): LabKernel[] {
  const texts: readonly (string | undefined)[] = kernel ?? [undefined];
  const isSeries = (text: string | undefined): boolean => SERIES.some((series) => series === text);
  // The folder belongs to the bzImage beside which series may be named too.
  const build = (text: string | undefined): string | undefined => (isSeries(text) && !texts.every(isSeries) ? undefined : kernelBuild);
  return texts.map((text) => ({ kernel: parseKernelChoice(text, build(text)), sanitize }));
}

/** The kernels of the cache; throws where there is none. */
async function cachedKernels(cache: Cache): Promise<LabKernel[]> {
  const found: LabKernel[] = [];
  for (const series of SERIES) {
    const kernel = { kind: 'debian', series } as const;
    if ((await newestCached(cache, series)) !== undefined) found.push({ kernel, sanitize: false });
    if ((await cachedSanitizer(cache, series)) !== undefined) found.push({ kernel, sanitize: true });
  }
  if (found.length === 0) throw new EngineError('no kernel is cached: ovbd lab prepare, or name one by --kernel');
  return found;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** How long ago, in the largest unit that gives at least one. */
export function age(made: number, now = Date.now()): string {
  const minutes = Math.max(0, Math.round((now - made) / 60_000));
  if (minutes < 60) return `${minutes} min`;
  return minutes < 2 * 24 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / (24 * 60))} days`;
}
