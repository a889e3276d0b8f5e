// SPDX-License-Identifier: MIT
/** The ready entries of targets.json: with the real programs where they are there, else with stand-ins of the same command lines. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCommand } from '../cli/command-targets.ts';
import { openWriters } from '../cli/writers.ts';
import { caseOfImages, type ImageBytes } from '../engine/compare/images.ts';
import { compareWriters } from '../engine/compare/writers.ts';
import { execute, type Executed } from '../engine/execute.ts';
import { commitLayer, runScript, type WritableLayer } from '../generators/commit.ts';
import { PLAIN_ZFILE, writeZFile } from '../generators/zfile-writer.ts';
import { writeTar } from '../generators/tar-writer.ts';
import { findCommand } from '../targets/kernel/lab/child.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const standIns = path.join(root, 'test', 'stand-ins');
const real = { OVBD_REAL_QEMU_IMG: findCommand('qemu-img'), OVBD_REAL_QEMU_IO: findCommand('qemu-io'), OVBD_REAL_QEMU_NBD: findCommand('qemu-nbd') };
const qemu = Object.values(real).every((p) => p !== undefined);
const nbdkit = findCommand('nbdkit') !== undefined && findCommand('nbdcopy') !== undefined;
const before = { ...process.env };

beforeAll(() => {
  const tsx = `${process.execPath} --import ${import.meta.resolve('tsx')}`;
  Object.assign(process.env, {
    OVBD_STAND_IN_DIR: standIns, OVBD_STAND_IN: `${process.execPath} ${path.join(root, 'cli', 'ovbd.mjs')}`, OVBD_STAND_IN_WRITER: `${tsx} ${path.join(standIns, 'writer.ts')}`,
    ...Object.fromEntries(Object.entries(real).filter(([, p]) => p !== undefined)),
  });
});
afterAll(() => {
  process.env = before;
});

/** Runs with the stand-ins before the real programs. */
async function inPlace<T>(work: () => Promise<T>): Promise<T> {
  const { PATH } = process.env;
  process.env['PATH'] = `${standIns}:${PATH}`;
  try {
    return await work();
  } finally {
    process.env['PATH'] = PATH;
  }
}

const VIRTUAL = 65536;

function pair(sector: number, seed: number): WritableLayer {
  const content = new Uint8Array(4096).map((_, i) => (seed + i * 7 + (i >> 9)) & 0xff);
  return runScript([{ kind: 'write', offset: sector * 512, content }, { kind: 'discard', offset: 0, length: 512 }], { virtualSize: VIRTUAL });
}

const sealed = (sector: number, seed: number): Uint8Array => commitLayer(pair(sector, seed), { virtualSize: VIRTUAL });
const damaged = (): Uint8Array => {
  const bytes = sealed(8, 1);
  bytes[bytes.length - 4096]! ^= 1;
  return bytes;
};
const wrapped = (sector: number, seed: number): Uint8Array => writeZFile(sealed(sector, seed), PLAIN_ZFILE);
const STACK: readonly ImageBytes[] = [{ data: sealed(8, 1) }, { data: wrapped(10, 99) }];

/** What an entry makes of images. */
async function read(name: string, images: readonly ImageBytes[], as: 'device' | 'zfile' = 'device'): Promise<Executed> {
  const target = await openCommand(name);
  const session = await target.open();
  try {
    return (await execute(target, session, [caseOfImages('c', images, as)]))[0]!;
  } finally {
    await session.close();
    await target.close();
  }
}

/** What `ovbd smoke` says of an entry; throws where something is wrong with it. */
function smoke(name: string): string {
  return execFileSync(process.execPath, [path.join(root, 'cli', 'ovbd.mjs'), 'smoke', name], { encoding: 'utf8', cwd: root });
}

/** A sound stack is read right, one that is damaged refused. */
async function isRight(name: string, sound: readonly ImageBytes[] = STACK, bad: readonly ImageBytes[] = [{ data: damaged() }], as: 'device' | 'zfile' = 'device'): Promise<void> {
  const good = await read(name, sound, as);
  expect(good.verdict, good.verdict.why).toMatchObject({ kind: 'pass' });
  expect(good.observation).toMatchObject({ open: 'opened', complaints: [] });
  expect(good.observation!.reads.every((r) => r.result > 0)).toBe(true);
  const refused = await read(name, bad, as);
  expect(refused.verdict, refused.verdict.why).toMatchObject({ kind: 'pass' });
  expect(refused.observation).toMatchObject({ open: 'refused' });
}

describe('with the real programs', () => {
  it('ovbd read', () => isRight('ovbd-read'));
  it.skipIf(!nbdkit)('nbdkit and nbdcopy, of what ovbd read wrote', () => isRight('reference-over-nbdkit'));
  it.skipIf(!qemu)('qemu-nbd and qemu-img, of what ovbd read wrote', () => isRight('reference-over-qemu-nbd'));
  it.skipIf(!nbdkit)('an nbdkit plugin that takes layers', () => isRight(`nbdkit:sh ${path.join(standIns, 'nbdkit-plugin.sh')}`));
  it.skipIf(!nbdkit)('ovbd smoke finds nothing wrong with nbdkit and nbdcopy', () => {
    expect(smoke('reference-over-nbdkit')).toMatch(/^ok {6}a ZFile\n[^]*^all right: ovbd run can use it\n$/m);
  });
  it.skipIf(!qemu)('ovbd smoke finds nothing wrong with qemu-nbd and qemu-img', () => {
    expect(smoke('reference-over-qemu-nbd')).toMatch(/^- {7}a ZFile: not claimed\n[^]*^all right: ovbd run can use it\n$/m);
  });
  it.skipIf(!nbdkit)('ovbd smoke says that the program of a command line does not even start', () => {
    expect(() => smoke('nbdkit:no-such-plugin')).toThrow(expect.objectContaining({ status: 1, stdout: expect.stringContaining('Does the command line work by itself') as string }) as Error);
  });
});

describe('with stand-ins of the same command line', () => {
  it('overlaybd-zfile: a ZFile, one in a tar, a damaged one', () => inPlace(async () => {
    const content = new Uint8Array(70001).map((_, i) => i % 251);
    const zfile = writeZFile(content, PLAIN_ZFILE);
    const bad = zfile.slice();
    bad[30]! ^= 1;
    await isRight('overlaybd-zfile', [{ data: zfile }], [{ data: bad }], 'zfile');
    const tar = await read('overlaybd-zfile', [{ data: writeTar(zfile, false) }], 'zfile');
    expect(tar.verdict, tar.verdict.why).toMatchObject({ kind: 'pass' });
  }));
  it('overlaybd-commit: a sealed layer and a writable one', () => inPlace(async () => {
    await isRight('overlaybd-commit', [{ data: sealed(8, 1) }]);
    const { data, index } = pair(3, 5);
    expect((await read('overlaybd-commit', [{ data, index }])).verdict).toMatchObject({ kind: 'pass' });
    expect((await read('overlaybd-commit', STACK)).observation).toBeUndefined();
  }));
  it('overlaybd-merge: a stack by a file that names its layers', () => inPlace(() => isRight('overlaybd-merge')));
  it.skipIf(!qemu)('qemu-img with the driver', () => inPlace(() => isRight('qemu-img')));
  it.skipIf(!qemu)('qemu-io with the driver', () => inPlace(() => isRight('qemu-io')));
  it.skipIf(!qemu)('qemu-nbd with the driver', () => inPlace(() => isRight('qemu-nbd')));

  it('a block device, read with O_DIRECT', async (context) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'ovbd-device-'));
    try {
      const device = path.join(folder, 'device');
      const bytes = new Uint8Array(VIRTUAL);
      bytes.set(new Uint8Array(4096).map((_, i) => (1 + i * 7 + (i >> 9)) & 0xff), 8 * 512);
      writeFileSync(device, bytes);
      try {
        execFileSync('dd', [`if=${device}`, `of=${device}.out`, 'bs=512', 'iflag=direct', 'status=none'], { stdio: 'ignore' });
      } catch {
        context.skip('the folder for temporary files takes no O_DIRECT');
      }
      await inPlace(async () => {
        const good = await read(`block-device:${device}`, [{ data: sealed(8, 1) }]);
        expect(good.verdict, good.verdict.why).toMatchObject({ kind: 'pass' });
        const other = await read(`block-device:${device}`, [{ data: sealed(9, 1) }]);
        expect(other.verdict).toMatchObject({ kind: 'corruption' });
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('the writers: every image is ours, byte for byte', () => inPlace(async () => {
    for (const [makes, name] of [['lsmt', 'overlaybd-commit'], ['zfile', 'overlaybd-zfile']] as const) {
      const { writers, skipped } = await openWriters(['ours', name], makes);
      expect(skipped).toEqual([]);
      const { rows, counts } = await compareWriters({ suite: 'test', makes, seed: 2, inputs: 3, writers, skipped, jobs: 1, signal: new AbortController().signal });
      expect(rows).toEqual([]);
      expect(counts[name]).toMatchObject({ made: 3, identical: 3, readsRight: 3 });
    }
  }));
});

it('what is not there is skipped with what to install, and a command that is none says so', async () => {
  const { skipped } = await openWriters(['ours', 'overlaybd-commit'], 'lsmt');
  if (findCommand('overlaybd-commit') === undefined) expect(skipped[0]!.reason).toMatch(/no such program; build https/);
  await expect(openWriters(['command:cp {data}'], 'lsmt')).rejects.toThrow(/must name \{index\}, \{out\}/);
});
