// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { lsmtHeader } from '../generators/lsmt-header.ts';
import { writeTar } from '../generators/tar-writer.ts';
import { edited, entryBytes, layer, sectors, withLsmt, withZFile, zfile, type LooseEntry } from '../test/oracle-images.ts';
import { checkLayers, checkSteps, MAX_LISTED, type CheckResult } from './check.ts';
import { guessLayer } from './guess.ts';
import { bufferSource, type ByteSource } from './source.ts';

const check = (...files: Uint8Array[]): CheckResult => checkLayers(files.map((f) => ({ file: bufferSource(f) })));
/** Clause, file and byte of each violation. */
const told = (r: CheckResult): unknown[] => r.violations.map((v) => [v.layer, v.clause, v.file, v.phase, v.at]);

const ENTRIES: readonly LooseEntry[] = [{ offset: 0, length: 8, moffset: 8 }];
const SOUND = layer({ entries: ENTRIES });
const PACKED = zfile(SOUND, { encoder: 'literals' });
const ZERO = { MUST: 0, SHOULD: 0, MAY: 0 };

describe('check', () => {
  it('finds nothing in sound layers, however they are wrapped', () => {
    for (const file of [SOUND, PACKED, writeTar(PACKED, false), writeTar(SOUND, true), zfile(SOUND, { algo: 'zstd' })]) {
      const { violations, count, layers } = check(file);
      expect(violations).toEqual([]);
      expect(count).toEqual(ZERO);
      expect(layers[0]).toMatchObject({ form: 'sealed', virtualSize: 65536, entries: 1, cutShort: false, unlisted: ZERO });
    }
    const result = check(SOUND, writeTar(PACKED, false));
    expect(result.layers.map((l) => [l.wrapping, l.blocks])).toEqual([[[], 0], [['tar', 'zfile'], 4]]);
  });

  it('goes on behind what leaves something to read', () => {
    let bad = withLsmt(SOUND, 'header', 'size', 1);
    bad = withLsmt(bad, 'header', 'flags', 4);
    bad = withLsmt(bad, 'trailer', 'flags', 1);
    bad = withLsmt(bad, 'trailer', 'version', 0);
    bad = withLsmt(bad, 'trailer', 'virtual_size', 5);
    const trailer = SOUND.length - 4096;
    const result = check(bad);
    expect(told(result)).toEqual([
      [0, 'LS-HDR-03', 'file', 'open', 28], [0, 'LS-HDR-04', 'file', 'open', 28], [0, 'LS-HDR-05', 'file', 'open', 24],
      [0, 'LS-TRL-02', 'file', 'open', trailer + 28], [0, 'LS-TRL-03', 'file', 'open', trailer + 28], [0, 'LS-TRL-04', 'file', 'open', trailer + 28],
      [0, 'LS-VER-01', 'file', 'open', trailer + 132], [0, 'LS-SIZE-01', 'file', 'open', trailer + 48],
    ]);
    expect(result.count).toEqual({ MUST: 6, SHOULD: 2, MAY: 0 });
    expect(result.layers[0]!.cutShort).toBe(false);
    expect(result.violations[2]).toEqual({
      layer: 0, file: 'file', clause: 'LS-HDR-05', level: 'SHOULD', flag: 'ls.size-field-ignored', phase: 'open', at: 24, why: 'the size field is 1, not 390',
    });
    expect(result.violations[0]).not.toHaveProperty('flag');
  });

  it('tells of every entry', () => {
    const entries: LooseEntry[] = [
      { offset: 5, length: 2, moffset: 8 }, { offset: 6, length: 1, moffset: 8 }, { offset: 3, length: 1, moffset: 99 },
      { offset: 9, length: 1, moffset: 1, zeroed: true }, { offset: 9, length: 1, moffset: 8 },
    ];
    expect(told(check(layer({ entries })))).toEqual([
      [0, 'LS-IDX-04', 'file', 'open', 8192 + 16], [0, 'LS-IDX-04', 'file', 'open', 8192 + 32], [0, 'LS-IDX-04', 'file', 'open', 8192 + 64],
      [0, 'LS-IDX-05', 'file', 'open', 8192 + 32], [0, 'LS-IDX-06', 'file', 'open', 8192 + 48],
    ]);
  });

  it('tells of every block, once', () => {
    const bad = edited(PACKED, (b) => { for (const at of [600, 600 + 4118, 600 + 2 * 4118]) b[at]! ^= 1; });
    const result = check(bad);
    expect(told(result)).toEqual([[0, 'ZF-BLK-03', 'file', 'read', 512], [0, 'ZF-BLK-03', 'file', 'read', 512 + 4118], [0, 'ZF-BLK-03', 'file', 'read', 512 + 2 * 4118]]);
    expect(result.layers[0], 'the layer’s header is in a bad block').toMatchObject({ cutShort: true, form: null, virtualSize: null, blocks: 4 });
    const dataOnly = check(edited(PACKED, (b) => { b[600 + 4118]! ^= 1; }));
    expect(told(dataOnly)).toEqual([[0, 'ZF-BLK-03', 'file', 'read', 512 + 4118]]);
    expect(dataOnly.layers[0]).toMatchObject({ cutShort: false, form: 'sealed' });
  });

  it('counts bytes of the file that is there: behind a tar’s headers, or decoded', () => {
    const inside = zfile(withLsmt(SOUND, 'trailer', 'size', 1));
    expect(told(check(inside))).toEqual([[0, 'LS-HDR-05', 'decoded', 'open', SOUND.length - 4096 + 24]]);
    const outside = withZFile(PACKED, 'header', 'size', 1);
    expect(told(check(writeTar(outside, false)))).toEqual([[0, 'ZF-HDR-05', 'file', 'open', 512 + 24]]);
    expect(told(check(writeTar(withLsmt(SOUND, 'header', 'size', 1), true)))).toEqual([[0, 'LS-HDR-05', 'file', 'open', 1536 + 24]]);
    expect(told(check(edited(writeTar(SOUND, false), (b) => { b[0] = 1; })))).toEqual([[0, 'TR-TAR-03', 'file', 'open', 148]]);
    const short = writeTar(SOUND, false).subarray(0, 1024);
    expect(told(check(short))).toEqual([[0, 'TR-TAR-02', 'file', 'open', 124], [0, 'LS-HDR-01', 'file', 'open', 512]]);
    const cut = writeTar(SOUND, true).subarray(0, 1000);
    expect(told(check(cut))).toEqual([[0, 'TR-TAR-01', 'file', 'open', 512]]);
  });

  it('walks blocks that it cannot decode', () => {
    const bad = edited(withZFile(PACKED, 'trailer', 'algo', 9), (b) => { b[600]! ^= 1; });
    const result = check(bad);
    expect(told(result)).toEqual([[0, 'ZF-OPT-02', 'file', 'open', PACKED.length - 512 + 76], [0, 'ZF-BLK-03', 'file', 'read', 512]]);
    expect(result.layers[0]).toMatchObject({ cutShort: true, blocks: 4 });
    for (const [field, value, clause] of [['block_size', 0, 'ZF-OPT-01'], ['block_size', 2 ** 31, 'ZF-OPT-01'], ['original_file_size', 2n ** 63n, 'ZF-SIZE-02']] as const) {
      expect(check(withZFile(PACKED, 'trailer', field, value)).violations.map((v) => v.clause)).toEqual([clause]);
    }
  });

  it('goes on behind wrong checksums, sizes and entries of a ZFile', () => {
    const trailer = PACKED.length - 512;
    const bad = edited(PACKED, (b, v) => {
      v.setUint32(28, 1, true);
      v.setUint32(trailer + 28, 1, true);
      v.setUint32(trailer + 64, 1, true);
      v.setBigUint64(trailer + 56, 9n, true);
    });
    // Of nine bytes the first block has too many, and a layer cannot be.
    expect(check(bad).violations.map((v) => v.clause)).toEqual(['ZF-HDR-04', 'ZF-TRL-05', 'ZF-IDX-03', 'ZF-IDX-05', 'ZF-LZ4-04', 'LS-HDR-01']);
  });

  it('stops at an index that is not there', () => {
    const result = check(withLsmt(SOUND, 'trailer', 'index_size', 1_000_001));
    expect(told(result)).toEqual([[0, 'LS-IDX-01', 'file', 'open', SOUND.length - 4096 + 40]]);
    expect(result.layers[0]!.cutShort).toBe(true);
  });

  it('lists a thousand and counts the rest', () => {
    const entries = Array.from({ length: MAX_LISTED + 2 }, (): LooseEntry => ({ offset: 0, length: 1, moffset: 8 }));
    const all = check(layer({ entries: entries.slice(0, MAX_LISTED + 1) }));
    expect([all.violations.length, all.layers[0]!.unlisted.MUST, all.count.MUST]).toEqual([1000, 0, 1000]);
    const more = check(layer({ entries }), layer({ entries }));
    expect([more.violations.length, more.layers[0]!.unlisted, more.count.MUST]).toEqual([2000, { MUST: 1, SHOULD: 0, MAY: 0 }, 2002]);
  });

  it('a ZFile by itself', () => {
    const as = (file: Uint8Array): CheckResult => checkLayers([{ file: bufferSource(file) }], 'zfile');
    expect(as(zfile(sectors(9))).violations).toEqual([]);
    expect(told(check(zfile(sectors(32))))).toEqual([[0, 'LS-HDR-02', 'decoded', 'open', 0]]);
    expect(told(as(SOUND))).toEqual([[0, 'ZF-HDR-02', 'file', 'open', 0]]);
    expect(as(zfile(new Uint8Array(512 * 1025), { blockSize: 512 }))).toMatchObject({ violations: [], layers: [{ blocks: 1025, form: null, cutShort: false }] });
    expect(checkLayers([], 'zfile').violations, 'it is no stack').toEqual([]);
    expect(checkLayers([]).violations).toMatchObject([{ layer: null, clause: 'ST-CNT-01', file: 'file', phase: 'open', at: 0 }]);
    expect(as(SOUND).violations[0]!.why).toBe('the header lacks the magic values');
  });

  it('pairs, with the file that is at fault', () => {
    const size = { virtualSize: 4096 };
    const data = Uint8Array.from(Buffer.concat([lsmtHeader(3, size), sectors(2)]));
    const index = Uint8Array.from(Buffer.concat([lsmtHeader(1, size, 4096), entryBytes([{ offset: 0, length: 1, moffset: 8 }, { offset: 0, length: 9, moffset: 9 }])]));
    const pair = (d: Uint8Array, i: Uint8Array): unknown[] => told(checkLayers([{ file: bufferSource(d), index: bufferSource(i) }]));
    expect(pair(data, index)).toEqual([[0, 'LS-RW-04', 'index', 'open', 4112]]);
    expect(pair(withLsmt(data, 'header', 'flags', 0), withLsmt(index, 'header', 'flags', 7))).toEqual([
      [0, 'LS-RW-01', 'file', 'open', 28], [0, 'LS-RW-02', 'index', 'open', 28], [0, 'LS-RW-02', 'index', 'open', 28], [0, 'LS-RW-04', 'index', 'open', 4112],
    ]);
    expect(pair(data.subarray(0, 99), index.subarray(0, 4112))).toEqual([[0, 'LS-RW-01', 'file', 'open', 0], [0, 'LS-RW-04', 'index', 'open', 4096]]);
    expect(pair(edited(data, (b) => { b[0] = 0; }), index.subarray(0, 99))).toEqual([[0, 'LS-RW-01', 'file', 'open', 0], [0, 'LS-RW-02', 'index', 'open', 0]]);
  });

  it('sparse and warp layers', () => {
    const sparse = Uint8Array.from(Buffer.concat([lsmtHeader(0x13, { virtualSize: 65536 }), sectors(8)]));
    expect(check(sparse)).toMatchObject({ violations: [], layers: [{ form: 'sparse', entries: 0 }] });
    expect(told(check(withLsmt(sparse, 'header', 'flags', 0x12)))).toEqual([[0, 'LS-SPR-01', 'file', 'open', 28]]);
    const warp = layer({ entries: [{ offset: 0, length: 1, moffset: 9, tag: 1 }] });
    expect(told(checkLayers([{ file: bufferSource(warp), remote: bufferSource(sectors(9)) }]))).toEqual([[0, 'LS-WRP-04', 'file', 'open', 8192]]);
  });

  it('stacks: each layer, and their number', () => {
    const bad = withLsmt(SOUND, 'header', 'size', 1);
    expect(told(check(SOUND, bad, bad)).map((t) => (t as number[])[0])).toEqual([1, 2]);
    const tall = checkLayers(Array.from({ length: 256 }, () => ({ file: bufferSource(SOUND) })));
    expect(told(tall)).toEqual([[null, 'ST-CNT-01', 'file', 'open', 0]]);
    expect(tall.count.MUST).toBe(1);
  });

  it('what is no violation is passed on', () => {
    const broken = { size: 99_999, read: () => { throw new RangeError('ours'); } };
    expect(() => checkLayers([{ file: broken }])).toThrow(RangeError);
    // One that shows a header, and fails behind it.
    const halfway = { size: SOUND.length, read: (offset: number, length: number) => (offset > 0 ? broken.read() : SOUND.subarray(0, length)) };
    expect(() => checkLayers([{ file: halfway }])).toThrow(RangeError);
  });

  it('is of a device where nothing is said, and counts a tar’s headers as done', () => {
    const packed = zfile(new Uint8Array(512 * 1024), { blockSize: 512 });
    const file = bufferSource(writeTar(packed, true));
    const steps = checkSteps([{ file }]);
    // The blocks are behind it; their index and the trailer are not.
    expect(steps.next().value).toEqual({ done: 1536 + packed.length - 512 - 1024 * 4, total: file.size });
    expect((steps.next().value as CheckResult).violations.map((v) => v.clause)).toEqual(['LS-HDR-02']);
  });

  it('lets its caller in between', () => {
    const file = bufferSource(zfile(new Uint8Array(512 * 3000), { blockSize: 512 }));
    const steps = checkSteps([{ file: bufferSource(SOUND) }, { file }], 'device');
    const seen: number[] = [];
    for (let step = steps.next(); !step.done; step = steps.next()) {
      expect(step.value.total).toBe(SOUND.length + file.size);
      seen.push(step.value.done);
    }
    expect(seen).toHaveLength(2);
    expect(seen[0]).toBeGreaterThan(SOUND.length);
    expect(seen[1]).toBeGreaterThan(seen[0]!);
  });
});

describe('guessing', () => {
  const shape = (file: Uint8Array, more = {}) => {
    const { wrapping, extents } = guessLayer({ file: bufferSource(file), ...more });
    return [wrapping, extents?.length ?? null];
  };
  it('tells tar, ZFile and sparse layers by their first bytes', () => {
    const sparse = Uint8Array.from(Buffer.concat([lsmtHeader(0x13, { virtualSize: 65536 }), sectors(8)]));
    expect(shape(SOUND)).toEqual([[], null]);
    expect(shape(PACKED)).toEqual([['zfile'], null]);
    expect(shape(writeTar(PACKED, true))).toEqual([['tar', 'zfile'], null]);
    expect(shape(writeTar(SOUND, false))).toEqual([['tar'], null]);
    expect(shape(writeTar(SOUND, true).subarray(0, 1000))).toEqual([['tar'], null]);
    expect(shape(sparse)).toEqual([[], 1]);
    expect(shape(writeTar(sparse, false))).toEqual([['tar'], 1]);
    expect(shape(sparse, { index: bufferSource(SOUND) })).toEqual([[], null]);
    expect(shape(sparse, { remote: bufferSource(SOUND) })).toEqual([[], null]);
    expect(shape(new Uint8Array(0))).toEqual([[], null]);
  });

  it('keeps the other files of a layer, and passes on what is no violation', () => {
    const [file, index, remote] = [SOUND, PACKED, SOUND].map(bufferSource) as [ByteSource, ByteSource, ByteSource];
    expect(guessLayer({ file, index })).toEqual({ wrapping: [], file, index });
    expect(guessLayer({ file, remote })).toEqual({ wrapping: [], file, remote });
    expect(guessLayer({ file: index, index: file })).toEqual({ wrapping: ['zfile'], file: index, index: file });
    const tar = writeTar(SOUND, true);
    const broken = { size: tar.length, read: (offset: number, length: number) => {
      if (offset > 0) throw new RangeError('ours');
      return tar.subarray(0, length);
    } };
    expect(() => guessLayer({ file: broken })).toThrow(RangeError);
  });
});
