// SPDX-License-Identifier: MIT
/**
 * The sanitizer kernel 6.1 in a virtual machine: it blames nothing on the stock
 * targets, and says it where a module does what sanitizers are for. The first time,
 * the kernel is downloaded and built, 8 minutes of processor time.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runSuite } from '../engine/run.ts';
import type { FindingEvent, FooterEvent, SourceCoverage } from '../model/index.ts';
import { openKernelTarget } from '../targets/kernel/kernel-target.ts';
import { Cache, Steps, prepareLab, type PreparedLab } from '../targets/kernel/lab/index.ts';
import { jobOf, noise, patchForTests } from '../targets/kernel/testing.ts';
import type { Job } from '../targets/target.ts';

const cache = new Cache();
const steps = new Steps();
const folder = mkdtempSync(join(tmpdir(), 'ovbd-sanitizer-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function labOf(subject: { readonly patch?: string; readonly source?: string } = {}): Promise<PreparedLab | string> {
  return prepareLab({ ...subject, sanitize: true, cache, steps }).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
}

const lab = await labOf();
if (typeof lab === 'string') console.warn(`skipped: the sanitizer kernel, ${lab}`);
const patch = patchForTests();
if (patch === undefined) console.warn('skipped: the patch on the sanitizer kernel, it is not at hand (set OVBD_SHARED)');

/** Runs the first cases of a seed, nothing shrunk. */
async function run(name: 'stock' | 'patch', made: PreparedLab, cases: number, shrinkExecutions = 0, coverage = false): Promise<{ footer: FooterEvent; findings: FindingEvent[]; coverage?: SourceCoverage }> {
  const target = await openKernelTarget(made, { name, steps, coverage });
  const findings: FindingEvent[] = [];
  try {
    const footer = await runSuite({
      suite: 'test', seed: 7, cases, targets: [target], skipped: [], shrinkExecutions, jobs: 2, signal: new AbortController().signal,
      saveFinding: async () => ({ folder: '', replay: '' }),
    }, (event) => {
      if (event.type === 'finding') findings.push(event);
    });
    return { footer, findings, ...(target.coverage === undefined ? {} : { coverage: await target.coverage() }) };
  } finally {
    await target.close();
  }
}

const LONG = 900_000;

/** The sources of a module with both targets; `code` has their constructors. */
function moduleOf(code: string, lsmt: string, zfile: string): string {
  const target = (name: string, ctr: string): string => `
static struct target_type ${name} = {
	.name = "${name}_target", .version = {1, 0, 0}, .module = THIS_MODULE, .ctr = ${ctr}, .dtr = none, .map = map,
};`;
  return `
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/device-mapper.h>
${code}
static void none(struct dm_target *ti) { }
static int map(struct dm_target *ti, struct bio *bio)
{
	return DM_MAPIO_KILL; /* never */
}
${target('lsmt', lsmt)}
${target('zfile', zfile)}

static int __init start(void)
{
	int r = dm_register_target(&lsmt); /* inserted */

	return r ? r : dm_register_target(&zfile);
}

static void __exit stop(void)
{
	dm_unregister_target(&lsmt); /* removed */
	dm_unregister_target(&zfile);
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
`;
}

/** Refuses every table, and has lines that nothing can reach. */
const COUNTED = moduleOf(`
static int refuses(struct dm_target *ti, unsigned int argc, char **argv)
{
	if (argc > 1000000) /* each time */
		pr_info("so many"); /* never */
	return -EINVAL;
}
`, 'refuses', 'refuses');

/** Both targets do in their constructor what each sanitizer is there to see, and refuse the table. */
const MISTAKES = moduleOf(`
static int shift = 40;
static int sum;

static noinline int reads_past_end(struct dm_target *ti, unsigned int argc, char **argv)
{
	unsigned char *p = kmalloc(100, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(p);
	if (p)
		sum += p[101];
	kfree(p);
	return -EINVAL;
}

static noinline int shifts_too_far(struct dm_target *ti, unsigned int argc, char **argv)
{
	sum += 1 << READ_ONCE(shift);
	return -EINVAL;
}
`, 'reads_past_end', 'shifts_too_far');

describe.skipIf(typeof lab === 'string')('the sanitizer kernel', () => {
  it('has nothing to say of stock device-mapper', async () => {
    const made = lab as PreparedLab;
    expect(made.kernel).toMatchObject({ coverage: true });
    expect(made.parts['kernel-config']).toMatch(/^[0-9a-f]{64}$/);
    const { footer, findings } = await run('stock', made, 30);
    expect(findings).toEqual([]);
    const { pass = 0, unsupported = 0, ...others } = footer.verdicts['stock']!;
    expect(others).toEqual({});
    expect(pass + unsupported).toBe(30);
    expect(pass).toBeGreaterThan(0);
  }, LONG);

  it('has bad sectors that come and go between reads, by dust', async () => {
    const target = await openKernelTarget(lab as PreparedLab, { name: 'stock', steps });
    const image = noise(64 << 10, 8);
    const plain = jobOf('dust', {
      deviceBytes: image.length, layers: [{ bytes: image }], reads: [{}, { offset: 4096, length: 512 }, { offset: 4608, length: 512 }, { offset: 4096, length: 512 }],
      lowered: { images: [image], pieces: [{ start: 0, sectors: image.length / 512, source: { layer: 0, sector: 0 } }] },
    });
    const dust = (from: number, to: number, since: number, until?: number): Job => ({
      ...plain, case: { ...plain.case, access: { ...plain.case.access, fault: { layer: 0, from, to, kind: 'dust', since, ...(until === undefined ? {} : { until }) } } },
    });
    const results: number[][] = [];
    try {
      const session = await target.open();
      await session.run([dust(4096, 4608, 1, 3), dust(4096, 4608, -1), dust(1 << 20, 2 << 20, -1), plain], (_, seen) => {
        expect(seen).toMatchObject({ open: 'opened', complaints: [] });
        expect(seen.engineError).toBeUndefined();
        results.push(seen.reads.map((read) => read.result));
      });
      await session.close();
    } finally {
      await target.close();
    }
    const eio = -constants.errno.EIO;
    const whole = [image.length, 512, 512, 512];
    expect(results[0]).toEqual([image.length, eio, 512, 512]);
    // How much comes of a read before the bad sector is the kernel's affair.
    expect(results[1]!.slice(1)).toEqual([eio, 512, eio]);
    expect(results[1]![0]).toBeLessThan(4097);
    expect(results.slice(2)).toEqual([whole, whole]);
  }, LONG);

  it('reports memory errors and undefined behaviour of a module as memory verdicts, with the function', async () => {
    writeFileSync(join(folder, 'mistakes.c'), MISTAKES);
    const made = await labOf({ source: folder });
    if (typeof made === 'string') throw new Error(made);
    const { findings } = await run('patch', made, 12);
    const memory = findings.filter(({ kind }) => kind === 'memory').map(({ signature }) => signature);
    expect(memory).toEqual(expect.arrayContaining([
      expect.stringMatching(/kasan-slab-out-of-bounds-read in reads_past_end/),
      expect.stringMatching(/ubsan-shift-out-of-bounds in shifts_too_far/),
    ]));
  }, LONG);

  it('counts the lines that a module runs, over all machines, those of the boot once, and those of its removal', async () => {
    const source = join(folder, 'counted');
    mkdirSync(source);
    writeFileSync(join(source, 'counted.c'), COUNTED);
    const made = await labOf({ source });
    if (typeof made === 'string') throw new Error(made);
    const { coverage } = await run('patch', made, 12, 0, true);
    expect(coverage).toMatchObject({ lost: 0, problems: [], files: [{ file: 'counted.c', text: COUNTED }] });
    expect(coverage!.instances).toBeGreaterThan(1);
    const { lines } = coverage!.files[0]!;
    const countsOf = (mark: string): number[] => lines.filter((l) => COUNTED.split('\n')[l.line - 1]!.includes(`/* ${mark} */`)).map((l) => l.count);
    expect(countsOf('never')).toEqual([0, 0]);
    // In the boot, and when it is inserted again behind its removal.
    expect(countsOf('inserted')).toEqual([2]);
    expect(countsOf('removed')).toEqual([1]);
    expect(countsOf('each time')).toEqual([expect.any(Number)]);
    expect(countsOf('each time')[0]).toBeGreaterThan(1);
  }, LONG);

  it.skipIf(patch === undefined)('runs the patch, and is to blame for nothing that it shows', async () => {
    const made = await labOf({ patch: patch! });
    if (typeof made === 'string') throw new Error(made);
    const { footer } = await run('patch', made, 20);
    const counts = footer.verdicts['patch']!;
    expect(footer.complete).toBe(true);
    expect(counts['engine-error'] ?? 0).toBe(0);
    expect(Object.values(counts).reduce((sum, n) => sum + (n ?? 0), 0)).toBe(20);
    expect(counts['pass'] ?? 0).toBeGreaterThan(0);
  }, LONG);
});
