// SPDX-License-Identifier: MIT
/** A kernel that the user built: its bzImage, and the folder it was built in. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UsageError } from '../../../model/errors.ts';
import { findCommand } from './child.ts';
import type { KernelTree } from './kernel.ts';
import { readInput } from './sources.ts';

/** Bytes of a bzImage; distributions' have about 10 MB. */
const MAX_IMAGE_BYTES = 256 << 20;
/** What the lab cannot do without, built in or as modules (`=m`). */
const NEEDED = [
  'BLK_DEV_INITRD', 'DEVTMPFS', 'TMPFS', 'PROC_FS', 'SYSFS', 'MODULES', 'BINFMT_ELF', 'SERIAL_8250_CONSOLE', 'PCI',
  'VIRTIO_PCI', 'VIRTIO_BLK', 'VIRTIO_CONSOLE', 'BLK_DEV_DM', 'DM_BUFIO', 'DM_ZERO', 'DM_FLAKEY', 'DM_DELAY',
] as const;

/**
 * Reads what a build folder says of its kernel. Throws `UsageError` where it is
 * none, where it was not built to its end, or where its configuration lacks what the lab needs.
 */
export async function ownKernel({ bzImage, build }: { readonly bzImage: string; readonly build: string }): Promise<KernelTree> {
  const image = await readInput(bzImage, MAX_IMAGE_BYTES);
  const release = releaseOf(image);
  if (release === undefined) throw new UsageError(`${bzImage} is not a bzImage for x86: it has no boot header`);
  const folder = resolve(build);
  const part = (path: string): string => {
    const file = join(folder, path);
    if (!existsSync(file)) throw new UsageError(`${build} is not the folder of a finished kernel build: it has no ${path}`);
    return readFileSync(file, 'utf8');
  };
  part('Makefile');
  part('Module.symvers');
  const built = part('include/config/kernel.release').trim();
  if (built !== release) throw new UsageError(`${bzImage} is the kernel ${release}, and ${build} was built for ${built}: modules of the one do not go into the other`);
  const config = parseConfig(part('.config'));
  const absent = NEEDED.filter((name) => !/^[ym]$/.test(config.get(`CONFIG_${name}`) ?? ''));
  if (absent.length > 0) throw new UsageError(`the kernel of ${build} lacks ${absent.map((name) => `CONFIG_${name}`).join(', ')}, which the lab needs (DM_BUFIO comes with DM_SNAPSHOT)`);
  return {
    release,
    bzImage: resolve(bzImage),
    modulesDir: folder,
    headersDir: folder,
    packages: { bzImage: sha256(image), config: sha256(part('.config')), 'Module.symvers': sha256(part('Module.symvers')) },
    makeVariables: compilerOf(config),
    coverage: config.get('CONFIG_GCOV_KERNEL') === 'y',
    sanitizers: config.get('CONFIG_KASAN') === 'y',
  };
}

/**
 * The release that a bzImage says in its boot header: the offset of a string from
 * byte 0x200 stands at 0x20e, behind the magic "HdrS" (the kernel's
 * Documentation/x86/boot.rst). Undefined for what is no bzImage.
 */
export function releaseOf(image: Buffer): string | undefined {
  if (image.length < 0x210 || image.toString('latin1', 0x202, 0x206) !== 'HdrS') return undefined;
  const at = 0x200 + image.readUInt16LE(0x20e);
  const text = /^[\x21-\x7e]+/.exec(image.toString('latin1', at, at + 128))?.[0];
  return text === undefined || text === '' ? undefined : text;
}

/** The options of a .config that are set, `CONFIG_X` → its value without quotes. */
export function parseConfig(text: string): Map<string, string> {
  const matches = [...text.matchAll(/^(CONFIG_\w+)=(?:"(.*)"|(.*))$/gm)];
  return new Map(matches.map((match) => [match[1]!, match[2] ?? match[3]!]));
}

/** The compiler that the kernel was built with, where the machine has it; else make decides. */
function compilerOf(config: ReadonlyMap<string, string>): string[] {
  if (config.get('CONFIG_CC_IS_CLANG') === 'y') return ['LLVM=1'];
  const name = config.get('CONFIG_CC_VERSION_TEXT')?.split(' ')[0];
  return name !== undefined && /^[\w.+-]+$/.test(name) && findCommand(name) !== undefined ? [`CC=${name}`] : [];
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
