// SPDX-License-Identifier: MIT
/** What a violation says, and which side of a contested point a reader takes. */
import { describe, expect, it } from 'vitest';
import { clauseOf, DECLARED_ONLY } from '../spec/index.ts';
import { refusal } from '../test/oracle-images.ts';
import { collecting, inIndexFile, inLayer, mayRefuse, RecordedLeniency, STRICT, violate, Violation, type Leniency } from './violation.ts';

/** Its lenient side accepts; any reader may take it. */
const ACCEPTS = { clause: 'ST-CNT-01', flag: 'st.256-layers' };
/** Its lenient side refuses. */
const REFUSES = { clause: 'ST-SIZE-04', flag: 'st.no-size-refused' };
/** Settled: its other side is for those who declare it. */
const SETTLED = 'ls.index-size-bytes';

function thrown(work: () => unknown): Violation {
  try {
    work();
  } catch (e) {
    if (e instanceof Violation) return e;
    throw e;
  }
  throw new Error('nothing was thrown');
}

describe('a violation', () => {
  it('says clause, byte and reason; who knows more sets the rest', () => {
    const v = new Violation('LS-HDR-01', 7, 'too short');
    expect(v).toBeInstanceOf(Error);
    expect([v.name, v.clause, v.at, v.message, v.layer, v.inIndexFile]).toEqual(['Violation', 'LS-HDR-01', 7, 'too short', 0, false]);
  });

  it('is of a clause that there is', () => expect(() => new Violation('LS-NONE-99', 0, '')).toThrow('no clause LS-NONE-99'));
});

describe('sides', () => {
  it('the clauses here are what they are taken for', () => {
    expect([clauseOf(ACCEPTS.clause).flag, clauseOf(REFUSES.clause).flag]).toEqual([ACCEPTS.flag, REFUSES.flag]);
    expect([ACCEPTS.flag, REFUSES.flag, SETTLED].map((f) => DECLARED_ONLY.has(f))).toEqual([false, false, true]);
  });

  it('a strict reader takes none, and stops', () => {
    expect([ACCEPTS.flag, REFUSES.flag, SETTLED].map((f) => STRICT.has(f))).toEqual([false, false, false]);
    expect(refusal(() => violate(STRICT, ACCEPTS.clause, 3, 'why'))).toEqual([ACCEPTS.clause, 3, 'why']);
    expect(refusal(() => violate(STRICT, 'LS-HDR-01', 4, 'why'))).toEqual(['LS-HDR-01', 4, 'why']);
    expect(refusal(() => mayRefuse(STRICT, REFUSES.clause, 3, 'why'))).toBeNull();
    expect(refusal(() => STRICT.found(new Violation('LS-HDR-01', 1, 'a')))).toEqual(['LS-HDR-01', 1, 'a']);
  });

  it('a collecting reader takes none, and goes on', () => {
    const kept: unknown[] = [];
    const lenient = collecting((v) => kept.push([v.clause, v.at, v.message]));
    expect([ACCEPTS.flag, REFUSES.flag, SETTLED].map((f) => lenient.has(f))).toEqual([false, false, false]);
    violate(lenient, ACCEPTS.clause, 1, 'a');
    violate(lenient, 'LS-HDR-01', 2, 'b');
    mayRefuse(lenient, REFUSES.clause, 3, 'c');
    expect(kept).toEqual([[ACCEPTS.clause, 1, 'a'], ['LS-HDR-01', 2, 'b']]);
  });

  it('a recording reader takes those it is given, and remembers what it was asked', () => {
    const lenient = new RecordedLeniency([ACCEPTS.flag, REFUSES.flag]);
    expect(refusal(() => violate(lenient, ACCEPTS.clause, 1, 'a'))).toBeNull();
    expect([...lenient.asked]).toEqual([ACCEPTS.flag]);
    expect(refusal(() => mayRefuse(lenient, REFUSES.clause, 2, 'b'))).toEqual([REFUSES.clause, 2, 'b']);
    expect([...lenient.asked]).toEqual([ACCEPTS.flag, REFUSES.flag]);
    expect(refusal(() => violate(lenient, 'LS-HDR-01', 3, 'c'))).toEqual(['LS-HDR-01', 3, 'c']);
    expect([...lenient.asked], 'of a point that is not contested nobody asks').toEqual([ACCEPTS.flag, REFUSES.flag]);

    const other = new RecordedLeniency([]);
    expect(refusal(() => violate(other, ACCEPTS.clause, 1, 'a'))).toEqual([ACCEPTS.clause, 1, 'a']);
    expect(refusal(() => mayRefuse(other, REFUSES.clause, 2, 'b'))).toBeNull();
    expect([...other.asked]).toEqual([ACCEPTS.flag, REFUSES.flag]);
  });

  it('a settled point is a question only where somebody declares it', () => {
    const ask = (flags: readonly string[], declared?: ReadonlySet<string>): unknown => {
      const lenient = new RecordedLeniency(flags, declared);
      return [lenient.has(SETTLED), [...lenient.asked]];
    };
    expect(ask([SETTLED])).toEqual([false, []]);
    expect(ask([SETTLED], new Set(['ls.moffset-any']))).toEqual([false, []]);
    expect(ask([SETTLED], new Set([SETTLED]))).toEqual([true, [SETTLED]]);
    expect(ask([], new Set([SETTLED]))).toEqual([false, [SETTLED]]);
  });
});

describe('marks', () => {
  const fail = (): never => { throw new Violation('LS-HDR-01', 0, 'short'); };

  it('the layer', () => {
    expect(thrown(() => inLayer(3, fail))).toMatchObject({ layer: 3, inIndexFile: false });
    expect(inLayer(3, () => 5)).toBe(5);
  });

  it('the index file, of what is thrown and of what is kept', () => {
    expect(thrown(() => inIndexFile(STRICT, fail))).toMatchObject({ layer: 0, inIndexFile: true });
    const kept: Violation[] = [];
    const keep = collecting((v) => kept.push(v));
    expect(inIndexFile(keep, (inside) => {
      inside.found(new Violation('LS-RW-02', 1, 'a'));
      return 5;
    })).toBe(5);
    expect(kept.map((v) => [v.clause, v.inIndexFile])).toEqual([['LS-RW-02', true]]);
    expect(thrown(() => inIndexFile(STRICT, (inside) => inside.found(new Violation('LS-RW-02', 1, 'a')))).inIndexFile).toBe(true);
  });

  it('sides inside are those outside', () => {
    const sides: Leniency = new RecordedLeniency([ACCEPTS.flag]);
    expect(inIndexFile(sides, (inside) => [inside.has(ACCEPTS.flag), inside.has(REFUSES.flag)])).toEqual([true, false]);
  });

  it('nothing on what is no violation', () => {
    const ours = new RangeError('ours');
    const work = (): never => { throw ours; };
    expect(() => inLayer(3, work)).toThrow(ours);
    expect(() => inIndexFile(STRICT, work)).toThrow(ours);
    expect(Object.keys(ours)).toEqual([]);
  });
});
