// SPDX-License-Identifier: MIT
/** `ovbd fs`: a real directory tree in real file systems, in layers, mounted through the target: every file as it was? */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { differences } from '../../engine/fs/compare.ts';
import { snapshots } from '../../engine/fs/images.ts';
import { stackOfSnapshots } from '../../engine/fs/layers.ts';
import { stagesOf, wantedOf } from '../../engine/fs/tree.ts';
import { jobFor } from '../../engine/prepare.ts';
import { EngineError, EXIT } from '../../model/index.ts';
import { examine } from '../../oracles/examine.ts';
import { Cache, ensurePackages, prepareLab, Steps } from '../../targets/kernel/lab/index.ts';
import { FILE_SYSTEMS, fileSystemLauncher, mountAndRead, type FileSystem } from '../../targets/kernel/file-system.ts';
import { openKernelTarget } from '../../targets/kernel/kernel-target.ts';
import { columnsOf, subjectOf, type Kernels, type Subject } from '../columns.ts';

/** As commander hands them over. */
export interface FsOptions extends Subject, Kernels {
  readonly tree: string;
  readonly megabytes: number;
  /** Numbers of layers. */
  readonly layers?: readonly string[];
  readonly type?: readonly FileSystem[];
}

const LAYERS = ['1', '4'] as const;

/** Prints a line a combination of target, file system, number of layers and envelope. Exit code 1 where a file is not as it was. */
export async function fs(options: FsOptions, signal: AbortSignal): Promise<number> {
  const cache = new Cache();
  const steps = new Steps();
  await ensurePackages('fs', steps, signal);
  const work = mkdtempSync(join(tmpdir(), 'ovbd-fs-'));
  const role = subjectOf(options).length > 0 ? 'patch' : 'stock';
  let failed = false;
  try {
    for (const column of await columnsOf([role], options, (text) => steps.note(text), signal)) {
      const lab = await prepareLab({ ...column.lab, kernel: column.kernel, sanitize: column.sanitize, cache, steps, signal });
      const launcher = await fileSystemLauncher(lab, cache, steps, signal);
      const target = await openKernelTarget(lab, { name: column.name, cacheDir: cache.root, lanes: 1 });
      try {
        for (const count of options.layers ?? LAYERS) {
          const stages = stagesOf(options.tree, options.megabytes * 1e6, Number(count));
          const wanted = wantedOf(stages);
          for (const type of options.type ?? FILE_SYSTEMS) {
            const made = await steps.run(`make ${type} in ${stages.length} stages`, () => snapshots(type, stages, mkdtempSync(join(work, 's-')), signal));
            for (const zfile of [false, true]) {
              const c = stackOfSnapshots(`${type}-${stages.length}`, made, zfile);
              const job = jobFor({ case: c, expectation: examine(c).expectation }, target);
              if (job === null) throw new EngineError(`${c.id} cannot be lowered to linear and zero pieces`);
              const what = `${column.name} ${type}, ${stages.length} ${zfile ? 'ZFile' : 'raw'} layer${stages.length === 1 ? '' : 's'}`;
              const seen = await steps.run(what, () => mountAndRead(launcher, role, job, type, signal));
              const wrong = differences(wanted, seen);
              failed ||= wrong.length > 0;
              process.stdout.write(`${what}: ${wrong.length === 0 ? `${wanted.size} entries, each as it was` : wrong.join('; ')}\n`);
            }
          }
        }
      } finally {
        await target.close();
      }
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return failed ? EXIT.findings : EXIT.ok;
}
