// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Observation, Verdict } from '../model/index.ts';
import { examine } from '../oracles/examine.ts';
import { builtinTarget } from './builtin-targets.ts';
import { cycleCases, leaksIn, verdictOfCycles, type Holding } from './lifecycle.ts';

/** A census after `done` cycles in which so much is lost with each of them. */
function census(done: number, lost: Partial<Record<'slab' | 'vmalloc' | 'tasks' | 'available', number>> = {}, more: Partial<Holding> = {}): Holding {
  const { slab = 0, vmalloc = 0, tasks = 0, available = 0 } = lost;
  return {
    done, errno: 0, tasks: 90 + tasks * done, available: 200e6 - available * done - slab * done, slab: 9e6 + slab * done, vmalloc: 4e6 + vmalloc * done, bufio: 0, ...more,
  };
}

const after = (lost: Parameters<typeof census>[1], more?: Partial<Holding>): string[] => leaksIn([census(500, lost), census(1000, lost), census(4000, lost, more)]).map((leak) => leak.text);

describe('the census of thousands of cycles', () => {
  it('tells what each of them loses', () => {
    expect(after({})).toEqual([]);
    expect(after({ slab: 64 })).toEqual(['kernel memory (slab) is not given back: about 64 bytes a cycle']);
    expect(after({ slab: 65_536 })).toEqual(['kernel memory (slab) is not given back: about 65536 bytes a cycle']);
    expect(after({ vmalloc: 4096 })).toEqual(['kernel memory (vmalloc) is not given back: about 4096 bytes a cycle']);
    expect(after({ available: 4096 })).toEqual(['free memory is not given back: about 4096 bytes a cycle']);
    expect(after({ tasks: 1 })).toEqual(['tasks do not end: 3500 more after 3500 cycles']);
    expect(after({}, { bufio: 8192 })).toEqual(['buffers of dm-bufio without a device: 8192 bytes']);
    expect(after({}, { errno: 16 })).toEqual(['a device cannot be removed: errno 16']);
  });

  it('takes nothing that happens once for a leak', () => {
    expect(leaksIn([])).toEqual([]);
    expect(leaksIn([census(100)])).toEqual([]);
    expect(after({}, { tasks: 95, slab: 9e6 + 90_000, available: 195e6 })).toEqual([]);
  });
});

it('what is made over and over is what it is meant to be', () => {
  const outcomes = cycleCases().map((c) => [c.id, examine(c).expectation.strict.outcome]);
  expect(outcomes).toEqual([['stack', 'open'], ['zfile', 'open'], ['refused-stack', 'refuse'], ['refused-zfile', 'refuse']]);
});

describe('what cycles say of a target', () => {
  const c = cycleCases()[1]!;
  const { expectation } = examine(c);
  const target = builtinTarget('oracle')!;
  const read = expectation.strict.outcome === 'open' ? expectation.strict.reads[0]! : undefined;
  if (read?.outcome !== 'bytes') throw new Error('the device is sound');
  const observation: Observation = {
    open: 'opened', size: c.access.deviceBytes, reads: [{ result: read.bytes.length, sha256: createHash('sha256').update(read.bytes).digest('hex') }], complaints: [], log: '', history: 0,
  };
  const of = (more: Partial<Parameters<typeof verdictOfCycles>[2]>, lost: Parameters<typeof census>[1] = {}): Verdict =>
    verdictOfCycles(c, expectation, { censuses: [census(500, lost), census(4000, lost)].map((s) => ({ ...s, opened: s.done })), observation, ...more }, target).verdict;

  it('passes what gives everything back', () => {
    expect(of({ reloaded: { unload: 0, load: 0 } })).toMatchObject({ kind: 'pass' });
  });

  it('makes a leak of each thing that is kept, under one name whatever the amount', () => {
    const leak = { kind: 'leak', clause: 'DM-FREE-01', signature: 'leak: kernel memory (slab) is not given back, zfile' };
    expect(of({}, { slab: 640 })).toMatchObject({ ...leak, why: 'after 4000 cycles: kernel memory (slab) is not given back: about 640 bytes a cycle' });
    expect(of({}, { slab: 8000 })).toMatchObject(leak);
    expect(of({ reloaded: { unload: 11, load: 0 } })).toMatchObject({ kind: 'leak', signature: 'leak: the module cannot be unloaded, zfile' });
    const stuck = { censuses: [{ ...census(500), opened: 500 }, { ...census(501), opened: 501, errno: 16 }], observation: { ...observation, open: 'none' as const, reads: [] } };
    expect(of(stuck)).toMatchObject({ kind: 'leak', signature: 'leak: a device cannot be removed, zfile' });
  });

  it('puts the death of the machine before all of it', () => {
    const death = { kind: 'crash' as const, title: 'page-fault in f', phase: 'cycles after 500' };
    expect(of({ observation: { ...observation, open: 'none', reads: [], death } }, { slab: 640 })).toMatchObject({ kind: 'crash', signature: 'crash: page-fault in f' });
  });
});
