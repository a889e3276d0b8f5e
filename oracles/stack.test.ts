// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { makeContent } from '../generators/content.ts';
import { writeTar } from '../generators/tar-writer.ts';
import { SECTOR } from '../spec/index.ts';
import { layer, refusal, sectors, withLsmt, zfile, type LooseEntry } from '../test/oracle-images.ts';
import type { LsmtLayer, Mapping } from './layer.ts';
import { firstPieceAfter, mergeLayers, type Piece } from './merge.ts';
import { bufferSource } from './source.ts';
import { openStack, stackOf, unwrap, zfileDevice, type LayerSource, type OpenLayer } from './stack.ts';
import { inLayer, RecordedLeniency, STRICT, Violation } from './violation.ts';
import { openZFile } from './zfile.ts';

const raw = (bytes: Uint8Array): LayerSource => ({ wrapping: [], file: bufferSource(bytes) });
const lsmt = (entries: readonly LooseEntry[], virtualSize = 65536): LayerSource => raw(layer({ entries, virtualSize }));
const EMPTY = lsmt([]);

describe('stacks', () => {
  it('ST-CNT-01: 1 to 255 layers, 256 where that is declared', () => {
    const stack = (n: number) => () => openStack(Array.from({ length: n }, () => EMPTY), STRICT);
    expect(refusal(stack(0))).toEqual(['ST-CNT-01', 0, 'the stack has 0 layers, not 1 to 255']);
    expect(refusal(stack(1))).toBeNull();
    expect(refusal(stack(255))).toBeNull();
    expect(refusal(stack(256))).toEqual(['ST-CNT-01', 0, 'the stack has 256 layers, not 1 to 255']);
    const lax = new RecordedLeniency(['st.256-layers']);
    expect(refusal(() => openStack(Array.from({ length: 256 }, () => EMPTY), lax))).toBeNull();
    expect(refusal(() => openStack(Array.from({ length: 257 }, () => EMPTY), lax))).toEqual(['ST-CNT-01', 0, 'the stack has 257 layers, not 1 to 255']);
  });

  it('ST-SIZE-01: the topmost virtual size that is not 0', () => {
    const size = (...sizes: number[]): number => openStack(sizes.map((s) => lsmt([], s)), STRICT).size;
    expect(size(4096, 8192)).toBe(8192);
    expect(size(8192, 4096)).toBe(4096);
    expect(size(4096, 0)).toBe(4096);
    expect(size(4096, 0, 512, 0)).toBe(512);
  });

  it('ST-SIZE-04: no size at all', () => {
    const layers = [lsmt([], 0), lsmt([], 0)];
    const asked = new RecordedLeniency([]);
    expect(openStack(layers, asked).size).toBe(0);
    expect([...asked.asked]).toEqual(['st.no-size-refused']);
    expect(refusal(() => openStack(layers, new RecordedLeniency(['st.no-size-refused']))))
      .toEqual(['ST-SIZE-04', 0, 'no layer of the stack has a virtual_size other than 0']);
  });

  it('ST-SIZE-02: mappings beyond the size', () => {
    const layers = [lsmt([{ offset: 0, length: 8, moffset: 8 }], 4096), lsmt([], 3584)];
    const asked = new RecordedLeniency([]);
    expect(openStack(layers, asked).size).toBe(3584);
    expect([...asked.asked]).toEqual(['st.mapping-beyond-size-refused']);
    expect(refusal(() => openStack(layers, new RecordedLeniency(['st.mapping-beyond-size-refused']))))
      .toEqual(['ST-SIZE-02', 0, 'a mapping ends at byte 4096, the device has 3584 bytes']);
    const exact = new RecordedLeniency([]);
    openStack(layers.slice(0, 1), exact);
    expect([...exact.asked]).toEqual([]);
  });

  it('names the layer that is at fault', () => {
    const bad = raw(withLsmt(layer(), 'header', 'flags', 6));
    try {
      openStack([EMPTY, bad, bad], STRICT);
      throw new Error('it was opened');
    } catch (e) {
      expect((e as Violation).layer).toBe(1);
    }
  });

  it('takes envelopes off, and tells where a member starts', () => {
    const file = bufferSource(writeTar(zfile(layer()), true));
    let start = -1;
    const { inner, zfile: opened } = unwrap({ wrapping: ['tar', 'zfile'], file }, STRICT, (at) => { start = at; });
    expect(start).toBe(1536);
    expect(opened?.blocks).toBe(3);
    expect(inner.size).toBe(layer().length);
    expect(openStack([{ wrapping: ['tar', 'zfile'], file }], STRICT).layers[0]!.zfile).not.toBeNull();
    expect(openStack([EMPTY], STRICT).layers[0]!.zfile).toBeNull();
  });

  it('says of each byte what governs it', () => {
    const bottom = lsmt([{ offset: 0, length: 8, moffset: 8 }, { offset: 8, length: 2, moffset: 8, zeroed: true }, { offset: 20, length: 1, moffset: 15 }]);
    const top = lsmt([{ offset: 2, length: 1, moffset: 9 }, { offset: 4, length: 1, moffset: 8, zeroed: true }]);
    const { read, pieces } = openStack([bottom, top], STRICT);
    expect(pieces.map((p) => [p.start, p.end, p.layer, p.cut, p.moffset])).toEqual([
      [0, 2, 0, true, 8], [2, 3, 1, false, 9], [3, 4, 0, true, 11], [4, 5, 1, false, 8], [5, 8, 0, true, 13], [8, 10, 0, false, 8], [20, 21, 0, false, 15],
    ]);
    const { bytes, ranges } = read(0, 22 * SECTOR);
    expect(ranges.map((r) => [r.from / SECTOR, r.to / SECTOR, r.clause])).toEqual([
      [0, 2, 'ST-MRG-05'], [2, 3, 'ST-MRG-01'], [3, 4, 'ST-MRG-05'], [4, 5, 'ST-MRG-03'], [5, 8, 'ST-MRG-05'], [8, 10, 'LS-MAP-02'],
      [10, 20, 'ST-MRG-04'], [20, 21, 'ST-MRG-02'], [21, 22, 'ST-MRG-04'],
    ]);
    expect(Array.from({ length: 22 }, (_, i) => bytes[i * SECTOR])).toEqual([9, 10, 10, 12, 0, 14, 15, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0]);
    const part = read(2.5 * SECTOR, SECTOR);
    expect(part.ranges).toEqual([{ from: 0, to: 256, clause: 'ST-MRG-01' }, { from: 256, to: 512, clause: 'ST-MRG-05' }]);
    expect([part.bytes[255], part.bytes[256]]).toEqual([10, 12]);
  });

  it('a single layer is governed by its own clauses', () => {
    const entries = [{ offset: 0, length: 1, moffset: 8 }];
    const clauses = (l: LayerSource): string[] => openStack([l], STRICT).read(0, 1024).ranges.map((r) => r.clause);
    expect(clauses(lsmt(entries))).toEqual(['LS-MAP-01', 'ST-MRG-04']);
    expect(clauses({ wrapping: ['zfile'], file: bufferSource(zfile(layer({ entries }))) })).toEqual(['ST-WRAP-01', 'ST-MRG-04']);
  });

  it('a mapping that nobody bounded fails when it is read', () => {
    const declared = new Set(['ls.moffset-any']);
    const { read } = openStack([lsmt([{ offset: 0, length: 4, moffset: 100 }])], new RecordedLeniency(declared, declared));
    expect(refusal(() => read(SECTOR, SECTOR))).toEqual(['LS-IDX-05', 101 * SECTOR, 'bytes 51712 to 52224 are mapped, the file has 12304']);
  });
});

describe('what governs a place, and what a reader that does not look finds there', () => {
  /** An open layer over a file of 10 sectors. */
  const open = (form: LsmtLayer['form'], ...mappings: readonly Partial<Mapping>[]): OpenLayer => ({
    zfile: null,
    lsmt: {
      form, virtualSize: 8192, data: bufferSource(sectors(10)), remote: form === 'warp' ? bufferSource(sectors(10, 100)) : null, entries: 0, invalidInside: 0,
      mappings: mappings.map((m) => ({ start: 0, end: 1, moffset: 0, zeroed: false, file: 0, ...m })),
    },
  });
  const at = (start: number): Partial<Mapping> => ({ start, end: start + 1 });
  const clauses = (...layers: readonly OpenLayer[]): string[] => stackOf(layers, STRICT).read(0, 4 * SECTOR).ranges.map((r) => r.clause);

  it.each<[string, readonly OpenLayer[], readonly string[]]>([
    ['a pair', [open('pair', at(0))], ['LS-RW-03', 'ST-MRG-04']],
    ['a sparse layer', [open('sparse', at(0))], ['LS-SPR-02', 'LS-SPR-03']],
    ['a warp layer', [open('warp', at(0))], ['LS-WRP-01', 'ST-MRG-04']],
    ['two sparse layers', [open('sparse', at(0)), open('sparse', at(1))], ['LS-SPR-02', 'LS-SPR-02', 'ST-MRG-04']],
    ['a pair over a sealed layer', [open('sealed', at(0)), open('pair', at(1))], ['ST-MRG-02', 'ST-MRG-01', 'ST-MRG-04']],
    ['a warp layer over a sealed one', [open('sealed', at(0)), open('warp', at(1))], ['ST-MRG-02', 'LS-WRP-01', 'ST-MRG-04']],
    ['one of three in the middle', [open('sealed'), open('sealed', at(2)), open('sealed')], ['ST-MRG-04', 'ST-MRG-02', 'ST-MRG-04']],
    ['a zeroed one below', [open('sealed', { zeroed: true }), open('sealed')], ['LS-MAP-02', 'ST-MRG-04']],
    ['a zeroed one above', [open('sealed'), open('sealed', { zeroed: true })], ['ST-MRG-03', 'ST-MRG-04']],
    ['a warp layer that is cut', [open('warp', { end: 2 }), open('sealed', at(1))], ['ST-MRG-05', 'ST-MRG-01', 'ST-MRG-04']],
    ['nothing', [open('sealed')], ['ST-MRG-04']],
  ])('%s', (_name, layers, expected) => expect(clauses(...layers)).toEqual(expected));

  it.each<[LsmtLayer['form'], string]>([['sealed', 'LS-IDX-05'], ['warp', 'LS-WRP-04'], ['pair', 'LS-RW-04'], ['sparse', 'LS-SPR-02']])('%s: past the end of the file, and to it', (form, clause) => {
    const { read } = stackOf([open(form, { end: 3, moffset: 8 })], STRICT);
    expect(refusal(() => read(0, 3 * SECTOR))).toEqual([clause, 4096, 'bytes 4096 to 5632 are mapped, the file has 5120']);
    expect([...new Set(read(0, 2 * SECTOR).bytes)]).toEqual([9, 10]);
    expect(refusal(() => read(2.5 * SECTOR, 1))).toEqual([clause, 10.5 * SECTOR, 'bytes 5376 to 5377 are mapped, the file has 5120']);
  });

  it('a bad place right behind what is read does no harm', () => {
    const { read } = stackOf([open('sealed', at(0), { start: 2, end: 3, moffset: 20 })], STRICT);
    expect(refusal(() => read(0, 2 * SECTOR))).toBeNull();
    expect(refusal(() => read(0, 2 * SECTOR + 1))?.[0]).toBe('LS-IDX-05');
  });

  it('a remote file that there is not, and a layer that is at fault', () => {
    const { read } = stackOf([open('sealed'), open('sealed', { file: 1 })], STRICT);
    expect(refusal(() => read(0, 1))).toEqual(['LS-WRP-03', 0, 'a data entry of tag 1 maps a file that there is not']);
    try {
      read(0, 1);
    } catch (e) {
      expect((e as Violation).layer).toBe(1);
    }
    expect(refusal(() => stackOf([open('warp', { file: 2, moffset: 3 })], STRICT).read(0, 1))?.slice(0, 2)).toEqual(['LS-WRP-03', 3 * SECTOR]);
  });

  it('reads of nothing, of gaps, and of the middle of pieces', () => {
    const { read } = stackOf([open('sealed', { start: 2, end: 6, moffset: 1 }, { start: 8, end: 9 })], STRICT);
    expect(read(SECTOR, 0)).toEqual({ bytes: new Uint8Array(0), ranges: [] });
    expect(read(3 * SECTOR, 0).ranges).toEqual([]);
    expect(read(SECTOR, 100)).toEqual({ bytes: new Uint8Array(100), ranges: [{ from: 0, to: 100, clause: 'ST-MRG-04' }] });
    expect(read(3 * SECTOR + 5, 3).ranges).toEqual([{ from: 0, to: 3, clause: 'LS-MAP-01' }]);
    expect([...read(4 * SECTOR - 1, 2).bytes]).toEqual([3, 4]);
    const wide = read(5 * SECTOR, 3.5 * SECTOR);
    expect(wide.ranges).toEqual([{ from: 0, to: 512, clause: 'LS-MAP-01' }, { from: 512, to: 1536, clause: 'ST-MRG-04' }, { from: 1536, to: 1792, clause: 'LS-MAP-01' }]);
    expect([0, 511, 512, 1535, 1536, 1791].map((i) => wide.bytes[i])).toEqual([5, 5, 0, 0, 1, 1]);
    expect(read(6 * SECTOR, 2 * SECTOR).ranges).toEqual([{ from: 0, to: 1024, clause: 'ST-MRG-04' }]);
  });
});

describe('merging', () => {
  const piece = (start: number, end: number, layerIndex: number, moffset = start + 100, zeroed = false): Piece => (
    { start, end, moffset, zeroed, file: 0, layer: layerIndex, cut: false }
  );

  it('every position of an upper entry over a lower one', () => {
    for (let from = 0; from < 8; from++) {
      for (let to = from + 1; to <= 9; to++) {
        const merged = mergeLayers([[piece(2, 6, 0)], [piece(from, to, 1)]]);
        const owner = Array.from({ length: 10 }, (_, s) => merged.find((p) => p.start <= s && s < p.end));
        owner.forEach((p, s) => {
          const expected = s >= from && s < to ? 1 : s >= 2 && s < 6 ? 0 : undefined;
          expect(p?.layer, `${from}-${to} at ${s}`).toBe(expected);
          if (p) expect(p.moffset + (s - p.start)).toBe(s + 100);
          if (p) expect(p.cut).toBe(p.layer === 0 && p.end - p.start < 4);
        });
        merged.forEach((p, i) => expect(p.start).toBeGreaterThanOrEqual(merged[i - 1]?.end ?? 0));
      }
    }
  });

  it('zeroed pieces keep their moffset, pieces are not joined', () => {
    expect(mergeLayers([[piece(0, 4, 0, 8, true)], [piece(1, 2, 1)]])).toEqual([
      { ...piece(0, 1, 0, 8, true), cut: true }, piece(1, 2, 1), { ...piece(2, 4, 0, 8, true), cut: true },
    ]);
    expect(mergeLayers([[piece(0, 2, 0)], [piece(2, 4, 1)]])).toEqual([piece(0, 2, 0), piece(2, 4, 1)]);
    expect(mergeLayers([])).toEqual([]);
  });

  it('finds the first piece that ends after a sector', () => {
    const pieces = [piece(0, 2, 0), piece(2, 4, 0), piece(6, 8, 0)];
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8].map((s) => firstPieceAfter(pieces, s))).toEqual([0, 0, 1, 1, 2, 2, 2, 2, 3]);
  });
});

describe('a ZFile as a device', () => {
  it.each<[string, Uint8Array, readonly string[]]>([
    ['plain', zfile(makeContent({ kind: 'text', seed: 1 }, 5000)), ['ZF-BLK-01', 'ZF-BLK-02']],
    ['whole blocks', zfile(makeContent({ kind: 'text', seed: 1 }, 8192)), ['ZF-BLK-01']],
    ['other blocks', zfile(makeContent({ kind: 'text', seed: 1 }, 5000), { blockSize: 1024 }), ['ZF-BLK-06', 'ZF-BLK-06']],
  ])('%s', (_name, bytes, clauses) => {
    const device = zfileDevice(openZFile(bufferSource(bytes), STRICT));
    expect(device.read(0, device.size).ranges.map((r) => r.clause)).toEqual(clauses);
  });

  it('space for a dictionary governs all of it', () => {
    const zfileOf = (size: number, dictBytes: number, blockSize = 4096): Parameters<typeof zfileDevice>[0] => ({
      size, blockSize, dictBytes, algo: 'lz4', headerMode: false, blocks: 2, read: (_offset, length) => new Uint8Array(length), verify: () => [],
      blockAt: () => ({ offset: 0, length: 0 }),
    });
    expect(zfileDevice(zfileOf(5000, 1)).read(0, 5000).ranges).toEqual([{ from: 0, to: 4096, clause: 'ZF-OPT-04' }, { from: 4096, to: 5000, clause: 'ZF-OPT-04' }]);
    expect(zfileDevice(zfileOf(5000, 1, 512)).read(4608, 392).ranges).toEqual([{ from: 0, to: 392, clause: 'ZF-OPT-04' }]);
    expect(zfileDevice(zfileOf(5000, 0)).read(5000, 0)).toEqual({ bytes: new Uint8Array(0), ranges: [] });
  });

  it('says where the last block begins', () => {
    const device = zfileDevice(openZFile(bufferSource(zfile(new Uint8Array(5000))), STRICT));
    expect(device.read(4000, 1000).ranges).toEqual([{ from: 0, to: 96, clause: 'ZF-BLK-01' }, { from: 96, to: 1000, clause: 'ZF-BLK-02' }]);
    expect(device.read(4096, 4).ranges).toEqual([{ from: 0, to: 4, clause: 'ZF-BLK-02' }]);
    expect(device.read(0, 4096).ranges).toEqual([{ from: 0, to: 4096, clause: 'ZF-BLK-01' }]);
  });
});

it('what is no violation passes through the marking of layers', () => {
  expect(() => inLayer(3, () => { throw new RangeError('ours'); })).toThrow(RangeError);
  expect(inLayer(3, () => 5)).toBe(5);
});
