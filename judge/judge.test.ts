// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Case, Expectation, Observation, ReadObservation, Stance } from '../model/index.ts';
import { judge } from './judge.ts';

const BYTES = Uint8Array.from({ length: 8192 }, (_, i) => i % 251);
const STANCE: Stance = {
  supports: { wrappings: [], devices: ['lsmt', 'zfile'], forms: [], tables: true, algorithms: ['lz4'], blockSizes: [4096], maxLayers: 256 },
  flags: {}, knownFailures: [],
};
const CASE: Case = {
  id: 'c', device: 'lsmt', layers: [{ wrapping: [], bytes: new Uint8Array(0) }],
  access: {
    slack: 'page', deviceBytes: 8192,
    reads: [
      { offset: 0, length: 8192, bufferOffset: 0, mode: 'direct' },
      { offset: 512, length: 512, bufferOffset: 512, mode: 'direct' },
    ],
  },
  clauses: { exercises: [], violates: [] },
};
const RANGES = [{ from: 0, to: 4096, clause: 'LS-MAP-01' }, { from: 4096, to: 8192, clause: 'ST-MRG-04' }];
const EXPECTED: Expectation = {
  class: 'valid', needs: { algorithms: ['lz4'], blockSizes: [4096], layers: 1 }, notable: [], alternatives: [],
  strict: {
    outcome: 'open', size: 8192,
    reads: [
      { outcome: 'bytes', bytes: BYTES, ranges: RANGES },
      { outcome: 'bytes', bytes: BYTES.subarray(512, 1024), ranges: [{ from: 0, to: 512, clause: 'LS-MAP-01' }] },
    ],
  },
};
const REFUSE: Expectation = { ...EXPECTED, class: 'invalid', strict: { outcome: 'refuse', clause: 'LS-IDX-04', layer: 0, at: 96, why: 'entries overlap' } };

function got(bytes: Uint8Array): ReadObservation {
  return { result: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex'), bytes };
}

function seen(change: Partial<Observation> = {}): Observation {
  return { open: 'opened', size: 8192, reads: [got(BYTES), got(BYTES.subarray(512, 1024))], complaints: [], log: '', history: 0, ...change };
}

function damaged(bytes: Uint8Array, at: number): ReadObservation {
  const copy = bytes.slice();
  copy[at]! ^= 1;
  return got(copy);
}

const verdict = (expected: Expectation, observation: Observation, stance = STANCE) => judge(CASE, expected, observation, stance, { sizeUnit: 512 });

describe('judge', () => {
  it('passes right bytes, by digest or by the bytes themselves', () => {
    expect(verdict(EXPECTED, seen()).kind).toBe('pass');
    const byDigest = seen().reads.map(({ bytes: _, ...r }) => r);
    expect(verdict(EXPECTED, seen({ reads: byDigest })).kind).toBe('pass');
  });

  it('charges wrong bytes to the clause that governs the first of them', () => {
    expect(verdict(EXPECTED, seen({ reads: [damaged(BYTES, 100)] }))).toMatchObject({ kind: 'corruption', signature: 'corruption: LS-MAP-01', read: 0 });
    expect(verdict(EXPECTED, seen({ reads: [damaged(BYTES, 5000)] }))).toMatchObject({ signature: 'corruption: ST-MRG-04' });
  });

  it('charges the access where the same byte came right in whole pages', () => {
    const reads = [got(BYTES), damaged(BYTES.subarray(512, 1024), 7)];
    expect(verdict(EXPECTED, seen({ reads }))).toMatchObject({ signature: 'corruption: DM-RD-02', read: 1 });
  });

  it('tells bytes that were never written from wrong ones', () => {
    const reads = [{ ...damaged(BYTES, 0), untouched: 0 }];
    expect(verdict(EXPECTED, seen({ reads }))).toMatchObject({ signature: 'memory: DM-RD-05' });
  });

  it('the worst of several reads counts: an error does not hide wrong bytes', () => {
    const reads = [{ result: -5, sha256: '' }, damaged(BYTES.subarray(512, 1024), 7)];
    expect(verdict(EXPECTED, seen({ reads }))).toMatchObject({ kind: 'corruption', read: 1 });
    const expected = { ...EXPECTED, needs: { algorithms: ['zstd' as const], blockSizes: [4096], layers: 1 } };
    expect(verdict(expected, seen({ reads })).kind).toBe('corruption');
  });

  it('what stands behind an image that is smaller than its table is nobody’s', () => {
    const small: Expectation = {
      ...REFUSE, class: 'permissive',
      alternatives: [{ flags: ['ls.odd-virtual-size'], outcome: { outcome: 'open', size: 100, reads: [
        { outcome: 'bytes', bytes: BYTES.subarray(0, 100), ranges: [{ from: 0, to: 100, clause: 'LS-MAP-01' }] },
        { outcome: 'bytes', bytes: new Uint8Array(0), ranges: [] },
      ] } }],
    };
    expect(verdict(small, seen()).kind).toBe('pass');
    expect(verdict(small, seen({ reads: [{ result: -5, sha256: '' }, { result: -5, sha256: '' }] })).kind).toBe('pass');
    expect(verdict(small, seen({ reads: [damaged(BYTES, 4000), got(BYTES.subarray(512, 1024))] })).kind).toBe('pass');
    expect(verdict(small, seen({ reads: [damaged(BYTES, 40), got(BYTES.subarray(512, 1024))] })).kind).toBe('corruption');
  });

  it('a short read of a sound device is corruption, an error a refusal', () => {
    expect(verdict(EXPECTED, seen({ reads: [got(BYTES.subarray(0, 4096))] }))).toMatchObject({ kind: 'corruption', clause: 'ST-MRG-04' });
    expect(verdict(EXPECTED, seen({ reads: [{ result: -5, sha256: '' }] }))).toMatchObject({ kind: 'refuses-valid' });
    expect(verdict(EXPECTED, seen({ reads: [got(BYTES)] }))).toMatchObject({ kind: 'refuses-valid', read: 1 });
  });

  it('a device of another size is corruption', () => {
    expect(verdict(EXPECTED, seen({ size: 4096 })).kind).toBe('corruption');
  });

  it('an image that must be refused may be refused at open or at every read', () => {
    const none = { open: 'refused' as const, reads: [], refusal: 'EINVAL' };
    expect(verdict(REFUSE, seen(none)).kind).toBe('pass');
    expect(verdict(REFUSE, seen({ reads: [{ result: -5, sha256: '' }, { result: -5, sha256: '' }] }))).toMatchObject({ kind: 'pass', undeclared: ['suite.late-refusal'] });
    expect(verdict(REFUSE, seen({ reads: [{ result: -5, sha256: '' }, got(BYTES)] }))).toMatchObject({ signature: 'accepts-invalid: LS-IDX-04' });
    expect(verdict(REFUSE, seen()).kind).toBe('accepts-invalid');
  });

  it('a sound image that is refused names what it leans on', () => {
    const none = { open: 'refused' as const, reads: [], refusal: 'EINVAL' };
    expect(verdict(EXPECTED, seen(none))).toMatchObject({ signature: 'refuses-valid: DM-TBL-02' });
    expect(verdict({ ...EXPECTED, notable: ['LS-IDX-07'] }, seen(none))).toMatchObject({ signature: 'refuses-valid: LS-IDX-07' });
  });

  it('what the stance does not support may be refused, never misread', () => {
    const expected = { ...EXPECTED, needs: { algorithms: ['zstd' as const], blockSizes: [4096], layers: 1 } };
    expect(verdict(expected, seen({ open: 'refused', reads: [] })).kind).toBe('unsupported');
    expect(verdict(expected, seen({ reads: [damaged(BYTES, 1)] })).kind).toBe('corruption');
    const large = { ...EXPECTED, needs: { algorithms: ['lz4' as const], blockSizes: [65536], layers: 1 } };
    expect(verdict(large, seen({ open: 'refused', reads: [] })).kind).toBe('unsupported');
  });

  describe('a read that must fail after 4096 bytes', () => {
    const failing: Expectation = {
      ...EXPECTED, class: 'invalid',
      strict: { outcome: 'open', size: 8192, reads: [{ outcome: 'error', clause: 'ZF-BLK-03', layer: 0, at: 9, why: 'CRC', goodBytes: BYTES.subarray(0, 4096) }] },
    };
    it('may fail or stop at the good bytes', () => {
      expect(verdict(failing, seen({ reads: [{ result: -5, sha256: '' }] })).kind).toBe('pass');
      expect(verdict(failing, seen({ reads: [got(BYTES.subarray(0, 4096))] })).kind).toBe('pass');
    });
    it('must not end in silence', () => {
      expect(verdict(failing, seen({ reads: [{ result: 0, sha256: '' }] })).kind).toBe('accepts-invalid');
    });
    it('must not give more, nor other bytes', () => {
      expect(verdict(failing, seen({ reads: [got(BYTES)] }))).toMatchObject({ signature: 'accepts-invalid: ZF-BLK-03' });
      expect(verdict(failing, seen({ reads: [damaged(BYTES.subarray(0, 4096), 3)] })).kind).toBe('accepts-invalid');
    });
  });

  describe('a contested point', () => {
    const contested: Expectation = { ...REFUSE, class: 'permissive', alternatives: [{ flags: ['zf.index-gap'], outcome: EXPECTED.strict }] };
    const strict = seen({ open: 'refused', reads: [] });
    it('passes either side undeclared, and says so', () => {
      expect(verdict(contested, seen())).toMatchObject({ kind: 'pass', undeclared: ['zf.index-gap'] });
      expect(verdict(contested, strict)).toEqual({ kind: 'pass', why: '' });
    });
    it('is asserted once declared', () => {
      const strictly = { ...STANCE, flags: { 'zf.index-gap': false } };
      const leniently = { ...STANCE, flags: { 'zf.index-gap': true } };
      expect(verdict(contested, seen(), strictly).kind).toBe('accepts-invalid');
      expect(verdict(contested, seen(), leniently).kind).toBe('pass');
      expect(verdict(contested, strict, leniently)).toMatchObject({ kind: 'docs' });
    });
    it('does not excuse wrong bytes', () => {
      const wrong = seen({ reads: [damaged(BYTES, 0), got(BYTES.subarray(512, 1024))] });
      expect(verdict(contested, wrong)).toMatchObject({ signature: 'corruption: LS-MAP-01' });
      expect(verdict(contested, wrong, { ...STANCE, flags: { 'zf.index-gap': false } }).signature).toBe('accepts-invalid: LS-IDX-04');
    });
    it('may be noticed by some reads only', () => {
      expect(verdict(contested, seen({ reads: [{ result: -5, sha256: '' }, got(BYTES.subarray(512, 1024))] }))).toMatchObject({ kind: 'pass' });
    });
  });

  it('ranks: our own failure, death, memory, bytes, leak', () => {
    const spill = { before: 0, after: 8, first: 512 };
    const wrong = { ...damaged(BYTES, 0), spill };
    const leak = [{ kind: 'leak' as const, title: 'dm_put_device call missing' }];
    expect(verdict(EXPECTED, seen({ engineError: 'disk full', death: { kind: 'crash', title: 't', phase: 'open' } })).kind).toBe('engine-error');
    expect(verdict(EXPECTED, seen({ death: { kind: 'lost', title: 'qemu was killed', phase: 'open' } })).kind).toBe('engine-error');
    expect(verdict(EXPECTED, seen({ death: { kind: 'crash', title: 'page-fault in f', phase: 'read 0' } }))).toMatchObject({ signature: 'crash: page-fault in f' });
    expect(verdict(EXPECTED, seen({ reads: [wrong], complaints: leak }))).toMatchObject({ signature: 'memory: DM-RD-03', read: 0 });
    expect(verdict(EXPECTED, seen({ complaints: leak }))).toMatchObject({ kind: 'leak' });
    expect(verdict(REFUSE, seen({ death: { kind: 'hang', title: 'silent', phase: 'read 1' } }))).toMatchObject({ signature: 'hang: read under LS-IDX-04' });
  });
});
