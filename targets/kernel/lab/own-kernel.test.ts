// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ownKernel, parseConfig, releaseOf } from './own-kernel.ts';
import { stockModule, vermagicOf } from './modules.ts';

const folder = mkdtempSync(join(tmpdir(), 'ovbd-own-'));
afterAll(() => rmSync(folder, { recursive: true }));

function bzImage(release: string): Buffer {
  const image = Buffer.alloc(2048);
  image.write('HdrS', 0x202);
  image.writeUInt16LE(0x300, 0x20e);
  image.write(`${release} (someone@somewhere) #1 SMP\0`, 0x500);
  return image;
}

const CONFIG = ['BLK_DEV_INITRD', 'DEVTMPFS', 'TMPFS', 'PROC_FS', 'SYSFS', 'MODULES', 'BINFMT_ELF', 'SERIAL_8250_CONSOLE', 'PCI', 'VIRTIO_PCI', 'VIRTIO_BLK', 'VIRTIO_CONSOLE', 'BLK_DEV_DM', 'DM_BUFIO', 'DM_ZERO', 'DM_FLAKEY', 'DM_DELAY'];

let made = 0;
function build(files: Readonly<Record<string, string>>): { bzImage: string; build: string } {
  const root = join(folder, String(made++));
  const all = {
    Makefile: '', 'Module.symvers': '', 'include/config/kernel.release': '6.9.0-mine\n', '.config': CONFIG.map((name) => `CONFIG_${name}=y\n`).join(''), ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  writeFileSync(join(root, 'bzImage'), bzImage('6.9.0-mine'));
  return { bzImage: join(root, 'bzImage'), build: root };
}

describe('a kernel of the user', () => {
  it('is read from its bzImage and its build folder', async () => {
    const given = build({ 'modules.order': 'drivers/md/dm-mod.o\ndrivers/md/gone.o\n', 'drivers/md/dm-mod.ko': '' });
    const tree = await ownKernel(given);
    expect(tree).toMatchObject({ release: '6.9.0-mine', headersDir: given.build, coverage: false, makeVariables: [] });
    expect(stockModule(tree, 'dm_mod')).toBe(join(given.build, 'drivers/md/dm-mod.ko'));
    expect(stockModule(tree, 'gone')).toBeUndefined();
    expect(vermagicOf(tree)).toEqual({ text: '6.9.0-mine ', whole: false });
    const other = await ownKernel(build({ '.config': `${CONFIG.map((name) => `CONFIG_${name}=m\n`).join('')}CONFIG_GCOV_KERNEL=y\nCONFIG_CC_IS_CLANG=y\n` }));
    expect(other).toMatchObject({ coverage: true, makeVariables: ['LLVM=1'] });
    expect(other.packages['config']).not.toBe(tree.packages['config']);
  });

  it.each([
    [{ 'include/config/kernel.release': '6.9.1\n' }, /is the kernel 6\.9\.0-mine, and .* was built for 6\.9\.1/],
    [{ '.config': 'CONFIG_MODULES=y\nCONFIG_PCI=n\n# CONFIG_TMPFS is not set\n' }, /lacks CONFIG_BLK_DEV_INITRD, .*CONFIG_TMPFS.*CONFIG_PCI/],
  ])('is refused with %j', async (files, reason) => {
    await expect(ownKernel(build(files))).rejects.toMatchObject({ name: 'UsageError', message: expect.stringMatching(reason) as string });
  });

  it('is refused where the folder was not built, or the image is none', async () => {
    const given = build({});
    rmSync(join(given.build, 'Module.symvers'));
    await expect(ownKernel(given)).rejects.toThrow(/is not the folder of a finished kernel build: it has no Module\.symvers/);
    await expect(ownKernel({ ...given, bzImage: join(given.build, '.config') })).rejects.toThrow(/is not a bzImage/);
    await expect(ownKernel({ ...given, bzImage: join(given.build, 'none') })).rejects.toThrow(/cannot read/);
  });

  it('says no release where its header points outside or at nothing', () => {
    const image = bzImage('6.9.0');
    expect(releaseOf(image)).toBe('6.9.0');
    image.writeUInt16LE(0xffff, 0x20e);
    expect(releaseOf(image)).toBeUndefined();
    expect(releaseOf(Buffer.alloc(10))).toBeUndefined();
    expect(releaseOf(Buffer.alloc(4096))).toBeUndefined();
  });

  it('has the options that are set', () => {
    expect([...parseConfig('# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C="x y"\nCONFIG_D=0x10\n')]).toEqual([['CONFIG_B', 'y'], ['CONFIG_C', 'x y'], ['CONFIG_D', '0x10']]);
  });
});
