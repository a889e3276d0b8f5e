// SPDX-License-Identifier: MIT
/** `ovbd doctor`: what is there for a run, what is missing, and what to do about it. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { EXIT } from '../../model/index.ts';
import { hasApt, isRoot } from '../../targets/kernel/lab/apt.ts';
import { Cache, installCommand, missingPackages, newestCached, SERIES, soakText } from '../../targets/kernel/lab/index.ts';
import { cachedChoice } from '../../targets/kernel/lab/qemu.ts';
import { cachedSanitizer } from '../../targets/kernel/lab/sanitizer.ts';

/** Bytes: packages, the unpacked kernel and builds; VMs' short-lived files. */
const CACHE_BYTES = 1e9;
const TEMPORARY_BYTES = 500e6;

interface Finding {
  /** `missing` fails the check; `note` is worth knowing. */
  readonly state: 'ok' | 'note' | 'missing';
  readonly what: string;
  readonly text: string;
}

/** Prints one line a check. Exit code 0 where a default run has, or can install, all it needs. */
export async function doctor(): Promise<number> {
  const cache = new Cache();
  const kernel = await newestCached(cache).catch(() => undefined);
  const more = await pairs(cache);
  const findings: Finding[] = [
    node(), machine(), ...packages(), apt(kernel !== undefined), kvm(),
    folder('cache folder', cache.root, CACHE_BYTES, 'set OVBD_CACHE to another folder'),
    folder('temporary', tmpdir(), TEMPORARY_BYTES, 'set TMPDIR to another folder'),
    ...(kernel === undefined ? [{ state: 'note', what: 'kernel', text: 'none cached: the first run downloads one' } as const] : []),
    ...more,
    { state: 'ok', what: 'modules', text: `${(await cache.list('module')).length} cached` },
  ];
  for (const f of findings) process.stdout.write(`${f.state.padEnd(8)} ${f.what.padEnd(13)} ${f.text}\n`);
  return findings.some((f) => f.state === 'missing') ? EXIT.findings : EXIT.ok;
}

/** Each cached kernel with the emulator that a run would take for it, and what soaks found of the two. */
async function pairs(cache: Cache): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const series of SERIES) {
    for (const kernel of [await newestCached(cache, series).catch(() => undefined), await cachedSanitizer(cache, series).catch(() => undefined)]) {
      if (kernel === undefined) continue;
      const qemu = await cachedChoice(kernel, cache).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
      const text = typeof qemu === 'string' ? qemu : qemu === undefined ? 'no QEMU yet that holds with it: the next run fetches one' : `QEMU ${qemu.version.split(' ')[0]}, ${soakText(qemu.soak)}`;
      found.push({ state: typeof qemu === 'string' ? 'missing' : 'ok', what: 'kernel', text: `${kernel.release} cached; ${text}` });
    }
  }
  return found;
}

function node(): Finding {
  const ok = Number(process.versions.node.split('.')[0]) >= 20;
  return { state: ok ? 'ok' : 'missing', what: 'Node', text: `${process.versions.node}${ok ? '' : ': install version 20 or later'}` };
}

function machine(): Finding {
  const ok = process.platform === 'linux' && process.arch === 'x64';
  return { state: ok ? 'ok' : 'missing', what: 'machine', text: `${process.platform} ${process.arch}${ok ? '' : ': virtual machines need Linux on x86-64; --no-vm does not'}` };
}

function packages(): Finding[] {
  return (['vm', 'build'] as const).map((purpose): Finding => {
    const what = purpose === 'vm' ? 'QEMU' : 'compiler';
    const missing = missingPackages(purpose);
    if (missing.length === 0) return { state: 'ok', what, text: 'installed' };
    const canInstall = isRoot() && hasApt();
    return {
      state: canInstall ? 'note' : 'missing', what,
      text: canInstall ? `a run installs ${missing.join(', ')}` : `as root: ${installCommand(missing)}`,
    };
  });
}

function apt(kernelCached: boolean): Finding {
  if (hasApt()) return { state: 'ok', what: 'apt', text: `there${isRoot() ? '' : '; packages are installed only as root'}` };
  return {
    state: kernelCached ? 'note' : 'missing', what: 'apt',
    text: 'absent: kernels come from Debian 12\'s packages; use a machine or container with Debian 12',
  };
}

function kvm(): Finding {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return { state: 'note', what: '/dev/kvm', text: 'there; used only where a test boot succeeds in time, emulation otherwise' };
  } catch {
    return { state: 'note', what: '/dev/kvm', text: 'absent: virtual machines are emulated, which is enough' };
  }
}

/** A folder that is, or can be made, writable and has room. */
function folder(what: string, path: string, bytes: number, remedy: string): Finding {
  let existing = path;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  try {
    accessSync(existing, constants.W_OK);
    const { bavail, bsize } = statfsSync(existing);
    const free = bavail * bsize;
    const text = `${path}, ${(free / 1e9).toFixed(1)} GB free`;
    return free >= bytes ? { state: 'ok', what, text } : { state: 'missing', what, text: `${text}, ${bytes / 1e9} GB wanted: free some, or ${remedy}` };
  } catch {
    return { state: 'missing', what, text: `${path} cannot be written: ${remedy}` };
  }
}
