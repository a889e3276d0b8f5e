// SPDX-License-Identifier: MIT
/** A file system on a case's device, mounted in a VM: what its files hold there. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { mkdtemp } from 'node:fs/promises';
import { EngineError } from '../../model/errors.ts';
import type { Job } from '../target.ts';
import { tablesOf } from './backing.ts';
import { deployOnPatch, deployOnStock } from './deploy.ts';
import { openLauncher, type Launcher } from './kernel-target.ts';
import { buildAgent } from './lab/agent.ts';
import { buildInitramfs } from './lab/initramfs.ts';
import type { Cache, PreparedLab, Steps } from './lab/index.ts';
import { Mailbox } from './mailbox.ts';
import { errnoName } from './observe.ts';
import { runDir } from './run-dir.ts';
import { encodeMount } from './wire.ts';

/** The names that mount knows them by; each is a module, or built in. */
export const FILE_SYSTEMS = ['ext4', 'erofs', 'squashfs'] as const;
export type FileSystem = (typeof FILE_SYSTEMS)[number];

const START_MS = 60_000;
/** Milliseconds without an entry: one file of megabytes on a busy machine. */
const SILENCE_MS = 60_000;
/** Where the guest mounts. */
const ROOT = '/mnt';

/** A VM whose kernel has the file systems. Throws `EngineError` where it has none of that name, or does not start. */
export async function fileSystemLauncher(lab: PreparedLab, cache: Cache, steps: Steps, signal: AbortSignal): Promise<Launcher> {
  const agent = await buildAgent(cache, steps, signal);
  const { path, sha256 } = await buildInitramfs(agent.path, lab.module?.path, lab.kernel, cache, signal, FILE_SYSTEMS);
  return openLauncher({ ...lab, initramfs: path, initramfsSha256: sha256 }, { steps, cacheDir: cache.root });
}

/** One thing in the tree as it was read. */
export interface SeenEntry {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  /** SHA-256 (hex) of a file's content, or where a link points; empty for the others. */
  readonly content: string;
  /** Bytes. */
  readonly size: number;
  /** Why it could not be read; empty where it could. */
  readonly error: string;
}

export interface SeenTree {
  /** By path relative to the root, which is `''`: with a cold cache, then with a warm one. */
  readonly passes: readonly [ReadonlyMap<string, SeenEntry>, ReadonlyMap<string, SeenEntry>];
  /** Why there is no tree, or what went wrong after it: a stage and an errno, or how the VM ended. */
  readonly problem?: string;
}

const KINDS = ['file', 'folder', 'link', 'other'] as const;
const STAGES = ['', 'create', 'table load', 'resume', 'mount'] as const;

/** Mounts the job's device and reads all of it, twice. Throws `EngineError` where the VM does not start or the guest refuses the command. */
export async function mountAndRead(launcher: Launcher, name: 'stock' | 'patch', job: Job, type: FileSystem, signal: AbortSignal): Promise<SeenTree> {
  const mailbox = new Mailbox(join(await mkdtemp(join(runDir(), 'tree-')), 'mailbox'));
  const vm = launcher.start(mailbox.path);
  const abort = (): void => void vm.kill();
  signal.addEventListener('abort', abort, { once: true });
  const passes: [Map<string, SeenEntry>, Map<string, SeenEntry>] = [new Map(), new Map()];
  try {
    if ((await vm.hello(START_MS, 1)) === undefined) throw new EngineError('the virtual machine does not start');
    const deployment = (name === 'patch' ? deployOnPatch : deployOnStock)(job);
    const placed = mailbox.place(deployment.slices);
    if (placed === undefined) throw new EngineError('the images are larger than the mailbox');
    vm.send(encodeMount({ number: 1, devices: tablesOf(deployment, placed.starts), target: deployment.devices.length - 1, reads: [] }, type));
    for (;;) {
      const event = await vm.next(SILENCE_MS);
      signal.throwIfAborted();
      if (event.type !== 'message') return { passes, problem: `the virtual machine ${event.type === 'silence' ? 'says no more' : 'ended'}: ${vm.console.trim().slice(-1500)}` };
      const { message } = event;
      if (message.type === 'error') throw new EngineError(`the guest refuses to mount: ${message.text}`);
      if (message.type === 'mount') {
        const errno = message.errno || message.leftover;
        if (errno === 0) return { passes };
        return { passes, problem: `${message.errno === 0 ? 'a device cannot be removed' : STAGES[message.stage] ?? 'unknown stage'}: ${errnoName(errno)}` };
      }
      if (message.type !== 'entry') continue;
      const kind = KINDS[message.kind] ?? 'other';
      passes[message.pass === 0 ? 0 : 1].set(message.path.slice(ROOT.length + 1), {
        kind, size: message.content.length, error: message.errno === 0 ? '' : errnoName(message.errno),
        content: kind === 'file' ? createHash('sha256').update(message.content).digest('hex') : kind === 'link' ? message.content.toString('utf8') : '',
      });
    }
  } finally {
    signal.removeEventListener('abort', abort);
    await vm.kill();
    mailbox.close();
  }
}
