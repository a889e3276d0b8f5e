// SPDX-License-Identifier: MIT
/** A file system on a case's device, mounted in a VM: what its files hold there. */
import { createHash } from 'node:crypto';
import { FILE_SYSTEMS, TREE_BLOCK, TREE_BLOCK_DIGITS, type FileSystem, type Observation } from '../../model/index.ts';
import { inGuest, SILENCE_MS, type Errand } from './guest.ts';
import { openLauncher, type Launcher } from './kernel-target.ts';
import { buildAgent } from './lab/agent.ts';
import { buildInitramfs } from './lab/initramfs.ts';
import type { Cache, PreparedLab, Steps } from './lab/index.ts';
import { errnoName } from './observe.ts';
import { encodeMount } from './wire.ts';

/** Where the guest mounts. */
const ROOT = '/mnt';

/** A VM whose kernel has the file systems. Throws `EngineError` where it has none of that name, or does not start. */
export async function fileSystemLauncher(lab: PreparedLab, cache: Cache, steps: Steps, signal: AbortSignal): Promise<Launcher> {
  const agent = await buildAgent(cache, steps, signal);
  const { path, sha256 } = await buildInitramfs(agent.path, lab.module?.path, lab.kernel, cache, signal, FILE_SYSTEMS);
  return openLauncher({ ...lab, initramfs: path, initramfsSha256: sha256 }, { steps, cacheDir: cache.root, signal });
}

/** One thing in the tree as it was read. */
export interface SeenEntry {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  /** SHA-256 (hex) of a file's content, or where a link points; empty for the others. */
  readonly content: string;
  /** As `TreeEntry` has them. */
  readonly blocks: string;
  /** Bytes. */
  readonly size: number;
  /** Why it could not be read; empty where it could. */
  readonly error: string;
}

export interface SeenTree {
  /** By path relative to the root, which is `''`: with a cold cache, then with a warm one. */
  readonly passes: readonly [ReadonlyMap<string, SeenEntry>, ReadonlyMap<string, SeenEntry>];
  /** Why there is no tree, where the machine says so: what failed, and its errno. */
  readonly problem?: { readonly stage: (typeof STAGES)[number]; readonly errno: string };
  /** The devices once more, with what the kernel has said; and how the machine ended, where it did before its time. */
  readonly observation: Observation;
}

const KINDS = ['file', 'folder', 'link', 'other'] as const;
const STAGES = ['remove', 'create', 'table load', 'resume', 'mount'] as const;

/** The digests of a file's blocks, as `TreeEntry` has them. */
export function blocksOf(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += TREE_BLOCK) {
    const part = bytes.subarray(at, at + TREE_BLOCK);
    const hash = createHash('sha256').update(part);
    if (part.length < TREE_BLOCK) hash.update(new Uint8Array(TREE_BLOCK - part.length));
    text += hash.digest('hex').slice(0, TREE_BLOCK_DIGITS);
  }
  return text;
}

/** Mounts the job's device and reads all of it, twice. Throws `EngineError` where the VM does not start or the guest refuses the command. */
export async function mountAndRead(errand: Errand, type: FileSystem): Promise<SeenTree> {
  const passes: [Map<string, SeenEntry>, Map<string, SeenEntry>] = [new Map(), new Map()];
  let problem: SeenTree['problem'];
  const observation = await inGuest(errand, async (guest) => {
    guest.send(encodeMount(guest.command, type));
    for (let phase = 'mounting';;) {
      const message = await guest.next(['mount', 'entry'], phase, SILENCE_MS);
      if (message.type === 'mount') {
        const errno = message.errno || message.leftover;
        if (errno !== 0) problem = { stage: message.errno === 0 ? 'remove' : STAGES[message.stage] ?? 'mount', errno: errnoName(errno) };
        break;
      }
      const kind = KINDS[message.kind] ?? 'other';
      const path = message.path.slice(ROOT.length + 1);
      phase = `reading files after ${path === '' ? 'the root' : path}`;
      passes[message.pass === 0 ? 0 : 1].set(path, {
        kind, size: message.content.length, error: message.errno === 0 ? '' : errnoName(message.errno),
        content: kind === 'file' ? createHash('sha256').update(message.content).digest('hex') : kind === 'link' ? message.content.toString('utf8') : '',
        blocks: kind === 'file' ? blocksOf(message.content) : '',
      });
    }
    await guest.look();
  });
  return { passes, observation, ...(problem === undefined ? {} : { problem }) };
}
