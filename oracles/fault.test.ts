// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { makeContent } from '../generators/content.ts';
import { writeLsmt } from '../generators/lsmt-writer.ts';
import type { AccessPlan, BackingFault, Case } from '../model/index.ts';
import { examine } from './examine.ts';

/** Sectors 2 to 5 of the device are sectors 8 to 11 of the file. */
const FILE = writeLsmt([{ offset: 2, length: 4, content: makeContent({ kind: 'counter', seed: 1 }, 4 * 512) }], {
  virtualSize: 4096, form: 'committed', placement: 'packed', invalidBefore: [],
});

function caseOf(more: Partial<AccessPlan>): Case {
  const read = { offset: 0, length: 4096, bufferOffset: 0, mode: 'direct' } as const;
  return {
    id: 'fault', device: 'lsmt', layers: [{ wrapping: [], bytes: FILE }],
    access: { slack: 'page', deviceBytes: 4096, reads: [read, read], ...more }, clauses: { exercises: [], violates: [] },
  };
}

/** Which sectors of each read are governed by the clause of failing devices. */
function lost(fault: Partial<BackingFault>): number[][] {
  const { strict } = examine(caseOf({ fault: { layer: 0, from: 9 * 512, to: 11 * 512, kind: 'error', since: -1, ...fault } })).expectation;
  if (strict.outcome !== 'open') throw new Error('it must open');
  return strict.reads.map((r) => {
    if (r.outcome !== 'bytes') throw new Error('it must give bytes');
    expect(r.ranges.map((x) => x.from)).toEqual([0, ...r.ranges.slice(0, -1).map((x) => x.to)]);
    expect(r.ranges.at(-1)!.to).toBe(4096);
    return [0, 1, 2, 3, 4, 5, 6, 7].filter((s) => r.ranges.find((x) => s * 512 < x.to)!.clause === 'DM-FLT-01');
  });
}

describe('the bytes that a failing device governs', () => {
  it('are those that cannot be had without it', () => {
    expect(lost({})).toEqual([[3, 4], [3, 4]]);
    expect(lost({ from: 0, to: FILE.length })).toEqual([[2, 3, 4, 5], [2, 3, 4, 5]]);
    expect(lost({ from: 0, to: 4096 })).toEqual([[], []]);
  });
  it('begin with the fault, and none are where a device is only slow', () => {
    expect(lost({ since: 1 })).toEqual([[], [3, 4]]);
    expect(lost({ since: 0, until: 1 })).toEqual([[3, 4], [3, 4]]);
    expect(lost({ kind: 'flakey', since: 0 })).toEqual([[3, 4], [3, 4]]);
    expect(lost({ kind: 'delay' })).toEqual([[], []]);
  });
});

describe('tables and devices of other kinds', () => {
  it('of another length are as long as they are said to be', () => {
    for (const sectors of [-1, 1, 7]) {
      const { case: sized, expectation } = examine(caseOf({ table: { kind: 'length', sectors } }));
      expect(sized.access.deviceBytes).toBe(4096 + sectors * 512);
      expect([expectation.strict.outcome, expectation.class]).toEqual(['open', 'permissive']);
      expect(expectation.alternatives.map((a) => [a.flags, a.outcome.outcome])).toContainEqual([['dm.length-refused'], 'refuse']);
    }
  });
  it('that are held, or too short, are refused', () => {
    const clause = (table: AccessPlan['table']): string | undefined => {
      const { strict } = examine(caseOf({ table: table! })).expectation;
      return strict.outcome === 'refuse' ? strict.clause : undefined;
    };
    expect(clause({ kind: 'busy', layer: 0 })).toBe('DM-TBL-10');
    expect(clause({ kind: 'short', layer: 0, sectors: 1 })).toBe('DM-TBL-08');
  });
  it('loaded for writing may be refused', () => {
    const { alternatives } = examine(caseOf({ attempts: { writable: true, list: [] } })).expectation;
    expect(alternatives.map((a) => a.flags)).toEqual([['dm.writable-refused']]);
    expect(examine(caseOf({ attempts: { writable: false, list: [] } })).expectation.alternatives).toEqual([]);
  });
});
