// SPDX-License-Identifier: MIT
/** The kernel's own modules: where they are and in which order they go in. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { EngineError } from '../../../model/errors.ts';
import { readModuleInfo } from './elf.ts';
import type { KernelTree } from './kernel.ts';

/**
 * What the agent needs, in the order in which it needs it; what these depend on
 * is put before them. virtio_ring stands before virtio, which uses its symbols.
 */
const WANTED = ['virtio_ring', 'virtio', 'virtio_pci', 'virtio_blk', 'virtio_console', 'dm-mod', 'dm-bufio', 'dm-zero'] as const;

/** What makes failing and slow backing devices, where the kernel has it. */
const OPTIONAL = ['dm-flakey', 'dm-delay', 'dm-dust'] as const;

export interface StockModule {
  /** File name, `dm-mod.ko`. */
  readonly file: string;
  readonly bytes: Buffer;
}

/** The modules to insert, each after those it depends on; `more` are names that a module under test depends on. */
export function stockModules(kernel: KernelTree, more: readonly string[] = []): StockModule[] {
  const available = moduleFiles(kernel);
  const builtin = new Set(listed(kernel, 'modules.builtin').keys());
  const order: StockModule[] = [];
  const seen = new Set<string>();
  const add = (name: string, asked: string): void => {
    const plain = normal(name);
    if (seen.has(plain) || builtin.has(plain)) return;
    seen.add(plain);
    const path = available.get(plain);
    if (path === undefined) throw new EngineError(`the kernel ${kernel.release} has no module ${name}${asked === name ? '' : `, which ${asked} needs`}`);
    const bytes = readFileSync(path);
    for (const needed of readModuleInfo(bytes)?.depends ?? []) add(needed, name);
    order.push({ file: basename(path), bytes });
  };
  for (const name of [...WANTED, ...OPTIONAL.filter((one) => available.has(normal(one))), ...more]) add(name, name);
  return order;
}

/** The path of one of the kernel's own modules; undefined where it has none of that name. */
export function stockModule(kernel: KernelTree, name: string): string | undefined {
  return moduleFiles(kernel).get(normal(name));
}

/** What a module of this kernel must say in its vermagic, or only how that begins where the kernel has no module to read it from. */
export function vermagicOf(kernel: KernelTree): { readonly text: string; readonly whole: boolean } {
  const any = stockModule(kernel, 'dm-mod') ?? [...moduleFiles(kernel).values()][0];
  const text = any === undefined ? undefined : readModuleInfo(readFileSync(any))?.vermagic;
  return text === undefined ? { text: `${kernel.release} `, whole: false } : { text, whole: true };
}

/** By name: a build folder lists objects, an installed tree the modules below `kernel/`. */
function moduleFiles(kernel: KernelTree): Map<string, string> {
  const files = [...listed(kernel, 'modules.order')].map(([name, line]): [string, string] => {
    const path = line.replace(/\.o$/, '.ko');
    const inBuild = join(kernel.modulesDir, path.replace(/^kernel\//, ''));
    return [name, existsSync(join(kernel.modulesDir, path)) ? join(kernel.modulesDir, path) : inBuild];
  });
  return new Map(files.filter(([, path]) => existsSync(path)));
}

/** The kernel build's list of its modules, a path a line. */
function listed(kernel: KernelTree, list: string): Map<string, string> {
  const path = join(kernel.modulesDir, list);
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  return new Map(lines.filter((line) => /\.k?o$/.test(line)).map((line) => [normal(basename(line).replace(/\.k?o$/, '')), line]));
}

/** Modules write `-` and `_` as they please; the kernel takes them as one. */
function normal(name: string): string {
  return name.replaceAll('-', '_');
}
