// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { edited, entryBytes, layer, refusal, sectors, withLsmt, type LayerParts, type LooseEntry, type Refusal } from '../test/oracle-images.ts';
import { LSMT_SPACE, SECTOR } from '../spec/index.ts';
import { openLsmt } from './lsmt.ts';
import { looksLikeLsmt, looksSparse } from './lsmt-header.ts';
import { bufferSource } from './source.ts';
import { collecting, RecordedLeniency, STRICT, type Leniency } from './violation.ts';

const open = (bytes: Uint8Array, lenient: Leniency = STRICT) => openLsmt(bufferSource(bytes), lenient);
const judge = (bytes: Uint8Array, lenient: Leniency = STRICT): Refusal | null => refusal(() => open(bytes, lenient));
const lenientOf = (flags: readonly string[], declared: readonly string[] = flags) => new RecordedLeniency(flags, new Set(declared));

const SOUND = layer({ entries: [{ offset: 4, length: 8, moffset: 8 }] });
const TRAILER = SOUND.length - LSMT_SPACE;
/** Sectors of the file before the index of the layers made here. */
const E = 16;

describe('a sound layer', () => {
  it('gives its mappings and size', () => {
    const { form, virtualSize, mappings, entries, invalidInside, remote } = open(SOUND);
    expect({ form, virtualSize, mappings, entries, invalidInside, remote }).toEqual({
      form: 'sealed', virtualSize: 65536, entries: 1, invalidInside: 0, remote: null,
      mappings: [{ start: 4, end: 12, moffset: 8, zeroed: false, file: 0 }],
    });
  });

  it('touches no contested point but the settled ones that every layer has', () => {
    const all = lenientOf([], ['ls.index-size-bytes', 'ls.moffset-from-data', 'ls.invalid-refused', 'ls.moffset-any']);
    open(SOUND, all);
    expect([...all.asked].sort()).toEqual(['ls.index-size-bytes', 'ls.moffset-from-data']);
    const none = lenientOf([]);
    open(SOUND, none);
    open(layer({ entries: [{ offset: 0, length: 1, moffset: 8, zeroed: true }, {}] }), none);
    expect([...none.asked]).toEqual([]);
  });

  it('may have no entries, and entries of length 0, which map nothing', () => {
    expect(open(layer()).mappings).toEqual([]);
    expect(open(layer({ entries: [{ offset: 7, length: 0, moffset: 9 }, { offset: 7, length: 1, moffset: 9 }] })).mappings)
      .toEqual([{ start: 7, end: 8, moffset: 9, zeroed: false, file: 0 }]);
  });

  it('may have a header of a writable layer, fields in it that mean nothing, and padding behind the index', () => {
    expect(judge(layer({ headerFlags: 3 }))).toBeNull();
    expect(judge(withLsmt(withLsmt(SOUND, 'header', 'index_offset', 2n ** 64n - 1n), 'header', 'index_size', 99))).toBeNull();
    const padded = Buffer.concat([SOUND.subarray(0, TRAILER), Buffer.alloc(496, 0xa5), SOUND.subarray(TRAILER)]);
    expect(judge(padded)).toBeNull();
  });
});

describe('each clause of the container', () => {
  it.each<[string, Uint8Array, Refusal | null]>([
    ['two bytes short of header and trailer', SOUND.subarray(0, 8190), ['LS-HDR-01', 0, 'the file has 8190 bytes, header and trailer take 8192']],
    ['one byte short', SOUND.subarray(0, 8191), ['LS-HDR-01', 0, 'the file has 8191 bytes, header and trailer take 8192']],
    ['exactly header and trailer', layer({ dataSectors: 0 }), null],
    ['nothing', new Uint8Array(0), ['LS-HDR-01', 0, 'the file has 0 bytes, header and trailer take 8192']],
    ['other magic0', edited(SOUND, (b) => { b[7] = 1; }), ['LS-HDR-02', 0, 'the header lacks the magic values']],
    ['other magic1', edited(SOUND, (b) => { b[23] = 1; }), ['LS-HDR-02', 0, 'the header lacks the magic values']],
    ['header bit 0', withLsmt(SOUND, 'header', 'flags', 6), ['LS-HDR-03', 28, 'flag bit 0 of the header is 0, not 1']],
    ['header bit 1', withLsmt(SOUND, 'header', 'flags', 5), ['LS-HDR-04', 28, 'flag bit 1 of the header is 0, not 1']],
    ['header size', withLsmt(SOUND, 'header', 'size', 391), ['LS-HDR-05', 24, 'the size field is 391, not 390']],
    ['trailer magic0', edited(SOUND, (b) => { b[TRAILER] = 0; }), ['LS-TRL-01', TRAILER, 'the trailer lacks the magic values']],
    ['trailer magic1', edited(SOUND, (b) => { b[TRAILER + 8] = 0; }), ['LS-TRL-01', TRAILER, 'the trailer lacks the magic values']],
    ['trailer bit 0', withLsmt(SOUND, 'trailer', 'flags', 7), ['LS-TRL-02', TRAILER + 28, 'flag bit 0 of the trailer is 1, not 0']],
    ['trailer bit 1', withLsmt(SOUND, 'trailer', 'flags', 4), ['LS-TRL-03', TRAILER + 28, 'flag bit 1 of the trailer is 0, not 1']],
    ['trailer bit 2', withLsmt(SOUND, 'trailer', 'flags', 2), ['LS-TRL-04', TRAILER + 28, 'flag bit 2 of the trailer is 0, not 1']],
    ['trailer size', withLsmt(SOUND, 'trailer', 'size', 0), ['LS-HDR-05', TRAILER + 24, 'the size field is 0, not 390']],
    ['header version', withLsmt(SOUND, 'header', 'version', 2), ['LS-VER-01', 132, 'version is 2, not 1']],
    ['header sub_version', withLsmt(SOUND, 'header', 'sub_version', 0), ['LS-VER-01', 133, 'sub_version is 0, not 1']],
    ['trailer version', withLsmt(SOUND, 'trailer', 'version', 0), ['LS-VER-01', TRAILER + 132, 'version is 0, not 1']],
    ['1,000,001 entries', withLsmt(SOUND, 'trailer', 'index_size', 1_000_001), ['LS-IDX-01', TRAILER + 40, 'the index has 1000001 entries, more than 1000000']],
    ['1,000,000 entries that are not there', withLsmt(SOUND, 'trailer', 'index_size', 1_000_000),
      ['LS-IDX-02', TRAILER + 32, `an index of 1000000 entries at byte 8192 does not end before byte ${TRAILER}`]],
    ['an index that reaches into the trailer', withLsmt(SOUND, 'trailer', 'index_offset', 8193),
      ['LS-IDX-02', TRAILER + 32, `an index of 1 entries at byte 8193 does not end before byte ${TRAILER}`]],
    ['an index offset whose sum wraps', withLsmt(SOUND, 'trailer', 'index_offset', 2n ** 64n - 16n),
      ['LS-IDX-02', TRAILER + 32, `an index of 1 entries at byte 18446744073709551600 does not end before byte ${TRAILER}`]],
    ['an index in the header', withLsmt(layer(), 'trailer', 'index_offset', 4095), ['LS-IDX-08', 8192 + 32, 'the index starts at byte 4095, before byte 4096']],
    ['an index right behind the header', withLsmt(layer(), 'trailer', 'index_offset', 4096), null],
    ['2^59 bytes', withLsmt(SOUND, 'trailer', 'virtual_size', 2n ** 59n), null],
    ['2^59 bytes and a sector', withLsmt(SOUND, 'trailer', 'virtual_size', 2n ** 59n + 512n), ['LS-SIZE-01', TRAILER + 48, 'virtual_size is 576460752303424000, more than 2^59']],
    ['half a sector', withLsmt(SOUND, 'trailer', 'virtual_size', 1280), ['LS-SIZE-01', TRAILER + 48, 'virtual_size is 1280, no multiple of 512']],
    ['a byte more than a sector', withLsmt(SOUND, 'trailer', 'virtual_size', 513), ['LS-SIZE-01', TRAILER + 48, 'virtual_size is 513, no multiple of 512']],
  ])('%s', (_name, bytes, expected) => expect(judge(bytes)).toEqual(expected));

  it('the first in the list is the one that counts', () => {
    const both = withLsmt(withLsmt(SOUND, 'header', 'size', 1), 'trailer', 'flags', 7);
    expect(judge(both)?.[0]).toBe('LS-HDR-05');
    expect(judge(withLsmt(withLsmt(SOUND, 'header', 'version', 2), 'trailer', 'flags', 7))?.[0]).toBe('LS-TRL-02');
    expect(judge(withLsmt(withLsmt(SOUND, 'trailer', 'virtual_size', 1), 'trailer', 'index_offset', 100))?.[0]).toBe('LS-IDX-08');
  });
});

describe('points that a reader may see otherwise', () => {
  it.each<[string, Uint8Array, string]>([
    ['header size', withLsmt(SOUND, 'header', 'size', 0), 'ls.size-field-ignored'],
    ['trailer size', withLsmt(SOUND, 'trailer', 'size', 0), 'ls.size-field-ignored'],
    ['version', withLsmt(SOUND, 'trailer', 'sub_version', 9), 'ls.version-ignored'],
    ['index in the header', withLsmt(layer(), 'trailer', 'index_offset', 8), 'ls.index-in-header'],
    ['virtual size', withLsmt(SOUND, 'trailer', 'virtual_size', 1), 'ls.odd-virtual-size'],
    ['moffset at the index', layer({ entries: [{ offset: 0, length: 1, moffset: E }] }), 'ls.moffset-any'],
    ['zeroed moffset', layer({ entries: [{ offset: 0, length: 1, moffset: 0, zeroed: true }] }), 'ls.zeroed-moffset-ignored'],
  ])('%s is taken where that is declared', (_name, bytes, flag) => {
    expect(judge(bytes)).not.toBeNull();
    expect(judge(bytes, lenientOf([flag]))).toBeNull();
    const asked = lenientOf([], [flag]);
    expect(judge(bytes, asked)).not.toBeNull();
    expect([...asked.asked]).toEqual([flag]);
  });

  const trailerFlags = withLsmt(SOUND, 'trailer', 'flags', 6 | 1 << 5);
  it.each<[string, Uint8Array, string, Refusal]>([
    ['flag bit 3', withLsmt(SOUND, 'header', 'flags', 7 | 8), 'ls.reserved-flags-refused', ['LS-FLG-01', 28, 'the flags of the header are 0xf: other bits than 0, 1, 2 and 4 are set']],
    ['flag bit 5', trailerFlags, 'ls.reserved-flags-refused', ['LS-FLG-01', TRAILER + 28, 'the flags of the trailer are 0x26: other bits than 0, 1, 2 and 4 are set']],
    ['flag bit 31', withLsmt(SOUND, 'header', 'flags', 2n ** 31n + 7n), 'ls.reserved-flags-refused', ['LS-FLG-01', 28, 'the flags of the header are 0x80000007: other bits than 0, 1, 2 and 4 are set']],
    ['reserved bytes', edited(SOUND, (b) => { b[131] = 1; }), 'ls.reserved-refused', ['LS-RSV-01', 131, 'a reserved byte is not 0 (header)']],
    ['the last reserved byte', edited(SOUND, (b) => { b[4095] = 1; }), 'ls.reserved-refused', ['LS-RSV-01', 4095, 'a reserved byte is not 0 (header)']],
    ['a reserved byte of the trailer', edited(SOUND, (b) => { b[TRAILER + 390] = 1; }), 'ls.reserved-refused', ['LS-RSV-01', TRAILER + 390, 'a reserved byte is not 0 (trailer)']],
    ['a UUID that is none', edited(SOUND, (b) => { b[56] = 0x47; }), 'ls.reserved-refused', ['LS-RSV-01', 56, 'the UUID is none (header)']],
    ['a UUID without its NUL', edited(SOUND, (b) => { b[92] = 0x30; }), 'ls.reserved-refused', ['LS-RSV-01', 56, 'the UUID is none (header)']],
    ['a parent UUID that is none', edited(SOUND, (b) => { b[TRAILER + 93] = 0; }), 'ls.reserved-refused', ['LS-RSV-01', TRAILER + 93, 'the parent’s UUID is none (trailer)']],
    ['bytes behind the user tag', edited(SOUND, (b) => { b[134] = 65; b[140] = 65; }), 'ls.reserved-refused', ['LS-RSV-01', 140, 'the user tag is no text with NULs behind it (header)']],
    ['a byte behind an empty user tag', edited(SOUND, (b) => { b[134] = 0; b[135] = 65; }), 'ls.reserved-refused', ['LS-RSV-01', 135, 'the user tag is no text with NULs behind it (header)']],
    ['a user tag that is no text', edited(SOUND, (b) => { b[134] = 0xff; }), 'ls.reserved-refused', ['LS-RSV-01', 134, 'the user tag is no text with NULs behind it (header)']],
    ['a full user tag whose last byte is no text', edited(SOUND, (b) => { b.fill(65, 134, 390); b[389] = 0xff; }), 'ls.reserved-refused', ['LS-RSV-01', 134, 'the user tag is no text with NULs behind it (header)']],
    ['a full user tag that is no text', edited(SOUND, (b) => { b.fill(0xff, 134, 390); }), 'ls.reserved-refused', ['LS-RSV-01', 134, 'the user tag is no text with NULs behind it (header)']],
    ['a tag', layer({ entries: [{ offset: 0, length: 1, moffset: 8 }, { offset: 1, length: 1, moffset: 8, tag: 3 }] }), 'ls.tag-nonzero-refused', ['LS-TAG-01', 8192 + 16, 'the tag of entry 1 is 3, not 0']],
    ['an INVALID entry', layer({ entries: [{ offset: 0, length: 1, moffset: 8 }, {}] }), 'ls.invalid-refused', ['LS-IDX-03', 8192 + 16, 'entry 1 is INVALID']],
    ['an INVALID entry in front', layer({ entries: [{}, { offset: 0, length: 1, moffset: 8 }] }), 'ls.invalid-refused', ['LS-IDX-03', 8192, 'entry 0 is INVALID']],
  ])('%s is refused where that is declared, and only then', (_name, bytes, flag, expected) => {
    const strict = lenientOf([], [flag]);
    expect(judge(bytes, strict)).toBeNull();
    expect([...strict.asked]).toEqual([flag]);
    expect(judge(bytes, lenientOf([flag]))).toEqual(expected);
  });

  it('a user tag of 256 characters is text, as is a UUID in lower case', () => {
    const asked = lenientOf([]);
    expect(judge(edited(SOUND, (b) => { b.fill(65, 134, 390); b[57] = 0x61; }), asked)).toBeNull();
    expect(judge(edited(SOUND, (b) => { b.fill(0, 134, 390); b[134] = 65; }), asked)).toBeNull();
    expect([...asked.asked]).toEqual([]);
  });

  it('an index in bytes, where that is declared', () => {
    const bytes = withLsmt(SOUND, 'trailer', 'index_size', 16);
    expect(judge(bytes)?.[0]).toBe('LS-IDX-02');
    expect(open(bytes, lenientOf(['ls.index-size-bytes'])).entries).toBe(1);
    const none = lenientOf([], ['ls.index-size-bytes']);
    open(layer(), none);
    expect([...none.asked], 'no entries, no question').toEqual([]);
  });

  it('moffset from the data, where that is declared', () => {
    const flag = ['ls.moffset-from-data'];
    expect(open(layer({ entries: [{ offset: 0, length: 8, moffset: 0 }] }), lenientOf(flag)).mappings[0]!.moffset).toBe(8);
    expect(judge(layer({ entries: [{ offset: 0, length: 8, moffset: 1 }] }), lenientOf(flag)))
      .toEqual(['LS-IDX-05', 8192, 'entry 0 maps sectors 9 to 17, outside 8 to 16']);
    const zeroedOnly = lenientOf(flag);
    open(layer({ entries: [{ offset: 0, length: 8, moffset: 8, zeroed: true }] }), zeroedOnly);
    expect([...zeroedOnly.asked]).toEqual([]);
  });

  it('more entries than a million, up to the limit of every other index', () => {
    const limit = lenientOf(['ls.index-limit']);
    judge(withLsmt(SOUND, 'trailer', 'index_size', 1_000_000), limit);
    expect([...limit.asked], 'up to a million, no question').toEqual([]);
    expect(judge(withLsmt(SOUND, 'trailer', 'index_size', 1_000_001), limit)?.[0]).toBe('LS-IDX-02');
    expect(judge(withLsmt(SOUND, 'trailer', 'index_size', 128_000_000), limit)?.[0]).toBe('LS-IDX-02');
    expect(judge(withLsmt(SOUND, 'trailer', 'index_size', 128_000_001), limit))
      .toEqual(['LS-IDX-01', TRAILER + 40, 'the index has 128000001 entries, more than 128000000']);
  });
});

describe('each clause of the entries', () => {
  const at = (i: number): number => LSMT_SPACE + 8 * SECTOR + i * 16;
  const data = (offset: number | bigint, length: number, moffset: number | bigint = 8): LooseEntry => ({ offset, length, moffset });
  const zeroed = (offset: number, length: number, moffset: number | bigint = 8): LooseEntry => ({ offset, length, moffset, zeroed: true });

  it.each<[string, readonly LooseEntry[], Refusal | null]>([
    ['touching', [data(0, 4), data(4, 4)], null],
    ['overlapping by one', [data(0, 4), data(3, 4)], ['LS-IDX-04', at(1), 'entry 1 starts at sector 3, the one before it ends at 4']],
    ['the same twice', [data(5, 1), data(5, 1)], ['LS-IDX-04', at(1), 'entry 1 starts at sector 5, the one before it ends at 6']],
    ['descending', [data(8, 1), data(0, 1)], ['LS-IDX-04', at(1), 'entry 1 starts at sector 0, the one before it ends at 9']],
    ['overlapping across INVALID ones', [data(0, 4), {}, {}, data(3, 4)], ['LS-IDX-04', at(3), 'entry 3 starts at sector 3, the one before it ends at 4']],
    ['an empty one between two', [data(0, 4), data(4, 0, 9), data(4, 1)], null],
    ['an empty one inside another', [data(0, 4), data(3, 0)], ['LS-IDX-04', at(1), 'entry 1 starts at sector 3, the one before it ends at 4']],
    ['at the far end', [data(2n ** 50n - 2n, 8)], null],
    ['moffset 7', [data(0, 1, 7)], ['LS-IDX-05', at(0), 'entry 0 maps sectors 7 to 8, outside 8 to 16']],
    ['moffset 8', [data(0, 8, 8)], null],
    ['the last sector', [data(0, 1, 15)], null],
    ['moffset E', [data(0, 1, 16)], ['LS-IDX-05', at(0), 'entry 0 maps sectors 16 to 17, outside 8 to 16']],
    ['an empty one at E', [data(0, 0, 16)], ['LS-IDX-05', at(0), 'entry 0 maps sectors 16 to 16, outside 8 to 16']],
    ['an empty one at 8', [data(0, 0, 8)], ['LS-IDX-05', at(0), 'entry 0 maps sectors 8 to 8, outside 8 to 16']],
    ['an empty one at 9', [data(0, 0, 9)], null],
    ['one past E', [data(0, 2, 15)], ['LS-IDX-05', at(0), 'entry 0 maps sectors 15 to 17, outside 8 to 16']],
    ['the longest', [data(0, 16383, 8)], ['LS-IDX-05', at(0), 'entry 0 maps sectors 8 to 16391, outside 8 to 16']],
    ['moffset 2^55 - 1', [data(0, 1, 2n ** 55n - 1n)], ['LS-IDX-05', at(0), `entry 0 maps sectors ${2n ** 55n - 1n} to ${2n ** 55n}, outside 8 to 16`]],
    ['zeroed at 7', [zeroed(0, 1, 7)], ['LS-IDX-06', at(0), 'the moffset of zeroed entry 0 is 7, not between 8 and 16']],
    ['zeroed at 8', [zeroed(0, 16383, 8)], null],
    ['zeroed at E', [zeroed(0, 1, 16)], null],
    ['zeroed past E', [zeroed(0, 1, 17)], ['LS-IDX-06', at(0), 'the moffset of zeroed entry 0 is 17, not between 8 and 16']],
    ['zeroed at 2^55 - 1', [zeroed(0, 1, 2n ** 55n - 1n)], ['LS-IDX-06', at(0), `the moffset of zeroed entry 0 is ${2n ** 55n - 1n}, not between 8 and 16`]],
    ['order before bounds', [data(0, 1, 0), data(0, 1)], ['LS-IDX-04', at(1), 'entry 1 starts at sector 0, the one before it ends at 1']],
    ['data before zeroed', [zeroed(0, 1, 0), data(1, 1, 0)], ['LS-IDX-05', at(1), 'entry 1 maps sectors 0 to 1, outside 8 to 16']],
  ])('%s', (_name, entries, expected) => expect(judge(layer({ entries }))).toEqual(expected));

  it('the index’s last partial sector is no data: E is rounded down', () => {
    const parts: LayerParts = { entries: [data(0, 8, 8)] };
    const bytes = layer(parts);
    const shifted = Buffer.concat([bytes.subarray(0, 8192), Buffer.alloc(511), bytes.subarray(8192)]);
    const moved = (by: number) => withLsmt(Uint8Array.from(shifted), 'trailer', 'index_offset', 8192 + by);
    const write = (bytes: Uint8Array, by: number) => edited(bytes, (b) => b.set(entryBytes([data(0, 9, 8)]), 8192 + by));
    expect(judge(write(moved(511), 511))).toEqual(['LS-IDX-05', 8192 + 511, 'entry 0 maps sectors 8 to 17, outside 8 to 16']);
  });

  it('INVALID ones are counted where a live one follows', () => {
    const count = (entries: readonly LooseEntry[]): number => open(layer({ entries })).invalidInside;
    expect(count([{}, data(0, 1), {}, {}, data(1, 1), {}])).toBe(3);
    expect(count([data(0, 1), {}, {}])).toBe(0);
    expect(count([{}])).toBe(0);
    expect(open(layer({ entries: [{}, data(0, 1), {}] })).mappings).toHaveLength(1);
  });

  it('fields of an INVALID entry mean nothing', () => {
    expect(judge(layer({ entries: [{ length: 16383, moffset: 2n ** 55n - 1n, zeroed: true, tag: 255 }, data(0, 1)] }))).toBeNull();
  });

  it('a reader that goes on leaves out what is not in order', () => {
    const seen: string[] = [];
    const { mappings } = open(layer({ entries: [data(4, 4), data(2, 4), data(7, 3), data(10, 1), data(10, 2)] }), collecting((v) => seen.push(v.clause)));
    expect(seen).toEqual(['LS-IDX-04', 'LS-IDX-04']);
    expect(mappings.map((m) => [m.start, m.end])).toEqual([[4, 8], [10, 11]]);
  });

  it('a moffset of more than 32 bits, where nobody bounds it', () => {
    const any = lenientOf(['ls.moffset-any']);
    expect(open(layer({ entries: [data(0, 1, 2n ** 32n + 3n), data(1, 1, 2n ** 54n)] }), any).mappings.map((m) => m.moffset)).toEqual([2 ** 32 + 3, 2 ** 54]);
  });

  it('all bits of an entry are told apart', () => {
    const entries = [{ offset: 2n ** 32n + 5n, length: 1, moffset: 15 }, { offset: 2n ** 49n, length: 16383, moffset: 8, zeroed: true, tag: 0 }];
    expect(open(layer({ entries })).mappings).toEqual([
      { start: 2 ** 32 + 5, end: 2 ** 32 + 6, moffset: 15, zeroed: false, file: 0 },
      { start: 2 ** 49, end: 2 ** 49 + 16383, moffset: 8, zeroed: true, file: 0 },
    ]);
  });

  it('more entries than one window holds', () => {
    const many = Array.from({ length: 70_000 }, (_, i): LooseEntry => data(i, 1, 8 + (i % 8)));
    const opened = open(layer({ entries: many }));
    expect(opened.mappings).toHaveLength(70_000);
    expect(opened.mappings[69_999]).toEqual({ start: 69_999, end: 70_000, moffset: 15, zeroed: false, file: 0 });
    many[66_000] = data(65_999, 1);
    expect(judge(layer({ entries: many }))).toEqual(['LS-IDX-04', at(66_000), 'entry 66000 starts at sector 65999, the one before it ends at 66000']);
  });
});

describe('what a file looks like', () => {
  it('is told by its first 4096 bytes', () => {
    expect(looksLikeLsmt(bufferSource(SOUND.subarray(0, 4096)))).toBe(true);
    expect(looksLikeLsmt(bufferSource(SOUND.subarray(0, 4095)))).toBe(false);
    expect(looksLikeLsmt(bufferSource(sectors(16)))).toBe(false);
    expect(looksSparse(bufferSource(SOUND))).toBe(false);
    expect(looksSparse(bufferSource(withLsmt(SOUND, 'header', 'flags', 0x13)))).toBe(true);
    expect(looksSparse(bufferSource(edited(withLsmt(SOUND, 'header', 'flags', 0x13), (b) => { b[0] = 0; })))).toBe(false);
  });
});
