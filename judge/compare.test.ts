// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { GovernedRange, Observation, Outcome, ReadObservation, ReadOutcome, ReadPlan } from '../model/index.ts';
import { caseOf, content, damaged, digest, expectationOf, failed, failing, got, opened, plan, REFUSED, refused, seen, wanted } from '../test/judging.ts';
import { compare, refusedLate, type Mismatch } from './compare.ts';

const BYTES = content(8192);
const NONE = new Uint8Array(0);
const RANGES: readonly GovernedRange[] = [{ from: 0, to: 4096, clause: 'LS-MAP-01' }, { from: 4096, to: 8192, clause: 'ST-MRG-04' }];
const WHOLE = opened(8192, wanted(BYTES, RANGES));

interface Setting {
  readonly reads?: readonly ReadPlan[];
  readonly device?: 'zfile' | 'lsmt';
  readonly deviceBytes?: number;
  readonly sizeUnit?: 1 | 512;
  readonly notable?: readonly string[];
  readonly replaces?: number;
}

function compared(expected: Outcome, observation: Observation, setting: Setting = {}): Mismatch | null {
  const { reads = [plan(0, 8192)], sizeUnit = 512, notable = [], replaces } = setting;
  const c = caseOf(reads, setting);
  return compare({ ...c, access: { ...c.access, ...(replaces === undefined ? {} : { replaces }) } }, expected, observation, { sizeUnit }, expectationOf(expected, { notable }));
}

/** One read, whole pages from the start where no plan is given. */
function comparedRead(want: ReadOutcome, read: ReadObservation, at: ReadPlan = plan(0, 8192), size = 8192, setting: Setting = {}): Mismatch | null {
  return compared(opened(size, want), seen([read]), { reads: [at], ...setting });
}

const IN_FULL = 'read 0 (direct, 8192 bytes at 0, buffer at 0 in its page)';

describe('an image that must be refused', () => {
  const ACCEPTED: Mismatch = {
    kind: 'accepts-invalid', clause: 'LS-IDX-04', why: 'must be refused: entries overlap (byte 96 of layer 2); it was opened',
  };

  it('may be refused', () => expect(compared(REFUSED, refused())).toBeNull());

  it.each<[string, readonly ReadObservation[], boolean]>([
    ['no read', [], false],
    ['one that fails', [failed()], true],
    ['all fail', [failed(), failed(22)], true],
    ['nothing at the end and one that fails', [digest(NONE), failed()], true],
    ['nothing but the end', [digest(NONE)], false],
    ['one sector', [digest(BYTES.subarray(0, 512))], false],
    ['an error and one byte', [failed(), digest(BYTES.subarray(0, 1))], false],
  ])('that was opened and read: %s', (_name, reads, late) => {
    expect(refusedLate(REFUSED, seen(reads))).toBe(late);
    expect(compared(REFUSED, seen(reads))).toEqual(late ? null : ACCEPTED);
  });

  it('is refused late only where it was opened, and only where it must be refused', () => {
    expect(refusedLate(REFUSED, seen([failed()], { open: 'refused' }))).toBe(false);
    expect(refusedLate(WHOLE, seen([failed()]))).toBe(false);
  });
});

describe('an image that must be opened', () => {
  it.each<[Setting, string]>([
    [{}, 'DM-TBL-02'],
    [{ device: 'zfile' }, 'DM-TBL-01'],
    [{ notable: ['LS-IDX-07', 'DM-BACK-01'] }, 'LS-IDX-07'],
    [{ device: 'zfile', notable: ['ZF-OPT-04'] }, 'ZF-OPT-04'],
  ])('and was refused, %j: %s', (setting, clause) => {
    expect(compared(WHOLE, refused('EINVAL'), setting)).toEqual({ kind: 'refuses-valid', clause, why: 'must be opened; it was refused: EINVAL' });
  });

  it('and was refused without a word', () => {
    expect(compared(WHOLE, refused())?.why).toBe('must be opened; it was refused: no reason given');
  });

  it('passes with the right bytes or their digest', () => {
    expect(compared(WHOLE, seen([got(BYTES)]))).toBeNull();
    expect(compared(WHOLE, seen([digest(BYTES)]))).toBeNull();
  });

  it.each<[device: 'zfile' | 'lsmt', sizeUnit: 1 | 512, size: number | undefined, clause: string | null, why?: string]>([
    ['lsmt', 512, undefined, null],
    ['lsmt', 512, 8192, null],
    ['lsmt', 512, 8704, 'ST-SIZE-01', 'the device must have 8192 bytes; it has 8704'],
    ['lsmt', 512, 7680, 'ST-SIZE-01', 'the device must have 8192 bytes; it has 7680'],
    ['zfile', 512, 0, 'DM-TBL-01', 'the device must have 8192 bytes; it has 0'],
    // A reader that says the size itself is not asked for whole sectors.
    ['lsmt', 1, 8300, null],
    ['lsmt', 1, 8192, 'ST-SIZE-01', 'the device must have 8300 bytes; it has 8192'],
    ['lsmt', 1, undefined, null],
  ])('as %s in units of %i bytes with %s bytes: %s', (device, sizeUnit, size, clause, why) => {
    const expected = opened(8300, wanted(BYTES));
    const observation = seen([got(BYTES)], size === undefined ? {} : { size });
    expect(compared(expected, observation, { device, sizeUnit })).toEqual(clause === null ? null : { kind: 'corruption', clause, why });
  });

  it('has every read answered', () => {
    expect(compared(opened(8192, wanted(BYTES), { outcome: 'any', clause: 'ZF-BLK-05' }), seen([got(BYTES)]), { reads: [plan(0, 8192), plan(0, 512)] }))
      .toEqual({ kind: 'refuses-valid', clause: 'DM-SAFE-01', read: 1, why: 'read 1 was never answered' });
  });

  it('may give anything where nobody says what', () => {
    for (const read of [failed(), got(NONE), got(BYTES)]) expect(comparedRead({ outcome: 'any', clause: 'ZF-BLK-05' }, read)).toBeNull();
  });
});

describe('of several reads', () => {
  const reads = [plan(0, 4096), plan(4096, 4096), plan(0, 4096)];
  const right = [BYTES.subarray(0, 4096), BYTES.subarray(4096), BYTES.subarray(0, 4096)];
  const expected = opened(8192, wanted(right[0]!), wanted(right[1]!), wanted(right[2]!));
  const ERROR = failed();
  const WRONG = (i: number): ReadObservation => got(damaged(right[i]!, i));

  it.each<[string, readonly ReadObservation[], Mismatch['kind'] | null, number | undefined]>([
    ['no fault', right.map((b) => got(b)), null, undefined],
    ['an error before wrong bytes', [ERROR, WRONG(1), got(right[2]!)], 'corruption', 1],
    ['an error after wrong bytes', [got(right[0]!), WRONG(1), ERROR], 'corruption', 1],
    ['two errors', [got(right[0]!), ERROR, ERROR], 'refuses-valid', 1],
    ['wrong bytes twice', [WRONG(0), WRONG(1), WRONG(2)], 'corruption', 0],
  ])('the first of the worst counts: %s', (_name, observed, kind, read) => {
    const mismatch = compared(expected, seen(observed), { reads });
    expect(mismatch && [mismatch.kind, mismatch.read]).toEqual(kind && [kind, read]);
  });
});

describe('a read that must give bytes', () => {
  const want = wanted(BYTES, RANGES);
  const mismatch = (kind: Mismatch['kind'], clause: string, why: string): Mismatch => ({ kind, clause, read: 0, why: `${IN_FULL}${why}` });

  it.each<[string, ReadObservation, Mismatch]>([
    ['first byte', got(damaged(BYTES, 0)), mismatch('corruption', 'LS-MAP-01', ': byte 0 must be 0x00, is 0x01')],
    ['last byte of a range', got(damaged(BYTES, 4095)), mismatch('corruption', 'LS-MAP-01', ': byte 4095 must be 0x4f, is 0x4e')],
    ['first byte of the next', got(damaged(BYTES, 4096)), mismatch('corruption', 'ST-MRG-04', ': byte 4096 must be 0x50, is 0x51')],
    ['last byte', got(damaged(BYTES, 8191)), mismatch('corruption', 'ST-MRG-04', ': byte 8191 must be 0x9f, is 0x9e')],
    ['two bytes', got(damaged(damaged(BYTES, 5000), 7)), mismatch('corruption', 'LS-MAP-01', ': byte 7 must be 0x07, is 0x06')],
    ['another digest', digest(damaged(BYTES, 5000)), mismatch('corruption', 'LS-MAP-01', ' has another SHA-256 than expected')],
    ['nothing', got(NONE), mismatch('corruption', 'LS-MAP-01', ' must give 8192 bytes; it gave 0')],
    ['a range less', got(BYTES.subarray(0, 4096)), mismatch('corruption', 'ST-MRG-04', ' must give 8192 bytes; it gave 4096')],
    ['a byte less', got(BYTES.subarray(0, 8191)), mismatch('corruption', 'ST-MRG-04', ' must give 8192 bytes; it gave 8191')],
    ['a byte more', got(content(8193)), mismatch('corruption', 'DM-RD-01', ' must give 8192 bytes; it gave 8193')],
    ['never written from the first byte on', got(damaged(BYTES, 0), { untouched: 0 }), mismatch('memory', 'DM-RD-05', ' succeeded, but its bytes from 0 on were never written')],
    ['never written before the difference', got(damaged(BYTES, 70), { untouched: 64 }), mismatch('memory', 'DM-RD-05', ' succeeded, but its bytes from 64 on were never written')],
    ['never written from the difference on', got(damaged(BYTES, 64), { untouched: 64 }), mismatch('memory', 'DM-RD-05', ' succeeded, but its bytes from 64 on were never written')],
    ['never written after the difference', got(damaged(BYTES, 63), { untouched: 64 }), mismatch('corruption', 'LS-MAP-01', ': byte 63 must be 0x3f, is 0x3e')],
    // The last range is likelier at fault than what came before it.
    ['EIO', failed(5), mismatch('refuses-valid', 'ST-MRG-04', ' must give 8192 bytes; it failed with EIO')],
  ])('%s', (_name, read, expected) => expect(comparedRead(want, read)).toEqual(expected));

  it('may hold by chance what the buffer was filled with', () => expect(comparedRead(want, got(BYTES, { untouched: 0 }))).toBeNull());

  it.each<[string, readonly GovernedRange[], ReadObservation]>([
    ['wrong', RANGES.slice(0, 1), got(damaged(BYTES, 4096))],
    ['failed', RANGES.slice(0, 1), failed()],
    ['without ranges', [], digest(damaged(BYTES, 1))],
  ])('and that no range governs is the read’s own: %s', (_name, ranges, read) => {
    expect(comparedRead(wanted(BYTES, ranges), read)?.clause).toBe('DM-RD-01');
  });

  it.each([
    [5, 'EIO'], [11, 'EAGAIN'], [12, 'ENOMEM'], [14, 'EFAULT'], [22, 'EINVAL'], [28, 'ENOSPC'], [61, 'ENODATA'],
    [74, 'EBADMSG'], [110, 'ETIMEDOUT'], [117, 'EUCLEAN'], [121, 'EREMOTEIO'], [6, 'errno 6'], [4095, 'errno 4095'],
  ])('that fails with %i names %s', (number, name) => {
    expect(comparedRead(want, failed(number))?.why).toBe(`${IN_FULL} must give 8192 bytes; it failed with ${name}`);
  });

  it('says how it was made', () => {
    const part = BYTES.subarray(512, 1024);
    expect(comparedRead(wanted(part), got(damaged(part, 16)), plan(512, 512, { mode: 'buffered', bufferOffset: 1536 }))?.why)
      .toBe('read 0 (buffered, 512 bytes at 512, buffer at 1536 in its page): byte 16 must be 0x1a, is 0x1b');
  });
});

describe('a read that must fail after 4096 bytes', () => {
  const good = BYTES.subarray(0, 4096);
  const TOO_MUCH = (n: number): Mismatch => ({
    kind: 'accepts-invalid', clause: 'ZF-BLK-03', read: 0, why: `read 0 must fail after 4096 bytes: the CRC differs; it gave ${n} bytes`,
  });
  it.each<[string, ReadObservation, Mismatch | null]>([
    ['fails', failed(), null],
    ['stops after the good bytes', got(good), null],
    ['stops after the good bytes, by digest', digest(good), null],
    ['stops early', got(good.subarray(0, 512)), null],
    ['stops early, by digest', digest(good.subarray(0, 512)), null],
    ['gives one good byte', got(good.subarray(0, 1)), null],
    ['gives nothing', got(NONE), TOO_MUCH(0)],
    ['gives nothing, by digest', digest(NONE), TOO_MUCH(0)],
    ['gives one byte more', got(content(4097)), TOO_MUCH(4097)],
    ['gives all', got(BYTES), TOO_MUCH(8192)],
    ['says that it gave all, with the digest of the good bytes', { ...digest(good), result: 8192 }, TOO_MUCH(8192)],
    ['gives another byte', got(damaged(good, 3)), TOO_MUCH(4096)],
    ['gives another byte, by digest', digest(damaged(good, 3)), TOO_MUCH(4096)],
  ])('%s', (_name, read, expected) => expect(comparedRead(failing(good), read)).toEqual(expected));

  it('must not fail where the device ends before', () => {
    // A table of 4096 bytes over an image of 8192 whose second block is bad.
    const short: Setting = { deviceBytes: 4096 };
    const whole = plan(0, 8192);
    expect(comparedRead(failing(good), got(good), whole, 8192, short)).toBeNull();
    expect(comparedRead(failing(good), failed(), whole, 8192, short)).toEqual({
      kind: 'refuses-valid', clause: 'DM-RD-01', read: 0, why: `${IN_FULL} must give 4096 bytes; it failed with EIO`,
    });
    expect(comparedRead(failing(good), got(NONE), whole, 8192, short)).toMatchObject({ kind: 'corruption', why: `${IN_FULL} must give 4096 bytes; it gave 0` });
    expect(comparedRead(failing(good), got(BYTES), whole, 8192, short)).toMatchObject({ kind: 'corruption' });
    expect(comparedRead(failing(good), failed(), whole, 8192, { deviceBytes: 4608 })).toBeNull();
    expect(comparedRead(failing(content(4608)), failed(), whole, 8192, short)).toMatchObject({ kind: 'refuses-valid' });
  });
});

describe('a device that its table made shorter than the image', () => {
  const setting: Setting = { deviceBytes: 4096 };
  it.each<[string, ReadPlan, Uint8Array, ReadObservation, string | null]>([
    ['ends there', plan(0, 8192), BYTES, got(BYTES.subarray(0, 4096)), null],
    ['does not go on', plan(0, 8192), BYTES, got(BYTES), 'corruption: must give 4096 bytes; it gave 8192'],
    ['ends not before', plan(0, 8192), BYTES, got(BYTES.subarray(0, 3584)), 'corruption: must give 4096 bytes; it gave 3584'],
    ['must be read up to there', plan(0, 8192), BYTES, failed(), 'refuses-valid: must give 4096 bytes; it failed with EIO'],
    ['ends in mid-read', plan(3584, 1024), BYTES.subarray(3584, 4608), got(BYTES.subarray(3584, 4096)), null],
    ['must be read up to there from the middle', plan(3584, 1024), BYTES.subarray(3584, 4608), failed(), 'refuses-valid: must give 512 bytes; it failed with EIO'],
    ['gives nothing behind its end', plan(4096, 512), BYTES.subarray(4096, 4608), got(NONE), null],
    ['gives nothing far behind its end', plan(7680, 512), BYTES.subarray(7680), got(NONE), null],
    ['gives nothing of much behind its end', plan(4608, 3584), BYTES.subarray(4608), got(NONE), null],
    ['gives something behind its end', plan(4096, 512), BYTES.subarray(4096, 4608), got(BYTES.subarray(4096, 4608)), 'corruption: must give 0 bytes; it gave 512'],
  ])('%s', (_name, at, bytes, read, expected) => {
    const found = comparedRead(wanted(bytes), read, at, 8192, setting);
    expect(found && `${found.kind}: ${found.why.replace(/^.*?\) /, '')}`).toBe(expected);
  });
});

describe('a device that its table made longer than the image of 1000 bytes', () => {
  const known = BYTES.subarray(0, 1000);
  const all = plan(0, 8192);
  it.each<[string, ReadObservation, string | null]>([
    ['may fail', failed(), null],
    ['may give anything behind', got(damaged(BYTES, 1000)), null],
    ['may end with the image', got(known), null],
    ['may end with the image, by digest', digest(known), null],
    ['is not known behind by digest', digest(damaged(BYTES, 3)), null],
    ['has the image’s bytes', got(damaged(BYTES, 999)), 'corruption: : byte 999 must be 0xf6, is 0xf7'],
    ['has the image’s bytes and no more', got(damaged(known, 999)), 'corruption: : byte 999 must be 0xf6, is 0xf7'],
    ['has the image’s bytes, by digest', digest(damaged(known, 3)), 'corruption: has another SHA-256 than expected'],
    ['has all of them', got(known.subarray(0, 999)), 'corruption: must give 1000 bytes; it gave 999'],
    ['has any of them', got(NONE), 'corruption: must give 1000 bytes; it gave 0'],
    ['has them written', got(damaged(BYTES, 64), { untouched: 64 }), 'memory: succeeded, but its bytes from 64 on were never written'],
  ])('%s', (_name, read, expected) => {
    const found = comparedRead(wanted(known), read, all, 1000);
    expect(found && `${found.kind}: ${found.why.replace(/^.*?\) ?/, '')}`).toBe(expected);
  });

  it('may give anything to a read behind it', () => {
    for (const read of [failed(), got(NONE), got(BYTES.subarray(0, 512)), digest(BYTES.subarray(0, 512))]) {
      expect(comparedRead(wanted(NONE), read, plan(1024, 512), 1000)).toBeNull();
    }
  });

  it('ends somewhere: behind that there is nothing', () => {
    expect(comparedRead(wanted(NONE), got(NONE), plan(8192, 512), 1000)).toBeNull();
    expect(comparedRead(wanted(NONE), got(BYTES.subarray(0, 512)), plan(8192, 512), 1000)).toMatchObject({ kind: 'corruption', clause: 'DM-RD-01' });
  });
});

describe('the access is charged, not the content,', () => {
  const part = (p: ReadPlan): Uint8Array => BYTES.subarray(p.offset, p.offset + p.length);
  const READ_512 = plan(512, 512);

  /** Clause of a fault in the last of the reads, all others as given or right. */
  function clauseOfLast(plans: readonly ReadPlan[], last: (right: Uint8Array) => ReadObservation, others: Readonly<Record<number, ReadObservation>> = {}, setting: Setting = {}): string | undefined {
    const reads = plans.map((p, i) => (i === plans.length - 1 ? last(part(p)) : others[i] ?? got(part(p))));
    const found = compared(opened(8192, ...plans.map((p) => wanted(part(p), [{ from: 0, to: p.length, clause: 'ZF-BLK-01' }]))), seen(reads), { reads: plans, ...setting });
    expect(found?.read).toBe(plans.length - 1);
    return found?.clause;
  }
  const firstWrong = (right: Uint8Array): ReadObservation => got(damaged(right, 0));

  it.each<[string, ReadPlan, string]>([
    ['starts inside a page', plan(512, 4096), 'DM-RD-02'],
    ['ends inside a page', plan(0, 512), 'DM-RD-02'],
    ['lands inside a page', plan(0, 4096, { bufferOffset: 512 }), 'DM-RD-02'],
    ['lands inside a page, second page', plan(4096, 4096, { bufferOffset: 3584 }), 'DM-RD-02'],
    ['comes through the page cache', plan(0, 4096, { mode: 'buffered' }), 'DM-RD-04'],
    ['comes through the page cache in part', plan(512, 512, { mode: 'buffered' }), 'DM-RD-04'],
    ['comes out of a mapping', plan(0, 4096, { mode: 'mmap' }), 'DM-RD-06'],
    ['goes into several buffers', plan(0, 4096, { pieces: [512, 3584] }), 'DM-RD-07'],
    ['goes into huge pages', plan(0, 4096, { huge: true }), 'DM-RD-08'],
    ['goes from the page cache into several buffers', plan(0, 4096, { mode: 'buffered', pieces: [512, 3584] }), 'DM-RD-07'],
    ['goes from the page cache into huge pages', plan(0, 4096, { mode: 'buffered', huge: true }), 'DM-RD-08'],
    ['goes into several buffers in huge pages', plan(0, 4096, { pieces: [512, 3584], huge: true }), 'DM-RD-07'],
    ['is of whole pages', plan(0, 4096), 'ZF-BLK-01'],
    ['is of whole pages in the middle', plan(4096, 4096), 'ZF-BLK-01'],
  ])('where a read %s', (_name, last, clause) => {
    expect(clauseOfLast([plan(0, 8192), last], firstWrong)).toBe(clause);
  });

  it.each<[string, ReadPlan, string]>([
    ['page cache', plan(0, 4096, { mode: 'buffered' }), 'DM-LIVE-04'],
    ['page cache, into several buffers', plan(0, 4096, { mode: 'buffered', pieces: [512, 3584] }), 'DM-LIVE-04'],
    ['mapping', plan(0, 4096, { mode: 'mmap' }), 'DM-LIVE-04'],
    ['direct read inside a page', plan(512, 512), 'DM-RD-02'],
    ['direct read into several buffers', plan(0, 4096, { pieces: [512, 3584] }), 'DM-RD-07'],
    ['direct read of whole pages', plan(0, 4096), 'ZF-BLK-01'],
  ])('on a device that showed another image: %s', (_name, last, clause) => {
    for (const replaces of [0, 1]) expect(clauseOfLast([plan(0, 8192), last], firstWrong, {}, { replaces })).toBe(clause);
  });

  it.each<[string, (right: Uint8Array) => ReadObservation, string]>([
    ['wrong bytes', firstWrong, 'DM-RD-02'],
    ['an error', () => failed(), 'DM-RD-02'],
    ['too few bytes', (right) => got(right.subarray(0, 100)), 'DM-RD-02'],
    // Which byte it is about is not known.
    ['another digest', (right) => digest(damaged(right, 0)), 'ZF-BLK-01'],
  ])('of %s', (_name, last, clause) => expect(clauseOfLast([plan(0, 8192), READ_512], last)).toBe(clause));

  it.each<[string, ReadPlan, number, string]>([
    ['the same byte first', plan(1024, 512), 512, 'DM-RD-02'],
    ['the byte before last', plan(512, 513), 512, 'DM-RD-02'],
    ['the byte before only', plan(0, 1024), 512, 'ZF-BLK-01'],
    ['from the next byte on', plan(1025, 512), 512, 'ZF-BLK-01'],
    ['what lies far behind', plan(4096, 4096), 0, 'ZF-BLK-01'],
  ])('where an earlier read had %s', (_name, earlier, at, clause) => {
    expect(clauseOfLast([earlier, plan(512, 1024)], (right) => got(damaged(right, at)))).toBe(clause);
  });

  it.each<[string, ReadOutcome, ReadObservation]>([
    ['failed', wanted(BYTES), failed()],
    ['had to fail there', failing(BYTES), failed()],
    ['could give anything', { outcome: 'any', clause: 'ZF-BLK-05' }, got(BYTES)],
  ])('but not where the earlier read %s', (_name, earlier, read) => {
    const expected = opened(8192, earlier, wanted(part(READ_512), [{ from: 0, to: 512, clause: 'ZF-BLK-01' }]));
    expect(compared(expected, seen([read, firstWrong(part(READ_512))]), { reads: [plan(0, 8192), READ_512] })).toMatchObject({ clause: 'ZF-BLK-01', read: 1 });
  });

  it('but not where both are wrong, or only a later one is right', () => {
    const plans = [READ_512, plan(0, 8192)];
    const expected = opened(8192, ...plans.map((p) => wanted(part(p), [{ from: 0, to: p.length, clause: 'ZF-BLK-01' }])));
    expect(compared(expected, seen([firstWrong(part(READ_512)), got(BYTES)]), { reads: plans })).toMatchObject({ clause: 'ZF-BLK-01', read: 0 });
    expect(compared(expected, seen([firstWrong(part(READ_512)), got(damaged(BYTES, 512))]), { reads: plans })).toMatchObject({ clause: 'ZF-BLK-01', read: 0 });
  });
});

describe('a read through the page cache beside bytes that cannot be had', () => {
  const want: ReadOutcome = { outcome: 'bytes', bytes: BYTES, ranges: RANGES, mayFail: true };
  const at = plan(0, 8192, { mode: 'buffered' });
  const wrong = (clause: string, why: string): Mismatch => ({ kind: 'corruption', clause, read: 0, why: `read 0 (buffered, 8192 bytes at 0, buffer at 0 in its page)${why}` });

  it.each<[string, ReadObservation, Mismatch | null]>([
    ['gives its bytes', got(BYTES), null],
    ['gives its bytes, by digest', digest(BYTES), null],
    ['fails', failed(), null],
    ['fails of something else', failed(12), null],
    ['ends early', got(BYTES.subarray(0, 4096)), null],
    ['ends early, by digest', digest(BYTES.subarray(0, 4096)), null],
    ['ends after one byte', got(BYTES.subarray(0, 1)), null],
    ['ends early with a wrong byte', got(damaged(BYTES.subarray(0, 4096), 4000)), wrong('ST-MRG-04', ' must give 8192 bytes; it gave 4096')],
    ['ends early with another digest', digest(damaged(BYTES.subarray(0, 4095), 0)), wrong('LS-MAP-01', ' must give 8192 bytes; it gave 4095')],
    ['gives nothing', got(NONE), wrong('LS-MAP-01', ' must give 8192 bytes; it gave 0')],
    ['gives nothing, by digest', digest(NONE), wrong('LS-MAP-01', ' must give 8192 bytes; it gave 0')],
    ['gives a wrong byte', got(damaged(BYTES, 1)), wrong('LS-MAP-01', ': byte 1 must be 0x01, is 0x00')],
    ['gives a byte more', got(content(8193)), wrong('DM-RD-01', ' must give 8192 bytes; it gave 8193')],
  ])('%s', (_name, read, expected) => expect(comparedRead(want, read, at)).toEqual(expected));

  it('gives no more than the device has', () => {
    expect(comparedRead(want, got(BYTES.subarray(0, 4096)), at, 8192, { deviceBytes: 4096 })).toBeNull();
    expect(comparedRead(want, got(BYTES.subarray(0, 512)), at, 8192, { deviceBytes: 4096 })).toBeNull();
    expect(comparedRead(want, got(BYTES), at, 8192, { deviceBytes: 4096 })).toEqual(wrong('ST-MRG-04', ' must give 4096 bytes; it gave 8192'));
  });

  it.each([plan(0, 8192), at])('is the only one that may do so', (p) => {
    expect(comparedRead(wanted(BYTES, RANGES), failed(), p)).toMatchObject({ kind: 'refuses-valid', clause: 'ST-MRG-04' });
    expect(comparedRead(wanted(BYTES, RANGES), got(BYTES.subarray(0, 4095)), p)).toMatchObject({ kind: 'corruption', clause: 'LS-MAP-01' });
  });
});
