// SPDX-License-Identifier: MIT
/** Our checks of ZSTD frames beside the library alone, over thousands of blocks. */
import { describe, expect, it } from 'vitest';
import { CONTENT_KINDS, makeContent, randomBytes } from '../../generators/content.ts';
import { encodeZstdBlock } from '../../generators/zstd-block.ts';
import { encodeFrame, frameBlocks, frameHeader, rawBlock, skippableFrame, type FrameRecipe } from '../../generators/zstd-frames.ts';
import { ILLEGAL_ZSTD } from '../../generators/zstd-illegal.ts';
import { STRICT, Violation } from '../violation.ts';
import { decodeZstdBlock } from '../zstd.ts';
import { libraryZstd } from './codec.ts';
import { leniencyOf, LENIENCIES, type Gives } from './leniencies.ts';

interface Question {
  readonly block: Uint8Array;
  /** Bytes that the block should decode to. */
  readonly length: number;
}

const LENGTHS = [1, 2, 7, 33, 255, 256, 257, 512, 1024, 4096];

/** Frames of every legal shape, with room that is right and wrong. */
function legal(): Question[] {
  const recipes = ([0, 1, 2, 4, 8] as const).flatMap((sizeBytes) => [0, 100].flatMap((piece) => (['best', 'raw'] as const).map(
    (blocks): FrameRecipe => ({ piece, blocks, sizeBytes, checksum: (piece + sizeBytes) % 3 === 1, emptyLast: piece === 100 }),
  )));
  return CONTENT_KINDS.flatMap((kind) => LENGTHS.flatMap((length) => {
    const content = makeContent({ kind, seed: length }, length);
    const frames = [encodeZstdBlock(content), ...recipes.map((r) => encodeFrame(content, r))];
    return frames.flatMap((block, i) => (i % 4 === 0 ? [0, 1, -1] : [0]).map((off) => ({ block, length: length + off })));
  }));
}

function illegal(): Question[] {
  return ILLEGAL_ZSTD.flatMap((form) => LENGTHS.flatMap((length) => [8, 20, 40, length + 30].flatMap((stored) => [0, 5, 10].flatMap((n) => {
    const block = form.make(stored, length, n);
    return block ? [{ block, length }] : [];
  }))));
}

/** Skippable and empty frames around, and frames in a row: the shapes that one frame a block leaves out. */
function rows(): Question[] {
  const content = makeContent({ kind: 'text', seed: 5 }, 1000);
  const frame = (from: number, to: number, sizeBytes: FrameRecipe['sizeBytes']): Uint8Array =>
    encodeFrame(content.subarray(from, to), { piece: 0, blocks: 'best', sizeBytes, checksum: false, emptyLast: false });
  const skipped = skippableFrame(randomBytes(1, 9), 3);
  const empty = Buffer.concat([Uint8Array.from(frameHeader({ window: 56, sizeBytes: 0, contentSize: 0, checksum: false })), frameBlocks([rawBlock(new Uint8Array(0))])]);
  return ([0, 4] as const).flatMap((sizeBytes) => {
    const [whole, first, second] = [frame(0, 1000, sizeBytes), frame(0, 400, sizeBytes), frame(400, 1000, sizeBytes)];
    return [[skipped, whole], [whole, skipped], [whole, empty], [empty, whole], [first, second], [first, skipped, second], [skipped], [first, first, first]]
      .map((parts) => ({ block: Buffer.concat(parts), length: 1000 }));
  });
}

/** Sound and unsound frames with some bytes changed, and some of them cut. */
function damaged(): Question[] {
  const words = new Uint32Array(randomBytes(7, 1 << 18).buffer);
  let i = 0;
  const next = (n: number): number => words[i++ % words.length]! % n;
  return [...legal(), ...rows()].filter((q) => q.length < 2000).flatMap(({ block, length }) => [0, 1].map(() => {
    const copy = Uint8Array.from(block.subarray(0, next(6) === 0 ? 1 + next(block.length) : block.length));
    for (let n = next(3); n >= 0; n--) copy[Math.min(4 + next(30), copy.length - 1)] = [0, 1, 0x20, 0x24, 255, next(256)][next(6)]!;
    return { block: copy, length };
  }));
}

function noise(): Question[] {
  return Array.from({ length: 1000 }, (_, i) => {
    const block = randomBytes(i + 1, 6 + (i % 60));
    if (i % 4 > 0) block.set([0x28, 0xb5, 0x2f, 0xfd]);
    return { block, length: [1, 20, 512, 4096][i % 4]! };
  });
}

const QUESTIONS = [legal, illegal, rows, damaged, noise].flatMap((make) => make()).filter((q) => q.length > 0);

/** Our decoder's bytes, or the clause by which it refuses. */
function ours({ block, length }: Question): Uint8Array | string {
  try {
    return decodeZstdBlock(block, length, 0, STRICT);
  } catch (e) {
    if (e instanceof Violation) return e.clause;
    throw e;
  }
}

/** The two answers in a word; null where they cannot both stand. */
function explain(q: Question, mine: Uint8Array | string, theirs: Uint8Array | null): string | null {
  if (typeof mine !== 'string') return theirs !== null && Buffer.compare(mine, theirs) === 0 ? 'both take it' : null;
  if (theirs === null) return 'both refuse it';
  const gives: Gives = theirs.length === q.length ? 'whole' : theirs.length < q.length ? 'short' : 'long';
  return leniencyOf('zstd', mine, gives)?.name ?? null;
}

describe(`our ZSTD decoder and the library on ${QUESTIONS.length} blocks`, () => {
  it('the library takes what ours takes, and beyond that only what is listed', () => {
    const met = new Map<string, number>();
    const unexplained: Record<string, string> = {};
    for (const q of QUESTIONS) {
      const mine = ours(q);
      const theirs = libraryZstd(q.block, q.length);
      const name = explain(q, mine, theirs);
      if (name === null) unexplained[`${typeof mine === 'string' ? mine : 'taken'} ${theirs === null ? 'refused' : Math.sign(theirs.length - q.length)}`] = `${Buffer.from(q.block).toString('hex').slice(0, 200)} to ${q.length}: library ${theirs?.length}`;
      else met.set(name, (met.get(name) ?? 0) + 1);
    }
    expect(unexplained).toEqual({});
    const listed = LENIENCIES.filter((l) => l.library === 'zstd').map((l) => l.name);
    expect([...met.keys()].sort()).toEqual(['both refuse it', 'both take it', ...listed].sort());
    expect(met.get('both take it')).toBeGreaterThan(500);
  });
});
