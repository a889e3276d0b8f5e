// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Crowd, Observation, Opened, ReadObservation, ReadPlan } from '../model/index.ts';
import { caseOf, content, damaged, digest, expectationOf, failed, got, opened, plan, seen, wanted } from '../test/judging.ts';
import { compare, type Mismatch } from './compare.ts';

const BYTES = content(8192);
const EXPECTED = opened(8192, wanted(BYTES, [{ from: 0, to: 4096, clause: 'LS-MAP-01' }, { from: 4096, to: 8192, clause: 'ST-MRG-04' }]));
const READERS: Crowd = { readers: 4, rounds: 2 };

interface Together {
  readonly crowd?: Crowd;
  readonly meanwhile?: Observation['meanwhile'];
  readonly plans?: readonly ReadPlan[];
  readonly expected?: Opened;
}

function together(reads: readonly ReadObservation[], { crowd, meanwhile, plans = [plan(0, 8192)], expected = EXPECTED }: Together): Mismatch | null {
  const c = caseOf(plans);
  return compare({ ...c, access: { ...c.access, ...(crowd && { crowd }) } }, expected, seen(reads, meanwhile && { meanwhile }), { sizeUnit: 512 }, expectationOf(expected));
}

describe('one reader of many', () => {
  const WHAT = 'read 0 (direct, 8192 bytes at 0, buffer at 0 in its page; reader 3 of 4 readers at once, 2 times each, not the one that read it alone)';

  it.each<[string, ReadObservation, Omit<Mismatch, 'read'> | null]>([
    ['gets the right bytes', got(BYTES), null],
    ['gets a wrong byte', got(damaged(BYTES, 9)), { kind: 'corruption', clause: 'DM-RD-09', why: `${WHAT}: byte 9 must be 0x09, is 0x08` }],
    ['gets another digest', digest(damaged(BYTES, 9)), { kind: 'corruption', clause: 'DM-RD-09', why: `${WHAT} has another SHA-256 than expected` }],
    ['gets too little', got(BYTES.subarray(0, 512)), { kind: 'corruption', clause: 'DM-RD-09', why: `${WHAT} must give 8192 bytes; it gave 512` }],
    ['gets an error', failed(), { kind: 'refuses-valid', clause: 'DM-RD-09', why: `${WHAT} must give 8192 bytes; it failed with EIO` }],
    ['gets what nobody wrote', got(damaged(BYTES, 9), { untouched: 0 }), { kind: 'memory', clause: 'DM-RD-05', why: `${WHAT} succeeded, but its bytes from 0 on were never written` }],
  ])('%s', (_name, read, found) => {
    expect(together([{ ...read, reader: 3 }], { crowd: READERS })).toEqual(found && { ...found, read: 0 });
  });

  it('is charged before the way of reading', () => {
    const expected = opened(8192, wanted(BYTES), wanted(BYTES.subarray(512, 1024)));
    const plans = [plan(0, 8192), plan(512, 512)];
    const wrong = got(damaged(BYTES.subarray(512, 1024), 0));
    expect(together([got(BYTES), { ...wrong, reader: 1 }], { crowd: READERS, plans, expected })?.clause).toBe('DM-RD-09');
    expect(together([got(BYTES), wrong], { crowd: READERS, plans, expected })?.clause).toBe('DM-RD-02');
  });
});

describe('what is done to a device while it is read', () => {
  it.each<[Crowd, string]>([
    [READERS, 'DM-RD-09'],
    [{ ...READERS, meanwhile: 'suspend' }, 'DM-LIVE-01'],
    [{ ...READERS, meanwhile: 'reload' }, 'DM-LIVE-02'],
    [{ ...READERS, meanwhile: 'remove' }, 'DM-LIVE-03'],
    [{ readers: 1, rounds: 2, meanwhile: 'deferred-remove' }, 'DM-LIVE-03'],
  ])('of %j has a clause', (crowd, clause) => {
    expect(together([got(damaged(BYTES, 9), { reader: 3 })], { crowd })).toMatchObject({ kind: 'corruption', clause, read: 0 });
    expect(together([{ ...failed(), reader: 1 }], { crowd })).toMatchObject({ kind: 'refuses-valid', clause });
    // What one reader alone got wrong is no matter of the crowd.
    expect(together([got(damaged(BYTES, 9))], { crowd })).toMatchObject({ kind: 'corruption', clause: 'LS-MAP-01' });
    expect(together([got(BYTES)], { crowd, meanwhile: { times: 5 } })).toBeNull();
    expect(together([got(BYTES)], { crowd, meanwhile: { times: 5, failed: 'resume: EINVAL' } })).toMatchObject({ kind: 'refuses-valid', clause });
  });

  const crowd: Crowd = { ...READERS, meanwhile: 'suspend' };
  const meanwhile = { times: 5, failed: 'resume: EINVAL' };
  const BROKEN: Mismatch = {
    kind: 'refuses-valid', clause: 'DM-LIVE-01',
    why: '4 readers at once, 2 times each, while the device is suspended and resumed: after 4 times it failed: resume: EINVAL',
  };

  it('is told with how often it went well', () => expect(together([got(BYTES)], { crowd, meanwhile })).toEqual(BROKEN));
  it('is told before a read that fails', () => expect(together([failed()], { crowd, meanwhile })).toEqual(BROKEN));
  it('is told after a wrong byte', () => expect(together([got(damaged(BYTES, 4096))], { crowd, meanwhile })).toMatchObject({ kind: 'corruption', clause: 'ST-MRG-04', read: 0 }));
  it('is named beside the reader', () => {
    expect(together([got(damaged(BYTES, 9), { reader: 3 })], { crowd })?.why)
      .toContain('reader 3 of 4 readers at once, 2 times each, while the device is suspended and resumed, not the one that read it alone)');
  });
  it('counts only where somebody was to read meanwhile', () => expect(together([got(BYTES)], { meanwhile })).toBeNull());
});
