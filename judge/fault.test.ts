// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Case, Observation } from '../model/index.ts';
import { caseOf, content, damaged, expectationOf, failed, got, opened, plan, refused, seen, wanted } from '../test/judging.ts';
import { judge } from './judge.ts';

const BYTES = content(8192);
const EXPECTED = expectationOf(opened(8192, wanted(BYTES, [{ from: 0, to: 4096, clause: 'LS-MAP-01' }, { from: 4096, to: 8192, clause: 'DM-FLT-01' }])));
const STANCE = {
  supports: { wrappings: [], devices: ['lsmt', 'zfile'], forms: [], tables: true, algorithms: ['lz4'], blockSizes: [4096], maxLayers: 255 }, flags: {}, knownFailures: [],
} as const;

function on(kind: 'error' | 'delay', observation: Observation): string {
  const plain = caseOf([plan(0, 8192)]);
  const c: Case = { ...plain, access: { ...plain.access, fault: { layer: 0, from: 0, to: 512, kind, since: -1 } } };
  const v = judge(c, EXPECTED, observation, STANCE, { sizeUnit: 512 });
  return v.signature ?? v.kind;
}

describe('a device over one that fails', () => {
  it.each<[string, Observation, string]>([
    ['is refused', refused('EIO'), 'pass'],
    ['fails a read', seen([failed()]), 'pass'],
    ['gives the right bytes', seen([got(BYTES)]), 'pass'],
    ['gives the first of them', seen([got(BYTES.subarray(0, 4096))]), 'pass'],
    ['gives other bytes', seen([got(damaged(BYTES, 5000))]), 'corruption: DM-FLT-01'],
    ['gives other bytes of what does not fail', seen([got(damaged(BYTES, 1))]), 'corruption: LS-MAP-01'],
    ['gives the first of them, and one is wrong', seen([got(damaged(BYTES, 1).subarray(0, 4096))]), 'corruption: DM-FLT-01'],
    ['gives none', seen([got(new Uint8Array(0))]), 'corruption: LS-MAP-01'],
    ['hangs', seen([], { death: { kind: 'hang', title: 'silent', phase: 'read 0' } }), 'hang: read under DM-FLT-01'],
  ])('%s', (_name, observation, verdict) => expect(on('error', observation)).toBe(verdict));

  it('must not fail where that is only slow', () => {
    expect(on('delay', seen([got(BYTES)]))).toBe('pass');
    expect(on('delay', seen([failed()]))).toBe('refuses-valid: DM-FLT-01');
    expect(on('delay', refused('EIO'))).toBe('refuses-valid: DM-TBL-02');
  });
});

it('a device over one that fails hangs under its own clause, whatever else the image is about', () => {
  const plain = caseOf([plan(0, 8192)]);
  const c: Case = { ...plain, access: { ...plain.access, fault: { layer: 0, from: 0, to: 512, kind: 'flakey', since: 0 } } };
  const hung = seen([], { death: { kind: 'hang', title: 'silent', phase: 'open' } });
  const found = (over: Case): unknown => judge(over, { ...EXPECTED, notable: ['LS-IDX-07'] }, hung, STANCE, { sizeUnit: 512 });
  const why = 'no answer in time during open: silent';
  expect(found(c)).toEqual({ kind: 'hang', clause: 'DM-FLT-01', signature: 'hang: open under DM-FLT-01', why });
  expect(found(plain)).toEqual({ kind: 'hang', clause: 'LS-IDX-07', signature: 'hang: open under LS-IDX-07', why });
});

it('an image that was changed is corruption, however right the reads are', () => {
  expect(judge(caseOf([plan(0, 8192)]), EXPECTED, seen([got(BYTES)], { changed: { layer: 1, at: 4096 } }), STANCE, { sizeUnit: 512 })).toEqual({
    kind: 'corruption', clause: 'DM-WR-01', signature: 'corruption: DM-WR-01', why: 'an attempt to change the device changed byte 4096 of the device under layer 1',
  });
});
