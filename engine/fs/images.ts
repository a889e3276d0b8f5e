// SPDX-License-Identifier: MIT
/** A tree as the image of a file system, as it stands after each stage of its writing. */
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EngineError, type FileSystem } from '../../model/index.ts';
import { CLEAN_ENV, run } from '../../targets/kernel/lab/child.ts';
import type { SourceEntry } from './tree.ts';

const PAGE = 4096;
const UUID = '6f766264-0000-4000-8000-000000000001';
/** What would tell one run from another: the time. */
const ENV = { ...CLEAN_ENV, SOURCE_DATE_EPOCH: '1700000000', E2FSPROGS_FAKE_TIME: '1700000000', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
const SECONDS = 300;

type Stages = readonly (readonly SourceEntry[])[];

/**
 * The bytes of the image after each stage, each a multiple of 4096. `folder`
 * is an empty one to work in. Throws `EngineError` with what the tool said.
 */
export async function snapshots(type: FileSystem, stages: Stages, folder: string, signal: AbortSignal): Promise<Buffer[]> {
  const image = join(folder, `${type}.img`);
  const made: Buffer[] = [];
  for (const [i, stage] of stages.entries()) {
    const parts = type === 'erofs' ? stages.slice(0, i + 1).flat() : stage;
    const source = join(folder, `stage${i}`);
    layOut(parts, source);
    await writeStage(type, i, stages, source, image, signal);
    const bytes = readFileSync(image);
    made.push(Buffer.concat([bytes, Buffer.alloc((PAGE - (bytes.length % PAGE)) % PAGE)]));
    rmSync(source, { recursive: true });
  }
  return made;
}

function layOut(entries: readonly SourceEntry[], root: string): void {
  mkdirSync(root, { recursive: true });
  for (const { path, kind, bytes } of entries) {
    const at = join(root, path);
    mkdirSync(kind === 'folder' ? at : dirname(at), { recursive: true });
    if (kind === 'file') writeFileSync(at, bytes);
    if (kind === 'link') symlinkSync(bytes.toString(), at);
  }
}

async function writeStage(type: FileSystem, i: number, stages: Stages, source: string, image: string, signal: AbortSignal): Promise<void> {
  switch (type) {
    case 'ext4':
      if (i > 0) return debugfs(stages[i]!, source, image, signal);
      return tool('mke2fs', ['-q', '-F', '-t', 'ext4', '-b', '4096', '-O', '^has_journal', '-U', UUID, '-E', `hash_seed=${UUID},root_owner=0:0`, '-d', source, image, `${ext4Kilobytes(stages)}k`], signal);
    case 'erofs':
      // It cannot be added to: each stage is the whole tree so far, made again.
      rmSync(image, { force: true });
      return tool('mkfs.erofs', ['--all-root', '-T1700000000', `-U${UUID}`, image, source], signal);
    case 'squashfs':
      return tool('mksquashfs', [source, image, '-no-progress', '-all-root', '-no-xattrs', '-quiet', '-processors', '1', ...(i === 0 ? ['-noappend'] : ['-no-recovery'])], signal);
  }
}

/** Room for every file in whole blocks, every entry an inode, and what the file system needs itself. */
function ext4Kilobytes(stages: Stages): number {
  const blocks = stages.flat().reduce((sum, e) => sum + Math.ceil(e.bytes.length / PAGE) + 1, 0);
  return Math.max(4096, Math.ceil(blocks * 4 * 1.3) + 2048);
}

/** Files written into an ext4 image that is there, as a later user of it would. */
async function debugfs(entries: readonly SourceEntry[], source: string, image: string, signal: AbortSignal): Promise<void> {
  const lines = entries.map(({ path, kind, bytes }) =>
    kind === 'folder' ? `mkdir /${path}` : kind === 'link' ? `symlink /${path} ${bytes.toString()}` : `write ${join(source, path)} /${path}`);
  const script = `${source}.debugfs`;
  writeFileSync(script, `${lines.join('\n')}\n`);
  await tool('debugfs', ['-w', '-f', script, image], signal);
}

async function tool(command: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const result = await run(command, args, { env: ENV, seconds: SECONDS, signal });
  signal.throwIfAborted();
  if (result.code !== 0) throw new EngineError(`${command} fails: ${(result.stderr || result.stdout).trim().split('\n').slice(-3).join(' | ')}`);
}
