// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeContent, randomBytes } from '../../generators/content.ts';
import { build, drawCase } from '../../generators/draw.ts';
import { writeLsmt, writePair } from '../../generators/lsmt-writer.ts';
import { PLAIN_ZFILE, writeZFile } from '../../generators/zfile-writer.ts';
import { clauseOf, LSMT_FLAG, LSMT_HEADER, setInteger, ZFILE_HEADER } from '../../spec/index.ts';
import { compileParser, compileSources, streamOf } from './compile.ts';
import { LSMT_KIND, parseLsmt, parseZFile } from './kaitai.ts';

/** Looks at everything that a browser could show; gives the number of values seen. */
function browse(node: unknown): number {
  if (Array.isArray(node)) return node.reduce((n: number, x) => n + browse(x), 0);
  if (typeof node !== 'object' || node === null || ArrayBuffer.isView(node)) return 1;
  const own = Object.keys(node).filter((k) => !k.startsWith('_'));
  const getters = Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(node))).filter((k) => k !== 'constructor' && !k.startsWith('_'));
  return [...new Set([...own, ...getters])].reduce((n, k) => n + browse((node as Record<string, unknown>)[k]), 0);
}

const WRITES = [
  { offset: 3, length: 5, content: makeContent({ kind: 'counter', seed: 1 }, 5 * 512) },
  { offset: 10, length: 2, content: null },
];
const content = makeContent({ kind: 'mixed', seed: 3 }, 20_000);
const layer = writeLsmt(WRITES, { virtualSize: 65536, form: 'committed', placement: 'packed', invalidBefore: [1] });
const pair = writePair(WRITES, 65536);
const sparse = new Uint8Array(16384);
sparse.set(pair.data.subarray(0, 4096));
setInteger(sparse, LSMT_HEADER, 'flags', 1 << LSMT_FLAG.header | 1 << LSMT_FLAG.dataFile | 1 << LSMT_FLAG.sparse);

/** Something to browse of each kind. */
const IMAGES: readonly (readonly [name: string, kind: 'zfile' | 'lsmt', bytes: Uint8Array])[] = [
  ['ZFile', 'zfile', writeZFile(content, PLAIN_ZFILE)],
  ['ZFile without block CRCs', 'zfile', writeZFile(content, { ...PLAIN_ZFILE, verify: false })],
  ['ZFile whose header counts', 'zfile', writeZFile(content, { ...PLAIN_ZFILE, headerMode: true })],
  ['ZSTD', 'zfile', writeZFile(content, { ...PLAIN_ZFILE, algo: 'zstd' })],
  ['empty ZFile', 'zfile', writeZFile(new Uint8Array(0), PLAIN_ZFILE)],
  ['committed layer', 'lsmt', layer],
  ['layer without entries', 'lsmt', writeLsmt([], { virtualSize: 512, form: 'sealed', placement: 'packed', invalidBefore: [] })],
  ['data file', 'lsmt', pair.data],
  ['index file', 'lsmt', pair.index],
  ['sparse layer', 'lsmt', sparse],
];

const parse = (kind: 'zfile' | 'lsmt', bytes: Uint8Array): unknown => (kind === 'zfile' ? parseZFile(bytes) : parseLsmt(bytes));

describe('descriptions', () => {
  it.each(['zfile', 'lsmt'])('%s.ksy refers to clauses that exist', (name) => {
    const text = readFileSync(path.join(import.meta.dirname, '..', '..', 'spec', `${name}.ksy`), 'utf8');
    const ids = [...text.matchAll(/doc-ref: ([A-Z]{2}-\S+)/g)].map((m) => m[1]!);
    expect(ids.length).toBeGreaterThan(20);
    for (const id of ids) expect(clauseOf(id).id).toBe(id);
  });

  it.each(['zfile', 'lsmt'] as const)('%s.ksy compiles for other languages too', async (name) => {
    for (const language of ['ruby', 'python', 'java', 'rust']) {
      expect(Object.values(await compileSources(name, language)).join('').length, language).toBeGreaterThan(1000);
    }
  });

  it('tell the kinds of LSMT files apart', () => {
    const kinds = [layer, pair.data, pair.index, sparse, new Uint8Array(4095)].map((bytes) => parseLsmt(bytes).kind);
    expect(kinds).toEqual([LSMT_KIND.sealed, LSMT_KIND.dataFile, LSMT_KIND.indexFile, LSMT_KIND.sparse, LSMT_KIND.none]);
  });

  it('find blocks, their checksums and the jump table', () => {
    const parsed = parseZFile(IMAGES[0]![2]);
    expect(parsed.blocks).toHaveLength(5);
    expect(parsed.blocks!.map((b) => b.stored.length + 4)).toEqual(parsed.jumpTable);
    expect(parsed.blocks!.every((b) => b.isWhole && b.crc !== undefined)).toBe(true);
    expect(parseZFile(IMAGES[1]![2]).blocks!.every((b) => b.isWhole && b.crc === undefined)).toBe(true);
  });

  it('view the bytes that they are given, where those start inside a larger buffer', () => {
    const shifted = new Uint8Array(layer.length + 777);
    shifted.set(layer, 333);
    const inside = shifted.subarray(333, 333 + layer.length);
    expect(parseLsmt(inside).entries!.map((e) => [e.offset, e.length])).toEqual(parseLsmt(layer).entries!.map((e) => [e.offset, e.length]));
  });
});

describe('browsing never fails', () => {
  it.each(IMAGES)('%s', (_name, kind, bytes) => {
    expect(browse(parse(kind, bytes))).toBeGreaterThan(30);
  });

  it.each(IMAGES)('%s, by a parser as the Web IDE makes it', async (_name, kind, bytes) => {
    const parser = await compileParser<{ _read(): void }>(kind, true);
    const root = new parser(streamOf(bytes));
    root._read();
    expect(browse(root)).toBe(browse(parse(kind, bytes)));
  });

  it.each(IMAGES)('%s, cut short anywhere', (_name, kind, bytes) => {
    for (let n = 0; n < 300; n++) browse(parse(kind, bytes.subarray(0, Math.floor(bytes.length * n / 300))));
    for (const n of [511, 512, 513, 1023, 1024, 4095, 4096, 4097, 8191, 8192]) browse(parse(kind, bytes.subarray(0, n)));
  });

  it.each(IMAGES)('%s, with each field at its borders', (_name, kind, bytes) => {
    const s = kind === 'zfile' ? ZFILE_HEADER : LSMT_HEADER;
    const values = [0n, 1n, 3n, 255n, 511n, 4096n, BigInt(bytes.length), (1n << 31n) - 1n, (1n << 32n) - 1n, 1n << 32n, 1n << 53n, (1n << 63n), (1n << 64n) - 1n];
    for (const f of s.fields) {
      if (f.type === 'bytes' || f.type === 'ascii') continue;
      for (const base of [0, bytes.length - s.size]) {
        for (const value of values) {
          const copy = bytes.slice();
          if (base >= 0) setInteger(copy, s, f.name as never, value, base);
          browse(parse(kind, copy));
        }
      }
    }
  });

  it.each(IMAGES)('%s, with random bytes behind the magic values', (_name, kind, bytes) => {
    const last = bytes.length - (kind === 'zfile' ? ZFILE_HEADER : LSMT_HEADER).size;
    for (let seed = 1; seed <= 100; seed++) {
      const copy = randomBytes(seed, bytes.length);
      for (const at of [0, last]) copy.set(bytes.subarray(at, at + 24), at);
      browse(parse(kind, copy));
    }
  });

  it('of a hundred drawn cases, damaged ones among them', () => {
    for (let i = 0; i < 100; i++) {
      for (const l of build(drawCase(19, i)).case.layers) {
        browse(parseZFile(l.bytes));
        browse(parseLsmt(l.bytes));
      }
    }
  });
});
