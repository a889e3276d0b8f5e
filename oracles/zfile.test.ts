// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { writerCrc } from '../generators/checksum.ts';
import { makeContent } from '../generators/content.ts';
import { sealDigest } from '../generators/zfile-writer.ts';
import { getInteger, setInteger, ZFILE_HEADER } from '../spec/index.ts';
import { edited, refusal, withZFile, zfile, type Refusal } from '../test/oracle-images.ts';
import { bufferSource } from './source.ts';
import { collecting, RecordedLeniency, STRICT, type Leniency } from './violation.ts';
import { looksLikeZFile, openZFile } from './zfile.ts';

const open = (bytes: Uint8Array, lenient: Leniency = STRICT) => openZFile(bufferSource(bytes), lenient);
const judge = (bytes: Uint8Array, lenient: Leniency = STRICT): Refusal | null => refusal(() => open(bytes, lenient));
const lenientOf = (flags: readonly string[], declared: readonly string[] = flags) => new RecordedLeniency(flags, new Set(declared));
const readAll = (bytes: Uint8Array, lenient: Leniency = STRICT): Uint8Array => {
  const z = open(bytes, lenient);
  return z.read(0, z.size);
};

/** Three blocks of literals: 4096 + 4096 + 1808 bytes, each with two length bytes… and its CRC. */
const CONTENT = makeContent({ kind: 'random', seed: 5 }, 10_000);
const SOUND = zfile(CONTENT, { encoder: 'literals' });
const TRAILER = SOUND.length - 512;
const INDEX = TRAILER - 12;
/** Stored bytes of a literals-only block of 4096 with its CRC. */
const STORED = 4096 + 1 + 17 + 4;
const OVERWRITE = zfile(CONTENT, { encoder: 'literals', headerMode: true });
const NO_DIGEST = zfile(CONTENT, { encoder: 'literals', digest: false });

/** Sets index entry `i` and makes all checksums right again. */
function withEntry(bytes: Uint8Array, i: number, value: number): Uint8Array {
  return edited(bytes, (b, v) => {
    const trailer = b.length - 512;
    v.setUint32(INDEX + i * 4, value, true);
    setInteger(b, ZFILE_HEADER, 'index_crc', writerCrc(b.subarray(INDEX, trailer), 0), trailer);
    sealDigest(b.subarray(trailer));
  });
}

describe('a sound ZFile', () => {
  it.each([['plain', SOUND], ['header mode', OVERWRITE], ['no digest', NO_DIGEST], ['no verify', zfile(CONTENT, { verify: false })], ['zstd', zfile(CONTENT, { algo: 'zstd' })],
    ['small blocks', zfile(CONTENT, { blockSize: 512 })], ['large blocks', zfile(CONTENT, { blockSize: 65536 })]])('%s reads as its content', (_name, bytes) => {
    expect(Buffer.compare(readAll(bytes), CONTENT)).toBe(0);
    const asked = lenientOf([]);
    readAll(bytes, asked);
    expect([...asked.asked]).toEqual([]);
  });

  it('reads from any byte to any other', () => {
    const z = open(SOUND);
    for (const [offset, length] of [[0, 0], [0, 1], [4095, 1], [4095, 2], [4096, 4096], [1, 9999], [8192, 1808], [9999, 1], [10_000, 0], [100, 8000]] as const) {
      expect(Buffer.compare(z.read(offset, length), CONTENT.subarray(offset, offset + length)), `${offset} ${length}`).toBe(0);
    }
    expect(() => z.read(9999, 2)).toThrow(RangeError);
  });

  it('tells its layout', () => {
    const { size, blockSize, blocks, algo, headerMode, dictBytes, blockAt } = open(SOUND);
    expect({ size, blockSize, blocks, algo, headerMode, dictBytes }).toEqual({ size: 10_000, blockSize: 4096, blocks: 3, algo: 'lz4', headerMode: false, dictBytes: 0 });
    expect([blockAt(0), blockAt(1), blockAt(2)]).toEqual([
      { offset: 512, length: STORED - 4 }, { offset: 512 + STORED, length: STORED - 4 }, { offset: 512 + 2 * STORED, length: INDEX - 512 - 2 * STORED - 4 },
    ]);
    expect(open(OVERWRITE).headerMode).toBe(true);
    expect(open(zfile(CONTENT, { algo: 'zstd' })).algo).toBe('zstd');
  });

  it('may be empty', () => {
    const empty = zfile(new Uint8Array(0));
    expect(empty).toHaveLength(1024);
    expect(readAll(empty)).toHaveLength(0);
  });

  it('looks like one', () => {
    expect(looksLikeZFile(bufferSource(SOUND.subarray(0, 24)))).toBe(true);
    expect(looksLikeZFile(bufferSource(SOUND.subarray(0, 23)))).toBe(false);
    expect(looksLikeZFile(bufferSource(edited(SOUND, (b) => { b[6] = 0; })))).toBe(false);
  });
});

describe('each clause of opening', () => {
  const trailerField = (field: Parameters<typeof withZFile>[2], value: bigint | number) => withZFile(SOUND, 'trailer', field, value);
  const headerField = (field: Parameters<typeof withZFile>[2], value: bigint | number) => withZFile(SOUND, 'header', field, value);
  it.each<[string, Uint8Array, Refusal | null]>([
    ['511 bytes', SOUND.subarray(0, 511), ['ZF-HDR-01', 0, 'the file has 511 bytes, a header takes 512']],
    ['a header only', SOUND.subarray(0, 512), ['ZF-TRL-01', 0, 'the file has 512 bytes, header and trailer take 1024']],
    ['magic0', edited(SOUND, (b) => { b[7] = 9; }), ['ZF-HDR-02', 0, 'the header lacks the magic values']],
    ['magic1', edited(SOUND, (b) => { b[8] = 9; }), ['ZF-HDR-02', 0, 'the header lacks the magic values']],
    ['header bit 0', headerField('flags', 0x12), ['ZF-HDR-03', 32, 'flag bit 0 of the header is 0, not 1']],
    ['a stale digest', edited(SOUND, (b) => { b[28]! ^= 1; }), ['ZF-HDR-04', 28, expect.stringMatching(/^the digest is 0x[0-9a-f]+, the header gives 0x[0-9a-f]+$/) as unknown as string]],
    ['a stale digest that nobody claims', edited(NO_DIGEST, (b) => { b[28] = 1; }), null],
    ['header size', headerField('size', 97), ['ZF-HDR-05', 24, 'the size field is 97, not 96']],
    ['no room for a trailer', SOUND.subarray(0, 1023), ['ZF-TRL-01', 0, 'the file has 1023 bytes, header and trailer take 1024']],
    ['trailer magic', edited(SOUND, (b) => { b[TRAILER] = 0; }), ['ZF-TRL-01', TRAILER, 'the trailer lacks the magic values']],
    ['trailer bit 0', trailerField('flags', 0x17), ['ZF-TRL-02', TRAILER + 32, 'flag bit 0 of the trailer is 1, not 0']],
    ['trailer bit 1', trailerField('flags', 0x14), ['ZF-TRL-03', TRAILER + 32, 'flag bit 1 of the trailer is 0, not 1']],
    ['trailer bit 2', trailerField('flags', 0x12), ['ZF-TRL-04', TRAILER + 32, 'flag bit 2 of the trailer is 0, not 1']],
    ['a stale trailer digest', edited(SOUND, (b) => { b[TRAILER + 28]! ^= 1; }), ['ZF-TRL-05', TRAILER + 28, expect.stringMatching(/^the digest is 0x[0-9a-f]+, the trailer gives 0x[0-9a-f]+$/) as unknown as string]],
    ['trailer size', trailerField('size', 0), ['ZF-HDR-05', TRAILER + 24, 'the size field is 0, not 96']],
    ['header flag bit 5', headerField('flags', 0x33), ['ZF-FLG-01', 32, 'flag bits above 4 are set in the header: 0x33']],
    ['trailer flag bit 63', trailerField('flags', 2n ** 63n + 0x16n), ['ZF-FLG-01', TRAILER + 32, 'flag bits above 4 are set in the trailer: 0x8000000000000016']],
    ['2^63 bytes', trailerField('original_file_size', 2n ** 63n), ['ZF-SIZE-02', TRAILER + 56, 'original_file_size is 9223372036854775808, not below 2^63']],
    ['2^63 - 1 bytes', trailerField('original_file_size', 2n ** 63n - 1n), ['ZF-IDX-05', TRAILER + 48, 'the index has 3 entries, 9223372036854775807 bytes in blocks of 4096 need 2251799813685248']],
    ['no block size', trailerField('block_size', 0), ['ZF-OPT-01', TRAILER + 72, 'the block size is 0, no power of two up to 65536']],
    ['an odd block size', trailerField('block_size', 4097), ['ZF-OPT-01', TRAILER + 72, 'the block size is 4097, no power of two up to 65536']],
    ['blocks of 128 KiB', trailerField('block_size', 131072), ['ZF-OPT-01', TRAILER + 72, 'the block size is 131072, no power of two up to 65536']],
    ['blocks of 2^31', trailerField('block_size', 2 ** 31), ['ZF-OPT-01', TRAILER + 72, 'the block size is 2147483648, no power of two up to 65536']],
    ['blocks of 256', trailerField('block_size', 256), ['ZF-OPT-05', TRAILER + 72, 'the block size is 256, below 512']],
    ['blocks of 512', trailerField('block_size', 512), ['ZF-IDX-05', TRAILER + 48, 'the index has 3 entries, 10000 bytes in blocks of 512 need 20']],
    ['algorithm 0', trailerField('algo', 0), ['ZF-OPT-02', TRAILER + 76, 'the algorithm is 0, neither 1 nor 2']],
    ['algorithm 3', trailerField('algo', 3), ['ZF-OPT-02', TRAILER + 76, 'the algorithm is 3, neither 1 nor 2']],
    ['a dictionary', trailerField('use_dict', 1), ['ZF-OPT-03', TRAILER + 78, 'use_dict is 1, not 0: the blocks need a dictionary']],
    ['10^9 entries', trailerField('index_size', 1_000_000_000), ['ZF-IDX-02', TRAILER + 40, `an index of 1000000000 entries at byte ${INDEX} does not end before byte ${TRAILER}`]],
    ['10^9 + 1 entries', trailerField('index_size', 1_000_000_001), ['ZF-IDX-01', TRAILER + 48, 'the index has 1000000001 entries, more than 1000000000']],
    ['an index into the trailer', trailerField('index_offset', INDEX + 1), ['ZF-IDX-02', TRAILER + 40, `an index of 3 entries at byte ${INDEX + 1} does not end before byte ${TRAILER}`]],
    ['an index in the header', withZFile(zfile(new Uint8Array(0)), 'trailer', 'index_offset', 511), ['ZF-IDX-08', 512 + 40, 'the index starts at byte 511, before byte 512']],
    ['space for a dictionary that the index does not leave', trailerField('dict_size', INDEX), ['ZF-IDX-08', TRAILER + 40, `the index starts at byte ${INDEX}, before byte ${INDEX + 512}`]],
    ['index_crc', trailerField('index_crc', 7), ['ZF-IDX-03', TRAILER + 64, expect.stringMatching(/^index_crc is 0x7, the index gives 0x[0-9a-f]+$/) as unknown as string]],
    ['index_crc that nobody claims', withZFile(NO_DIGEST, 'trailer', 'index_crc', 7), null],
    ['an entry of 4', withEntry(SOUND, 1, 4), ['ZF-IDX-04', INDEX + 4, 'the entry of block 1 is 4, not above 4']],
    ['an entry of 0 without CRCs', withEntry(withZFile(SOUND, 'trailer', 'verify', 0), 0, 0), ['ZF-IDX-04', INDEX, 'the entry of block 0 is 0, not above 0']],
    ['an entry of 5', withEntry(SOUND, 1, 5), ['ZF-IDX-06', TRAILER + 40, `the blocks end at byte ${INDEX - STORED + 5}, the index starts at byte ${INDEX}`]],
    ['an entry too large by 1', withEntry(SOUND, 2, INDEX - 512 - 2 * STORED + 1), ['ZF-IDX-06', TRAILER + 40, `the blocks end at byte ${INDEX + 1}, the index starts at byte ${INDEX}`]],
    ['a block too many', trailerField('original_file_size', 8192), ['ZF-IDX-05', TRAILER + 48, 'the index has 3 entries, 8192 bytes in blocks of 4096 need 2']],
    ['a block too few', trailerField('original_file_size', 12289), ['ZF-IDX-05', TRAILER + 48, 'the index has 3 entries, 12289 bytes in blocks of 4096 need 4']],
    ['a fuller last block', trailerField('original_file_size', 12288), null],
  ])('%s', (_name, bytes, expected) => expect(judge(bytes)).toEqual(expected));

  it('in header mode the trailer is not looked at, and the index may end with the file', () => {
    const cut = OVERWRITE.subarray(0, OVERWRITE.length - 512);
    expect(Buffer.compare(readAll(cut), CONTENT)).toBe(0);
    expect(judge(OVERWRITE.subarray(0, OVERWRITE.length - 513))).toEqual(['ZF-IDX-02', 40, `an index of 3 entries at byte ${INDEX} does not end before byte ${TRAILER - 1}`]);
    expect(judge(edited(OVERWRITE, (b) => { b.fill(0xff, TRAILER); }))).toBeNull();
  });

  it('the first in the list is the one that counts', () => {
    const two = withZFile(withZFile(SOUND, 'trailer', 'use_dict', 1), 'trailer', 'index_size', 0);
    expect(judge(two)?.[0]).toBe('ZF-OPT-03');
    expect(judge(withZFile(withZFile(SOUND, 'header', 'size', 1), 'trailer', 'flags', 0x17))?.[0]).toBe('ZF-HDR-05');
    expect(judge(withZFile(withEntry(SOUND, 0, 1), 'trailer', 'index_crc', 0))?.[0]).toBe('ZF-IDX-03');
    expect(judge(withZFile(withEntry(SOUND, 0, 1), 'trailer', 'original_file_size', 0))?.[0]).toBe('ZF-IDX-04');
  });
});

describe('each clause of blocks', () => {
  /** The violation of reading block 1. */
  const atBlock = (bytes: Uint8Array, lenient: Leniency = STRICT): Refusal | null => refusal(() => open(bytes, lenient).read(4096, 4096));
  const block1 = 512 + STORED;

  it('a changed byte', () => {
    const bytes = edited(SOUND, (b) => { b[block1 + 100]! ^= 1; });
    expect(judge(bytes)).toBeNull();
    expect(atBlock(bytes)).toEqual(['ZF-BLK-03', block1, expect.stringMatching(/^the CRC of block 1 is 0x[0-9a-f]+, its bytes give 0x[0-9a-f]+$/)]);
    expect(refusal(() => open(bytes).read(0, 4096))).toBeNull();
    expect(refusal(() => open(bytes).read(4000, 200))?.[1]).toBe(block1);
  });

  it.each([0, 1, 2, 3])('byte %i of a CRC', (i) => {
    expect(atBlock(edited(SOUND, (b) => { b[block1 + STORED - 4 + i]! ^= 0x80; }))?.[0]).toBe('ZF-BLK-03');
  });

  it('a block that ends behind the file', () => {
    const flags = ['zf.index-gap'];
    const bytes = withEntry(SOUND, 1, 0xffff_ffff);
    expect(atBlock(bytes, lenientOf(flags))).toEqual(['ZF-BLK-04', block1, `block 1 ends at byte ${block1 + 0xffff_ffff}, the file at byte ${SOUND.length}`]);
    // To the very end of the file there are bytes, though not the right ones.
    expect(atBlock(withEntry(SOUND, 1, SOUND.length - block1), lenientOf(flags))?.[0]).toBe('ZF-BLK-03');
    expect(atBlock(withEntry(SOUND, 1, SOUND.length - block1 + 1), lenientOf(flags))?.[0]).toBe('ZF-BLK-04');
  });

  it('a block that the index does not have', () => {
    const bytes = withZFile(SOUND, 'trailer', 'original_file_size', 20_000);
    const z = open(bytes, lenientOf(['zf.index-count-lazy']));
    expect(refusal(() => z.read(12_288, 10))).toEqual(['ZF-IDX-05', INDEX, 'block 3 is not in the index, which has 3 entries']);
  });

  it('zstd blocks', () => {
    const bytes = zfile(CONTENT, { algo: 'zstd', verify: false });
    const { offset } = open(bytes).blockAt(1);
    expect(atBlock(edited(bytes, (b) => { b[offset]! ^= 1; }))?.slice(0, 2)).toEqual(['ZF-ZST-01', offset]);
  });

  it('verify tells of each, in a strict reader of the first', () => {
    const bad = edited(SOUND, (b) => { b[600]! ^= 1; b[block1 + 100]! ^= 1; });
    expect(refusal(() => [...open(bad).verify()])?.slice(0, 2)).toEqual(['ZF-BLK-03', 512]);
    expect([...open(SOUND).verify()]).toEqual([]);
    expect([...open(zfile(new Uint8Array(512 * 1025), { blockSize: 512 })).verify()]).toHaveLength(1);
    expect([...open(zfile(new Uint8Array(512 * 2050), { blockSize: 512 })).verify()]).toHaveLength(2);
  });
});

describe('points that a reader may see otherwise', () => {
  it.each<[string, Uint8Array, string]>([
    ['size field', withZFile(SOUND, 'header', 'size', 0), 'zf.size-field-ignored'],
    ['trailer digest', edited(SOUND, (b) => { b[TRAILER + 28]! ^= 1; }), 'zf.trailer-digest-ignored'],
    ['reserved flags', withZFile(SOUND, 'trailer', 'flags', 0x36), 'zf.reserved-flags-ignored'],
    ['use_dict', withZFile(SOUND, 'trailer', 'use_dict', 255), 'zf.use-dict-ignored'],
    ['small blocks', zfile(CONTENT, { blockSize: 256 }), 'zf.tiny-blocks'],
    ['blocks of a byte', zfile(CONTENT.subarray(0, 9), { blockSize: 1 }), 'zf.tiny-blocks'],
    ['index count', withZFile(SOUND, 'trailer', 'original_file_size', 20_000), 'zf.index-count-lazy'],
    ['index gap', withEntry(SOUND, 2, 5), 'zf.index-gap'],
    ['index in the header', withZFile(zfile(new Uint8Array(0)), 'trailer', 'index_offset', 511), 'zf.index-in-header'],
  ])('%s is taken where that is declared', (_name, bytes, flag) => {
    expect(judge(bytes)).not.toBeNull();
    expect(judge(bytes, lenientOf([flag, 'zf.index-gap']))).toBeNull();
    const asked = lenientOf([]);
    expect(judge(bytes, asked)).not.toBeNull();
    expect([...asked.asked]).toEqual([flag]);
  });

  it.each<[string, Uint8Array, number, string]>([
    ['reserved0', withZFile(SOUND, 'trailer', 'reserved0', 1), TRAILER + 68, 'a reserved byte of the trailer is not 0'],
    ['level', withZFile(SOUND, 'header', 'level', 1), 77, 'the level of the header is not 0'],
    ['the last of reserved1', edited(NO_DIGEST, (b) => { b[83] = 1; }), 83, 'a reserved byte of the header is not 0'],
    ['the first of reserved2', edited(NO_DIGEST, (b) => { b[TRAILER + 89] = 1; }), TRAILER + 89, 'a reserved byte of the trailer is not 0'],
    ['the last of reserved2', edited(NO_DIGEST, (b) => { b[511] = 1; }), 511, 'a reserved byte of the header is not 0'],
  ])('%s is refused where that is declared, and only then', (_name, bytes, at, why) => {
    const strict = lenientOf([]);
    expect(judge(bytes, strict)).toBeNull();
    expect([...strict.asked]).toEqual(['zf.reserved-refused']);
    expect(judge(bytes, lenientOf(['zf.reserved-refused']))).toEqual(['ZF-RSV-01', at, why]);
  });

  it('in header mode the trailer’s reserved bytes touch nothing', () => {
    const asked = lenientOf([]);
    expect(judge(edited(OVERWRITE, (b) => { b[TRAILER + 500] = 1; }), asked)).toBeNull();
    // The two differ now: whether the trailer is consulted can be told.
    expect([...asked.asked]).toEqual(['zf.trailer-always']);
    expect(judge(edited(OVERWRITE, (b) => { b[TRAILER] = 1; }), lenientOf(['zf.trailer-always']))?.[0]).toBe('ZF-TRL-01');
    const short = OVERWRITE.subarray(0, OVERWRITE.length - 512);
    expect(judge(short, lenientOf(['zf.trailer-always']))?.[0]).toBe('ZF-TRL-01');
  });

  it('in header mode the header’s own bits are looked at', () => {
    const flags = getInteger(OVERWRITE, ZFILE_HEADER, 'flags');
    expect(judge(withZFile(OVERWRITE, 'header', 'flags', flags | 1n << 5n))?.slice(0, 2)).toEqual(['ZF-FLG-01', 32]);
  });

  it('whether the trailer is consulted is asked only where the two could differ', () => {
    const asked = (bytes: Uint8Array): string[] => {
      const lenient = lenientOf([]);
      expect(judge(bytes, lenient)).toBeNull();
      return [...lenient.asked];
    };
    const empty = zfile(new Uint8Array(0), { headerMode: true });
    expect(empty).toHaveLength(1024);
    expect(asked(empty)).toEqual([]);
    expect(asked(empty.subarray(0, 512))).toEqual(['zf.trailer-always']);
    expect(asked(OVERWRITE)).toEqual([]);
    for (const bit of [0n, 1n, 2n]) {
      const flags = getInteger(OVERWRITE, ZFILE_HEADER, 'flags', TRAILER) ^ 1n << bit;
      expect(asked(withZFile(OVERWRITE, 'trailer', 'flags', flags)), `bit ${bit}`).toEqual(['zf.trailer-always']);
    }
    expect(asked(withZFile(OVERWRITE, 'trailer', 'index_offset', 1))).toEqual(['zf.trailer-always']);
  });

  it('a group sum of 65535 is refused where that is declared', () => {
    const flag = 'zf.group-sum-limit';
    // All but the last of 16 blocks: 15 entries of 4369 make 65535.
    const grown = (each: number): Uint8Array => {
      const bytes = zfile(makeContent({ kind: 'random', seed: 1 }, 65536 + 1), { encoder: 'literals', digest: false });
      const index = bytes.length - 512 - 17 * 4;
      return edited(bytes, (_b, v) => { for (let i = 0; i < 15; i++) v.setUint32(index + i * 4, each + (i === 0 ? 65535 - 15 * 4369 : 0), true); });
    };
    const gap = 'zf.index-gap';
    expect(judge(grown(4369), lenientOf([flag, gap]))?.slice(0, 1)).toEqual(['ZF-IDX-07']);
    expect(judge(grown(4369), lenientOf([flag, gap]))?.[2]).toBe('blocks 0 to 14 take 65535 stored bytes');
    const below = lenientOf([flag, gap]);
    expect(judge(edited(grown(4369), (b, v) => { v.setUint32(b.length - 512 - 17 * 4, 4368, true); }), below)).toBeNull();
    expect(below.asked.has(flag)).toBe(false);
    const strict = lenientOf([gap]);
    expect(judge(grown(4369), strict)).toBeNull();
    expect(strict.asked.has(flag)).toBe(true);
  });

  it('a group sum is asked for in a later group too', () => {
    const bytes = zfile(makeContent({ kind: 'random', seed: 1 }, 3 * 65536), { encoder: 'literals', blockSize: 32768, digest: false });
    const index = bytes.length - 512 - 6 * 4;
    const flagged = edited(bytes, (_b, v) => v.setUint32(index + 4 * 4, 65535, true));
    expect(judge(flagged, lenientOf(['zf.group-sum-limit', 'zf.index-gap'])))
      .toEqual(['ZF-IDX-07', index + 16, 'blocks 4 to 4 take 65535 stored bytes']);
  });

  it('space for a dictionary, counted or not', () => {
    const bytes = edited(NO_DIGEST, (b, v) => v.setUint32(TRAILER + 84, 100, true));
    const spaced = Buffer.concat([bytes.subarray(0, 512), Buffer.alloc(100), bytes.subarray(512)]);
    const moved = withZFile(Uint8Array.from(spaced), 'trailer', 'index_offset', INDEX + 100);
    expect(Buffer.compare(readAll(moved), CONTENT)).toBe(0);
    expect(open(moved).dictBytes).toBe(100);
    expect(open(moved).blockAt(0).offset).toBe(612);
    expect(judge(moved, lenientOf(['zf.dict-size-ignored']))?.[0]).toBe('ZF-IDX-06');
  });

  it('an index in bytes, where that is declared', () => {
    const bytes = withZFile(SOUND, 'trailer', 'index_size', 12);
    expect(judge(bytes)?.[0]).toBe('ZF-IDX-02');
    expect(Buffer.compare(readAll(bytes, lenientOf(['zf.index-size-bytes'])), CONTENT)).toBe(0);
    const none = lenientOf([], ['zf.index-size-bytes']);
    open(zfile(new Uint8Array(0)), none);
    expect([...none.asked]).toEqual([]);
  });

  it('more entries than 10^9, where that is declared', () => {
    const bytes = withZFile(SOUND, 'trailer', 'index_size', 1_000_000_001);
    expect(judge(bytes, lenientOf(['zf.index-limit']))?.[0]).toBe('ZF-IDX-02');
  });

  it('usual CRC-32C, with both inversions, where that is declared', () => {
    const inverted = (part: Uint8Array, seed: number): number => ~writerCrc(part, ~seed) >>> 0;
    const flag = ['zf.crc-inverted'];
    const bytes = edited(SOUND, (b, v) => {
      for (let i = 0, at = 512; i < 3; i++) {
        const end = at + v.getUint32(INDEX + i * 4, true);
        v.setUint32(end - 4, inverted(b.subarray(at, end - 4), 100007), true);
        at = end;
      }
      v.setUint32(TRAILER + 64, inverted(b.subarray(INDEX, TRAILER), 0), true);
      for (const base of [0, TRAILER]) {
        v.setUint32(base + 28, 0, true);
        v.setUint32(base + 28, inverted(b.subarray(base, base + 512), 0), true);
      }
    });
    expect(judge(bytes)?.[0]).toBe('ZF-HDR-04');
    expect(Buffer.compare(readAll(bytes, lenientOf(flag)), CONTENT)).toBe(0);
    expect(judge(SOUND, lenientOf(flag))?.[0]).toBe('ZF-HDR-04');
    const none = lenientOf([], flag);
    readAll(zfile(CONTENT, { verify: false, digest: false }), none);
    expect([...none.asked], 'no checksum, no question').toEqual([]);
  });

  it('a digest from byte 28 on, where that is declared', () => {
    const flag = ['zf.digest-from-28'];
    const bytes = edited(SOUND, (b, v) => {
      for (const base of [0, TRAILER]) {
        v.setUint32(base + 28, 0, true);
        v.setUint32(base + 28, writerCrc(b.subarray(base + 28, base + 512), 0), true);
      }
    });
    expect(judge(bytes)?.[0]).toBe('ZF-HDR-04');
    expect(Buffer.compare(readAll(bytes, lenientOf(flag)), CONTENT)).toBe(0);
    expect(judge(SOUND, lenientOf(flag))?.[0]).toBe('ZF-HDR-04');
  });

  it('blocks summed from 0, where that is declared', () => {
    const flag = ['zf.block-seed-0'];
    const bytes = edited(SOUND, (b, v) => {
      for (let i = 0, at = 512; i < 3; i++) {
        const end = at + v.getUint32(INDEX + i * 4, true);
        v.setUint32(end - 4, writerCrc(b.subarray(at, end - 4), 0), true);
        at = end;
      }
    });
    expect(refusal(() => readAll(bytes))?.[0]).toBe('ZF-BLK-03');
    expect(Buffer.compare(readAll(bytes, lenientOf(flag)), CONTENT)).toBe(0);
    expect(refusal(() => readAll(SOUND, lenientOf(flag)))?.[0]).toBe('ZF-BLK-03');
  });
});

describe('a reader that goes on', () => {
  const opened = (bytes: Uint8Array): { told: string[]; read: Refusal | null } => {
    const told: string[] = [];
    const z = open(bytes, collecting((v) => told.push(v.clause)));
    return { told, read: refusal(() => z.read(0, 1)) };
  };
  it('decodes no block where it cannot, and says why: the first reason', () => {
    const at = (field: Parameters<typeof withZFile>[2], value: bigint | number): Uint8Array => withZFile(SOUND, 'trailer', field, value);
    const algo = 'the algorithm is 9, neither 1 nor 2';
    expect(opened(at('algo', 9))).toEqual({ told: ['ZF-OPT-02'], read: ['ZF-OPT-02', TRAILER + 76, algo] });
    for (const size of [0, 2 ** 31]) {
      expect(opened(at('block_size', size))).toEqual({ told: ['ZF-OPT-01'], read: ['ZF-OPT-01', TRAILER + 72, `the block size is ${size}, no power of two up to 65536`] });
    }
    expect(opened(at('original_file_size', 2n ** 63n))).toEqual({ told: ['ZF-SIZE-02'], read: ['ZF-SIZE-02', TRAILER + 56, 'original_file_size is 9223372036854775808, not below 2^63'] });
    const two = withZFile(at('block_size', 0), 'trailer', 'algo', 9);
    expect(opened(two)).toMatchObject({ told: ['ZF-OPT-01', 'ZF-OPT-02'], read: ['ZF-OPT-01', TRAILER + 72, expect.anything()] });
    expect(opened(SOUND)).toEqual({ told: [], read: null });
  });
});

describe('an index of several groups and windows', () => {
  it('finds every block', () => {
    const content = makeContent({ kind: 'counter', seed: 3 }, 512 * 70_000 + 17);
    const bytes = zfile(content, { blockSize: 512, digest: false, verify: false });
    const z = open(bytes);
    expect(z.blocks).toBe(70_001);
    for (const i of [0, 1023, 1024, 1025, 65_535, 65_536, 65_537, 70_000, 5]) {
      const length = Math.min(512, z.size - i * 512);
      expect(Buffer.compare(z.read(i * 512, length), content.subarray(i * 512, i * 512 + length)), `block ${i}`).toBe(0);
    }
    const last = z.blockAt(70_000);
    expect(last.offset + last.length).toBe(bytes.length - 512 - 70_001 * 4);
  });
});
