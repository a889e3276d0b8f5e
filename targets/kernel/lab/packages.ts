// SPDX-License-Identifier: MIT
/** The system packages of the lab: which are missing, and getting them. */
import { existsSync } from 'node:fs';
import { EngineError, UsageError } from '../../../model/errors.ts';
import { APT_OPTIONS, aptEnv, aptProgress, aptReason, aptUpdate, hasApt, isRoot, noApt, withAptLock } from './apt.ts';
import { findCommand, run } from './child.ts';
import type { Steps } from './steps.ts';

/**
 * `vm`: to boot anything. `build`: to compile the agent or a module that is not in
 * the cache. `xz`: to unpack what Debian compresses so. `kernel`: to compile a kernel.
 * `fs`: to make file systems. `clang`: to fuzz the module's code in userspace.
 * `browser` and `xml`: what tests of reports look at them with.
 */
export type Purpose = 'vm' | 'build' | 'xz' | 'kernel' | 'fs' | 'clang' | 'browser' | 'xml';

/** What every run may need; the rest is installed only where it is wanted. */
const COMMON: readonly Purpose[] = ['vm', 'build'];

interface Need {
  readonly package: string;
  readonly purpose: Purpose;
  present(): boolean;
}

const LIBRARY_FOLDERS = ['/usr/lib/x86_64-linux-gnu', '/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib'];
/** Of libclang-rt-14-dev, which clang only recommends. */
const LIBFUZZER = '/usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer-x86_64.a';
const command = (...names: string[]) => (): boolean => names.every((name) => findCommand(name) !== undefined);
const library = (name: string) => (): boolean => LIBRARY_FOLDERS.some((folder) => existsSync(`${folder}/${name}`));

/**
 * What Debian 12 lacks when nothing is installed, found by watching a module
 * build and a static link; the rest of what they run (awk, cmp, sed, grep) is
 * essential there. gcc-12 is what Debian's 6.1 headers ask for by name; libelf1
 * is for their objtool.
 */
const NEEDS: readonly Need[] = [
  { package: 'qemu-system-x86', purpose: 'vm', present: command('qemu-system-x86_64') },
  { package: 'gcc-12', purpose: 'build', present: command('gcc-12') },
  { package: 'binutils', purpose: 'build', present: command('ld', 'as', 'nm', 'strip') },
  { package: 'make', purpose: 'build', present: command('make') },
  { package: 'libc6-dev', purpose: 'build', present: library('libc.a') },
  { package: 'libelf1', purpose: 'build', present: library('libelf.so.1') },
  { package: 'xz-utils', purpose: 'xz', present: command('xz') },
  { package: 'xz-utils', purpose: 'kernel', present: command('xz') },
  { package: 'bc', purpose: 'kernel', present: command('bc') },
  { package: 'flex', purpose: 'kernel', present: command('flex') },
  { package: 'bison', purpose: 'kernel', present: command('bison') },
  { package: 'e2fsprogs', purpose: 'fs', present: command('mke2fs', 'debugfs') },
  { package: 'erofs-utils', purpose: 'fs', present: command('mkfs.erofs') },
  { package: 'squashfs-tools', purpose: 'fs', present: command('mksquashfs') },
  { package: 'clang-14', purpose: 'clang', present: command('clang-14') },
  { package: 'libclang-rt-14-dev', purpose: 'clang', present: () => existsSync(LIBFUZZER) },
  { package: 'chromium', purpose: 'browser', present: command('chromium') },
  { package: 'libxml2-utils', purpose: 'xml', present: command('xmllint') },
  { package: 'libelf-dev', purpose: 'kernel', present: () => existsSync('/usr/include/gelf.h') },
];

/** Packages are missing and we may not install them. The message holds the command to run. */
export class MissingPackages extends UsageError {
  readonly packages: readonly string[];
  /** The command to run as root. */
  readonly install: string;

  constructor(packages: readonly string[]) {
    const install = installCommand(packages);
    super(`missing: ${packages.join(', ')}; run as root: ${install}`);
    this.packages = packages;
    this.install = install;
  }
}

/** The missing packages of these purposes, without one of those that every run may need; costs a few look-ups of files. */
export function missingPackages(...purposes: Purpose[]): string[] {
  const wanted = purposes.length === 0 ? COMMON : purposes;
  return [...new Set(NEEDS.filter((need) => wanted.includes(need.purpose) && !need.present()).map((need) => need.package))];
}

/** The command that installs packages. */
export function installCommand(packages: readonly string[]): string {
  return `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

/**
 * Returns when nothing of that purpose is missing; as root, installs all that the
 * lab lacks for it and for ordinary runs. Throws `MissingPackages` without root, `EngineError` with apt's
 * reason where it fails.
 */
export async function ensurePackages(purpose: Purpose, steps: Steps, signal?: AbortSignal): Promise<void> {
  const missing = missingPackages(purpose);
  if (missing.length === 0) return;
  if (!hasApt()) throw noApt(`missing: ${missing.join(', ')}`);
  // What all runs need comes along: who boots will most likely compile.
  const all = (): string[] => missingPackages(...COMMON, purpose);
  if (!isRoot()) throw new MissingPackages(all());
  await withAptLock(
    async () => {
      const wanted = all();
      if (wanted.length === 0) return;
      await steps.run(`install ${wanted.join(', ')}`, async (say) => {
        const lists = await aptUpdate({ signal, say });
        const result = await run('apt-get', [...APT_OPTIONS, 'install', '-y', '--no-install-recommends', ...wanted], {
          env: aptEnv(), seconds: 1800, signal, onLine: (line) => say(aptProgress(line)), diesWithParent: false,
        });
        if (result.code !== 0) throw new EngineError(`cannot install ${wanted.join(', ')}: ${lists ?? aptReason(result)}`);
      });
      const still = all();
      if (still.length > 0) throw new EngineError(`installed ${still.join(', ')}, but what the lab needs of them is not there`);
    },
    { signal, onWait: () => steps.note('waiting for another run that installs packages') },
  );
}
