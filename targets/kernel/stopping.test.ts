// SPDX-License-Identifier: MIT
/** What boots, or waits for something that boots, ends when it is told to, and leaves no machine behind. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Target } from '../target.ts';
import { openKernelTarget } from './kernel-target.ts';
import { Cache, Steps } from './lab/index.ts';
import { bootOften } from './soak.ts';
import { cache, jobOf, labForTests, vmProcesses } from './testing.ts';

const lab = await labForTests();
if (typeof lab === 'string') console.warn(`skipped: stopping machines that boot, ${lab}`);

const why = new Error('enough');

/** Aborts when a machine is there, so in the midst of its boot; nobody waits for the boot's deadline of minutes. */
async function abortInBoot(stop: AbortController): Promise<number[]> {
  for (;;) {
    const pids = vmProcesses();
    if (pids.length > 0) {
      stop.abort(why);
      return pids;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe.skipIf(typeof lab === 'string')('a machine that boots', () => {
  // A cache without a booted machine; TCG, so that nothing is probed first.
  const folder = mkdtempSync(join(tmpdir(), 'ovbd-stopping-'));
  const empty = new Cache(folder);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is ended with the making of its template, and nothing half made is kept', async () => {
    if (typeof lab === 'string') return;
    const stop = new AbortController();
    const opening = openKernelTarget(lab, { name: 'stock', cacheDir: folder, accelerator: 'tcg', steps: new Steps(), signal: stop.signal });
    const failed = expect(opening).rejects.toBe(why);
    const pids = await abortInBoot(stop);
    await failed;
    expect(pids.length).toBe(1);
    expect(vmProcesses()).toEqual([]);
    expect(await empty.list('vm')).toEqual([]);
    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
  });

  it('is no failure of a soak', async () => {
    if (typeof lab === 'string') return;
    const stop = new AbortController();
    const booting = bootOften(lab, cache, 5, () => undefined, stop.signal);
    await abortInBoot(stop);
    expect(await booting).toEqual({ boots: 0, failures: 0 });
    expect(vmProcesses()).toEqual([]);
  });

  describe('with more processors, for a session', () => {
    let target: Target;
    beforeAll(async () => {
      if (typeof lab !== 'string') target = await openKernelTarget(lab, { name: 'stock', cacheDir: folder, accelerator: 'tcg', steps: new Steps() });
    });
    afterAll(() => target?.close());

    it('is given up by the session when its run is stopped, and by all when the target is closed', async () => {
      const stop = new AbortController();
      const session = await target.open();
      const job = jobOf('a', { deviceBytes: 512, reads: [{}], lowered: { images: [], pieces: [{ start: 0, sectors: 1, source: null }] } });
      const seen: number[] = [];
      const running = session.run([job], (i) => void seen.push(i), { processors: 2, signal: stop.signal });
      await abortInBoot(stop);
      await running;
      expect(seen).toEqual([]);
      await target.close();
      expect(vmProcesses()).toEqual([]);
    });
  });
});
