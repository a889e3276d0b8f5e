// SPDX-License-Identifier: MIT
/** The layer under a module of ours: what is right comes through unchanged, and each wrong is told under its name. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MEANWHILES, type AccessPlan, type Observation, type ReadPlan } from '../../model/index.ts';
import { readSourceFolder } from '../kernel/lab/sources.ts';
import { Cache, Steps } from '../kernel/lab/index.ts';
import { ensurePackages } from '../kernel/lab/packages.ts';
import { jobOf, noise, sha256 } from '../kernel/testing.ts';
import type { Job, Session, Target } from '../target.ts';
import { openUserspaceTarget } from './userspace-target.ts';

// Installed where we may; a machine that cannot have them skips, and says why.
const why = await ensurePackages('build', new Steps()).then(() => '', (error: Error) => ` (skipped: ${error.message})`);

const SECTOR = 512;
/** Sectors of an image that makes no fault. */
const SOUND = 64;

interface Parts {
  readonly sectors?: number;
  readonly device?: 'lsmt' | 'zfile';
  readonly reads?: readonly Partial<ReadPlan>[];
  readonly access?: Partial<AccessPlan>;
}

function job(id: string, { sectors = SOUND, device = 'lsmt', reads = [{}], access = {} }: Parts): Job {
  const bytes = noise(sectors * SECTOR, 3);
  const layers = [{ bytes, wrapping: device === 'zfile' ? ['zfile' as const] : [], ...(device === 'zfile' ? { exposedBytes: bytes.length } : {}) }];
  const plain = jobOf(id, { device, layers, deviceBytes: sectors * SECTOR, reads });
  const c = { ...plain.case, access: { ...plain.case.access, ...access } };
  return { case: c, wanted: c.access.reads.map((r) => sha256(bytes.subarray(r.offset, r.offset + r.length))) };
}

describe.skipIf(why !== '')(`the kernel interfaces in userspace${why}`, () => {
  let target: Target;
  let session: Session;

  beforeAll(async () => {
    const files = await readSourceFolder(fileURLToPath(new URL('./sample/', import.meta.url)));
    target = await openUserspaceTarget({ name: 'userspace', sources: { files, name: 'the sample module' }, cache: new Cache(), steps: new Steps() });
    session = await target.open();
  }, 240_000);
  afterAll(() => target?.close());

  async function observe(...jobs: Job[]): Promise<Observation[]> {
    const seen: Observation[] = [];
    await session.run(jobs, (_, observation) => void seen.push(observation));
    expect(seen).toHaveLength(jobs.length);
    return seen;
  }

  it('reads what is there, in every way, through a remapped, split and chained bio and through a worker', async () => {
    const reads: Partial<ReadPlan>[] = [
      {}, { offset: 512, length: 1024, bufferOffset: 512 }, { offset: 4096 - 512, length: 1024, bufferOffset: 4096 - 512 }, { mode: 'buffered', offset: 777, length: 5000, bufferOffset: 3 },
      { mode: 'mmap', offset: 1, length: 9999 }, { length: 8192, pieces: [512, 4096, 3584], bufferOffset: 1024 }, { huge: true },
      { offset: (SOUND - 1) * SECTOR, length: 4096 }, { offset: SOUND * SECTOR, length: 512 },
    ];
    for (const device of ['lsmt', 'zfile'] as const) {
      const one = job(device, { device, reads });
      const [seen] = await observe(one);
      expect(seen).toMatchObject({ open: 'opened', size: SOUND * SECTOR, complaints: [] });
      expect(seen!.death).toBeUndefined();
      expect(seen!.reads.map((r) => r.sha256)).toEqual(one.wanted);
      expect(seen!.reads.map((r) => r.result).slice(-2)).toEqual([SECTOR, 0]);
      expect(seen!.reads.every((r) => r.spill === undefined && r.untouched === undefined)).toBe(true);
    }
  });

  it('names what goes wrong when a device is made, and goes on with the next case', async () => {
    const faults: Record<number, [string, string]> = {
      1: ['crash', 'page-fault'], 2: ['crash', 'kernel-bug'], 3: ['crash', 'divide-error'], 4: ['memory', 'kasan-slab-out-of-bounds-read'], 5: ['crash', 'warning'],
      6: ['memory', 'kasan-vmalloc-out-of-bounds-write'], 12: ['crash', 'kasan-vmalloc-out-of-bounds-read'], 13: ['crash', 'kasan-null-ptr-deref-read'], 7: ['memory', 'kasan-use-after-free-read'], 8: ['memory', 'kasan-double-free'], 10: ['memory', 'ubsan-shift-out-of-bounds'],
      11: ['hang', 'hang'],
    };
    const seen = await observe(...Object.keys(faults).map((n) => job(n, { sectors: Number(n) })), job('after', {}));
    const told = seen.slice(0, -1).map((o) => (o.death ? [o.death.kind, o.death.title] : [o.complaints[0]?.kind, o.complaints[0]?.title]));
    expect(told).toEqual(Object.values(faults).map(([kind, name]) => [kind, `${name} in fault_at_ctr`]));
    expect(seen.at(-1)).toMatchObject({ open: 'opened', complaints: [] });
    expect(seen.at(-1)!.history).toBe(seen.length - 1);
    const [bounds] = await observe(job('bounds', { sectors: 9 }));
    expect(bounds!.complaints.map((c) => c.title)).toContain('ubsan-array-index-out-of-bounds in fault_at_ctr');
  });

  it('says where it was', async () => {
    const [seen] = await observe(job('where', { sectors: 4 }));
    const explained = await target.explain!(seen!.log, seen!.complaints[0]!.title);
    expect(explained?.where[0]).toMatch(/^dm-sample\.c:\d+ fault_at_ctr$/);
  });

  it('names what goes wrong while it is read', async () => {
    const reads = [{ length: 2048, bufferOffset: 512 }];
    const [endless, spilled, never, split, twice, behind, kept] = await observe(
      job('endless', { sectors: 20, device: 'zfile' }), job('spilled', { sectors: 21, device: 'zfile', reads }), job('never', { sectors: 22 }), job('split', { sectors: 23 }),
      job('twice', { sectors: 24 }), job('behind', { sectors: 25 }), job('kept', { sectors: 41 }),
    );
    expect(endless!.death).toMatchObject({ kind: 'hang', title: 'hang in do_job', phase: 'read 0' });
    expect(spilled!.reads[0]!.spill).toMatchObject({ after: 0, first: -512 });
    expect(never!.death).toMatchObject({ kind: 'hang', phase: 'read 0' });
    expect(split!.death).toMatchObject({ kind: 'crash', title: 'kernel-bug in sample_map', phase: 'read 0' });
    expect(twice!.complaints[0]).toMatchObject({ kind: 'memory' });
    expect(behind!.reads[0]!.result).toBe(-5);
    expect(kept!.complaints).toEqual([{ kind: 'leak', title: 'dm-device-not-put' }]);
  });

  it('has devices that end, fail for a while, are held, are missing, and tables that are wrong', async () => {
    const fault = { layer: 0, from: 4096, to: 8192, kind: 'error' as const };
    const reads = [{}, {}, {}, { length: 4096 }];
    const [from, busy, missing, text, short, exact] = await observe(
      job('fault', { reads, access: { fault: { ...fault, since: 1, until: 2 } } }), job('busy', { access: { table: { kind: 'busy', layer: 0 } } }),
      job('missing', { access: { table: { kind: 'device', layer: 0 } } }), job('text', { access: { table: { kind: 'text', layer: 0, text: '12x' } } }),
      job('short', { access: { table: { kind: 'short', layer: 0, sectors: 2 } } }), job('exact', { sectors: SOUND + 1, access: { slack: 'exact' }, reads: [{ length: (SOUND + 1) * SECTOR }] }),
    );
    expect(from!.reads.map((r) => r.result)).toEqual([SOUND * SECTOR, -5, SOUND * SECTOR, 4096]);
    expect(busy!.refusal).toBe('lsmt_target (device 1): table load: EBUSY');
    expect(missing!.refusal).toMatch(/ENODEV$/);
    expect(text!.refusal).toMatch(/EINVAL$/);
    expect(short!.reads[0]!.result).toBe(-5);
    expect(exact!.reads[0]!.result).toBe((SOUND + 1) * SECTOR);
  });

  it('takes more layers than anybody has, and devices and reads that end at their edges', async () => {
    const one = job('many', {});
    const [many, odd] = await observe(
      { ...one, case: { ...one.case, layers: Array.from({ length: 600 }, () => one.case.layers[0]!) } },
      job('odd', { reads: [{ mode: 'buffered', offset: SOUND * SECTOR - 1, length: 4096 }, { mode: 'buffered', offset: SOUND * SECTOR, length: 1 }, { mode: 'buffered', offset: 2 ** 40, length: 1 }] }),
    );
    expect(many).toMatchObject({ open: 'opened', complaints: [] });
    expect(odd!.reads.map((r) => r.result)).toEqual([1, 0, 0]);
  });

  it('gives a crowd of readers what it gives one, and tells of the reader who gets something else', async () => {
    const reads: Partial<ReadPlan>[] = [{}, { offset: 4096, length: 8192, bufferOffset: 512 }, { offset: 777, length: 5000, mode: 'buffered' }, { offset: 512, length: 512, mode: 'mmap' }];
    const jobs = (['lsmt', 'zfile'] as const).flatMap((device) => [undefined, ...MEANWHILES].map((meanwhile) =>
      job(`${device}-${meanwhile}`, { device, reads, access: { crowd: { readers: 3, rounds: 5, ...(meanwhile && { meanwhile }) } } })));
    for (const [i, seen] of (await observe(...jobs)).entries()) {
      expect(seen).toMatchObject({ open: 'opened', complaints: [] });
      expect(seen.reads.map((r) => [r.sha256, r.reader])).toEqual(jobs[i]!.wanted.map((sha) => [sha, undefined]));
      const { meanwhile } = jobs[i]!.case.access.crowd!;
      expect(seen.meanwhile).toEqual(meanwhile ? { times: 5 * reads.length } : undefined);
    }
    const [place, table] = await observe(
      job('place', { sectors: 26, reads: [{}, { offset: 4096, length: 512 }], access: { crowd: { readers: 2, rounds: 1 } } }),
      job('table', { sectors: 42, access: { crowd: { readers: 2, rounds: 2, meanwhile: 'reload' } } }),
    );
    expect(place!.reads[1]).toMatchObject({ result: 512, reader: 2, sha256: sha256(noise(26 * SECTOR, 3).subarray(0, 512)) });
    // In the next step the first reader is at 4096, and the second one is given that.
    expect(place!.reads[0]).toMatchObject({ reader: 2 });
    expect(table!.meanwhile).toEqual({ times: 1, failed: 'table load: EBUSY' });
  });

  it('writes where a table was loaded for writing, and tells what that has changed', async () => {
    const list = [{ kind: 'ioctls', offset: 0, length: 0 }, { kind: 'discard', offset: 0, length: 4096 }, { kind: 'write', offset: 1024, length: 512 }, { kind: 'flush', offset: 0, length: 0 }] as const;
    const [read, write, zero, past] = await observe(
      job('read', { access: { attempts: { writable: false, list } } }), job('write', { access: { attempts: { writable: true, list } } }),
      job('zero', { access: { attempts: { writable: true, list: [{ kind: 'zero-out', offset: 4096, length: 8192 }] } } }),
      job('past', { access: { attempts: { writable: true, list: [{ kind: 'write', offset: SOUND * SECTOR, length: 512 }, { kind: 'zero-out', offset: 512, length: SOUND * SECTOR }] } } }),
    );
    expect(read!.changed).toBeUndefined();
    expect(read!.reads[0]!.sha256).toBe(job('read', {}).wanted[0]);
    expect(write!.changed).toEqual({ layer: 0, at: 1024 });
    expect(write!.reads[0]!.bytes!.subarray(1024, 1536)).toEqual(new Uint8Array(512).fill(0xa5));
    expect(zero!.changed).toEqual({ layer: 0, at: 4096 });
    expect(past!.changed).toBeUndefined();
  });

  it('refuses the module its memory from an allocation on, and never what cannot fail', async () => {
    // The sample's own memory; its bufio client, whose error it does not look at; its bio set; nothing that a read needs.
    const [none, one, enough] = await observe(job('none', { access: { failsAfter: 0 } }), job('one', { access: { failsAfter: 1 } }), job('enough', { access: { failsAfter: 3 } }));
    expect(none).toMatchObject({ refusal: 'lsmt_target (device 1): table load: ENOMEM', complaints: [] });
    expect(one!.death).toMatchObject({ kind: 'crash', phase: 'close', title: expect.stringMatching(/ in dm_bufio_client_destroy$|^kasan|^page-fault|^general/) as string });
    expect(enough).toMatchObject({ open: 'opened', complaints: [] });
    expect(enough!.reads[0]!.sha256).toBe(job('enough', {}).wanted[0]);
  });

  it('gives the same for the same case, alone and after others', async () => {
    const jobs = [job('a', { sectors: 7 }), job('b', {}), job('c', { sectors: 20, device: 'zfile' }), job('d', { sectors: 6 })];
    const strip = (o: Observation): unknown => ({ ...o, history: 0 });
    const together = await observe(...jobs);
    const alone: Observation[] = [];
    for (const one of jobs) alone.push(...(await observe(one)));
    expect(together.map(strip)).toEqual(alone.map(strip));
  });
});
