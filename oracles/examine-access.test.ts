// SPDX-License-Identifier: MIT
/** What the way a device is made and read has to do with the outcome: page cache, length of the table, tables for writing, failing devices. */
import { describe, expect, it } from 'vitest';
import { writerCrc } from '../generators/checksum.ts';
import { makeContent } from '../generators/content.ts';
import { writeLsmt } from '../generators/lsmt-writer.ts';
import { PLAIN_ZFILE, sealDigest, writeZFile } from '../generators/zfile-writer.ts';
import type { AccessPlan, Case, Layer, Outcome, ReadMode, ReadOutcome, ReadPlan } from '../model/index.ts';
import { BLOCK_CRC_SEED, setInteger, ZFILE_HEADER } from '../spec/index.ts';
import { examine, strictOutcome } from './examine.ts';

const CONTENT = makeContent({ kind: 'mixed', seed: 3 }, 12_000);
const BLOCK = 512;
/** What such a block takes in the file as nothing but literals: a token and two bytes for their number, then they, then a CRC. */
const STORED = 3 + BLOCK + 4;

function read(offset: number, length: number, mode: ReadMode = 'direct'): ReadPlan {
  return { offset, length, bufferOffset: 0, mode };
}

function caseOf(device: Case['device'], layers: readonly Layer[], reads: readonly ReadPlan[], access: Partial<AccessPlan> = {}): Case {
  return { id: 'c', device, layers, access: { slack: 'page', deviceBytes: 77, reads, ...access }, clauses: { exercises: [], violates: [] } };
}

function zfile(size: number): Layer {
  return { wrapping: ['zfile'], bytes: writeZFile(CONTENT.subarray(0, size), { ...PLAIN_ZFILE, encoder: 'literals', blockSize: BLOCK }) };
}

function blockAt(block: number): number {
  return 512 + block * STORED;
}

/** The file of 12000 bytes, in blocks of a sector, with these blocks broken. */
function broken(...blocks: readonly number[]): Layer {
  const layer = zfile(12_000);
  for (const block of blocks) layer.bytes[blockAt(block) + 3]! ^= 1;
  return layer;
}

function readsOf(outcome: Outcome): readonly ReadOutcome[] {
  if (outcome.outcome === 'refuse') throw new Error(`refused by ${outcome.clause}: ${outcome.why}`);
  return outcome.reads;
}

const told = (r: ReadOutcome): string => (r.outcome === 'bytes' ? `${r.bytes.length} bytes${r.mayFail ? ', or none' : ''}` : r.outcome === 'any' ? r.clause : `${r.clause} after ${r.goodBytes.length}`);

describe('a read through the page cache', () => {
  it.each<[why: string, bad: number, offset: number, length: number, outcome: string]>([
    ['the page’s first sector', 8, 5120, 512, '512 bytes, or none'],
    ['the sector before the read', 9, 5120, 512, '512 bytes, or none'],
    ['the sector behind the read', 11, 5120, 512, '512 bytes, or none'],
    ['the page’s last sector', 15, 5120, 512, '512 bytes, or none'],
    ['the last sector of the page before', 7, 5120, 512, '512 bytes'],
    ['the first sector of the page behind', 16, 5120, 512, '512 bytes'],
    ['the sector behind a read from the start of a page', 9, 4096, 512, '512 bytes, or none'],
    ['the sector before a read to the end of a page', 14, 7680, 512, '512 bytes, or none'],
    ['the sector behind a read to the end of a page', 16, 7680, 512, '512 bytes'],
    ['the sector before a read from the start of a page', 7, 4096, 512, '512 bytes'],
    ['the sector behind a read of whole pages', 16, 0, 8192, '8192 bytes'],
    ['the last page’s last sector of two pages', 15, 3584, 1024, '1024 bytes, or none'],
    ['the first page’s first sector of two pages', 0, 3584, 1024, '1024 bytes, or none'],
    ['the device’s last sector', 23, 8192, 512, '512 bytes, or none'],
    ['another page at the start of the device', 23, 0, 512, '512 bytes'],
    ['the page at the end of the device, behind which there is nothing to read', 16, 12_000, 512, '0 bytes'],
    ['the sector behind bytes of a sector', 11, 5633 - 512, 511, '511 bytes, or none'],
  ])('beside %s being broken', (_why, bad, offset, length, outcome) => {
    const modes = ['buffered', 'mmap', 'direct'] as const;
    const reads = readsOf(strictOutcome(caseOf('zfile', [broken(bad)], modes.map((mode) => read(offset, length, mode)))));
    expect(reads.map(told)).toEqual([outcome, outcome, outcome.replace(', or none', '')]);
    expect(reads[0]).toEqual({ ...reads[2], ...(outcome.endsWith('none') ? { mayFail: true } : {}) });
    expect(Buffer.from((reads[0] as Extract<ReadOutcome, { outcome: 'bytes' }>).bytes)).toEqual(Buffer.from(CONTENT.subarray(offset, offset + length)));
  });

  it('gives the sectors before a broken one, cut where the sectors are', () => {
    const reads = readsOf(strictOutcome(caseOf('zfile', [broken(11)], [read(4097, 2000, 'buffered'), read(5119, 514, 'buffered'), read(5632, 1, 'buffered'), read(5631, 1, 'buffered')])));
    expect(reads.map(told)).toEqual(['ZF-BLK-03 after 1535', 'ZF-BLK-03 after 513', 'ZF-BLK-03 after 0', '1 bytes, or none']);
    expect(reads[0]).toEqual({
      outcome: 'error', clause: 'ZF-BLK-03', layer: 0, at: blockAt(11), why: expect.stringMatching(/^the CRC of block 11 is /), goodBytes: Buffer.from(CONTENT.subarray(4097, 5632)),
    });
  });

  it('that may fail on one side of a contested point only makes it matter', () => {
    // Block 1 ends with a match too near its end; block 0 is sound, and on the same page.
    const layer = zfile(BLOCK + 20);
    const block = Uint8Array.of(0xd0, ...new Array<number>(13).fill(65), 1, 0, 0x50, ...new Array<number>(5).fill(66));
    layer.bytes.set(block, blockAt(1));
    new DataView(layer.bytes.buffer).setUint32(blockAt(1) + block.length, writerCrc(block, BLOCK_CRC_SEED), true);
    const trailer = layer.bytes.subarray(layer.bytes.length - 512);
    setInteger(trailer, ZFILE_HEADER, 'original_file_size', BLOCK + 22);
    sealDigest(trailer);
    const { class: kind, strict, alternatives } = examine(caseOf('zfile', [layer], [read(0, 512, 'buffered')])).expectation;
    expect([kind, ...readsOf(strict).map(told)]).toEqual(['permissive', '512 bytes, or none']);
    expect(alternatives.map((a) => [a.flags, ...readsOf(a.outcome).map(told)])).toEqual([[['zf.lz4-end-rules'], '512 bytes']]);
    expect(examine(caseOf('zfile', [layer], [read(0, 512)])).expectation).toMatchObject({ class: 'valid', alternatives: [] });
  });
});

/** A layer of 8 sectors, of which 1 and 2 have data: bytes 4096 to 5120 of the file. */
const LSMT: Layer = {
  wrapping: [],
  bytes: writeLsmt([{ offset: 1, length: 2, content: CONTENT.subarray(0, 1024) }], { virtualSize: 4096, form: 'sealed', placement: 'packed', invalidBefore: [] }),
};

describe('a table of another length than the image', () => {
  it.each<[sectors: number, deviceBytes: number, why: string]>([
    [2, 5120, 'the table is 2 sectors longer than the device'],
    [-3, 2560, 'the table is 3 sectors shorter than the device'],
    [-9, 0, 'the table is 9 sectors shorter than the device'],
  ])('by %i sectors is taken, or refused', (sectors, deviceBytes, why) => {
    const { case: sized, expectation } = examine(caseOf('lsmt', [LSMT, LSMT], [read(0, 4096)], { table: { kind: 'length', sectors } }));
    expect(sized.access.deviceBytes).toBe(deviceBytes);
    expect(expectation.class).toBe('permissive');
    expect(readsOf(expectation.strict).map(told)).toEqual(['4096 bytes']);
    expect(expectation.alternatives).toEqual([{ flags: ['dm.length-refused'], outcome: { outcome: 'refuse', clause: 'DM-TBL-11', layer: 0, at: 0, why } }]);
  });

  it('is another fault than any of its arguments', () => {
    expect(examine(caseOf('lsmt', [LSMT], [], { table: { kind: 'busy', layer: 0 } })).expectation).toMatchObject({ class: 'invalid', alternatives: [] });
    expect(examine(caseOf('lsmt', [LSMT], [], { table: { kind: 'bytes', layer: 0, delta: 0 } })).expectation).toMatchObject({ class: 'valid', alternatives: [] });
  });
});

describe('a table that is loaded for writing', () => {
  it('is taken, or refused', () => {
    const { class: kind, strict, alternatives } = examine(caseOf('lsmt', [LSMT], [read(0, 4096)], { attempts: { writable: true, list: [] } })).expectation;
    expect([kind, ...readsOf(strict).map(told)]).toEqual(['permissive', '4096 bytes']);
    expect(alternatives).toEqual([{
      flags: ['dm.writable-refused'], outcome: { outcome: 'refuse', clause: 'DM-WR-02', layer: 0, at: 0, why: 'the table is loaded for writing' },
    }]);
  });
  it('is no matter of what is tried to write', () => {
    const attempts = { writable: false, list: [{ kind: 'write', offset: 0, length: 512 }] } as const;
    expect(examine(caseOf('lsmt', [LSMT], [read(0, 4096)], { attempts })).expectation).toMatchObject({ class: 'valid', alternatives: [] });
  });
});

describe('a ZFile that ends inside a sector', () => {
  const ends = (size: number, ...declared: readonly string[]) => examine(caseOf('zfile', [zfile(size)], [read(0, 512)]), new Set(declared)).expectation;

  it('may be refused without its last sector only by declaration', () => {
    expect(ends(1025)).toMatchObject({ class: 'valid', alternatives: [] });
    expect(ends(1025, 'dm.ceil-size')).toMatchObject({ class: 'permissive', strict: { outcome: 'open', size: 1025 } });
    expect(ends(1025, 'dm.ceil-size').alternatives).toEqual([{
      flags: ['dm.ceil-size'], outcome: { outcome: 'refuse', clause: 'DM-TBL-04', layer: 0, at: 0, why: 'the table leaves out the last sector' },
    }]);
  });
  it('is another one than that of whole sectors', () => expect(ends(1024, 'dm.ceil-size')).toMatchObject({ class: 'valid', alternatives: [] }));
});

describe('a device under the image that fails', () => {
  const fault = { layer: 0, from: 4608, to: 5120, kind: 'error', since: 0 } as const;
  const ranges = [
    { from: 0, to: 512, clause: 'ST-MRG-04' }, { from: 512, to: 1024, clause: 'LS-MAP-01' },
    { from: 1024, to: 1536, clause: 'DM-FLT-01' }, { from: 1536, to: 4096, clause: 'ST-MRG-04' },
  ];

  it('governs the bytes that depend on it, in what is expected and in what a reader under test gives', () => {
    const c = caseOf('lsmt', [LSMT], [read(0, 4096)], { fault });
    const { expectation } = examine(c);
    const bytes = new Uint8Array(4096);
    bytes.set(CONTENT.subarray(0, 1024), 512);
    expect(expectation).toMatchObject({ class: 'valid', alternatives: [] });
    expect(expectation.strict).toEqual({ outcome: 'open', size: 4096, reads: [{ outcome: 'bytes', bytes, ranges }] });
    expect(strictOutcome(c)).toEqual(expectation.strict);
  });

  it('governs nothing of an image that is refused', () => {
    const c = caseOf('lsmt', [LSMT], [read(0, 4096)], { fault, table: { kind: 'device', layer: 0 } });
    expect(examine(c).expectation.strict).toEqual({ outcome: 'refuse', clause: 'DM-TBL-07', layer: 0, at: 0, why: 'the table names a device that is not there' });
  });
});
