// SPDX-License-Identifier: MIT
import { Zstd } from '@hpcc-js/wasm-zstd';
import { describe, expect, it } from 'vitest';
import { STRICT, Violation } from '../oracles/violation.ts';
import { decodeZstdBlock } from '../oracles/zstd.ts';
import { makeContent } from './content.ts';
import { xxh64 } from './xxh64.ts';
import { encodeZstdBlock } from './zstd-block.ts';
import { encodeFrame, parseFrame, type FrameRecipe } from './zstd-frames.ts';
import { ILLEGAL_ZSTD } from './zstd-illegal.ts';

const zstd = await Zstd.load();
const LENGTHS = [1, 2, 3, 7, 31, 32, 33, 255, 256, 257, 512, 513, 1024, 4096, 65536];
const KINDS = ['zeros', 'counter', 'text', 'mixed', 'random'] as const;

describe('legal ZSTD frames', () => {
  const recipes = ([0, 1, 2, 4, 8] as const).flatMap((sizeBytes) => [0, 100, 700].flatMap((piece) => (['best', 'raw'] as const).map(
    (blocks): FrameRecipe => ({ piece, blocks, sizeBytes, checksum: (piece + sizeBytes) % 3 === 1, emptyLast: piece === 100 }),
  )));

  it.each(recipes)('$blocks blocks of $piece bytes, content size in $sizeBytes, checksum $checksum', (recipe) => {
    for (const kind of KINDS) {
      for (const length of LENGTHS) {
        if (recipe.piece !== 0 && length > 5000) continue;
        const content = makeContent({ kind, seed: length }, length);
        const frame = encodeFrame(content, recipe);
        expect(Buffer.compare(zstd.decompress(frame), content), `${kind} ${length}, library`).toBe(0);
        expect(Buffer.compare(decodeZstdBlock(frame, length, 0, STRICT), content), `${kind} ${length}`).toBe(0);
      }
    }
  });

  it('have blocks of each type', () => {
    const content = makeContent({ kind: 'mixed', seed: 1 }, 4096).fill(7, 2048, 3072);
    const types = parseFrame(encodeFrame(content, { piece: 512, blocks: 'best', sizeBytes: 0, checksum: false, emptyLast: false })).blocks.map((b) => b.type);
    expect(new Set(types)).toEqual(new Set([0, 1, 2]));
  });

  it('a checksum is the low half of XXH64', () => {
    // From the specification of xxHash: the empty input.
    expect(xxh64(new Uint8Array(0))).toBe(0xef46db3751d8e999n);
  });
});

describe('illegal ZSTD blocks', () => {
  it.each(ILLEGAL_ZSTD)('$name breaks $clause first, in blocks of every size that has room for it', (form) => {
    let made = 0;
    for (const length of LENGTHS) {
      for (const kind of ['zeros', 'counter', 'random'] as const) {
        const stored = encodeZstdBlock(makeContent({ kind, seed: length }, length)).length;
        for (const size of [stored - 1, stored, stored + 1, stored + 30, 8, 10]) {
          for (let n = 0; n < 8; n++) {
            const block = form.make(size, length, n * 5);
            if (!block) continue;
            made++;
            expect(block).toHaveLength(size);
            let clause: string | null = null;
            try {
              decodeZstdBlock(block, length, 0, STRICT);
            } catch (e) {
              clause = (e as Violation).clause;
            }
            expect(clause, `${size} stored bytes, ${length} decoded, ${n * 5}`).toBe(form.clause);
          }
        }
      }
    }
    expect(made).toBeGreaterThan(20);
  });
});
