// SPDX-License-Identifier: MIT
/** The lab itself: needs Debian 12's apt and, the first time, its mirror. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isRoot } from './apt.ts';
import { readModuleInfo } from './elf.ts';
import { Cache, ensureKernel, loadPatches, missingPackages, newestCached, prepareLab, Steps } from './index.ts';
import { buildModule, takeModule } from './module.ts';
import { stockModules } from './modules.ts';

const cache = new Cache();
const steps = new Steps();
const folder = mkdtempSync(join(tmpdir(), 'ovbd-lab-'));
afterAll(() => rmSync(folder, { recursive: true }));

const debian12 = existsSync('/etc/os-release') && /^VERSION_CODENAME=bookworm$/m.test(readFileSync('/etc/os-release', 'utf8'));
const missing = missingPackages();
const why =
  process.arch !== 'x64' ? 'this is not x86-64'
  : !debian12 && (await newestCached(cache)) === undefined ? 'this is not Debian 12 and no kernel is cached'
  : missing.length > 0 && !isRoot() ? `missing: ${missing.join(', ')}`
  : undefined;
if (why !== undefined) console.warn(`skipped: the kernel lab, ${why}`);

const seeds = join(process.env['OVBD_SHARED'] ?? '../shared', 'seeds');
const seed = (prefix: string): string | undefined => (existsSync(seeds) ? join(seeds, readdirSync(seeds).find((name) => name.startsWith(prefix))!) : undefined);
const [v3, thread] = [seed('002'), seed('001')];
if (v3 === undefined) console.warn(`skipped: a build of the real patch, there is no folder ${seeds} (set OVBD_SHARED)`);

const LONG = 600_000;

describe.skipIf(why !== undefined)('the lab', () => {
  it('is made of a kernel, an emulator and an initramfs, and is there at once when asked again', async () => {
    const lab = await prepareLab({ cache, steps });
    expect(existsSync(lab.kernel.bzImage)).toBe(true);
    expect(lab.qemu.version).toMatch(/^\d+\./);
    expect(lab.module).toBeUndefined();
    let said = '';
    const began = performance.now();
    expect(await prepareLab({ cache, steps: new Steps({ write: (text) => (said += text) }) })).toEqual(lab);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(said).toBe('');
  }, LONG);

  it('inserts modules after those they depend on', async () => {
    const order = stockModules(await ensureKernel(cache, steps));
    const names = order.map(({ bytes }) => readModuleInfo(bytes)!.name);
    order.forEach(({ bytes }, at) => {
      for (const needed of readModuleInfo(bytes)!.depends) expect(names.slice(0, at)).toContain(needed.replaceAll('-', '_'));
    });
    expect(names).toEqual(expect.arrayContaining(['virtio_blk', 'virtio_console', 'dm_mod', 'dm_bufio']));
  }, LONG);

  const target = (body: string): Map<string, string> =>
    new Map([['dm-overlaybd.c', `#include <linux/module.h>\n#include <linux/device-mapper.h>\n#include "dm.h"\n${body}\nMODULE_LICENSE("GPL");\n`], ['dm.h', '/* ours */\n']]);

  it('builds sources that are named like the module, the same bytes in another cache, and takes the result as a file', async () => {
    const kernel = await ensureKernel(cache, steps);
    const sources = target('static int __init start(void) { WARN_ON(!jiffies); return 0; } module_init(start);');
    const one = await buildModule(sources, 'one', kernel, new Cache(join(folder, 'a')), steps);
    const two = await buildModule(sources, 'two', kernel, new Cache(join(folder, 'another')), steps);
    expect(two.sha256).toBe(one.sha256);
    expect(readFileSync(two.symbols!).equals(readFileSync(one.symbols!))).toBe(true);
    expect(readFileSync(one.symbols!).includes(folder)).toBe(false);
    expect(one.kernelName).toBe('dm_overlaybd');
    expect(readdirSync(one.sourceFolder!).sort()).toEqual(['dm-overlaybd.c', 'dm.h']);
    const taken = await takeModule(one.symbols!, kernel, new Cache(join(folder, 'b')));
    expect(taken.sha256).toBe(one.sha256);
  }, LONG);

  it('shows the first errors of sources that do not compile', async () => {
    const kernel = await ensureKernel(cache, steps);
    const build = buildModule(target('int x = nothing;'), 'wrong.patch', kernel, new Cache(join(folder, 'a')), steps);
    await expect(build).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringMatching(/^wrong\.patch does not compile on \S+:\n {2}dm-overlaybd\.c:4:9: error: .nothing. undeclared/) as string,
    });
  }, LONG);

  it('shows the symbols that the kernel does not have', async () => {
    const kernel = await ensureKernel(cache, steps);
    const build = buildModule(target('int f(void); int __init g(void) { return f(); } module_init(g);'), 'wrong.patch', kernel, new Cache(join(folder, 'a')), steps);
    await expect(build).rejects.toThrow(/ERROR: modpost: "f" \[dm-overlaybd\.ko\] undefined!/);
  }, LONG);

  it('refuses files that are no modules of this kernel', async () => {
    const kernel = await ensureKernel(cache, steps);
    const text = join(folder, 'text.ko');
    writeFileSync(text, 'not a module');
    await expect(takeModule(text, kernel, cache)).rejects.toThrow(/is not a kernel module/);
    await expect(takeModule(process.execPath, kernel, cache)).rejects.toThrow(/is not a kernel module/);
    const foreign = join(folder, 'foreign.ko');
    copyFileSync(join(kernel.modulesDir, 'kernel/drivers/md/dm-zero.ko'), foreign);
    const bytes = readFileSync(foreign);
    bytes.write('vermagic=9.9', bytes.indexOf('vermagic='));
    writeFileSync(foreign, bytes);
    await expect(takeModule(foreign, kernel, cache)).rejects.toThrow(/was built for another kernel: its vermagic is "9\.9/);
  }, LONG);

  it.skipIf(v3 === undefined)('builds the real patch', async () => {
    const lab = await prepareLab({ patch: v3, cache, steps });
    expect(lab.module!.kernelName).toBe('dm_overlaybd');
    expect(lab.module!.sources).toMatch(/^[0-9a-f]{64}$/);
    expect(lab.parts).toMatchObject({ qemu: lab.qemu.version, sources: lab.module!.sources, module: lab.module!.sha256 });
    expect(readFileSync(lab.initramfs).includes('dm-overlaybd.ko')).toBe(true);
  }, LONG);

  it.skipIf(thread === undefined)('builds every version of the thread', async () => {
    const { columns } = await loadPatches([thread!], undefined);
    expect(columns.map((c) => c.name)).toEqual(['v1', 'v2', 'v3']);
    const kernel = await ensureKernel(cache, steps);
    for (const { sources, title } of columns) expect((await buildModule(sources, title, kernel, cache, steps)).kernelName).toBe('dm_overlaybd');
  }, LONG);
});
