// SPDX-License-Identifier: MIT
/** Real file systems through the stock kernel: every file of this suite's own specification as it was written. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { differences } from '../engine/fs/compare.ts';
import { snapshots } from '../engine/fs/images.ts';
import { stackOfSnapshots } from '../engine/fs/layers.ts';
import { stagesOf, wantedOf } from '../engine/fs/tree.ts';
import { FILE_SYSTEMS } from '../model/index.ts';
import { lower } from '../oracles/lower.ts';
import { fileSystemLauncher, mountAndRead } from '../targets/kernel/file-system.ts';
import { missingPackages, Steps } from '../targets/kernel/lab/index.ts';
import { cache, labForTests } from '../targets/kernel/testing.ts';

const missing = missingPackages('fs');
const lab = missing.length > 0 ? `missing: ${missing.join(', ')}` : await labForTests();
if (typeof lab === 'string') console.log(`skipped: ${lab}`);

const work = mkdtempSync(join(tmpdir(), 'ovbd-fs-test-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe.skipIf(typeof lab === 'string')('a tree in three layers, two of them on top of the first', () => {
  const signal = new AbortController().signal;
  it.each(FILE_SYSTEMS)('of %s is as it was written, with a cold cache and with a warm one', async (type) => {
    if (typeof lab === 'string') return;
    const stages = stagesOf(fileURLToPath(new URL('../spec', import.meta.url)), 1e6, 3);
    const c = stackOfSnapshots(type, await snapshots(type, stages, mkdtempSync(join(work, 's-')), signal), type === 'ext4');
    const launcher = await fileSystemLauncher(lab, cache, new Steps(), signal);
    const seen = await mountAndRead({ launcher, name: 'stock', module: undefined, job: { case: c, wanted: [], lowered: lower(c)! }, signal }, type);
    expect(seen.problem).toBeUndefined();
    expect(seen.observation).toMatchObject({ open: 'opened', complaints: [] });
    const wanted = wantedOf(stages);
    expect(differences(wanted, seen)).toEqual([]);
    expect(wanted.length).toBeGreaterThan(5);
    // What is not as it was is seen: a file that was never written.
    expect(differences([...wanted, { path: 'absent', kind: 'file', content: '', blocks: '' }], seen).length).toBe(2);
  });
});
