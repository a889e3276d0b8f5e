// SPDX-License-Identifier: MIT
/** The kernel target in real virtual machines; the patch's part needs the patch. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MEANWHILES, type Crowd, type Observation, type ReadPlan, type TableFault } from '../../model/index.ts';
import type { Job, RunOptions, Target } from '../target.ts';
import { openKernelTarget } from './kernel-target.ts';
import { Steps } from './lab/index.ts';
import { cache, jobOf, labForTests, lsmt, noise, patchForTests, sha256, vmProcesses, zfile } from './testing.ts';
import { encodeTest } from './wire.ts';

const lab = await labForTests();
if (typeof lab === 'string') console.warn(`skipped: the kernel target, ${lab}`);
const patch = patchForTests();
const patchLab = patch === undefined ? 'the patch is not at hand (set OVBD_SHARED)' : typeof lab === 'string' ? lab : await labForTests({ patch });
if (typeof patchLab === 'string') console.warn(`skipped: the patch in the kernel target, ${patchLab}`);

async function observe(target: Target, jobs: readonly Job[], options?: RunOptions, each?: (index: number) => void): Promise<Observation[]> {
  const session = await target.open();
  const seen: Observation[] = [];
  try {
    await session.run(
      jobs,
      (index, observation) => {
        expect(index).toBe(seen.length);
        seen.push(observation);
        each?.(index);
      },
      options,
    );
  } finally {
    await session.close();
  }
  return seen;
}

/** 48 KiB: linear, zero, linear. */
function linearJob(id: string, seed = 1): { job: Job; bytes: Buffer } {
  const image = noise(64 << 10, seed);
  const bytes = Buffer.alloc(48 << 10);
  image.copy(bytes, 0, 8 * 512, 40 * 512);
  image.copy(bytes, 64 * 512, 40 * 512, 72 * 512);
  const job = jobOf(id, {
    deviceBytes: bytes.length,
    reads: [{}, { offset: 31 * 512, length: 1024, bufferOffset: 3584 }, { offset: 512, length: 8192, mode: 'buffered' }, { offset: bytes.length - 512, length: 4096 }],
    wanted: [sha256(bytes), null, sha256(bytes.subarray(512, 512 + 8192)), null],
    lowered: {
      images: [image],
      pieces: [
        { start: 0, sectors: 32, source: { layer: 0, sector: 8 } },
        { start: 32, sectors: 32, source: null },
        { start: 64, sectors: 32, source: { layer: 0, sector: 40 } },
      ],
    },
  });
  return { job, bytes };
}

describe.skipIf(typeof lab === 'string')('the stock kernel', () => {
  let target: Target;
  const before = (job: Job): Buffer[] =>
    job.case.id === 'panic' ? [encodeTest('panic')]
    : job.case.id === 'sleep' ? [encodeTest('sleep')]
    : job.case.id === 'warn' ? [encodeTest('log', '<4>WARNING: CPU: 0 PID: 1 at fs/made.c:1 made_up+0x1/0x2')]
    : [];
  beforeAll(async () => {
    if (typeof lab !== 'string') target = await openKernelTarget(lab, { name: 'stock', cacheDir: cache.root, steps: new Steps(), before });
  });
  afterAll(() => target?.close());

  it('reads what the tables say, in whatever buffer', async () => {
    const made = [linearJob('a', 1), linearJob('b', 2)];
    const seen = await observe(target, made.map(({ job }) => job));
    for (const [i, { bytes }] of made.entries()) {
      const { reads, log, ...rest } = seen[i]!;
      expect(rest).toEqual({ open: 'opened', size: 48 << 10, complaints: [], history: i });
      // A busy machine's kernel may still talk of its clocks.
      expect(log.split('\n').filter((line) => /^<[0-5]>/.test(line))).toEqual([]);
      expect(reads[0]).toEqual({ result: bytes.length, sha256: sha256(bytes) });
      const part = bytes.subarray(31 * 512, 33 * 512);
      expect(reads[1]).toEqual({ result: 1024, sha256: sha256(part), bytes: Uint8Array.from(part) });
      expect(reads[2]!.sha256).toBe(sha256(bytes.subarray(512, 512 + 8192)));
      expect(reads[3]!.result).toBe(512);
    }
  });

  it('reads the same bytes in every way of reading, to the byte', async () => {
    const { job, bytes } = linearJob('ways');
    // Ends inside a page, and inside a block of the page cache's usual size.
    const end = bytes.length - 1536;
    const lowered = { ...job.lowered!, pieces: job.lowered!.pieces.with(-1, { start: 64, sectors: 29, source: { layer: 0, sector: 40 } }) };
    const ways: Partial<ReadPlan>[] = [
      { offset: 12289, length: 5001, bufferOffset: 4095, mode: 'buffered' }, { offset: 1, length: 8191, bufferOffset: 3, mode: 'mmap' },
      { offset: 512, length: 16384, bufferOffset: 512, pieces: [512, 15360, 512] },
      { offset: 4097, length: 5000, bufferOffset: 77, mode: 'buffered', pieces: [1, 998, 4000, 1] },
      { offset: 0, length: 1 << 20, huge: true }, { offset: 512, length: 32768, bufferOffset: 3584, huge: true, pieces: Array<number>(64).fill(512) },
      { offset: end - 700, length: 5000, mode: 'mmap' }, { offset: end - 700, length: 5000, mode: 'buffered', pieces: [600, 4400] },
      { offset: end + 1, length: 9, mode: 'mmap' }, { offset: end + 8192, length: 9, mode: 'mmap' },
    ];
    const [seen] = await observe(target, [jobOf('ways', { deviceBytes: end, reads: ways, lowered })]);
    expect(seen!.size).toBe(end);
    for (const [i, way] of ways.entries()) {
      const part = bytes.subarray(0, end).subarray(way.offset, way.offset! + way.length!);
      expect(seen!.reads[i], JSON.stringify(way)).toEqual({ result: part.length, sha256: sha256(part), bytes: Uint8Array.from(part) });
    }
  });

  it('gives many readers what it gives one, whatever is done to the device meanwhile and whatever it showed before', async () => {
    const { job, bytes } = linearJob('crowd');
    const reads = [...job.case.access.reads, { offset: 5, length: 9000, bufferOffset: 1, mode: 'mmap' as const }];
    const crowds: (Crowd | undefined)[] = [undefined, { readers: 8, rounds: 2 }, ...MEANWHILES.map((meanwhile) => ({ readers: 3, rounds: 20, meanwhile }))];
    const jobs = crowds.map((crowd): Job => ({
      ...job, wanted: reads.map((r) => sha256(bytes.subarray(r.offset, r.offset + r.length))),
      case: { ...job.case, access: { ...job.case.access, reads, replaces: 0, ...(crowd && { crowd }) } },
    }));
    const seen = await observe(target, [...jobs, job]);
    for (const [i, crowd] of crowds.entries()) {
      expect(seen[i], crowd?.meanwhile).toMatchObject({ open: 'opened', complaints: [], history: i });
      expect(seen[i]!.engineError).toBeUndefined();
      expect(seen[i]!.reads).toEqual(jobs[i]!.wanted.map((wanted, n) => ({ result: Math.min(reads[n]!.length, bytes.length - reads[n]!.offset), sha256: wanted })));
      expect(seen[i]!.meanwhile?.failed).toBeUndefined();
      expect((seen[i]!.meanwhile?.times ?? 0) > 0).toBe(crowd?.meanwhile !== undefined);
    }
    expect(seen.at(-1)!.meanwhile).toBeUndefined();
  });

  it('says whose fault it is when a case cannot be deployed, and goes on', async () => {
    const tiny = jobOf('tiny', { deviceBytes: 100, reads: [], lowered: { images: [], pieces: [] } });
    const none = jobOf('none', { deviceBytes: 4096, reads: [] });
    const seen = await observe(target, [tiny, linearJob('a').job, none]);
    expect(seen.map((o) => o.engineError !== undefined)).toEqual([true, false, true]);
  });

  it('loses one case when a machine is killed from outside', async () => {
    const jobs = Array.from({ length: 12 }, (_, i) => linearJob(`k${i}`, i).job);
    const seen = await observe(target, jobs, {}, (index) => {
      if (index === 3) for (const pid of vmProcesses()) process.kill(pid, 'SIGKILL');
    });
    const hit = seen.flatMap((o, i) => (o.engineError === undefined ? [] : [i]));
    expect(hit.length).toBe(1);
    expect(seen[hit[0]!]!.death?.kind).toBe('lost');
    expect(seen.filter((o) => o.reads[0]?.sha256 !== undefined && o.death === undefined).length).toBe(11);
    expect(seen[hit[0]! + 1]!.history).toBe(0);
  });

  it('charges a panic to its case and goes on in a new machine', async () => {
    const seen = await observe(target, ['a', 'panic', 'b'].map((id) => linearJob(id).job));
    expect(seen[1]!.death).toEqual({ kind: 'crash', title: expect.stringMatching(/^(page-fault|panic)/) as string, phase: 'open' });
    expect(seen[1]!.log).toContain('Call Trace');
    expect([seen[0]!.death, seen[2]!.death, seen[2]!.history]).toEqual([undefined, undefined, 0]);
  });

  it('sees silence as a hang and goes on', async () => {
    const began = performance.now();
    const seen = await observe(target, ['sleep', 'b'].map((id) => linearJob(id).job));
    expect(seen[0]!.death).toMatchObject({ kind: 'hang', phase: 'open' });
    expect(seen[1]!.death).toBeUndefined();
    expect(performance.now() - began).toBeGreaterThan(4000);
  });

  it('keeps no machine in which the kernel complained', async () => {
    const seen = await observe(target, ['a', 'warn', 'b'].map((id) => linearJob(id).job));
    expect(seen[1]!.complaints).toEqual([{ kind: 'crash', title: 'warning in made_up' }]);
    expect(seen.map((o) => o.history)).toEqual([0, 1, 0]);
  });

  it('stops when told to and leaves no process', async () => {
    const stop = new AbortController();
    const jobs = Array.from({ length: 50 }, (_, i) => linearJob(`s${i}`, i).job);
    const seen = await observe(target, jobs, { signal: stop.signal }, (index) => {
      if (index === 5) stop.abort();
    });
    expect(seen.length).toBeLessThan(50);
    expect(vmProcesses()).toEqual([]);
  });

  it('leaves no machine behind when it is killed, and no files after the next start', async () => {
    if (typeof lab === 'string') return;
    const here = new URL('.', import.meta.url).href;
    const script = `
      const { openKernelTarget } = await import('${here}kernel-target.ts');
      const target = await openKernelTarget(${JSON.stringify(lab)}, { name: 'stock', cacheDir: ${JSON.stringify(cache.root)} });
      const session = await target.open();
      const job = ${JSON.stringify(jobOf('a', { deviceBytes: 512, reads: [{}], lowered: { images: [], pieces: [{ start: 0, sectors: 1, source: null }] } }))};
      await session.run(Array(100000).fill(job), (i) => { if (i === 3) console.log('running'); });`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const pids = vmProcesses(child.pid);
    expect(pids.length).toBe(1);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    const alive = (pid: number): boolean => {
      try {
        process.kill(pid, 0);
        return true;
      } catch {
        return false;
      }
    };
    for (let i = 0; i < 200 && pids.some(alive); i++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(pids.filter(alive)).toEqual([]);
    const left = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('ovbd-vm-') && name.includes(`.${child.pid}.`));
    expect(left().length).toBe(1);
    const { sweep } = await import('./run-dir.ts');
    sweep();
    expect(left()).toEqual([]);
  });
});

describe.skipIf(typeof patchLab === 'string')('the patch', () => {
  let target: Target;
  beforeAll(async () => {
    if (typeof patchLab !== 'string') target = await openKernelTarget(patchLab, { name: 'patch', cacheDir: cache.root, steps: new Steps() });
  });
  afterAll(() => target?.close());
  const content = noise(16 << 10, 7);

  it('opens handmade images and reads their bytes', async () => {
    const layer = lsmt([{ offset: 8, data: content }], 64 << 10);
    const seen = await observe(target, [
      jobOf('lsmt', { deviceBytes: 64 << 10, layers: [{ bytes: layer }], reads: [{ offset: 4096, length: content.length, bufferOffset: 512 }], wanted: [sha256(content)] }),
      jobOf('zfile', { device: 'zfile', deviceBytes: content.length, layers: [{ bytes: zfile(content) }], reads: [{}], wanted: [sha256(content)] }),
      jobOf('exact', { deviceBytes: 64 << 10, slack: 'exact', layers: [{ bytes: layer }], reads: [{ offset: 4096, length: 512 }] }),
    ]);
    expect(seen.map(({ open, size }) => [open, size])).toEqual([['opened', 64 << 10], ['opened', 16 << 10], ['opened', 64 << 10]]);
    expect(seen[0]!.reads).toEqual([{ result: content.length, sha256: sha256(content) }]);
    expect(seen[1]!.reads).toEqual([{ result: content.length, sha256: sha256(content) }]);
    expect(seen[2]!.reads[0]!.sha256).toBe(sha256(content.subarray(0, 512)));
  });

  it('stacks zfile devices under one lsmt device', async () => {
    const layer = lsmt([{ offset: 0, data: content }], 16 << 10);
    const padded = Buffer.concat([layer, Buffer.alloc((4096 - (layer.length % 4096)) % 4096)]);
    const [seen] = await observe(target, [
      jobOf('wrapped', { deviceBytes: 16 << 10, layers: [{ bytes: zfile(padded), wrapping: ['zfile'], exposedBytes: layer.length }], reads: [{}] }),
    ]);
    expect(seen!.engineError).toBeUndefined();
  });

  it('names the device and the error of a refusal', async () => {
    const [seen] = await observe(target, [jobOf('noise', { deviceBytes: 4096, layers: [{ bytes: noise(16 << 10, 3) }], reads: [{}] })]);
    expect(seen).toMatchObject({ open: 'refused', refusal: 'lsmt_target (device 1): table load: EINVAL', reads: [] });
  });

  it('gives the driver the wrong table, word for word', async () => {
    const layer = lsmt([{ offset: 8, data: content }], 64 << 10);
    const faults: TableFault[] = [{ kind: 'device', layer: 0 }, { kind: 'count', delta: -1 }, { kind: 'text', layer: 0, text: 'many' }, { kind: 'bytes', layer: 0, delta: -layer.length }];
    const right = jobOf('right', { deviceBytes: 64 << 10, layers: [{ bytes: layer }], reads: [{ offset: 4096, length: 512 }] });
    const wrong = faults.map((table, i): Job => ({ ...right, case: { ...right.case, id: `wrong${i}`, access: { ...right.case.access, table } } }));
    const seen = await observe(target, [right, ...wrong, right]);
    expect(seen.map(({ open, death }) => death?.kind ?? open)).toEqual(['opened', 'refused', 'refused', 'refused', 'refused', 'opened']);
  });

  it('finds the same crash under the same name, and survives it', async () => {
    const crash = (id: string): Job => jobOf(id, { device: 'zfile', deviceBytes: 16 << 10, layers: [{ bytes: zfile(content, 1) }], reads: [{}] });
    const fine = jobOf('fine', { device: 'zfile', deviceBytes: 16 << 10, layers: [{ bytes: zfile(content) }], reads: [{}] });
    const seen = await observe(target, [fine, crash('one'), crash('two'), fine]);
    expect(seen[1]!.death).toEqual({ kind: 'crash', title: 'page-fault in decompress_fn', phase: 'read 0' });
    expect(seen[2]!.death).toEqual(seen[1]!.death);
    expect(seen[3]).toMatchObject({ open: 'opened', history: 0 });
  });
});
