// SPDX-License-Identifier: MIT
/** The forms of a layer other than a sealed one: writable pairs, sparse layers, warp layers. */
import { describe, expect, it } from 'vitest';
import { lsmtHeader } from '../generators/lsmt-header.ts';
import { SECTOR } from '../spec/index.ts';
import { edited, entryBytes, layer, refusal, sectors, withLsmt, type LooseEntry, type Refusal } from '../test/oracle-images.ts';
import { openPair } from './pair.ts';
import { bufferSource } from './source.ts';
import { openSparse, zeroPageExtents } from './sparse.ts';
import { openStack } from './stack.ts';
import { RecordedLeniency, STRICT, Violation, type Leniency } from './violation.ts';
import { openWarp } from './warp.ts';

const lenientOf = (flags: readonly string[], declared: readonly string[] = flags) => new RecordedLeniency(flags, new Set(declared));
const joined = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));
const SIZE = { virtualSize: 65536 };

describe('a writable pair', () => {
  const DATA = joined(lsmtHeader(3, SIZE), sectors(8, 8));
  const indexOf = (entries: readonly LooseEntry[]): Uint8Array => joined(lsmtHeader(1, SIZE, 4096), entryBytes(entries));
  const INDEX = indexOf([{ offset: 0, length: 4, moffset: 8 }, { offset: 2, length: 4, moffset: 12 }]);
  const open = (data: Uint8Array, index: Uint8Array, lenient: Leniency = STRICT) => openPair(bufferSource(data), bufferSource(index), lenient);
  const judge = (data: Uint8Array, index: Uint8Array, lenient: Leniency = STRICT): Refusal | null => refusal(() => open(data, index, lenient));

  it('shows what was written last', () => {
    const { form, mappings, entries, virtualSize } = open(DATA, INDEX);
    expect({ form, entries, virtualSize }).toEqual({ form: 'pair', entries: 2, virtualSize: 65536 });
    expect(mappings).toEqual([
      { start: 0, end: 2, moffset: 8, zeroed: false, file: 0 },
      { start: 2, end: 6, moffset: 12, zeroed: false, file: 0 },
    ]);
    const inside = open(DATA, indexOf([{ offset: 0, length: 8, moffset: 8 }, { offset: 2, length: 1, moffset: 8, zeroed: true }, { offset: 9, length: 0, moffset: 9 }]));
    expect(inside.mappings).toEqual([
      { start: 0, end: 2, moffset: 8, zeroed: false, file: 0 },
      { start: 2, end: 3, moffset: 8, zeroed: true, file: 0 },
      { start: 3, end: 8, moffset: 11, zeroed: false, file: 0 },
    ]);
    const asked = lenientOf([]);
    open(DATA, INDEX, asked);
    expect([...asked.asked]).toEqual([]);
  });

  it.each<[string, Uint8Array, Uint8Array, Refusal | null]>([
    ['a short data file', DATA.subarray(0, 4095), INDEX, ['LS-RW-01', 0, 'the data file has 4095 bytes, a header takes 4096']],
    ['data of a header only', DATA.subarray(0, 4096), indexOf([]), null],
    ['data magic', edited(DATA, (b) => { b[0] = 0; }), INDEX, ['LS-RW-01', 0, 'the data file’s header lacks the magic values']],
    ['data bit 0', withLsmt(DATA, 'header', 'flags', 2), INDEX, ['LS-RW-01', 28, 'flag bit 0 of the data file’s header is 0, not 1']],
    ['data bit 1, which nobody looks at', withLsmt(DATA, 'header', 'flags', 1), INDEX, null],
    ['data size field', withLsmt(DATA, 'header', 'size', 1), INDEX, ['LS-HDR-05', 24, 'the size field is 1, not 390']],
    ['data version', withLsmt(DATA, 'header', 'version', 0), INDEX, ['LS-VER-01', 132, 'version is 0, not 1']],
    ['a short index file', DATA, INDEX.subarray(0, 4095), ['LS-RW-02', 0, 'the index file has 4095 bytes, a header takes 4096']],
    ['index magic', DATA, edited(INDEX, (b) => { b[9] = 0; }), ['LS-RW-02', 0, 'the index file’s header lacks the magic values']],
    ['index bit 0', DATA, withLsmt(INDEX, 'header', 'flags', 0), ['LS-RW-02', 28, 'flag bit 0 of the index file’s header is 0, not 1']],
    ['index bit 1', DATA, withLsmt(INDEX, 'header', 'flags', 3), ['LS-RW-02', 28, 'flag bit 1 of the index file’s header is 1, not 0']],
    ['index bit 2', DATA, withLsmt(INDEX, 'header', 'flags', 5), ['LS-RW-02', 28, 'flag bit 2 of the index file’s header is 1, not 0']],
    ['index_offset 4095', DATA, withLsmt(INDEX, 'header', 'index_offset', 4095), ['LS-RW-02', 32, 'index_offset of the index file is 4095, not 4096']],
    ['index size field', DATA, withLsmt(INDEX, 'header', 'size', 1), ['LS-HDR-05', 24, 'the size field is 1, not 390']],
    ['index version', DATA, withLsmt(INDEX, 'header', 'sub_version', 7), ['LS-VER-01', 133, 'sub_version is 7, not 1']],
    ['index virtual size', DATA, withLsmt(INDEX, 'header', 'virtual_size', 7), ['LS-SIZE-01', 48, 'virtual_size is 7, no multiple of 512']],
    ['data behind the end', DATA, indexOf([{ offset: 0, length: 9, moffset: 8 }]), ['LS-RW-04', 4096, 'entry 0 maps sectors 8 to 17, outside 8 to 16']],
    ['data in the header', DATA, indexOf([{ offset: 0, length: 1, moffset: 8 }, { offset: 9, length: 2, moffset: 7 }]), ['LS-RW-04', 4112, 'entry 1 maps sectors 7 to 9, outside 8 to 16']],
    ['data to the end', DATA, indexOf([{ offset: 0, length: 8, moffset: 8 }]), null],
    ['a last sector that is not whole', DATA.subarray(0, DATA.length - 1), indexOf([{ offset: 0, length: 8, moffset: 8 }]), ['LS-RW-04', 4096, 'entry 0 maps sectors 8 to 16, outside 8 to 15']],
    ['zeroed behind the end', DATA, indexOf([{ offset: 0, length: 1, moffset: 17, zeroed: true }]), ['LS-IDX-06', 4096, 'the moffset of zeroed entry 0 is 17, not between 8 and 16']],
    ['zeroed at the end', DATA, indexOf([{ offset: 0, length: 1, moffset: 16, zeroed: true }]), null],
    ['zeroed before data', DATA, indexOf([{ offset: 0, length: 1, moffset: 99 }, { offset: 0, length: 1, moffset: 99, zeroed: true }]), ['LS-IDX-06', 4112, 'the moffset of zeroed entry 1 is 99, not between 8 and 16']],
  ])('%s', (_name, data, index, expected) => expect(judge(data, index)).toEqual(expected));

  it('violations in the index file are marked', () => {
    const marked = (data: Uint8Array, index: Uint8Array): boolean => {
      try {
        open(data, index);
      } catch (e) {
        return (e as Violation).inIndexFile;
      }
      throw new Error('it was opened');
    };
    expect(marked(DATA, INDEX.subarray(0, 9))).toBe(true);
    expect(marked(DATA, withLsmt(INDEX, 'header', 'flags', 3))).toBe(true);
    expect(marked(withLsmt(DATA, 'header', 'flags', 2), INDEX)).toBe(false);
  });

  it.each<[string, Uint8Array, Uint8Array, string, Refusal]>([
    ['an entry cut short', DATA, joined(INDEX, new Uint8Array(15)), 'ls.torn-entry-refused', ['LS-RW-06', 4128, 'the index file ends with 15 bytes of an entry of 16']],
    ['a log that is not sorted', DATA, INDEX, 'ls.rw-index-sorted', ['LS-RW-03', 4112, 'entry 1 starts at sector 2, before the one before it ends']],
    ['a tag', DATA, indexOf([{ offset: 0, length: 1, moffset: 8, tag: 255 }]), 'ls.tag-nonzero-refused', ['LS-TAG-01', 4096, 'the tag of entry 0 is 255, not 0']],
    ['an INVALID entry', DATA, indexOf([{}]), 'ls.invalid-refused', ['LS-IDX-03', 4096, 'entry 0 is INVALID']],
  ])('%s is refused where that is declared, and only then', (_name, data, index, flag, expected) => {
    const strict = lenientOf([], [flag]);
    expect(judge(data, index, strict)).toBeNull();
    expect([...strict.asked]).toContain(flag);
    expect(judge(data, index, lenientOf([flag]))).toEqual(expected);
  });

  it('a reserved byte of either file is told by the file’s name', () => {
    const refused = lenientOf(['ls.reserved-refused']);
    expect(judge(edited(DATA, (b) => { b[130] = 1; }), INDEX, refused)).toEqual(['LS-RSV-01', 130, 'a reserved byte is not 0 (data file’s header)']);
    expect(judge(DATA, edited(INDEX, (b) => { b[130] = 1; }), refused)).toEqual(['LS-RSV-01', 130, 'a reserved byte is not 0 (index file’s header)']);
  });

  it('LS-RW-05: an index file of 128,000,000 entries is walked, a longer one is not', () => {
    const long = (entries: number) => openPair(bufferSource(DATA), {
      size: 4096 + entries * 16,
      read(offset, length) {
        if (offset > 0) throw new RangeError('walked');
        return INDEX.subarray(0, length);
      },
    }, STRICT);
    expect(refusal(() => long(128_000_001))).toEqual(['LS-RW-05', 4096, 'the index file has 128000001 entries, more than 128000000']);
    expect(() => long(128_000_000)).toThrow('walked');
  });

  it('moffset from the data, where that is declared', () => {
    const flag = lenientOf(['ls.moffset-from-data']);
    expect(open(DATA, indexOf([{ offset: 0, length: 8, moffset: 0 }]), flag).mappings[0]!.moffset).toBe(8);
    expect(judge(DATA, indexOf([{ offset: 0, length: 8, moffset: 1 }]), flag)?.[0]).toBe('LS-RW-04');
  });

  it('no piece of its own making counts as cut by an upper layer', () => {
    const { read } = openStack([{ wrapping: [], file: bufferSource(DATA), index: bufferSource(INDEX) }, { wrapping: [], file: bufferSource(layer()) }], STRICT);
    expect(read(0, 1024).ranges).toEqual([{ from: 0, to: 1024, clause: 'ST-MRG-02' }]);
  });

  it('a log that is sorted asks no question about its order', () => {
    const asked = lenientOf([], ['ls.rw-index-sorted', 'ls.torn-entry-refused']);
    open(DATA, indexOf([{ offset: 0, length: 2, moffset: 8 }, { offset: 2, length: 1, moffset: 8 }]), asked);
    expect([...asked.asked]).toEqual([]);
  });

  it('has the virtual size of its index file, or of its data file where that is declared', () => {
    const other = withLsmt(DATA, 'header', 'virtual_size', 4096);
    const asked = lenientOf([]);
    expect(open(other, INDEX, asked).virtualSize).toBe(65536);
    expect([...asked.asked]).toEqual(['ls.pair-size-from-data']);
    expect(open(other, INDEX, lenientOf(['ls.pair-size-from-data'])).virtualSize).toBe(4096);
    expect(judge(withLsmt(DATA, 'header', 'virtual_size', 1), INDEX)).toBeNull();
    expect(judge(withLsmt(DATA, 'header', 'virtual_size', 1), INDEX, lenientOf(['ls.pair-size-from-data']))?.[0]).toBe('LS-SIZE-01');
  });

  it('reads as its last writes', () => {
    const { read } = openStack([{ wrapping: [], file: bufferSource(DATA), index: bufferSource(INDEX) }], STRICT);
    const { bytes, ranges } = read(0, 8 * SECTOR);
    expect([...Array(8).keys()].map((i) => bytes[i * SECTOR])).toEqual([9, 10, 13, 14, 15, 16, 0, 0]);
    expect(ranges).toEqual([
      { from: 0, to: 1024, clause: 'LS-RW-03' }, { from: 1024, to: 3072, clause: 'LS-RW-03' }, { from: 3072, to: 4096, clause: 'ST-MRG-04' },
    ]);
  });
});

describe('a sparse layer', () => {
  const FILE = joined(lsmtHeader(0x13, SIZE), sectors(32, 8));
  const open = (file: Uint8Array, extents = [{ from: 0, to: 8192 }], lenient: Leniency = STRICT) => openSparse(bufferSource(file), extents, lenient);
  const judge = (file: Uint8Array): Refusal | null => refusal(() => open(file));

  it('maps where its file has data', () => {
    const { form, virtualSize, mappings } = open(FILE, [{ from: 0, to: 8192 }, { from: 12288, to: 16384 }]);
    expect({ form, virtualSize }).toEqual({ form: 'sparse', virtualSize: 65536 });
    expect(mappings).toEqual([
      { start: 0, end: 8, moffset: 8, zeroed: false, file: 0 },
      { start: 16, end: 24, moffset: 24, zeroed: false, file: 0 },
    ]);
    expect(open(FILE, [{ from: 0, to: 4096 }]).mappings).toEqual([]);
    expect(open(FILE, [{ from: 4096, to: 8193 }]).mappings).toEqual([{ start: 0, end: 8, moffset: 8, zeroed: false, file: 0 }]);
    expect(open(FILE, [{ from: 16384, to: 99999 }]).mappings).toEqual([{ start: 24, end: 32, moffset: 32, zeroed: false, file: 0 }]);
    expect(open(FILE, []).mappings).toEqual([]);
  });

  it('reads as its data and as zeros', () => {
    const { read } = openStack([{ wrapping: [], file: bufferSource(FILE), extents: [{ from: 4096, to: 5120 }] }], STRICT);
    const { bytes, ranges } = read(512, 1024);
    expect([bytes[0], bytes[512]]).toEqual([10, 0]);
    expect(ranges).toEqual([{ from: 0, to: 512, clause: 'LS-SPR-02' }, { from: 512, to: 1024, clause: 'LS-SPR-03' }]);
  });

  it.each<[string, Uint8Array, Refusal | null]>([
    ['short', FILE.subarray(0, 4095), ['LS-SPR-01', 0, 'the file has 4095 bytes, a header takes 4096']],
    ['a header only', FILE.subarray(0, 4096), null],
    ['magic', edited(FILE, (b) => { b[1] = 0; }), ['LS-SPR-01', 0, 'the header lacks the magic values']],
    ['bit 0', withLsmt(FILE, 'header', 'flags', 0x12), ['LS-SPR-01', 28, 'flag bit 0 of the header is 0, not 1']],
    ['bit 1', withLsmt(FILE, 'header', 'flags', 0x11), ['LS-SPR-01', 28, 'flag bit 1 of the header is 0, not 1']],
    ['bit 4', withLsmt(FILE, 'header', 'flags', 0x03), ['LS-SPR-01', 28, 'flag bit 4 of the header is 0, not 1']],
    ['size field', withLsmt(FILE, 'header', 'size', 0), ['LS-HDR-05', 24, 'the size field is 0, not 390']],
    ['version', withLsmt(FILE, 'header', 'version', 3), ['LS-VER-01', 132, 'version is 3, not 1']],
    ['virtual size', withLsmt(FILE, 'header', 'virtual_size', 100), ['LS-SIZE-01', 48, 'virtual_size is 100, no multiple of 512']],
  ])('%s', (_name, file, expected) => expect(judge(file)).toEqual(expected));

  it('pages of zeros stand in for holes', () => {
    const file = new Uint8Array(3 * (1 << 20) + 100);
    file[0] = 1;
    file[8191] = 1;
    file[(1 << 20) - 1] = 1;
    file[1 << 20] = 1;
    file[file.length - 1] = 1;
    expect(zeroPageExtents(bufferSource(file))).toEqual([
      { from: 0, to: 8192 }, { from: (1 << 20) - 4096, to: (1 << 20) + 4096 }, { from: 3 << 20, to: file.length },
    ]);
    expect(zeroPageExtents(bufferSource(new Uint8Array(9000)))).toEqual([]);
    expect(zeroPageExtents(bufferSource(new Uint8Array(0)))).toEqual([]);
  });
});

describe('a warp layer', () => {
  const REMOTE = sectors(4, 100);
  const OWN_SECTORS = (entries: number): number => Math.floor((4096 + 8 * SECTOR + entries * 16 + 4096) / SECTOR);
  const open = (entries: readonly LooseEntry[], lenient: Leniency = STRICT, remote = REMOTE) => openWarp(bufferSource(layer({ entries })), bufferSource(remote), lenient);
  const judge = (entries: readonly LooseEntry[], lenient: Leniency = STRICT): Refusal | null => refusal(() => open(entries, lenient));
  const at = (i: number): number => 8192 + i * 16;

  it('maps two files', () => {
    const { form, mappings, remote } = open([{ offset: 0, length: 1, moffset: 8 }, { offset: 1, length: 2, moffset: 0, tag: 1 }]);
    expect(form).toBe('warp');
    expect(remote?.size).toBe(2048);
    expect(mappings).toEqual([
      { start: 0, end: 1, moffset: 8, zeroed: false, file: 0 },
      { start: 1, end: 3, moffset: 0, zeroed: false, file: 1 },
    ]);
  });

  it('reads from both', () => {
    const file = layer({ entries: [{ offset: 0, length: 1, moffset: 9 }, { offset: 1, length: 2, moffset: 2, tag: 1 }, { offset: 3, length: 1, moffset: 0, zeroed: true, tag: 1 }] });
    const { read } = openStack([{ wrapping: [], file: bufferSource(file), remote: bufferSource(REMOTE) }], STRICT);
    const { bytes, ranges } = read(0, 5 * SECTOR);
    expect([0, 1, 2, 3, 4].map((i) => bytes[i * SECTOR])).toEqual([10, 103, 104, 0, 0]);
    expect(ranges.map((r) => r.clause)).toEqual(['LS-WRP-01', 'LS-WRP-01', 'LS-MAP-02', 'ST-MRG-04']);
  });

  it.each<[string, readonly LooseEntry[], Refusal | null]>([
    ['no entries', [], null],
    ['own file to its end', [{ offset: 0, length: 1, moffset: OWN_SECTORS(1) - 1 }], null],
    ['own file past its end', [{ offset: 0, length: 1, moffset: OWN_SECTORS(1) }], ['LS-WRP-04', at(0), `entry 0 maps sectors ${OWN_SECTORS(1)} to ${OWN_SECTORS(1) + 1} of the layer’s own file, which has ${OWN_SECTORS(1)}`]],
    ['remote file to its end', [{ offset: 0, length: 4, moffset: 0, tag: 1 }, { offset: 9, length: 1, moffset: 0 }], null],
    ['remote file past its end', [{ offset: 0, length: 1, moffset: 0 }, { offset: 1, length: 4, moffset: 1, tag: 1 }], ['LS-WRP-04', at(1), 'entry 1 maps sectors 1 to 5 of the remote file, which has 4']],
    ['far past its end', [{ offset: 0, length: 1, moffset: 0 }, { offset: 1, length: 1, moffset: 2n ** 55n - 1n, tag: 1 }], ['LS-WRP-04', at(1), `entry 1 maps sectors ${2n ** 55n - 1n} to ${2n ** 55n} of the remote file, which has 4`]],
    ['zeroed anywhere', [{ offset: 0, length: 1, moffset: 2n ** 55n - 1n, zeroed: true }], null],
    ['tag 2', [{ offset: 0, length: 1, moffset: 0 }, { offset: 1, length: 1, moffset: 0, tag: 2 }], ['LS-WRP-03', at(1), 'the tag of entry 1 is 2, neither 0 nor 1']],
    ['a zeroed tag 255', [{ offset: 1, length: 1, moffset: 0, tag: 255, zeroed: true }], ['LS-WRP-03', at(0), 'the tag of entry 0 is 255, neither 0 nor 1']],
    ['order', [{ offset: 1, length: 1, moffset: 0 }, { offset: 1, length: 1, moffset: 0 }], ['LS-IDX-04', at(1), 'entry 1 starts at sector 1, the one before it ends at 2']],
  ])('%s', (_name, entries, expected) => expect(judge(entries)).toEqual(expected));

  it('asks how tags count only where that can be told', () => {
    const both = lenientOf([]);
    open([{ offset: 0, length: 1, moffset: 0 }, { offset: 1, length: 1, moffset: 0, tag: 1 }], both);
    open([{}, {}], both);
    expect([...both.asked]).toEqual([]);
    const remoteOnly = [{ offset: 0, length: 1, moffset: 3, tag: 1 }];
    const asked = lenientOf([]);
    expect(open(remoteOnly, asked).mappings[0]!.file).toBe(1);
    expect([...asked.asked]).toEqual(['ls.warp-tag-relative']);
    expect(open(remoteOnly, lenientOf(['ls.warp-tag-relative'])).mappings[0]!.file).toBe(0);
    expect(judge([{ offset: 0, length: 1, moffset: 0, tag: 3 }, { offset: 1, length: 1, moffset: 0, tag: 5 }], lenientOf(['ls.warp-tag-relative'])))
      .toEqual(['LS-WRP-03', at(1), 'the tag of entry 1 is 5, neither 3 nor 4']);
  });

  it('counts and bounds tags from the smallest, where that is declared', () => {
    const relative = lenientOf(['ls.warp-tag-relative']);
    const both = [{ offset: 0, length: 1, moffset: 9, tag: 6 }, { offset: 1, length: 1, moffset: 3, tag: 7 }];
    expect(open(both, relative).mappings.map((m) => m.file)).toEqual([0, 1]);
    expect(judge([{ offset: 0, length: 1, moffset: 9, tag: 7 }, { offset: 1, length: 1, moffset: 4, tag: 8 }], relative)?.slice(0, 2)).toEqual(['LS-WRP-04', at(1)]);
  });

  it('moffset from the data, where that is declared', () => {
    const flag = lenientOf(['ls.moffset-from-data']);
    const remote = (moffset: number): LooseEntry[] => [{ offset: 0, length: 1, moffset: 0 }, { offset: 1, length: 1, moffset, tag: 1 }];
    expect(open(remote(3), flag, sectors(12)).mappings.map((m) => m.moffset)).toEqual([8, 11]);
    expect(refusal(() => open(remote(4), flag, sectors(12)))).toEqual(['LS-WRP-04', at(1), 'entry 1 maps sectors 12 to 13 of the remote file, which has 12']);
  });

  it('what is taken without a look fails when it is read', () => {
    const file = layer({ entries: [{ offset: 0, length: 1, moffset: 8 }, { offset: 1, length: 4, moffset: 2, tag: 1 }, { offset: 8, length: 1, moffset: 0, tag: 7 }] });
    const flags = ['ls.warp-unbounded', 'ls.warp-other-tags'];
    const { read } = openStack([{ wrapping: [], file: bufferSource(file), remote: bufferSource(REMOTE) }], lenientOf(flags));
    expect(read(SECTOR, 2 * SECTOR).bytes[512]).toBe(104);
    expect(refusal(() => read(SECTOR, 3 * SECTOR))).toEqual(['LS-WRP-04', 1024, 'bytes 1024 to 2560 are mapped, the file has 2048']);
    expect(refusal(() => read(8 * SECTOR, SECTOR))).toEqual(['LS-WRP-03', 0, 'a data entry of tag 7 maps a file that there is not']);
  });
});
