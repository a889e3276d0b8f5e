// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { drawCase } from '../generators/draw.ts';
import { openPreparePool, type PoolSettings, type PreparePool } from './prepare-pool.ts';
import { prepare, type Prepared } from './prepare.ts';

const pools: PreparePool[] = [];
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())));

function open(settings: Partial<PoolSettings>): PreparePool {
  const pool = openPreparePool({ seed: 5, first: 0, cases: 60, largeEvery: 8, declared: new Set(), unit: 30, workers: 2, ...settings });
  pools.push(pool);
  return pool;
}

/** Everything of it, bytes as their digests. */
function told({ case: c, expectation }: Prepared): string {
  const bytes = (b: Uint8Array): string => `${b.length} bytes ${createHash('sha256').update(b).digest('hex')}`;
  const seen = (value: unknown): unknown => (value instanceof Uint8Array ? bytes(value)
    : Array.isArray(value) ? value.map(seen)
      : typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, seen(v)])) : value);
  return JSON.stringify(seen([c, expectation]));
}

describe('cases made ready by threads', () => {
  it('are those that are made here, in their order, whatever they were drawn from', async () => {
    const pool = open({ first: 7, cases: 45, unit: 30 });
    const made = [...await pool.take(0), ...await pool.take(1)];
    expect(made).toHaveLength(45);
    for (const [k, one] of made.entries()) {
      const here = prepare(drawCase(5, 7 + k, 8), new Set());
      expect(one.digest).toBe(here.digest);
      expect(one.disagreement).toBe(here.disagreement);
      expect(told(one)).toBe(told(here));
      expect(one.drawn.id).toBe(here.case.id);
    }
  });

  it('are made with the flags that a target declares', async () => {
    const declared = new Set(['zf.crc-inverted', 'ls.index-limit']);
    const made = await open({ cases: 30, declared }).take(0);
    expect(made.map(told)).toEqual(made.map((_, k) => told(prepare(drawCase(5, k, 8), declared))));
  });

  it('are given once: a batch that was taken, or that there is not, is an error of ours', async () => {
    const pool = open({ cases: 10, unit: 10, workers: 1 });
    await pool.take(0);
    await expect(pool.take(0)).rejects.toThrow('batch 0 of the prepared cases was taken before');
    await expect(pool.take(1)).rejects.toThrow('or there is none');
  });

  it('do not keep who waits for them when the threads end', async () => {
    const pool = open({ cases: 60 });
    const waited = pool.take(1);
    await pool.close();
    await expect(waited).rejects.toThrow('ended');
  });
});
