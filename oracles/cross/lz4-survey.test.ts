// SPDX-License-Identifier: MIT
/** Our LZ4 decoder beside two libraries, over tens of thousands of blocks. */
import { describe, expect, it } from 'vitest';
import { CONTENT_KINDS, makeContent, randomBytes } from '../../generators/content.ts';
import { encodeLz4Block } from '../../generators/lz4-block.ts';
import { LZ4_FORMS } from '../../generators/lz4-forms.ts';
import { ILLEGAL_LZ4 } from '../../generators/lz4-illegal.ts';
import { decodedBytes, encodeSequences, type Sequence } from '../../generators/lz4-tokens.ts';
import { decodeLz4Block } from '../lz4.ts';
import { STRICT, Violation } from '../violation.ts';
import { libraryLz4 } from './codec.ts';
import { leniencyOf, LENIENCIES, type Library } from './leniencies.ts';
import { systemLz4, type Lz4Question } from './liblz4.ts';

/** Numbers below `n`, always the same. */
function numbers(seed: number): (n: number) => number {
  const words = new Uint32Array(randomBytes(seed, 1 << 20).buffer);
  let i = 0;
  return (n) => words[i++ % words.length]! % n;
}

/** What two encoders write, with room that is right and wrong. */
function written(): Lz4Question[] {
  const lengths = [1, 4, 5, 12, 13, 14, 15, 16, 17, 18, 19, 20, 64, 269, 270, 271, 512, 4096, 65536];
  return CONTENT_KINDS.flatMap((kind) => lengths.flatMap((length) => (['library', 'literals'] as const).flatMap((encoder) => {
    const block = encodeLz4Block(makeContent({ kind, seed: length }, length), encoder);
    return [0, 1, -1, 5, -5, 100].map((off) => ({ block, length: length + off }));
  })));
}

/** Written blocks with some bytes changed, and some of them cut. */
function damaged(): Lz4Question[] {
  const next = numbers(2);
  return written().filter((q) => q.length < 5000).flatMap(({ block, length }) => Array.from({ length: 12 }, () => {
    const copy = block.slice(0, next(5) === 0 ? 1 + next(block.length) : block.length);
    for (let i = next(4); i >= 0; i--) copy[next(Math.min(copy.length, 60))] = [0, 1, 8, 15, 0xf0, 255, next(256)][next(7)]!;
    return { block: copy, length };
  }));
}

function noise(): Lz4Question[] {
  return Array.from({ length: 10_000 }, (_, i) => ({ block: randomBytes(i + 1, 1 + (i % 40)), length: [5, 12, 13, 17, 20, 33, 64, 512, 4096][i % 9]! }));
}

/** Every block of up to three bytes that stand at the borders of tokens, and some of four. */
function tiny(): Lz4Question[] {
  const bytes = [0, 1, 2, 4, 5, 8, 0x0f, 0x10, 0x1f, 0x40, 0x50, 0x60, 0xf0, 0xff];
  const longer = (blocks: readonly number[][]): number[][] => blocks.flatMap((b) => bytes.map((x) => [...b, x]));
  const one = longer([[]]);
  const three = longer(longer(one));
  const blocks = [...one, ...longer(one), ...three, ...longer(three).filter((_, i) => i % 5 === 0)];
  return blocks.flatMap((b) => [1, 4, 5, 8, 13].map((length) => ({ block: Uint8Array.from(b), length })));
}

/** Sequences put together at random from legal and illegal parts. */
function sequences(): Lz4Question[] {
  const next = numbers(3);
  const one = <T>(list: readonly T[]): T => list[next(list.length)]!;
  return Array.from({ length: 20_000 }, (_, i) => {
    const list: Sequence[] = [];
    let out = 0;
    for (let n = next(3); n >= 0; n--) {
      const literals = one([0, 1, 2, 4, 5, 8, 14, 15, 16, 20, 40]);
      const match = { offset: one([1, 2, 3, 4, 7, 8, 9, 0, out + literals, out + literals + 1]), length: one([4, 5, 6, 7, 8, 12, 18, 19, 20, 40]) };
      list.push({ literals, match });
      out += literals + match.length;
    }
    if (next(20) > 0) list.push({ literals: one([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 20, 40]), match: null });
    const length = decodedBytes(list);
    return { block: encodeSequences(list, randomBytes(i + 1, length)), length: Math.max(1, length + one([0, 0, 0, 0, 1, -1])) };
  });
}

/** Every legal form at the borders of decoders, and every illegal one. */
function forms(): Lz4Question[] {
  const lengths = [1, 13, 64, 300, 1000, 4096, 65536];
  const legal = lengths.flatMap((length) => LZ4_FORMS.flatMap((form) => {
    const plan = form.plan(length);
    return plan ? [{ block: encodeSequences(plan, makeContent({ kind: 'text', seed: length }, length)), length }] : [];
  }));
  const illegal = lengths.flatMap((length) => ILLEGAL_LZ4.flatMap((form) => [10, 40, 300, 5000].flatMap((stored) => [0, 1, 2].flatMap((n) => {
    const block = form.make(stored, length, n);
    return block ? [{ block, length }] : [];
  }))));
  return [...legal, ...illegal];
}

const QUESTIONS = [written, damaged, noise, tiny, sequences, forms].flatMap((make) => make()).filter((q) => q.length > 0);

/** Our decoder's bytes, or the clause by which it refuses. */
function ours({ block, length }: Lz4Question): Uint8Array | string {
  try {
    return decodeLz4Block(block, length, 0, STRICT);
  } catch (e) {
    if (e instanceof Violation) return e.clause;
    throw e;
  }
}

/** Goes through all answers; gives how often each listed leniency was met, and how many blocks both take. */
function survey(library: Library, answers: readonly (Uint8Array | null)[]): Map<string, number> {
  const met = new Map<string, number>();
  for (const [i, q] of QUESTIONS.entries()) {
    const mine = ours(q);
    const theirs = answers[i]!;
    const name = explain(library, q, mine, theirs);
    if (name === null) throw new Error(`${library}: ${Buffer.from(q.block).toString('hex')} to ${q.length} bytes: ours ${String(mine)}, theirs ${theirs && theirs.length}`);
    met.set(name, (met.get(name) ?? 0) + 1);
  }
  return met;
}

/** The two answers in a word; null where they cannot both stand. */
function explain(library: Library, q: Lz4Question, mine: Uint8Array | string, theirs: Uint8Array | null): string | null {
  if (typeof mine !== 'string') return theirs !== null && Buffer.compare(mine, theirs) === 0 ? 'both take it' : null;
  if (theirs === null) return 'both refuse it';
  return leniencyOf(library, mine, theirs.length === q.length ? 'whole' : 'short')?.name ?? null;
}

describe(`our LZ4 decoder and libraries on ${QUESTIONS.length} blocks`, () => {
  it('lz4-napi takes what ours takes, and beyond that only what is listed', () => {
    const listed = LENIENCIES.filter((l) => l.library === 'lz4-napi').map((l) => l.name);
    const met = survey('lz4-napi', QUESTIONS.map((q) => libraryLz4(q.block, q.length)));
    expect([...met.keys()].sort()).toEqual(['both refuse it', 'both take it', ...listed].sort());
    expect(met.get('both take it')).toBeGreaterThan(3000);
  });

  it('liblz4 takes what ours takes, and beyond that only what is listed', (test) => {
    const answers = systemLz4(QUESTIONS);
    if (!answers) return test.skip();
    const met = survey('liblz4', answers);
    // Which of the listed ones are met depends on the machine's version.
    expect(met.get('both take it')).toBeGreaterThan(3000);
    expect(met.get('short output')).toBeGreaterThan(100);
  });
});
