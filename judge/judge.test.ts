// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Alternative, Complaint, Death, Expectation, Needs, Observation, Outcome, ReadObservation, Stance, Verdict } from '../model/index.ts';
import { caseOf, content, damaged, digest, expectationOf, failed, failing, got, opened, plan, REFUSED, refused, seen, sha256, wanted } from '../test/judging.ts';
import { judge, supported } from './judge.ts';

const FIRST = content(4096);
const SECOND = content(8192).subarray(4096);
const CASE = caseOf([plan(0, 4096), plan(4096, 4096, { bufferOffset: 512 })]);
const OPENED = opened(8192, wanted(FIRST), wanted(SECOND));
const RIGHT = [got(FIRST), got(SECOND)];
/** Wrong from the first byte on in the first read. */
const WRONG = [got(damaged(FIRST, 0)), got(SECOND)];
const SOUND = expectationOf(OPENED);
const INVALID = expectationOf(REFUSED, { class: 'invalid' });

/** A point that either side may take undeclared, another one, and one whose other side must be declared. */
const FREE = 'zf.index-gap';
const OTHER = 'ls.odd-virtual-size';
const SETTLED = 'ls.invalid-refused';
const LATE = 'suite.late-refusal';

function stance(flags: Stance['flags'] = {}, supports: Partial<Stance['supports']> = {}): Stance {
  return {
    supports: { wrappings: [], devices: ['lsmt', 'zfile'], forms: [], tables: true, algorithms: ['lz4'], blockSizes: [4096], maxLayers: 255, ...supports },
    flags, knownFailures: [],
  };
}

function verdict(expected: Expectation, observation: Observation, flags: Stance['flags'] = {}): Verdict {
  return judge(CASE, expected, observation, stance(flags), { sizeUnit: 512 });
}

function contested(strict: Outcome, ...alternatives: readonly Alternative[]): Expectation {
  return expectationOf(strict, { class: 'permissive', alternatives });
}

function lenient(flags: readonly string[], outcome: Outcome): Alternative {
  return { flags, outcome };
}

/** Kind, what the signature adds to it, undeclared flags: what tells verdicts apart at a glance. */
function brief(v: Verdict): string {
  return [v.signature ?? v.kind, ...(v.undeclared ? [`undeclared ${v.undeclared.join()}`] : [])].join(' ');
}

const PASS: Verdict = { kind: 'pass', why: '' };

describe('what the outcome alone says', () => {
  it('passes the right bytes and the refusal of what must be refused', () => {
    expect(verdict(SOUND, seen(RIGHT))).toEqual(PASS);
    expect(verdict(SOUND, seen([digest(FIRST), digest(SECOND)]))).toEqual(PASS);
    expect(verdict(INVALID, refused())).toEqual(PASS);
  });

  it('names read, clause and reason', () => {
    expect(verdict(SOUND, seen(WRONG))).toEqual({
      kind: 'corruption', clause: 'LS-MAP-01', signature: 'corruption: LS-MAP-01', read: 0,
      why: 'read 0 (direct, 4096 bytes at 0, buffer at 0 in its page): byte 0 must be 0x00, is 0x01',
    });
  });

  it('names no read where none shows it', () => {
    const found = verdict(SOUND, refused('EINVAL'));
    expect(found).toEqual({ kind: 'refuses-valid', clause: 'DM-TBL-02', signature: 'refuses-valid: DM-TBL-02', why: 'must be opened; it was refused: EINVAL' });
    expect(found).not.toHaveProperty('read');
  });
});

describe('what is our own fault is no finding', () => {
  const faults: Partial<Observation> = { complaints: [{ kind: 'crash', title: 't' }], death: { kind: 'crash', title: 't', phase: 'open' } };
  it('whatever else was seen', () => {
    expect(verdict(SOUND, seen(WRONG, { ...faults, engineError: 'disk full' }))).toEqual({ kind: 'engine-error', why: 'disk full' });
    expect(verdict(SOUND, seen(WRONG, { ...faults, engineError: '' }))).toEqual({ kind: 'engine-error', why: '' });
  });
  it('nor is a target that vanished', () => {
    expect(verdict(SOUND, seen(WRONG, { ...faults, death: { kind: 'lost', title: 'killed from outside', phase: 'read 1' } })))
      .toEqual({ kind: 'engine-error', why: 'the target vanished (killed from outside) during read 1' });
  });
});

describe('a death', () => {
  const BAD_BLOCK = expectationOf(opened(8192, wanted(FIRST), failing(new Uint8Array(0)), failing(new Uint8Array(0), 'ZF-LZ4-01')), { notable: ['ZF-OPT-04', 'ZF-BLK-06'] });

  it('by a crash is named by its title', () => {
    expect(verdict(SOUND, seen([], { death: { kind: 'crash', title: 'page-fault in f', phase: 'read 0' } }))).toEqual({
      kind: 'crash', clause: 'DM-SAFE-01', signature: 'crash: page-fault in f', why: 'crashed during read 0: page-fault in f',
    });
  });

  it.each<[string, Expectation, Omit<Death, 'kind'>, clause: string, signature: string]>([
    ['with a frame', SOUND, { title: 'hung-task in lsmt_map', phase: 'read 1' }, 'DM-SAFE-01', 'hang: hung-task in lsmt_map'],
    ['with a frame after its kind', SOUND, { title: 'hang in lsmt_map', phase: 'read 1' }, 'DM-SAFE-01', 'hang: in lsmt_map'],
    ['with its kind in mid-title', SOUND, { title: 'long hang in lsmt_map', phase: 'read 1' }, 'DM-SAFE-01', 'hang: long hang in lsmt_map'],
    ['with no frame after all', SOUND, { title: 'silent in ', phase: 'close' }, 'DM-SAFE-01', 'hang: close under DM-SAFE-01'],
    ['at open of a sound image', SOUND, { title: 'silent', phase: 'open' }, 'DM-SAFE-01', 'hang: open under DM-SAFE-01'],
    ['at open of an image of note', expectationOf(OPENED, { notable: ['LS-IDX-07', 'DM-BACK-01'] }), { title: 'silent', phase: 'open' }, 'LS-IDX-07', 'hang: open under LS-IDX-07'],
    ['at a read of an image of note', expectationOf(OPENED, { notable: ['LS-IDX-07'] }), { title: 'silent', phase: 'read 1' }, 'LS-IDX-07', 'hang: read under LS-IDX-07'],
    ['at open of an image to refuse', INVALID, { title: 'silent', phase: 'open' }, 'LS-IDX-04', 'hang: open under LS-IDX-04'],
    ['at a read of an image to refuse', INVALID, { title: 'silent', phase: 'read 13' }, 'LS-IDX-04', 'hang: read under LS-IDX-04'],
    ['at a read of a damaged image', BAD_BLOCK, { title: 'silent', phase: 'read 0' }, 'ZF-BLK-03', 'hang: read under ZF-BLK-03'],
    ['at open of a damaged image', BAD_BLOCK, { title: 'silent', phase: 'open' }, 'ZF-OPT-04', 'hang: open under ZF-OPT-04'],
  ])('by a hang %s', (_name, expected, death, clause, signature) => {
    expect(verdict(expected, seen([], { death: { kind: 'hang', ...death } })))
      .toEqual({ kind: 'hang', clause, signature, why: `no answer in time during ${death.phase}: ${death.title}` });
  });
});

describe('a complaint in the log', () => {
  it.each<[Complaint['kind'], clause: string]>([['crash', 'DM-SAFE-01'], ['memory', 'DM-SAFE-01'], ['leak', 'DM-FREE-01']])('%s', (kind, clause) => {
    const complaints = [{ kind, title: `${kind} in f` }, { kind, title: 'another' }];
    expect(verdict(SOUND, seen(RIGHT, { complaints }))).toEqual({ kind, clause, signature: `${kind}: ${kind} in f`, why: `the target's log says: ${kind} in f` });
  });
});

describe('a spill', () => {
  const spilling = (before: number, after: number): ReadObservation[] => [got(FIRST, { spill: { before: 0, after: 0, first: 0 } }), got(SECOND, { spill: { before, after, first: -before } })];
  it.each([[1, 0], [0, 1], [3, 8]])('of %i bytes before and %i after the buffer', (before, after) => {
    expect(verdict(SOUND, seen(spilling(before, after)))).toEqual({
      kind: 'memory', clause: 'DM-RD-03', signature: 'memory: DM-RD-03', read: 1,
      why: `read 1 (direct, 4096 bytes at 4096, buffer at 512 in its page) changed ${before} bytes before and ${after} after its buffer, the first at ${-before}`,
    });
  });
  it('of nothing is none', () => expect(verdict(SOUND, seen(spilling(0, 0)))).toEqual(PASS));
  it('of the first of several reads counts', () => {
    const spill = { before: 0, after: 8, first: 4096 };
    expect(verdict(SOUND, seen([got(FIRST, { spill }), got(SECOND, { spill })])).read).toBe(0);
  });
});

describe('of several faults the worst counts', () => {
  const crashed: Death = { kind: 'crash', title: 'oops', phase: 'read 1' };
  const hung: Death = { kind: 'hang', title: 'stuck in f', phase: 'read 1' };
  const complaint = (kind: Complaint['kind']): Complaint => ({ kind, title: `${kind} in log` });
  const all = [complaint('leak'), complaint('memory'), complaint('crash')];
  const spill = { before: 0, after: 8, first: 4096 };
  const SPILL = [got(damaged(FIRST, 0), { spill }), got(SECOND)];
  const POINT = contested(OPENED, lenient([FREE], REFUSED));

  const leaking = [complaint('leak')];
  it.each<[string, Observation, signature: string, Expectation?, Stance['flags']?]>([
    ['a crash and all else', seen(SPILL, { death: crashed, complaints: all }), 'crash: oops'],
    ['a crash in the log and a hang', seen(SPILL, { death: hung, complaints: all }), 'crash: crash in log'],
    ['a hang and memory', seen(SPILL, { death: hung, complaints: all.slice(0, 2) }), 'hang: stuck in f'],
    ['a crash in the log and memory', seen(SPILL, { complaints: all }), 'crash: crash in log'],
    ['memory in the log and a spill', seen(SPILL, { complaints: all.slice(0, 2) }), 'memory: memory in log'],
    ['a spill, wrong bytes and a leak', seen(SPILL, { complaints: leaking }), 'memory: DM-RD-03'],
    ['a spill and what was never written', seen([got(damaged(FIRST, 0), { untouched: 0 }), got(SECOND, { spill })]), 'memory: DM-RD-03'],
    ['wrong bytes and a leak', seen(WRONG, { complaints: leaking }), 'corruption: LS-MAP-01'],
    ['a refusal and a leak', { ...refused(), complaints: leaking }, 'refuses-valid: DM-TBL-02'],
    ['words that do not fit', seen(RIGHT), `docs: ${FREE}`, POINT, { [FREE]: true }],
    ['a leak and words that do not fit', seen(RIGHT, { complaints: leaking }), 'leak: leak in log', POINT, { [FREE]: true }],
    ['a leak and a point taken undeclared', { ...refused(), complaints: leaking }, 'leak: leak in log', POINT],
    ['a leak and what is not supported', { ...refused(), complaints: leaking }, 'leak: leak in log', expectationOf(OPENED, { needs: { algorithms: ['zstd'], blockSizes: [], layers: 1 } })],
  ])('%s', (_name, observation, signature, expected = SOUND, flags = {}) => {
    expect(verdict(expected, observation, flags).signature).toBe(signature);
  });
});

describe('an image that is noticed late', () => {
  const WHY = 'it was opened and noticed only when it was read';
  const ACCEPTED: Verdict = { kind: 'accepts-invalid', clause: 'LS-IDX-04', signature: 'accepts-invalid: LS-IDX-04', why: WHY };
  it('passes undeclared and says so, passes once declared, and is a finding where the stance denies it', () => {
    const late = seen([failed(), failed()]);
    expect(verdict(INVALID, late)).toEqual({ ...PASS, undeclared: [LATE] });
    expect(verdict(INVALID, late, { [LATE]: true })).toEqual(PASS);
    expect(verdict(INVALID, late, { [LATE]: false })).toEqual(ACCEPTED);
  });

  it('does so by some reads only, where the others are right on the lenient side', () => {
    const expected = contested(REFUSED, lenient([FREE], OPENED));
    const partly = seen([failed(), got(SECOND)]);
    expect(verdict(expected, partly)).toEqual({ ...PASS, undeclared: [LATE] });
    expect(brief(verdict(expected, seen([got(new Uint8Array(0)), got(SECOND)])))).toBe('corruption: LS-MAP-01');
    expect(verdict(expected, partly, { [LATE]: true })).toEqual(PASS);
    expect(verdict(expected, partly, { [LATE]: false })).toEqual(ACCEPTED);
    expect(brief(verdict(expected, seen([failed(), got(damaged(SECOND, 0))])))).toBe('corruption: LS-MAP-01');
    expect(brief(verdict(expected, seen([got(FIRST)])))).toBe('refuses-valid: DM-SAFE-01');
    expect(brief(verdict(INVALID, partly))).toBe('accepts-invalid: LS-IDX-04');
  });

  it('is no late notice where the lenient side has the reads fail', () => {
    const expected = contested(REFUSED, lenient([FREE], opened(8192, failing(new Uint8Array(0)), failing(new Uint8Array(0)))));
    const late = seen([failed(), failed()]);
    expect(verdict(expected, late, { [LATE]: false })).toEqual({ ...PASS, undeclared: [FREE] });
    expect(verdict(expected, late, { [LATE]: false, [FREE]: true })).toEqual(PASS);
    expect(verdict(expected, late, { [LATE]: false, [FREE]: false })).toEqual(ACCEPTED);
    expect(verdict(expected, late, { [LATE]: true })).toEqual(PASS);
  });
});

describe('a contested point whose normative side refuses', () => {
  const point = contested(REFUSED, lenient([FREE], OPENED));
  it.each<[string, Observation, flag: boolean | undefined, string]>([
    ['strict', refused(), undefined, 'pass'],
    ['strict', refused(), false, 'pass'],
    ['strict', refused(), true, `docs: ${FREE}`],
    ['lenient', seen(RIGHT), undefined, `pass undeclared ${FREE}`],
    ['lenient', seen(RIGHT), false, 'accepts-invalid: LS-IDX-04'],
    ['lenient', seen(RIGHT), true, 'pass'],
    ['lenient and wrong', seen(WRONG), undefined, 'corruption: LS-MAP-01'],
    ['lenient and wrong', seen(WRONG), false, 'accepts-invalid: LS-IDX-04'],
    ['lenient and wrong', seen(WRONG), true, 'corruption: LS-MAP-01'],
    ['late', seen([failed(), failed()]), undefined, `pass undeclared ${LATE}`],
    ['late', seen([failed(), failed()]), true, `docs: ${FREE}`],
  ])('a target that is %s: %#', (_name, observation, flag, expected) => {
    expect(brief(verdict(point, observation, flag === undefined ? {} : { [FREE]: flag }))).toBe(expected);
  });

  it('says which words do not fit', () => {
    expect(verdict(point, refused(), { [FREE]: true })).toEqual({
      kind: 'docs', clause: 'LS-IDX-04', signature: `docs: ${FREE}`, why: `the stance declares ${FREE}, but the target took the other side`,
    });
  });

  it('that the reference settles must be declared', () => {
    const settled = contested(REFUSED, lenient([SETTLED], OPENED));
    expect(brief(verdict(settled, seen(RIGHT)))).toBe('accepts-invalid: LS-IDX-04');
    expect(brief(verdict(settled, seen(RIGHT), { [SETTLED]: false }))).toBe('accepts-invalid: LS-IDX-04');
    expect(brief(verdict(settled, seen(RIGHT), { [SETTLED]: true }))).toBe('pass');
    expect(brief(verdict(settled, seen(WRONG)))).toBe('accepts-invalid: LS-IDX-04');
  });
});

describe('an image that breaks a contested clause and another one', () => {
  const other: Outcome = { ...REFUSED, clause: 'LS-IDX-05', why: 'an entry maps the index' };
  const both = expectationOf(REFUSED, { class: 'invalid', alternatives: [lenient([FREE], other), lenient([FREE, OTHER], { ...other, clause: 'LS-IDX-06' })] });
  it('is charged with what remains when all that may be overlooked is', () => {
    expect(brief(verdict(both, seen(RIGHT)))).toBe('accepts-invalid: LS-IDX-06');
    expect(verdict(both, seen(RIGHT), { [OTHER]: false })).toMatchObject({
      signature: 'accepts-invalid: LS-IDX-05', why: 'must be refused: an entry maps the index (byte 96 of layer 2); it was opened',
    });
    expect(brief(verdict(both, seen(RIGHT), { [FREE]: false }))).toBe('accepts-invalid: LS-IDX-04');
  });
  it('may be refused by any of them', () => {
    expect(verdict(both, refused())).toEqual(PASS);
    expect(verdict(both, refused(), { [FREE]: true })).toEqual(PASS);
    expect(verdict(both, refused(), { [FREE]: false })).toEqual(PASS);
  });
});

describe('a contested point whose normative side opens', () => {
  it.each<[string, Outcome, clause: string]>([
    ['and gives bytes', OPENED, 'ZF-IDX-06'],
    ['and has a read fail', opened(8192, wanted(FIRST), failing(SECOND.subarray(0, 512))), 'ZF-BLK-03'],
  ])('%s is charged, once declared, to the clause %s', (_name, strict, clause) => {
    const found = verdict(contested(strict, lenient([FREE], REFUSED)), seen([got(FIRST), strict === OPENED ? got(SECOND) : failed()]), { [FREE]: true });
    expect(found).toMatchObject({ kind: 'docs', clause, signature: `docs: ${FREE}` });
  });

  it('may be refused on the other side only', () => {
    const point = contested(OPENED, lenient([FREE], REFUSED));
    expect(brief(verdict(point, refused()))).toBe(`pass undeclared ${FREE}`);
    expect(brief(verdict(point, refused(), { [FREE]: true }))).toBe('pass');
    expect(brief(verdict(point, refused(), { [FREE]: false }))).toBe('refuses-valid: DM-TBL-02');
  });

  it('is charged by its own reading where the bytes are those of no reading', () => {
    const ranges = [{ from: 0, to: 4096, clause: 'ST-MRG-01' }];
    const point = contested(OPENED, lenient([FREE], opened(8192, wanted(SECOND, ranges), wanted(SECOND))));
    expect(brief(verdict(point, seen(WRONG)))).toBe('corruption: LS-MAP-01');
  });

  it('is not charged by a side that refuses where a read should have failed', () => {
    const point = contested(opened(8192, wanted(FIRST), failing(new Uint8Array(0))), lenient([FREE], REFUSED));
    expect(brief(verdict(point, seen(RIGHT)))).toBe('accepts-invalid: ZF-BLK-03');
  });

  describe('and has one read fail that the other side answers', () => {
    const point = contested(opened(8192, wanted(FIRST), failing(new Uint8Array(0))), lenient([FREE], OPENED));
    it.each<[string, readonly ReadObservation[], string]>([
      ['fails it', [got(FIRST), failed()], 'pass'],
      ['answers it', RIGHT, `pass undeclared ${FREE}`],
      ['answers it wrongly', [got(FIRST), got(damaged(SECOND, 1))], 'corruption: LS-MAP-01'],
      ['answers it and fails the sound one', [failed(), got(SECOND)], 'refuses-valid: LS-MAP-01'],
      ['fails both', [failed(), failed()], 'refuses-valid: LS-MAP-01'],
    ])('by a target that %s', (_name, reads, expected) => expect(brief(verdict(point, seen(reads)))).toBe(expected));
  });

  it('may take either side read by read, where several reads may fail', () => {
    const none = failing(new Uint8Array(0));
    const point = contested(opened(8192, none, none), lenient([FREE], OPENED));
    expect(verdict(point, seen([failed(), got(SECOND)]))).toEqual({ ...PASS, undeclared: [LATE] });
    expect(verdict(point, seen([failed(), got(SECOND)]), { [LATE]: false })).toMatchObject({ signature: 'accepts-invalid: ZF-BLK-03' });
  });
});

describe('two contested points', () => {
  const ranges = (clause: string) => [{ from: 0, to: 4096, clause }];
  const OTHERS = opened(8192, wanted(SECOND, ranges('ST-MRG-01')), wanted(SECOND));
  const BOTH = opened(8192, wanted(SECOND, ranges('ST-MRG-02')), wanted(FIRST));
  const point = contested(REFUSED, lenient([FREE], OTHERS), lenient([FREE, OTHER], BOTH));
  const asOne = seen([got(SECOND), got(SECOND)]);
  const asBoth = seen([got(SECOND), got(FIRST)]);

  it.each<[string, Observation, Stance['flags'], string]>([
    ['the first', asOne, {}, `pass undeclared ${FREE}`],
    ['the first, declared', asOne, { [FREE]: true }, 'pass'],
    ['both', asBoth, {}, `pass undeclared ${FREE},${OTHER}`],
    ['both, one of them declared', asBoth, { [OTHER]: true }, `pass undeclared ${FREE}`],
    ['both, declared', asBoth, { [FREE]: true, [OTHER]: true }, 'pass'],
    ['both, one of them denied', asBoth, { [OTHER]: false }, 'corruption: LS-MAP-01'],
    ['both, the other one denied', asBoth, { [FREE]: false }, 'accepts-invalid: LS-IDX-04'],
    // Bytes of no reading are judged by the most lenient one that is allowed.
    ['both, wrongly', seen([got(damaged(SECOND, 9)), got(FIRST)]), {}, 'corruption: ST-MRG-02'],
    ['both, wrongly, one of them denied', seen([got(damaged(SECOND, 9)), got(FIRST)]), { [OTHER]: false }, 'corruption: ST-MRG-01'],
  ])('taken leniently: %s', (_name, observation, flags, expected) => {
    expect(brief(verdict(point, observation, flags))).toBe(expected);
  });

  it('are held against the words one by one', () => {
    // Of the second point alone nothing is known: this image asks about it only after the first one was taken leniently.
    expect(brief(verdict(point, refused(), { [OTHER]: true }))).toBe('pass');
    expect(brief(verdict(point, refused(), { [FREE]: true, [OTHER]: true }))).toBe(`docs: ${FREE}`);
    expect(brief(verdict(contested(REFUSED, lenient([OTHER], OTHERS), lenient([FREE], BOTH)), refused(), { [FREE]: true }))).toBe(`docs: ${FREE}`);
  });

  it('are not held against the words where this image does not tell the sides apart', () => {
    const same = contested(OPENED, lenient([FREE], opened(9000, wanted(FIRST), wanted(SECOND))));
    expect(verdict(same, seen(RIGHT), { [FREE]: true })).toEqual(PASS);
    expect(verdict(same, seen(RIGHT))).toEqual(PASS);
  });
});

describe('what the stance does not support', () => {
  const needing = (needs: Partial<Needs>): Expectation => expectationOf(OPENED, { needs: { algorithms: ['lz4'], blockSizes: [4096], layers: 1, ...needs } });

  it.each<[string, Partial<Needs>, Partial<Stance['supports']>, boolean]>([
    ['nothing special', { algorithms: [], blockSizes: [] }, {}, true],
    ['all it has', {}, {}, true],
    ['as many layers as it takes', { layers: 3 }, { maxLayers: 3 }, true],
    ['a layer less', { layers: 2 }, { maxLayers: 3 }, true],
    ['a layer more', { layers: 4 }, { maxLayers: 3 }, false],
    ['another algorithm', { algorithms: ['zstd'] }, {}, false],
    ['another algorithm beside its own', { algorithms: ['lz4', 'zstd'] }, {}, false],
    ['two algorithms', { algorithms: ['lz4', 'zstd'] }, { algorithms: ['zstd', 'lz4'] }, true],
    ['any algorithm, none supported', {}, { algorithms: [] }, false],
    ['another block size', { blockSizes: [512] }, {}, false],
    ['another block size beside its own', { blockSizes: [4096, 512] }, {}, false],
    ['two block sizes', { blockSizes: [4096, 512] }, { blockSizes: [512, 1024, 4096] }, true],
    ['any block size, all supported', { blockSizes: [512] }, { blockSizes: [] }, true],
  ])('%s', (_name, needs, supports, expected) => {
    const image = needing(needs);
    expect(supported(image, stance({}, supports))).toBe(expected);
    const found = judge(CASE, image, refused('ENOTSUP'), stance({}, supports), { sizeUnit: 512 });
    expect(found).toEqual(expected
      ? { kind: 'refuses-valid', clause: 'DM-TBL-02', signature: 'refuses-valid: DM-TBL-02', why: 'must be opened; it was refused: ENOTSUP' }
      : { kind: 'unsupported', why: 'must be opened; it was refused: ENOTSUP' });
  });

  it('may fail to be read, and is never misread', () => {
    const image = needing({ algorithms: ['zstd'] });
    expect(verdict(image, seen([failed(), got(SECOND)])).kind).toBe('unsupported');
    expect(brief(verdict(image, seen(WRONG)))).toBe('corruption: LS-MAP-01');
    expect(brief(verdict(image, seen([failed(), got(damaged(SECOND, 0))])))).toBe('corruption: LS-MAP-01');
    expect(verdict(image, seen(RIGHT))).toEqual(PASS);
  });
});

it('a reader that says its size itself is held to the exact one', () => {
  const expected = expectationOf(opened(8191, wanted(FIRST), wanted(SECOND.subarray(0, 4095))));
  const observation = seen([got(FIRST), { result: 4095, sha256: sha256(SECOND.subarray(0, 4095)) }], { size: 8191 });
  expect(judge(CASE, expected, observation, stance(), { sizeUnit: 1 })).toEqual(PASS);
  expect(brief(judge(CASE, expected, observation, stance(), { sizeUnit: 512 }))).toBe('corruption: ST-SIZE-01');
});
