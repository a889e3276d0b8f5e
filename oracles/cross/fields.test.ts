// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomBytes } from '../../generators/content.ts';
import { build, drawCase } from '../../generators/draw.ts';
import { writeLsmt } from '../../generators/lsmt-writer.ts';
import { LSMT_HEADER, LSMT_MAGIC0, LSMT_MAGIC1, setInteger, SEGMENT_ENTRY, ZFILE_HEADER, type Structure } from '../../spec/index.ts';
import { shared } from '../../test/shared.ts';
import { crossFields, type FieldPair } from './fields.ts';

/** The first field that differs; undefined where none does. */
function differing(pairs: readonly FieldPair[]): FieldPair | undefined {
  return pairs.find((p) => p.described !== p.tabled);
}

describe('tables and descriptions give every field the same place and value', () => {
  it.each([['zfile', ZFILE_HEADER], ['lsmt', LSMT_HEADER]] as const)('of a %s header of random bytes', (kind, s: Structure) => {
    for (let seed = 1; seed <= 200; seed++) {
      const pairs = crossFields(randomBytes(seed, s.size), kind);
      const header = new Set(pairs.filter((p) => p.name.startsWith('header ')).map((p) => p.at));
      expect(header.size).toBe(s.fields.length);
      expect(differing(pairs)).toBeUndefined();
    }
  });

  it('of index entries of random bytes, whose numbers go past 2^53', () => {
    const entries = 64;
    const segments = Array.from({ length: entries }, (_, i) => ({ offset: i, length: 1, content: null }));
    const layer = writeLsmt(segments, { virtualSize: 65536, form: 'sealed', placement: 'packed', invalidBefore: [] });
    for (let seed = 1; seed <= 50; seed++) {
      layer.set(randomBytes(seed, entries * SEGMENT_ENTRY), 4096);
      const pairs = crossFields(layer, 'lsmt');
      expect(pairs.filter((p) => p.name.startsWith('entry '))).toHaveLength(entries * 7);
      expect(differing(pairs)).toBeUndefined();
    }
  });

  it('a field that is read from another place is told', () => {
    const bytes = new Uint8Array(4096);
    bytes.set(LSMT_MAGIC0);
    bytes.set(LSMT_MAGIC1, 8);
    setInteger(bytes, LSMT_HEADER, 'virtual_size', (1n << 60n) + 7n);
    const pair = crossFields(bytes, 'lsmt').find((p) => p.name === 'header virtual_size')!;
    expect(pair).toEqual({ name: 'header virtual_size', at: 48, described: '1152921504606846983', tabled: '1152921504606846983' });
    expect(differing([{ ...pair, described: '1152921504606846976' }])).toBeDefined();
  });

  it('of the layers of 120 drawn cases, damaged ones among them', () => {
    let compared = 0;
    for (let i = 0; i < 120; i++) {
      const { case: made } = build(drawCase(31, i));
      for (const l of made.layers) {
        for (const kind of ['zfile', 'lsmt'] as const) {
          for (const bytes of l.index ? [l.bytes, l.index] : [l.bytes]) {
            const pairs = crossFields(bytes, kind);
            expect(differing(pairs), made.id).toBeUndefined();
            compared += pairs.length;
          }
        }
      }
    }
    expect(compared).toBeGreaterThan(100_000);
  });

  const folder = shared('golden');
  it.skipIf(!folder)('of the images of the reference implementation', () => {
    const names = readdirSync(folder!).filter((n) => /\.(zf|ozf|lsmt|data|index)$/.test(n));
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) {
      const pairs = crossFields(readFileSync(path.join(folder!, name)), /zf$/.test(name) ? 'zfile' : 'lsmt');
      expect(pairs.length, name).toBeGreaterThan(15);
      expect(differing(pairs), name).toBeUndefined();
    }
  });
});
