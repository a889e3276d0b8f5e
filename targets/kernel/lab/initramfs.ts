// SPDX-License-Identifier: MIT
/** The first file system of the guest: the agent as /init and the modules with their order. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Cache } from './cache.ts';
import { writeCpio, type CpioEntry } from './cpio.ts';
import { readModuleInfo } from './elf.ts';
import type { KernelTree } from './kernel.ts';
import { stockModules } from './modules.ts';

export interface Initramfs {
  readonly path: string;
  /** SHA-256 (hex) of the file. */
  readonly sha256: string;
}

const FOLDER = 0o040755;
const CONSOLE = { name: 'dev/console', mode: 0o020600, device: [5, 1] } as const;

/**
 * Makes the archive: `/init`, `/modules/*.ko`, and `/modules/order` with one file
 * name a line in the order of insertion. `/dev/console` is there so that the agent
 * has its output from its first instruction on. `more`: modules of the kernel's own that are inserted besides.
 */
export async function buildInitramfs(agent: string, module: string | undefined, kernel: KernelTree, cache: Cache, signal?: AbortSignal, more: readonly string[] = []): Promise<Initramfs> {
  const own = module === undefined ? undefined : { file: basename(module), bytes: await readFile(module) };
  const needed = own === undefined ? [] : (readModuleInfo(own.bytes)?.depends ?? []);
  const modules = [...stockModules(kernel, [...more, ...needed]), ...(own === undefined ? [] : [own])];
  const entries: CpioEntry[] = [
    ...['dev', 'modules', 'proc', 'sys'].map((name) => ({ name, mode: FOLDER })),
    CONSOLE,
    { name: 'init', mode: 0o100755, data: await readFile(agent) },
    ...modules.map(({ file, bytes }) => ({ name: `modules/${file}`, mode: 0o100644, data: bytes })),
    { name: 'modules/order', mode: 0o100644, data: Buffer.from(modules.map(({ file }) => `${file}\n`).join('')) },
  ];
  const archive = writeCpio(entries);
  const sha256 = createHash('sha256').update(archive).digest('hex');
  const folder = await cache.make('initramfs', sha256.slice(0, 32), 'the initramfs', (temp) => writeFile(join(temp, 'initramfs.cpio'), archive), { signal });
  return { path: join(folder, 'initramfs.cpio'), sha256 };
}
