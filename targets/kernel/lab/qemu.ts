// SPDX-License-Identifier: MIT
/** The emulators of the lab: the machine's, and a newer one unpacked into the cache and run from there. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError, UsageError } from '../../../model/errors.ts';
import { aptShow, type AptPackage } from './apt.ts';
import { backports } from './backports.ts';
import type { Cache } from './cache.ts';
import { CLEAN_ENV, findCommand, run } from './child.ts';
import { fileSafe, fromApt, unpackPackages, type FromApt } from './debs.ts';
import { soakOf, soakText, type SoakRecord } from './soak-record.ts';
import type { KernelTree } from './kernel.ts';
import type { Steps } from './steps.ts';

export interface Qemu {
  readonly path: string;
  /** As it says it: `7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)`. */
  readonly version: string;
  /** Folders of its firmware where it does not find them itself. */
  readonly firmware: readonly string[];
}

/** An emulator, why it was chosen, and what is known of it with this kernel. */
export interface ChosenQemu extends Qemu {
  readonly soak?: SoakRecord;
}

/** The machine's own, or that of Debian 12's backports. */
export const QEMUS = ['machine', 'backports'] as const;
export type WhichQemu = (typeof QEMUS)[number];

const KIND = 'qemu';
const PACKAGE = 'qemu-system-x86';
/** The system emulator with what it reads at start; its libraries are those of Debian 12's own QEMU. */
const PACKAGES = [PACKAGE, 'qemu-system-data', 'seabios'] as const;
/** First release that kernels after 6.1 are stable on under emulation: 7.2 fails by itself in a third of boots (design document). */
const NEWER = 10;

/** The QEMU that is installed. */
export async function machineQemu(signal?: AbortSignal): Promise<Qemu> {
  const path = findCommand('qemu-system-x86_64');
  if (path === undefined) throw new EngineError('qemu-system-x86_64 is gone');
  return described(path, [], signal);
}

/** The QEMU of Debian 12's backports in the cache, fetched where it is absent. Throws as `fromApt` does. */
export async function backportsQemu(cache: Cache, steps: Steps, signal?: AbortSignal): Promise<Qemu> {
  const folder = (await newestFolder(cache)) ?? (await fetchQemu(cache, steps, signal));
  return inFolder(folder, signal);
}

/** The backports' QEMU where the cache has it. */
export async function cachedQemu(cache: Cache, signal?: AbortSignal): Promise<Qemu | undefined> {
  const folder = await newestFolder(cache);
  return folder === undefined ? undefined : inFolder(folder, signal);
}

/**
 * The emulator for a kernel: the machine's where the pair is known to hold, else the
 * backports'. A pair that failed by itself in a soak is passed over. Throws
 * `EngineError` with reason and remedy where no pair is left.
 */
export async function chooseQemu(kernel: KernelTree, cache: Cache, steps: Steps, signal?: AbortSignal): Promise<ChosenQemu> {
  return (await choose(kernel, cache, signal, () => backportsQemu(cache, steps, signal)))!;
}

/**
 * The emulator that was asked for. Throws `UsageError` with reason and remedy where the
 * pair is known to fail by itself: nothing that happens on it could be blamed on what it runs.
 */
export async function namedQemu(which: WhichQemu, kernel: KernelTree, cache: Cache, steps: Steps, signal?: AbortSignal): Promise<ChosenQemu> {
  const qemu = which === 'machine' ? await machineQemu(signal) : await backportsQemu(cache, steps, signal);
  const soak = await soakOf(cache, kernel, qemu);
  const old = needsNewer(kernel.release) && major(qemu.version) < NEWER;
  if (!old && (soak === undefined || soak.failures === 0)) return { ...qemu, ...(soak === undefined ? {} : { soak }) };
  const known = soak === undefined ? 'it was not soaked here; elsewhere about a third of its boots failed' : `${soakText(soak)}${soak.first === undefined ? '' : ` (the first: ${soak.first})`}`;
  throw new UsageError(
    `--qemu ${which}: the kernel ${kernel.release} fails by itself under QEMU ${qemu.version}, so no failure could be blamed on what it runs: ${known}; ` +
    `leave --qemu out, and the lab takes an emulator that holds${old ? ` (QEMU ${NEWER} or newer)` : ''}; to see the rate: ovbd lab soak --qemu ${which}`,
  );
}

/** What `chooseQemu` gives, without fetching anything: undefined where it is yet to be fetched, or none is installed. */
export async function cachedChoice(kernel: KernelTree, cache: Cache): Promise<ChosenQemu | undefined> {
  return choose(kernel, cache, undefined, () => cachedQemu(cache));
}

async function choose(
  kernel: KernelTree, cache: Cache, signal: AbortSignal | undefined, newer: () => Promise<Qemu | undefined>,
): Promise<ChosenQemu | undefined> {
  const refused: string[] = [];
  for (const which of ['machine', 'backports'] as const) {
    if (which === 'machine' && findCommand('qemu-system-x86_64') === undefined) continue;
    const qemu = which === 'machine' ? await machineQemu(signal) : await newer();
    if (qemu === undefined) return undefined;
    if (which === 'machine' && needsNewer(kernel.release) && major(qemu.version) < NEWER) continue;
    const soak = await soakOf(cache, kernel, qemu);
    if (soak === undefined || soak.failures === 0) return { ...qemu, ...(soak === undefined ? {} : { soak }) };
    refused.push(`QEMU ${qemu.version}: ${soakText(soak)}${soak.first === undefined ? '' : ` (${soak.first})`}`);
  }
  throw new EngineError(
    `the kernel ${kernel.release} fails by itself under each emulator here, so no failure could be blamed on what it runs: ${refused.join('; ')}; ` +
    'choose another --kernel, or soak again after an upgrade: ovbd lab soak --afresh',
  );
}

/**
 * The emulators that can be soaked with a kernel: the machine's, and the backports'
 * where the cache has it or the kernel needs it. The first that is known to hold comes first.
 */
export async function qemusFor(kernel: KernelTree, cache: Cache, steps: Steps, signal?: AbortSignal): Promise<Qemu[]> {
  const newer = needsNewer(kernel.release);
  const cached = newer ? await backportsQemu(cache, steps, signal) : await cachedQemu(cache, signal);
  const both = [await machineQemu(signal), ...(cached === undefined ? [] : [cached])];
  return newer ? both.reverse() : both;
}

/** True for kernels that need a newer QEMU than Debian 12's own: all after 6.1. */
export function needsNewer(release: string): boolean {
  const [first = 0, second = 0] = release.split('.').map((part) => parseInt(part, 10));
  return first > 6 || (first === 6 && second > 1);
}

function major(version: string): number {
  return parseInt(version, 10) || 0;
}

async function newestFolder(cache: Cache): Promise<string | undefined> {
  const key = (await cache.list(KIND)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  return key === undefined ? undefined : cache.find(KIND, key);
}

function inFolder(folder: string, signal?: AbortSignal): Promise<Qemu> {
  const root = join(folder, 'root');
  return described(join(root, 'usr/bin/qemu-system-x86_64'), [join(root, 'usr/share/qemu'), join(root, 'usr/share/seabios')], signal);
}

async function described(path: string, firmware: readonly string[], signal?: AbortSignal): Promise<Qemu> {
  const result = await run(path, ['--version'], { env: CLEAN_ENV, seconds: 20, signal });
  const version = /version (.+)$/m.exec(result.stdout)?.[1];
  if (version === undefined) throw new EngineError(`${path} does not say its version: ${(result.stderr || result.stdout).trim().split('\n')[0] ?? ''}`);
  return { path, version, firmware };
}

async function fetchQemu(cache: Cache, steps: Steps, signal?: AbortSignal): Promise<string> {
  const from: FromApt = { view: await backports(cache), steps, signal, what: 'a newer QEMU' };
  const resolve = async (): Promise<AptPackage[] | undefined> => {
    const known = await aptShow(PACKAGES, signal, from.view);
    const all = PACKAGES.map((name) => known.get(name));
    return all.every((p) => p !== undefined) ? (all as AptPackage[]) : undefined;
  };
  return fromApt(from, resolve, (packages) =>
    cache.make(KIND, fileSafe(packages[0]!.version), 'a newer QEMU', async (temp) => {
      await unpackPackages(packages, temp, `QEMU ${packages[0]!.version}`, from);
      const root = join(temp, 'root');
      for (const rest of ['usr/share/doc', 'usr/share/man', 'usr/bin/qemu-system-i386']) await rm(join(root, rest), { recursive: true, force: true });
      const path = join(root, 'usr/bin/qemu-system-x86_64');
      if (!existsSync(path)) throw new EngineError(`the package ${PACKAGE} does not hold usr/bin/qemu-system-x86_64`);
      await described(path, [], signal);
    }, { signal, onWait: () => steps.note('waiting for another run that fetches QEMU') }),
  );
}
