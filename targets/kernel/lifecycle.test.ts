// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { openLauncher } from './kernel-target.ts';
import { Steps } from './lab/index.ts';
import { cycle } from './lifecycle.ts';
import { cache, jobOf, labForTests, noise } from './testing.ts';

const lab = await labForTests();
if (typeof lab === 'string') console.log(`skipped: ${lab}`);

describe.skipIf(typeof lab === 'string')('devices that come and go', () => {
  const { signal } = new AbortController();
  const image = noise(16 << 10, 3);
  const job = jobOf('cycle', { deviceBytes: 16 << 10, reads: [], lowered: { images: [image], pieces: [{ start: 0, sectors: 32, source: { layer: 0, sector: 0 } }] } });

  it('leave the stock kernel as it was, which takes a module back, too', async () => {
    if (typeof lab === 'string') return;
    const launcher = await openLauncher(lab, { cacheDir: cache.root, steps: new Steps() });
    const { censuses, reloaded, observation } = await cycle({ launcher, name: 'stock', module: undefined, job, signal }, 'dm_zero', 90, 30);
    expect(observation).toMatchObject({ open: 'opened', complaints: [] });
    expect(observation.death).toBeUndefined();
    expect(censuses.map(({ done, opened, errno, bufio }) => [done, opened, errno, bufio])).toEqual([[30, 30, 0, 0], [60, 60, 0, 0], [90, 90, 0, 0]]);
    expect(censuses.every((c) => c.tasks > 10 && c.available > 1 << 20 && c.slab > 1 << 20)).toBe(true);
    expect(reloaded).toEqual({ unload: 0, load: 0 });
  });

  it('say why a module cannot go', async () => {
    if (typeof lab === 'string') return;
    const launcher = await openLauncher(lab, { cacheDir: cache.root, steps: new Steps() });
    const { reloaded } = await cycle({ launcher, name: 'stock', module: undefined, job, signal }, 'dm_mod', 8, 8);
    expect(reloaded!.unload).toBeGreaterThan(0);
  });
});
