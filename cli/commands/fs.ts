// SPDX-License-Identifier: MIT
/** `ovbd fs`: a real directory tree in real file systems, in layers, mounted through the target: every file as it was? */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { snapshots } from '../../engine/fs/images.ts';
import { stackOfSnapshots } from '../../engine/fs/layers.ts';
import { stagesOf, wantedOf } from '../../engine/fs/tree.ts';
import type { Made, Trial } from '../../engine/trials.ts';
import { FILE_SYSTEMS, type FileSystem } from '../../model/index.ts';
import { examine } from '../../oracles/examine.ts';
import { ensurePackages, Steps } from '../../targets/kernel/lab/index.ts';
import { runOnColumns, type TrialOptions } from '../trials.ts';

/** As commander hands them over. */
export interface FsOptions extends TrialOptions {
  readonly tree: string;
  readonly megabytes: number;
  /** Numbers of layers. */
  readonly layers?: readonly string[];
  readonly type?: readonly FileSystem[];
}

const LAYERS = ['1', '4'] as const;

/** A line a combination of file system, number of layers and envelope, then findings as `ovbd run` has them. Exit code 1 where a file is not as it was. */
export async function fs(options: FsOptions, signal: AbortSignal): Promise<number> {
  const steps = new Steps();
  await ensurePackages('fs', steps, signal);
  const work = mkdtempSync(join(tmpdir(), 'ovbd-fs-'));
  try {
    return await runOnColumns('mount', 0, trialsOf(options, work, steps, signal), options, steps, signal);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Of images only the last ones are kept: they are large, and made again are the same. */
function trialsOf(options: FsOptions, work: string, steps: Steps, signal: AbortSignal): Trial[] {
  const trials: Trial[] = [];
  let last: { readonly name: string; readonly made: Buffer[] } | undefined;
  for (const count of options.layers ?? LAYERS) {
    for (const type of options.type ?? FILE_SYSTEMS) {
      const make = async (id: string, zfile: boolean): Promise<Made> => {
        const stages = stagesOf(options.tree, options.megabytes * 1e6, Number(count));
        const name = `${type}-${count}`;
        if (last?.name !== name) {
          last = { name, made: await steps.run(`make ${type} in ${stages.length} stages`, () => snapshots(type, stages, mkdtempSync(join(work, 's-')), signal)) };
        }
        const c = stackOfSnapshots(id, last.made, zfile);
        return { case: c, expectation: examine(c).expectation, procedure: { kind: 'mount', fileSystem: type, tree: wantedOf(stages) } };
      };
      for (const zfile of [false, true]) {
        const id = `${type}-${count}-${zfile ? 'zfile' : 'raw'}`;
        trials.push({ id, make: () => make(id, zfile) });
      }
    }
  }
  return trials;
}
