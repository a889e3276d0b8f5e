// SPDX-License-Identifier: MIT
/** A module of ours that is wrong on purpose, in a real virtual machine: what the lab says of it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Observation } from '../../model/index.ts';
import type { Target } from '../target.ts';
import { openKernelTarget } from './kernel-target.ts';
import { findCommand } from './lab/child.ts';
import { Steps } from './lab/index.ts';
import { cache, jobOf, labForTests } from './testing.ts';

const SOURCE = fileURLToPath(new URL('./faulty/', import.meta.url));
const lab = await labForTests({ source: SOURCE });
if (typeof lab === 'string') console.warn(`skipped: the module that is wrong on purpose, ${lab}`);

/** The number of the source line with this text, which must be there once. */
function lineOf(text: string): number {
  const lines = readFileSync(`${SOURCE}/dm-faulty.c`, 'utf8').split('\n');
  const at = lines.flatMap((line, i) => (line.includes(text) ? [i + 1] : []));
  expect(at).toHaveLength(1);
  return at[0]!;
}

describe.skipIf(typeof lab === 'string')('a module that is wrong on purpose', () => {
  let target: Target;
  let seen: Observation[];
  const faults = { none: 60, null: 1, warning: 5, spinning: 13, leak: 41 };
  const of = (name: keyof typeof faults): Observation => seen[Object.keys(faults).indexOf(name)]!;

  beforeAll(async () => {
    if (typeof lab === 'string') return;
    target = await openKernelTarget(lab, { name: 'patch', cacheDir: cache.root, steps: new Steps() });
    const session = await target.open();
    seen = [];
    const jobs = Object.entries(faults).map(([name, n]) => jobOf(name, { deviceBytes: n * 512, layers: [{ bytes: Buffer.alloc(n * 512, n) }], reads: [{}] }));
    await session.run(jobs, (_, observation) => void seen.push(observation));
    await session.close();
  });
  afterAll(() => target?.close());

  it('is honest with a large image', () => {
    expect(of('none')).toMatchObject({ open: 'opened', complaints: [] });
    expect(of('none').death).toBeUndefined();
  });

  it('crashes, complains and leaks under the names of its functions', () => {
    expect(of('null').death).toMatchObject({ kind: 'crash', title: 'page-fault in do_fault', phase: 'open' });
    expect(of('warning').complaints).toEqual([{ kind: 'crash', title: 'warning in do_fault' }]);
    expect(of('leak').complaints).toEqual([{ kind: 'leak', title: 'dm-device-not-put' }]);
  });

  it('shows all tasks where it keeps the only processor to itself', () => {
    expect(of('spinning').death).toMatchObject({ kind: 'hang', title: 'hang in do_fault', phase: 'open' });
    expect(of('spinning').log.match(/task:\S+ .*pid:/g)!.length).toBeGreaterThan(10);
  });

  it.skipIf(findCommand('addr2line') === undefined)('is explained by the lines of its source, inlined calls included', async () => {
    const crash = await target.explain!(of('null').log, of('null').death!.title);
    expect(crash!.where[0]).toBe(`dm-faulty.c:${lineOf('*(volatile int *)(long)zero = 1')} do_fault`);
    expect(crash!.where).toContain(`dm-faulty.c:${lineOf('do_fault(f->fault)')} faulty_ctr`);
    expect(crash!.report).toMatch(/do_fault\+0x[0-9a-f]+\/0x[0-9a-f]+ \[dm_overlaybd\] \(dm-faulty\.c:\d+ do_fault\)/);
    const hang = await target.explain!(of('spinning').log, of('spinning').death!.title);
    expect(hang!.report).toContain('inlined in dm-faulty.c');
  });

  it('is not explained by a title that its log does not hold', async () => {
    expect(await target.explain!(of('null').log, 'page-fault in nowhere')).toBeUndefined();
  });
});
