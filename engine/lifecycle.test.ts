// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { examine } from '../oracles/examine.ts';
import { cycleCases, leaksIn, type Holding } from './lifecycle.ts';

/** A census after `done` cycles in which so much is lost with each of them. */
function census(done: number, lost: Partial<Record<'slab' | 'vmalloc' | 'tasks' | 'available', number>> = {}, more: Partial<Holding> = {}): Holding {
  const { slab = 0, vmalloc = 0, tasks = 0, available = 0 } = lost;
  return {
    done, errno: 0, tasks: 90 + tasks * done, available: 200e6 - available * done - slab * done, slab: 9e6 + slab * done, vmalloc: 4e6 + vmalloc * done, bufio: 0, ...more,
  };
}

const after = (lost: Parameters<typeof census>[1], more?: Partial<Holding>): string[] => leaksIn([census(500, lost), census(1000, lost), census(4000, lost, more)]);

describe('the census of thousands of cycles', () => {
  it('tells what each of them loses', () => {
    expect(after({})).toEqual([]);
    expect(after({ slab: 64 })).toEqual(['kernel memory (slab) that is not given back: about 64 bytes a cycle']);
    expect(after({ slab: 65_536 })).toEqual(['kernel memory (slab) that is not given back: about 65536 bytes a cycle']);
    expect(after({ vmalloc: 4096 })).toEqual(['kernel memory (vmalloc) that is not given back: about 4096 bytes a cycle']);
    expect(after({ available: 4096 })).toEqual(['free memory that is not given back: about 4096 bytes a cycle']);
    expect(after({ tasks: 1 })).toEqual(['tasks that do not end: 3500 more after 3500 cycles']);
    expect(after({}, { bufio: 8192 })).toEqual(['buffers of dm-bufio without a device: 8192 bytes']);
    expect(after({}, { errno: 16 })).toEqual(['a device that cannot be removed (errno 16)']);
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
