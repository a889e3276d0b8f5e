// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { writerCrc } from '../generators/checksum.ts';
import { makeContent } from '../generators/content.ts';
import { writeLsmt, writePair, type LsmtOptions, type WrittenSegment } from '../generators/lsmt-writer.ts';
import { PLAIN_ZFILE, sealDigest, writeZFile, type ZFileRecipe } from '../generators/zfile-writer.ts';
import type { AccessPlan, Alternative, Case, Expectation, Layer, Outcome, ReadOutcome, ReadPlan } from '../model/index.ts';
import { BLOCK_CRC_SEED, getInteger, LSMT_HEADER, setInteger, ZFILE_HEADER, type LsmtField, type ZFileField } from '../spec/index.ts';
import { examine, layerSources, strictOutcome, wholeSectors } from './examine.ts';

const CONTENT = makeContent({ kind: 'mixed', seed: 7 }, 12_000);

function read(offset: number, length: number): ReadPlan {
  return { offset, length, bufferOffset: 0, mode: 'direct' };
}

function caseOf(layers: readonly Layer[], change: Partial<AccessPlan> & { device?: Case['device'] } = {}): Case {
  const { device = 'lsmt', ...access } = change;
  return { id: 'c', device, layers, access: { slack: 'page', deviceBytes: 77, reads: [], ...access }, clauses: { exercises: [], violates: [] } };
}

function zfile(content: Uint8Array, change: Partial<ZFileRecipe> = {}): Layer {
  return { wrapping: ['zfile'], bytes: writeZFile(content, { ...PLAIN_ZFILE, ...change }) };
}

function onZFile(layer: Layer, ...reads: readonly ReadPlan[]): Case {
  return caseOf([layer], { device: 'zfile', reads });
}

/** A layer of 8 sectors with these entries. */
function lsmt(segments: readonly WrittenSegment[] = [{ offset: 1, length: 2, content: CONTENT.subarray(0, 1024) }], change: Partial<LsmtOptions> = {}): Uint8Array {
  return writeLsmt(segments, { virtualSize: 4096, form: 'sealed', placement: 'packed', invalidBefore: [], ...change });
}

function raw(bytes: Uint8Array): Layer {
  return { wrapping: [], bytes };
}

/** The file with some of its trailer's fields changed and the digest made good again. */
function withTrailer(layer: Layer, fields: Partial<Record<ZFileField, number>>): Layer {
  const bytes = layer.bytes.slice();
  const trailer = bytes.subarray(bytes.length - 512);
  for (const [name, value] of Object.entries(fields)) setInteger(trailer, ZFILE_HEADER, name as ZFileField, value);
  sealDigest(trailer);
  return { ...layer, bytes };
}

/** Where the block's stored bytes start. */
function blockAt(bytes: Uint8Array, block: number): number {
  const trailer = bytes.subarray(bytes.length - 512);
  const index = Number(getInteger(trailer, ZFILE_HEADER, 'index_offset'));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let at = 512;
  for (let i = 0; i < block; i++) at += view.getUint32(index + 4 * i, true);
  return at;
}

/** The file with one bit of one block's first byte flipped. */
function withBadBlock(layer: Layer, block: number): Layer {
  const bytes = layer.bytes.slice();
  bytes[blockAt(bytes, block)]! ^= 1;
  return { ...layer, bytes };
}

function briefRead(r: ReadOutcome): string {
  if (r.outcome === 'any') return `any ${r.clause}`;
  return r.outcome === 'bytes' ? `${r.bytes.length} bytes` : `${r.clause} after ${r.goodBytes.length} bytes`;
}

function brief(o: Outcome): string {
  return o.outcome === 'refuse' ? `${o.clause} in layer ${o.layer}` : [`opened ${o.size}`, ...o.reads.map(briefRead)].join(', ');
}

const briefAlternatives = (all: readonly Alternative[]): string[] => all.map((a) => `${a.flags.join('+')}: ${brief(a.outcome)}`);

describe('a sound ZFile', () => {
  const layer = zfile(CONTENT);
  const c = onZFile(layer, read(0, 4096), read(8192, 4096), read(12_288, 512));

  it('is opened and read', () => {
    const { expectation } = examine(c);
    expect(expectation).toMatchObject({ class: 'valid', needs: { algorithms: ['lz4'], blockSizes: [4096], layers: 1 }, notable: [], alternatives: [] });
    expect(brief(expectation.strict)).toBe('opened 12000, 4096 bytes, 3808 bytes, 0 bytes');
    const { reads } = expectation.strict as Extract<Outcome, { outcome: 'open' }>;
    expect(reads[1]).toEqual({ outcome: 'bytes', bytes: CONTENT.subarray(8192), ranges: [{ from: 0, to: 3808, clause: 'ZF-BLK-02' }] });
  });

  it('says the length of its device in whole sectors, and what it exposes', () => {
    const { case: sized } = examine(c);
    expect(sized.access).toEqual({ ...c.access, deviceBytes: 11_776 });
    expect(sized.layers).toEqual([{ ...layer, exposedBytes: 12_000 }]);
    expect({ ...sized, access: c.access, layers: c.layers }).toEqual(c);
  });

  it('has the same outcome for a reader under test', () => expect(strictOutcome(c)).toEqual(examine(c).expectation.strict));

  it('may fail a read that crosses its end only by declaration', () => {
    const declared = examine(c, new Set(['io.past-end-error'])).expectation;
    expect(declared.class).toBe('permissive');
    expect(declared.strict).toEqual(examine(c).expectation.strict);
    expect(briefAlternatives(declared.alternatives)).toEqual(['io.past-end-error: opened 12000, 4096 bytes, ST-SIZE-03 after 3808 bytes, ST-SIZE-03 after 0 bytes']);
    expect((declared.alternatives[0]!.outcome as Extract<Outcome, { outcome: 'open' }>).reads[1]).toEqual({
      outcome: 'error', clause: 'ST-SIZE-03', layer: 0, at: 0, why: 'the read crosses the end of the device', goodBytes: CONTENT.subarray(8192),
    });
    expect(examine(onZFile(layer, read(0, 4096), read(7904, 4096)), new Set(['io.past-end-error'])).expectation.class).toBe('valid');
    expect(examine(onZFile(layer, read(7905, 4096)), new Set(['io.past-end-error'])).expectation.class).toBe('permissive');
  });
});

describe('a ZFile with a bad block', () => {
  const c = onZFile(withBadBlock(zfile(CONTENT), 1), read(0, 4096), read(0, 12_288), read(3072, 2048), read(3584, 1024), read(4096, 512), read(8192, 4096));

  it('fails the reads that need it, after the sectors before it', () => {
    const { expectation } = examine(c);
    expect(expectation).toMatchObject({ class: 'invalid', alternatives: [] });
    expect(brief(expectation.strict)).toBe([
      'opened 12000', '4096 bytes', 'ZF-BLK-03 after 4096 bytes', 'ZF-BLK-03 after 1024 bytes', 'ZF-BLK-03 after 512 bytes', 'ZF-BLK-03 after 0 bytes', '3808 bytes',
    ].join(', '));
    const { reads } = expectation.strict as Extract<Outcome, { outcome: 'open' }>;
    expect(Buffer.from((reads[2] as Extract<ReadOutcome, { outcome: 'error' }>).goodBytes)).toEqual(Buffer.from(CONTENT.subarray(3072, 4096)));
    expect(reads[2]).toMatchObject({ layer: 0, at: blockAt(c.layers[0]!.bytes, 1) });
    expect(reads[2]).toHaveProperty('why', expect.stringContaining('CRC'));
  });

  it('fails sectors up to a tail of less than one', () => {
    const tail = examine(onZFile(withBadBlock(zfile(CONTENT), 1), read(4096, 4096), read(2048, 9952))).expectation.strict;
    expect(brief(tail)).toBe('opened 12000, ZF-BLK-03 after 0 bytes, ZF-BLK-03 after 2048 bytes');
    const whole = zfile(CONTENT.subarray(0, 4300));
    expect(brief(examine(onZFile(withBadBlock(whole, 0), read(0, 8192), read(4096, 512))).expectation.strict)).toBe('opened 4300, ZF-BLK-03 after 0 bytes, 204 bytes');
    expect(brief(examine(onZFile(withBadBlock(whole, 1), read(0, 8192), read(4096, 512))).expectation.strict)).toBe('opened 4300, ZF-BLK-03 after 4096 bytes, ZF-BLK-03 after 0 bytes');
  });

  it('in the second layer names the layer', () => {
    // Block 1 is all of the layer's data, and nothing else.
    const wrapped = withBadBlock(zfile(lsmt([{ offset: 0, length: 8, content: CONTENT.subarray(0, 4096) }])), 1);
    const { strict } = examine(caseOf([raw(lsmt()), wrapped], { reads: [read(0, 4096)] })).expectation;
    expect(strict).toMatchObject({ outcome: 'open', reads: [{ outcome: 'error', clause: 'ZF-BLK-03', layer: 1 }] });
  });
});

describe('a page that holds bytes of a bad block', () => {
  const bad = withBadBlock(zfile(CONTENT, { blockSize: 1024 }), 5);
  const reads = (...plans: readonly Partial<ReadPlan>[]): ReadOutcome[] => {
    const { strict } = examine(onZFile(bad, ...plans.map((p) => ({ ...read(4096, 512), ...p })))).expectation;
    return strict.outcome === 'open' ? [...strict.reads] : [];
  };

  it('may fail as a whole through the page cache, and only there', () => {
    const outcomes = reads({}, { mode: 'buffered' }, { mode: 'mmap', offset: 6200, length: 7 }, { mode: 'buffered', offset: 8192 }, { mode: 'buffered', offset: 0, length: 4096 });
    expect(outcomes.map((r) => (r.outcome === 'bytes' ? r.mayFail === true : r.outcome))).toEqual([false, true, true, false, false]);
  });

  it('gives the bytes before it to the byte', () => {
    const [failing] = reads({ mode: 'buffered', offset: 4097, length: 2000 });
    expect(failing).toMatchObject({ outcome: 'error', goodBytes: { length: 1023 } });
  });
});

describe('a ZFile with a block that is too short', () => {
  const short = withTrailer(zfile(CONTENT.subarray(0, 4000)), { original_file_size: 4096 });
  it('may give anything where that is taken', () => {
    const { expectation } = examine(onZFile(short, read(0, 4096)));
    expect(expectation.class).toBe('permissive');
    expect(brief(expectation.strict)).toBe('opened 4096, ZF-BLK-05 after 0 bytes');
    expect(briefAlternatives(expectation.alternatives)).toEqual(['zf.short-block: opened 4096, any ZF-BLK-05']);
  });
  it('fails by any other clause as it did', () => {
    expect(examine(onZFile(withBadBlock(short, 0), read(0, 4096))).expectation).toMatchObject({ class: 'invalid', strict: { reads: [{ clause: 'ZF-BLK-03' }] } });
  });
});

describe('an image that is refused', () => {
  const bad = zfile(CONTENT).bytes.slice();
  bad[3] = 0;
  const layers = [raw(lsmt()), { wrapping: ['zfile'] as const, bytes: bad }];
  const c = caseOf(layers, { reads: [read(0, 512)] });

  it('keeps the device it had, and needs nothing', () => {
    const { expectation, case: sized } = examine(c);
    expect(sized).toBe(c);
    expect(expectation).toEqual({
      class: 'invalid', needs: { algorithms: [], blockSizes: [], layers: 2 }, notable: [], alternatives: [],
      strict: { outcome: 'refuse', clause: 'ZF-HDR-02', layer: 1, at: 0, why: expect.stringMatching(/./) },
    } satisfies Expectation);
    expect(strictOutcome(c)).toEqual(expectation.strict);
  });
});

describe('contested points', () => {
  /** Class, strict outcome and alternatives. */
  function examined(c: Case, ...declared: readonly string[]): readonly string[] {
    const { class: kind, strict, alternatives } = examine(c, new Set(declared)).expectation;
    return [kind, brief(strict), ...briefAlternatives(alternatives)];
  }
  /** A layer with fields of its trailer changed, and the tag of its only entry. */
  function odd(fields: Partial<Record<LsmtField, number>>, tag = 0): Case {
    const bytes = lsmt();
    const trailer = bytes.subarray(bytes.length - 4096);
    for (const [name, value] of Object.entries(fields)) setInteger(trailer, LSMT_HEADER, name as LsmtField, value);
    bytes[Number(getInteger(trailer, LSMT_HEADER, 'index_offset')) + 15] = tag;
    return caseOf([raw(bytes)], { reads: [read(0, 512)] });
  }

  it('that refuse are followed one behind the other, to where the image is opened', () => {
    expect(examined(odd({ size: 391 }))).toEqual(['permissive', 'LS-HDR-05 in layer 0', 'ls.size-field-ignored: opened 4096, 512 bytes']);
    expect(examined(odd({ size: 391, version: 9 }))).toEqual(['permissive', 'LS-HDR-05 in layer 0', 'ls.size-field-ignored: LS-VER-01 in layer 0', 'ls.size-field-ignored+ls.version-ignored: opened 4096, 512 bytes']);
  });

  it('that refuse lead to what refuses behind them, which makes nothing permissive', () => {
    expect(examined(odd({ size: 391, index_offset: 1 << 30 }))).toEqual(['invalid', 'LS-HDR-05 in layer 0', 'ls.size-field-ignored: LS-IDX-02 in layer 0']);
    expect(examined(odd({ index_offset: 1 << 30 }))).toEqual(['invalid', 'LS-IDX-02 in layer 0']);
  });

  it('that may be refused are followed in every combination, once', () => {
    const [first, second] = ['ls.reserved-flags-refused', 'ls.tag-nonzero-refused'];
    expect(examined(odd({ flags: 0x26 }, 1))).toEqual([
      'permissive', 'opened 4096, 512 bytes', `${first}: LS-FLG-01 in layer 0`, `${second}: LS-TAG-01 in layer 0`, `${first}+${second}: LS-FLG-01 in layer 0`,
    ]);
  });

  it('are followed in at most 64 combinations, each one once', () => {
    // Seven points, each of which ends the reader or its reads.
    const bytes = lsmt(undefined, { invalidBefore: [0], virtualSize: 1024 });
    const trailer = bytes.subarray(bytes.length - 4096);
    setInteger(trailer, LSMT_HEADER, 'flags', 0x26);
    trailer[390] = 1;
    bytes[Number(getInteger(trailer, LSMT_HEADER, 'index_offset')) + 16 + 15] = 1;
    const c = caseOf([raw(bytes)], { reads: [read(0, 512), read(1024, 512)] });
    const { alternatives } = examine(c, new Set(['ls.invalid-refused', 'io.past-end-error', 'ls.moffset-from-data'])).expectation;
    expect(alternatives).toHaveLength(64);
    expect(new Set(alternatives.map((a) => a.flags.join())).size).toBe(64);
    for (const { flags } of alternatives) expect(flags).toEqual([...new Set(flags)].sort());
  });

  it('about the size are told apart where every read is the same', () => {
    const { data, index } = writePair([{ offset: 0, length: 1, content: CONTENT.subarray(0, 512) }], 4096);
    setInteger(data, LSMT_HEADER, 'virtual_size', 8192);
    expect(examined(caseOf([{ ...raw(data), index }], { reads: [read(0, 512)] }))).toEqual(['permissive', 'opened 4096, 512 bytes', 'ls.pair-size-from-data: opened 8192, 512 bytes']);
  });

  it('about bytes are told apart by any read', () => {
    // Who takes index_size for bytes sees the first of the 16 entries only.
    const entries = Array.from({ length: 16 }, (_, i) => ({ offset: i, length: 1, content: CONTENT.subarray(512 * i, 512 * i + 512) }));
    const image = raw(lsmt(entries, { virtualSize: 8192 }));
    const outcome = (...reads: readonly ReadPlan[]) => examined(caseOf([image], { reads }), 'ls.index-size-bytes');
    expect(outcome(read(0, 512))).toEqual(['valid', 'opened 8192, 512 bytes']);
    expect(outcome(read(0, 512), read(512, 512), read(0, 512))).toEqual([
      'permissive', 'opened 8192, 512 bytes, 512 bytes, 512 bytes', 'ls.index-size-bytes: opened 8192, 512 bytes, 512 bytes, 512 bytes',
    ]);
    // Two points of which neither ends the reader: either may be met first.
    expect(examined(caseOf([image], { reads: [read(512, 512), read(8192, 512)] }), 'ls.index-size-bytes', 'io.past-end-error')).toEqual([
      'permissive', 'opened 8192, 512 bytes, 0 bytes',
      'ls.index-size-bytes: opened 8192, 512 bytes, 0 bytes',
      'io.past-end-error: opened 8192, 512 bytes, ST-SIZE-03 after 0 bytes',
      'io.past-end-error+ls.index-size-bytes: opened 8192, 512 bytes, ST-SIZE-03 after 0 bytes',
    ]);
  });

  /** A ZFile of one block of 22 bytes whose last match starts 9 bytes before its end, said to have `size` bytes. */
  function looseEnd(size: number): Case {
    const layer = withTrailer(zfile(CONTENT.subarray(0, 20), { encoder: 'literals' }), { original_file_size: size });
    const block = Uint8Array.of(0xd0, ...new Array<number>(13).fill(65), 1, 0, 0x50, ...new Array<number>(5).fill(66));
    layer.bytes.set(block, 512);
    new DataView(layer.bytes.buffer).setUint32(512 + 22, writerCrc(block, BLOCK_CRC_SEED), true);
    return onZFile(layer, read(0, 512));
  }

  it('about a block are told apart by what it gives', () => {
    expect(examined(looseEnd(22))).toEqual(['permissive', 'opened 22, ZF-LZ4-05 after 0 bytes', 'zf.lz4-end-rules: opened 22, 22 bytes']);
  });

  it('about an error are told apart by the bytes before it, not by their clause', () => {
    expect(examined(looseEnd(23))).toEqual(['permissive', 'opened 23, ZF-LZ4-05 after 0 bytes', 'zf.lz4-end-rules+zf.short-block: opened 23, any ZF-BLK-05']);
    const layer = zfile(CONTENT);
    const at = blockAt(layer.bytes, 1) - 4;
    new DataView(layer.bytes.buffer).setUint32(at, writerCrc(layer.bytes.subarray(512, at), 0), true);
    expect(examined(onZFile(layer, read(0, 8192)))).toEqual(['invalid', 'opened 12000, ZF-BLK-03 after 0 bytes']);
    expect(examined(onZFile(layer, read(0, 8192)), 'zf.block-seed-0')).toEqual([
      'permissive', 'opened 12000, ZF-BLK-03 after 0 bytes', 'zf.block-seed-0: opened 12000, ZF-BLK-03 after 4096 bytes',
    ]);
    expect(examined(onZFile(withBadBlock(layer, 0), read(0, 8192)), 'zf.block-seed-0')).toEqual(['invalid', 'opened 12000, ZF-BLK-03 after 0 bytes']);
  });

  it('are followed for settled ones where they are declared', () => {
    const bytes = lsmt();
    const entry = bytes.subarray(bytes.length - 4096 - 512);
    entry[8] = 4;
    const refused = examine(caseOf([raw(bytes)], { reads: [read(0, 512)] }));
    expect(refused.expectation).toMatchObject({ class: 'invalid', strict: { clause: 'LS-IDX-05' } });
    const declared = examine(caseOf([raw(bytes)], { reads: [read(0, 512)] }), new Set(['ls.moffset-any']));
    expect(declared.expectation.class).toBe('permissive');
    expect(briefAlternatives(declared.expectation.alternatives)).toEqual(['ls.moffset-any: opened 4096, 512 bytes']);
  });

  it('are no alternatives where nobody could tell the sides apart', () => {
    const bytes = lsmt([{ offset: 2, length: 2, content: null }, { offset: 4, length: 1, content: CONTENT.subarray(0, 512) }]);
    const found = examine(caseOf([raw(bytes)], { reads: [read(0, 4096)] }), new Set(['ls.pair-size-from-data', 'io.past-end-error']));
    expect(found.expectation).toMatchObject({ class: 'valid', alternatives: [] });
  });
});

describe('what an image needs and leans on', () => {
  const small = zfile(CONTENT, { blockSize: 512 });
  /** A ZFile with 100 bytes between its header and its first block. */
  const spaced = (() => {
    const { bytes } = zfile(CONTENT, { headerMode: true });
    const out = Buffer.concat([bytes.subarray(0, 512), Buffer.alloc(100), bytes.subarray(512)]);
    const header = out.subarray(0, 512);
    setInteger(header, ZFILE_HEADER, 'dict_size', 100);
    setInteger(header, ZFILE_HEADER, 'index_offset', getInteger(header, ZFILE_HEADER, 'index_offset') + 100n);
    sealDigest(header);
    return { wrapping: ['zfile'], bytes: new Uint8Array(out) } satisfies Layer;
  })();

  it.each<[string, Case, readonly string[]]>([
    ['the plainest ZFile', onZFile(zfile(CONTENT)), []],
    ['the header alone', onZFile(zfile(CONTENT, { headerMode: true })), ['ZF-TRL-06']],
    ['space for a dictionary', onZFile(spaced), ['ZF-OPT-04', 'ZF-TRL-06']],
    ['another block size', onZFile(small), ['ZF-BLK-06']],
    ['ZSTD', onZFile(zfile(CONTENT, { algo: 'zstd' })), ['ZF-ZST-01']],
    ['ZSTD, blocks, header', onZFile(zfile(CONTENT, { algo: 'zstd', blockSize: 8192, headerMode: true })), ['ZF-ZST-01', 'ZF-BLK-06', 'ZF-TRL-06']],
    ['the plainest layer', caseOf([raw(lsmt())]), []],
    ['no entries', caseOf([raw(lsmt([]))]), ['LS-IDX-07']],
    ['no entries in a lower layer', caseOf([raw(lsmt([])), raw(lsmt())]), ['LS-IDX-07']],
    ['INVALID entries inside', caseOf([raw(lsmt(undefined, { invalidBefore: [0] }))]), ['LS-IDX-03']],
    ['padding', caseOf([raw(lsmt(undefined, { form: 'committed' }))]), []],
    ['a size from below', caseOf([raw(lsmt()), raw(lsmt(undefined, { virtualSize: 0 }))]), ['ST-SIZE-01']],
    ['no size below', caseOf([raw(lsmt(undefined, { virtualSize: 0 })), raw(lsmt())]), []],
    ['a raw layer over a ZFile', caseOf([zfile(lsmt(), { headerMode: true }), raw(lsmt())]), ['ZF-TRL-06']],
    ['the device’s last sector', caseOf([raw(lsmt())], { slack: 'exact' }), ['DM-BACK-01']],
    ['the last sector of one of two', caseOf([raw(lsmt()), raw(lsmt([{ offset: 0, length: 7, content: CONTENT.subarray(0, 3584) }]))], { slack: 'exact' }), ['DM-BACK-01']],
    ['whole pages that end with the device', caseOf([raw(lsmt([{ offset: 0, length: 7, content: CONTENT.subarray(0, 3584) }]))], { slack: 'exact' }), []],
    ['garbage behind', caseOf([raw(lsmt())], { slack: 'garbage' }), []],
  ])('%s', (_name, c, notable) => {
    const { expectation } = examine(c);
    expect(expectation.strict.outcome).toBe('open');
    expect(expectation.notable).toEqual(notable);
  });

  it.each<[string, Case, Expectation['needs']]>([
    ['a raw layer', caseOf([raw(lsmt())]), { algorithms: [], blockSizes: [], layers: 1 }],
    ['a wrapped and a raw layer', caseOf([zfile(lsmt()), raw(lsmt())]), { algorithms: ['lz4'], blockSizes: [4096], layers: 2 }],
    ['two of a kind', caseOf([zfile(lsmt()), zfile(lsmt())]), { algorithms: ['lz4'], blockSizes: [4096], layers: 2 }],
    ['two of two kinds', caseOf([zfile(lsmt(), { algo: 'zstd', blockSize: 512 }), zfile(lsmt())]), { algorithms: ['zstd', 'lz4'], blockSizes: [512, 4096], layers: 2 }],
    ['a ZFile', onZFile(small), { algorithms: ['lz4'], blockSizes: [512], layers: 1 }],
  ])('%s', (_name, c, needs) => expect(examine(c).expectation.needs).toEqual(needs));

  it('says of each layer what its ZFile exposes', () => {
    const wrapped = zfile(lsmt());
    expect(examine(caseOf([raw(lsmt()), wrapped])).case.layers).toEqual([raw(lsmt()), { ...wrapped, exposedBytes: lsmt().length }]);
    expect(examine(caseOf([raw(lsmt())])).case.layers[0]).not.toHaveProperty('exposedBytes');
  });
});

describe('the layers as sources', () => {
  it('are those of the case', () => {
    const pair = writePair([{ offset: 0, length: 1, content: CONTENT.subarray(0, 512) }], 4096);
    const extents = [{ from: 0, to: 4096 }];
    const [plain, writable, sparse, warp] = layerSources(caseOf([
      raw(lsmt()), { ...raw(pair.data), index: pair.index }, { ...raw(lsmt()), extents }, { ...zfile(lsmt()), remote: CONTENT },
    ]));
    expect(Object.keys(plain!)).toEqual(['wrapping', 'file']);
    expect(plain!.file.read(0, 8)).toEqual(lsmt().subarray(0, 8));
    expect(Object.keys(writable!)).toEqual(['wrapping', 'file', 'index']);
    expect([writable!.file.size, writable!.index!.size]).toEqual([pair.data.length, pair.index.length]);
    expect(Object.keys(sparse!)).toEqual(['wrapping', 'file', 'extents']);
    expect(sparse!.extents).toBe(extents);
    expect(Object.keys(warp!)).toEqual(['wrapping', 'file', 'remote']);
    expect([warp!.wrapping, warp!.remote!.size]).toEqual([['zfile'], 12_000]);
  });
});

describe('a mistake of ours is told, not turned into an outcome', () => {
  it('by a device without what it is made over', () => {
    expect(() => examine(caseOf([raw(lsmt())], { device: 'zfile' }))).toThrow('a ZFile device needs a layer wrapped in a ZFile');
  });
  it('by a read before the start', () => {
    expect(() => examine(onZFile(zfile(CONTENT), read(-512, 512)))).toThrow(RangeError);
  });
});

it.each([[0, 0], [1, 0], [511, 0], [512, 512], [513, 512], [12_000, 11_776]])('%i bytes have %i in whole sectors', (size, whole) => {
  expect(wholeSectors(size)).toBe(whole);
});
