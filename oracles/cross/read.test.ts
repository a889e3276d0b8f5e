// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Case, Layer, Outcome } from '../../model/index.ts';
import { makeContent } from '../../generators/content.ts';
import { build, drawCase } from '../../generators/draw.ts';
import { lsmtHeader } from '../../generators/lsmt-header.ts';
import { writeLsmt, writePair, type LsmtOptions, type WrittenSegment } from '../../generators/lsmt-writer.ts';
import { PLAIN_ZFILE, writeZFile } from '../../generators/zfile-writer.ts';
import { LSMT_FLAG, setSegment, type Segment } from '../../spec/index.ts';
import { shared } from '../../test/shared.ts';
import { examine } from '../examine.ts';
import { crossRead, type CrossReading } from './read.ts';

const CASES = 400;
/** Bytes of the largest device that the second reader paints as a whole. */
const PAINTED = 64 << 20;

/** Whether the second reader says what the first does; the difference as text where not. */
function difference(strict: Outcome, cross: CrossReading, model: Uint8Array | null): string | null {
  if (strict.outcome !== 'open') return `strict: ${strict.clause} ${strict.why}`;
  if (cross.outcome !== 'open') return `cross: ${cross.why}`;
  if (strict.size !== cross.size) return `strict ${strict.size} bytes, cross ${cross.size}`;
  for (const [k, read] of strict.reads.entries()) {
    const other = cross.reads[k]!;
    if (read.outcome !== 'bytes') return `strict read ${k}: ${read.clause}`;
    if (!(other instanceof Uint8Array)) return `cross read ${k}: ${other.why}`;
    if (Buffer.compare(read.bytes, other) !== 0) return `read ${k} differs`;
  }
  if (model && !cross.bytes) return 'the device is not read as a whole';
  return model && Buffer.compare(model, cross.bytes!) !== 0 ? 'the model differs' : null;
}

describe('three opinions agree', () => {
  it(`on every byte of ${CASES} drawn cases that are sound`, () => {
    let sound = 0;
    let painted = 0;
    for (let i = 0; i < CASES; i++) {
      const { case: made, size, readModel } = build(drawCase(41, i));
      // A device larger than the second reader paints is compared read by read only.
      const model = readModel && size <= PAINTED ? readModel(0, size) : null;
      const { expectation, case: sized } = examine(made);
      if (!readModel && expectation.class !== 'valid') continue;
      sound++;
      const cross = crossRead(sized);
      if (cross.outcome === 'open' && cross.bytes) painted++;
      expect(difference(expectation.strict, cross, model), made.id).toBeNull();
    }
    expect(sound).toBeGreaterThan(CASES / 4);
    expect(painted).toBeGreaterThan(CASES / 4);
  });

  it('whether the device is painted as a whole or read by read', () => {
    for (let i = 0; i < 60; i++) {
      const { case: made } = build(drawCase(43, i));
      const { case: sized } = examine(made);
      const [whole, pieces] = [crossRead(sized), crossRead(sized, 0)];
      if (whole.outcome !== 'open' || pieces.outcome !== 'open' || !whole.bytes) continue;
      for (const [k, read] of whole.reads.entries()) {
        expect(Buffer.compare(read as Uint8Array, pieces.reads[k] as Uint8Array), `${made.id} read ${k}`).toBe(0);
      }
    }
  });

  it('no image makes the second reader throw', () => {
    let refused = 0;
    for (let i = 0; i < CASES; i++) {
      const { case: made, readModel } = build(drawCase(47, i));
      if (readModel) continue;
      if (crossRead(made).outcome === 'refuse') refused++;
    }
    expect(refused).toBeGreaterThan(20);
  });
});

interface GoldenCase {
  readonly kind: string;
  readonly file?: string;
  readonly data?: string;
  readonly index?: string;
  readonly layers_bottom_to_top?: readonly string[];
  readonly expect_sha256: string;
  readonly expect_size: number;
}

const folder = shared('golden');
const golden = folder ? (JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as { cases: GoldenCase[] }).cases : [];

function goldenLayer(name: string, index?: string): Layer {
  const bytes = readFileSync(path.join(folder!, name));
  const wrapping: Layer['wrapping'] = name.endsWith('.tar') ? ['tar', 'zfile'] : name.endsWith('zf') ? ['zfile'] : [];
  return { wrapping, bytes, ...(index === undefined ? {} : { index: readFileSync(path.join(folder!, index)) }) };
}

function caseOf(device: Case['device'], layers: readonly Layer[], reads: Case['access']['reads'] = []): Case {
  return { id: 'made', device, layers, access: { slack: 'page', deviceBytes: 0, reads }, clauses: { exercises: [], violates: [] } };
}

it('a read past the end does not look at the last sector', () => {
  const bytes = writeZFile(new Uint8Array(12).fill(7), { ...PLAIN_ZFILE, headerMode: true });
  bytes[512] = bytes[512]! ^ 1;
  const read = (offset: number): Case['access']['reads'][number] => ({ offset, length: 4096, bufferOffset: 0, mode: 'direct' });
  const made = caseOf('zfile', [{ wrapping: ['zfile'], bytes }], [read(4096), read(0)]);
  expect(crossRead(made, 0)).toMatchObject({ outcome: 'open', size: 12, reads: [new Uint8Array(0), { outcome: 'refuse' }] });
});

describe.skipIf(!folder)('images of the reference implementation', () => {
  it.each(golden.map((c) => [c.file ?? c.data ?? c.layers_bottom_to_top!.join(' + '), c] as const))('%s', (_name, c) => {
    const layers = c.data ? [goldenLayer(c.data, c.index)] : (c.file ? [c.file] : c.layers_bottom_to_top!).map((n) => goldenLayer(n));
    const made = caseOf(c.kind.startsWith('zfile') ? 'zfile' : 'lsmt', layers, [{ offset: 0, length: 4096, bufferOffset: 0, mode: 'direct' }]);
    const cross = crossRead(made);
    if (cross.outcome !== 'open' || !cross.bytes) throw new Error(JSON.stringify(cross));
    expect(cross.size).toBe(c.expect_size);
    expect(createHash('sha256').update(cross.bytes).digest('hex')).toBe(c.expect_sha256);
    expect(difference(examine(made).expectation.strict, cross, null)).toBeNull();
  });
});

const counter = (seed: number, sectors: number): Uint8Array => makeContent({ kind: 'counter', seed }, sectors * 512);
const OPTIONS: LsmtOptions = { virtualSize: 16 * 512, form: 'sealed', placement: 'packed', invalidBefore: [] };

/** The device's bytes, or why not. */
function deviceOf(layers: readonly Layer[]): Uint8Array | string {
  const cross = crossRead(caseOf('lsmt', layers));
  return cross.outcome === 'open' ? cross.bytes! : cross.why;
}

/** A device of 16 sectors, painted by hand. */
function expected(...strokes: readonly (readonly [sector: number, bytes: Uint8Array])[]): Uint8Array {
  const out = new Uint8Array(OPTIONS.virtualSize);
  for (const [sector, bytes] of strokes) out.set(bytes, sector * 512);
  return out;
}

describe('forms of layers', () => {
  const bottom: Layer = { wrapping: [], bytes: writeLsmt([{ offset: 0, length: 16, content: counter(1, 16) }], OPTIONS) };

  it('a writable pair is painted in write order', () => {
    const writes: WrittenSegment[] = [
      { offset: 2, length: 6, content: counter(10, 6) },
      { offset: 4, length: 2, content: counter(20, 2) },
      { offset: 0, length: 3, content: null },
    ];
    const { data, index } = writePair(writes, OPTIONS.virtualSize);
    expect(deviceOf([bottom, { wrapping: [], bytes: data, index }])).toEqual(
      expected([0, counter(1, 16)], [2, counter(10, 6)], [4, counter(20, 2)], [0, new Uint8Array(3 * 512)]));
  });

  it('a sparse layer shows its extents 8 sectors further down, and the layer below in its holes', () => {
    const flags = 1 << LSMT_FLAG.header | 1 << LSMT_FLAG.dataFile | 1 << LSMT_FLAG.sparse;
    const bytes = new Uint8Array(4096 + 16 * 512);
    bytes.set(lsmtHeader(flags, { virtualSize: OPTIONS.virtualSize }));
    bytes.set(counter(30, 8), 8192);
    const layer: Layer = { wrapping: [], bytes, extents: [{ from: 0, to: 4096 }, { from: 8192, to: 12288 }] };
    expect(deviceOf([bottom, layer])).toEqual(expected([0, counter(1, 16)], [8, counter(30, 8)]));
    const cut = { ...layer, bytes: bytes.slice(0, 8192 + 513), extents: [{ from: 0, to: 4096 }, { from: 8192, to: 8192 + 513 }] };
    expect(deviceOf([bottom, cut])).toEqual(expected([0, counter(1, 16)], [8, counter(30, 1)]));
    expect(deviceOf([{ ...layer, bytes: bottom.bytes }])).toBe('the header is none of a sparse layer');
  });

  it('a warp file maps itself by tag 0 and the remote file by tag 1', () => {
    const bytes = writeLsmt([
      { offset: 1, length: 2, content: counter(40, 2) },
      { offset: 5, length: 3, content: counter(50, 3) },
    ], OPTIONS);
    const remote = counter(60, 20);
    const index = 4096 + 5 * 512;
    const second: Segment = { offset: 5n, length: 3, moffset: 2n, zeroed: false, tag: 1 };
    setSegment(bytes, index + 16, second);
    expect(deviceOf([{ wrapping: [], bytes, remote }])).toEqual(expected([1, counter(40, 2)], [5, remote.subarray(2 * 512, 5 * 512)]));
    setSegment(bytes, index + 16, { ...second, moffset: 18n });
    expect(deviceOf([{ wrapping: [], bytes, remote }])).toBe('an entry maps what is behind the end of a file');
  });
});

describe('a damaged image is told', () => {
  const content = makeContent({ kind: 'text', seed: 9 }, 9000);
  const zfile = writeZFile(content, PLAIN_ZFILE);
  const flipped = (at: number): Layer[] => {
    const bytes = zfile.slice();
    bytes[at < 0 ? bytes.length + at : at]! ^= 1;
    return [{ wrapping: ['zfile'], bytes }];
  };

  it.each([
    ['header', 200, /digest of the header/],
    ['trailer', -100, /digest of the trailer/],
    ['jump table', -512 - 12, /index_crc/],
  ])('%s', (_name, at, why) => {
    const cross = crossRead(caseOf('zfile', flipped(at)));
    expect(cross.outcome === 'refuse' && cross.why).toMatch(why);
  });

  it('block', () => {
    const reads = [0, 4096].map((offset) => ({ offset, length: 4096, bufferOffset: 0, mode: 'direct' as const }));
    const cross = crossRead(caseOf('zfile', flipped(520), reads));
    if (cross.outcome !== 'open') throw new Error(cross.why);
    expect(cross.bytes).toBeNull();
    expect(cross.reads).toEqual([{ outcome: 'refuse', why: 'the CRC of block 0 differs' }, content.slice(4096, 8192)]);
  });

  it('block under another layer: it is never seen', () => {
    const lower = writeZFile(writeLsmt([{ offset: 0, length: 16, content: makeContent({ kind: 'random', seed: 1 }, 16 * 512) }], OPTIONS), PLAIN_ZFILE);
    // Block 0 is the layer’s header, which shrinks; block 1 holds the first 8 sectors of the data, which do not.
    lower[512 + 2000]! ^= 1;
    const bottom: Layer = { wrapping: ['zfile'], bytes: lower };
    const over = (offset: number, length: number): Layer => ({ wrapping: [], bytes: writeLsmt([{ offset, length, content: counter(2, length) }], OPTIONS) });
    const read = (offset: number): Case['access']['reads'][number] => ({ offset, length: 512, bufferOffset: 0, mode: 'direct' });
    const refused = { outcome: 'refuse', why: 'the CRC of block 1 differs' };
    const bare = crossRead(caseOf('lsmt', [bottom], [read(0), read(8 * 512)]));
    expect(bare.outcome === 'open' && bare.reads[0]).toEqual(refused);
    expect(bare.outcome === 'open' && bare.reads[1]).toBeInstanceOf(Uint8Array);
    const covered = crossRead(caseOf('lsmt', [bottom, over(0, 8)]));
    expect(covered.outcome === 'open' && covered.bytes?.subarray(0, 8 * 512)).toEqual(counter(2, 8));
    const inPart = crossRead(caseOf('lsmt', [bottom, over(0, 7)], [read(6 * 512), read(7 * 512)]));
    expect(inPart.outcome === 'open' && inPart.reads[1]).toEqual(refused);
    expect(inPart.outcome === 'open' && inPart.reads[0]).toBeInstanceOf(Uint8Array);
  });
});
