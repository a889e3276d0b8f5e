// SPDX-License-Identifier: MIT
/** No image costs the oracle more than its own bytes: every number in it, and images that are computed and not held. */
import { describe, expect, it } from 'vitest';
import type { Case, Layer } from '../model/index.ts';
import { makeContent } from '../generators/content.ts';
import { lsmtHeader } from '../generators/lsmt-header.ts';
import { writePair } from '../generators/lsmt-writer.ts';
import { writeTar } from '../generators/tar-writer.ts';
import { PLAIN_ZFILE, sealDigest, writeZFile } from '../generators/zfile-writer.ts';
import {
  INVALID_OFFSET, LSMT_HEADER, LSMT_SPACE, SEGMENT_BITS, SEGMENT_ENTRY, setInteger, setSegment, ZFILE_HEADER, ZFILE_SPACE, type Structure,
} from '../spec/index.ts';
import { layer, refusal } from '../test/oracle-images.ts';
import { checkLayers } from './check.ts';
import { examine } from './examine.ts';
import { openLsmt } from './lsmt.ts';
import { openPair } from './pair.ts';
import { bufferSource, checkRange, type ByteSource } from './source.ts';
import { RecordedLeniency, STRICT } from './violation.ts';
import { openZFile } from './zfile.ts';

const EDGES = [2n ** 7n, 2n ** 8n, 2n ** 16n, 2n ** 31n, 2n ** 32n, 2n ** 50n, 2n ** 53n, 2n ** 55n, 2n ** 59n, 2n ** 60n, 2n ** 63n, 2n ** 64n];
/** Around every width a field or a number of ours has. */
const VALUES = [0n, 1n, ...EDGES.flatMap((e) => [e - 1n, e, e + 1n]), 2n ** 64n - 16n, 2n ** 64n - 512n, 2n ** 64n - 4096n];
/** Bytes that one judgement may leave allocated. */
const ROOM = 64 << 20;

function caseOf(device: 'zfile' | 'lsmt', made: Layer): Case {
  return {
    id: 'hostile', device, layers: [made],
    access: { slack: 'page', deviceBytes: 4096, reads: [{ offset: 0, length: 65536, bufferOffset: 0, mode: 'direct' }] },
    clauses: { exercises: [], violates: [] },
  };
}

/** Examines and checks; what it costs is bounded. */
function judge(device: 'zfile' | 'lsmt', made: Layer): void {
  const before = process.memoryUsage().arrayBuffers;
  expect(examine(caseOf(device, made)).expectation.strict.outcome).toMatch(/refuse|open/);
  checkLayers([{ file: bufferSource(made.bytes), ...(made.index && { index: bufferSource(made.index) }), ...(made.remote && { remote: bufferSource(made.remote) }) }]);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(ROOM);
}

it('the oracle leaves the image as it was, whatever kind of array holds it', () => {
  const bytes = Buffer.from(writeZFile(makeContent({ kind: 'text', seed: 1 }, 5000), PLAIN_ZFILE));
  const before = Buffer.from(bytes);
  for (let i = 0; i < 2; i++) expect(examine(caseOf('zfile', { wrapping: ['zfile'], bytes })).expectation.strict.outcome).toBe('open');
  expect(bytes.equals(before)).toBe(true);
});

/** Integer fields of a structure; a byte field is damaged elsewhere. */
const integers = <Name extends string>(s: Structure<Name>): Name[] => s.fields.filter((f) => f.type[0] === 'u').map((f) => f.name);

describe('hostile numbers cost the oracle nothing', () => {
  const zfile = writeZFile(makeContent({ kind: 'mixed', seed: 3 }, 20_000), PLAIN_ZFILE);
  const overwrite = writeZFile(makeContent({ kind: 'mixed', seed: 3 }, 20_000), { ...PLAIN_ZFILE, headerMode: true });
  for (const [name, image, base] of [['header', zfile, 0], ['header in header mode', overwrite, 0], ['trailer', zfile, zfile.length - ZFILE_SPACE]] as const) {
    it.each(integers(ZFILE_HEADER))(`ZFile ${name}, %s`, (field) => {
      for (const value of VALUES) {
        const bytes = image.slice();
        setInteger(bytes, ZFILE_HEADER, field, value, base);
        if (field !== 'digest') sealDigest(bytes.subarray(base, base + ZFILE_SPACE));
        judge('zfile', { wrapping: ['zfile'], bytes });
      }
    });
  }

  it('entries of a ZFile’s index', () => {
    const plain = writeZFile(makeContent({ kind: 'mixed', seed: 3 }, 20_000), { ...PLAIN_ZFILE, digest: false });
    for (const value of VALUES) {
      for (const i of [0, 2, 4]) {
        const bytes = plain.slice();
        new DataView(bytes.buffer).setUint32(bytes.length - ZFILE_SPACE - 20 + i * 4, Number(BigInt.asUintN(32, value)), true);
        judge('zfile', { wrapping: ['zfile'], bytes });
      }
    }
  });

  const entries = [{ offset: 3, length: 5, moffset: 8 }, { offset: 10, length: 1, moffset: 8, zeroed: true }];
  const sealed = layer({ entries });
  for (const [name, base] of [['header', 0], ['trailer', sealed.length - LSMT_SPACE]] as const) {
    it.each(integers(LSMT_HEADER))(`LSMT ${name}, %s`, (field) => {
      for (const value of VALUES) {
        const bytes = sealed.slice();
        setInteger(bytes, LSMT_HEADER, field, value, base);
        judge('lsmt', { wrapping: [], bytes });
        judge('lsmt', { wrapping: [], bytes, remote: new Uint8Array(5000) });
      }
    });
  }

  const pair = writePair([{ offset: 0, length: 2, content: new Uint8Array(1024).fill(1) }, { offset: 1, length: 2, content: null }], 65536);
  it.each(integers(LSMT_HEADER))('header of a pair’s files, %s', (field) => {
    for (const value of VALUES) {
      const index = pair.index.slice();
      setInteger(index, LSMT_HEADER, field, value);
      judge('lsmt', { wrapping: [], bytes: pair.data, index });
      const bytes = pair.data.slice();
      setInteger(bytes, LSMT_HEADER, field, value);
      judge('lsmt', { wrapping: [], bytes, index: pair.index });
      if (field !== 'flags') judge('lsmt', { wrapping: [], bytes, extents: [{ from: 0, to: bytes.length }] });
    }
  });

  it.each(['offset', 'length', 'moffset', 'tag'] as const)('%s of an entry', (field) => {
    for (const value of VALUES) {
      const cut = BigInt.asUintN(SEGMENT_BITS[field].width, value);
      const changed = { offset: 3n, length: 5, moffset: 8n, zeroed: false, tag: 0, [field]: field === 'length' || field === 'tag' ? Number(cut) : cut };
      const bytes = sealed.slice();
      setSegment(bytes, 8192, changed);
      judge('lsmt', { wrapping: [], bytes });
      judge('lsmt', { wrapping: [], bytes, remote: new Uint8Array(5000) });
      const index = pair.index.slice();
      setSegment(index, LSMT_SPACE, changed);
      judge('lsmt', { wrapping: [], bytes: pair.data, index });
    }
  });

  it('sizes in a tar', () => {
    const plain = writeTar(sealed, false);
    const pax = writeTar(sealed, true);
    for (const value of VALUES) {
      for (const text of [value.toString(8).padStart(11, '0'), value.toString(8).slice(0, 11).padStart(11, '0'), String(value)]) {
        for (const [image, at] of [[plain, 124], [pax, 124], [pax, 1024 + 124], [pax, 512 + 8]] as const) {
          const bytes = image.slice();
          bytes.set(Buffer.from(`${text}\n\0`, 'latin1').subarray(0, 12), at);
          judge('lsmt', { wrapping: ['tar'], bytes });
        }
      }
    }
  });
});

/** A source that computes its bytes: `parts` stand at their places, the rest is what `fill` makes. */
function lazy(size: number, parts: readonly { readonly at: number; readonly bytes: Uint8Array }[], fill: (target: Uint8Array, at: number) => void = () => undefined) {
  const source = {
    size,
    /** Bytes of the longest read, and of all. */
    longest: 0,
    total: 0,
    read(offset: number, length: number): Uint8Array {
      checkRange(size, offset, length);
      source.longest = Math.max(source.longest, length);
      source.total += length;
      const out = new Uint8Array(length);
      fill(out, offset);
      for (const { at, bytes } of parts) {
        const from = Math.max(at, offset);
        const to = Math.min(at + bytes.length, offset + length);
        if (from < to) out.set(bytes.subarray(from - at, to - at), from - offset);
      }
      return out;
    },
  };
  return source satisfies ByteSource;
}

describe('images that are computed and not held', () => {
  const VIRTUAL = { virtualSize: 2 ** 40 };

  /** Entries of one sector each, one behind the other, all of them mapping sector 8; or all INVALID. Words are set by hand: there are millions. */
  const ramp = (start: number, invalid = false) => (target: Uint8Array, at: number): void => {
    const v = new DataView(target.buffer);
    const high = invalid ? Number(INVALID_OFFSET >> 32n) : 1 << (SEGMENT_BITS.length.shift - 32);
    for (let k = 0; k + SEGMENT_ENTRY <= target.length; k += SEGMENT_ENTRY) {
      v.setUint32(k, invalid ? 0xffff_ffff : (at + k - start) / SEGMENT_ENTRY, true);
      v.setUint32(k + 4, high, true);
      v.setUint32(k + 8, 8, true);
    }
  };

  /** A sealed layer of one data sector and `count` entries. */
  const huge = (count: number, invalid = false) => {
    const start = LSMT_SPACE + 512;
    const trailer = start + count * SEGMENT_ENTRY;
    return lazy(trailer + LSMT_SPACE, [
      { at: 0, bytes: lsmtHeader(7, VIRTUAL) }, { at: LSMT_SPACE, bytes: new Uint8Array(512) },
      { at: trailer, bytes: lsmtHeader(6, VIRTUAL, start, count) },
    ], ramp(start, invalid));
  };

  it('a layer of 10^6 entries is opened, in windows', () => {
    const source = huge(1_000_000);
    const opened = openLsmt(source, STRICT);
    expect(opened.entries).toBe(1_000_000);
    expect(source.longest).toBeLessThanOrEqual(1 << 20);
    expect(opened.mappings).toHaveLength(1_000_000);
    expect(opened.mappings.at(-1)).toEqual({ start: 999_999, end: 1_000_000, moffset: 8, zeroed: false, file: 0 });
    expect(openLsmt(huge(1_000_000, true), STRICT).mappings).toEqual([]);
  });

  it('one of 10^6 + 1 is refused before its entries are read', () => {
    const source = huge(1_000_001);
    expect(refusal(() => openLsmt(source, STRICT))?.[0]).toBe('LS-IDX-01');
    expect(source.total).toBe(2 * LSMT_SPACE);
    expect(openLsmt(huge(1_000_001), new RecordedLeniency(['ls.index-limit'])).entries).toBe(1_000_001);
  });

  it('one of 2^32 entries is refused by every reader', () => {
    const source = huge(2 ** 32);
    expect(refusal(() => openLsmt(source, new RecordedLeniency(['ls.index-limit'])))?.[0]).toBe('LS-IDX-01');
    expect(source.total).toBe(2 * LSMT_SPACE);
  });

  it('a pair’s index of 128,000,001 entries is refused before they are read', () => {
    const data = lazy(LSMT_SPACE + 512, [{ at: 0, bytes: lsmtHeader(3, VIRTUAL) }]);
    const index = (count: number) => lazy(LSMT_SPACE + count * SEGMENT_ENTRY, [{ at: 0, bytes: lsmtHeader(1, VIRTUAL, LSMT_SPACE) }], ramp(LSMT_SPACE));
    const tooLong = index(128_000_001);
    expect(refusal(() => openPair(data, tooLong, STRICT))).toEqual(['LS-RW-05', 4096, 'the index file has 128000001 entries, more than 128000000']);
    expect(tooLong.total).toBe(LSMT_SPACE);
    const longest = index(128_000_000);
    const read = (offset: number, length: number): Uint8Array => {
      if (offset > 0) throw new RangeError('its entries are read');
      return longest.read(offset, length);
    };
    expect(() => openPair(data, { size: longest.size, read }, STRICT)).toThrow('its entries are read');
    // A part of an entry is none.
    expect(() => openPair(data, { size: longest.size + 15, read }, STRICT)).toThrow('its entries are read');
    expect(openPair(data, index(200_000), STRICT).entries).toBe(200_000);
  });

  /** The fields of a ZFile of LZ4 blocks, and its trailer. */
  const trailerOf = (fields: Partial<Record<'index_offset' | 'index_size' | 'original_file_size' | 'block_size', number>>): Uint8Array => {
    const trailer = writeZFile(new Uint8Array(0), { ...PLAIN_ZFILE, digest: false }).slice(ZFILE_SPACE);
    for (const [name, value] of Object.entries(fields)) setInteger(trailer, ZFILE_HEADER, name as 'index_size', value);
    return trailer;
  };
  const header = writeZFile(new Uint8Array(0), { ...PLAIN_ZFILE, digest: false }).subarray(0, ZFILE_SPACE);

  it('a ZFile of 10^9 + 1 blocks is refused before its index is read', () => {
    const count = 1_000_000_001;
    const size = ZFILE_SPACE + count * 4 + ZFILE_SPACE;
    const source = lazy(size, [
      { at: 0, bytes: header }, { at: size - ZFILE_SPACE, bytes: trailerOf({ index_offset: ZFILE_SPACE, index_size: count, original_file_size: count * 4096 }) },
    ]);
    expect(refusal(() => openZFile(source, STRICT))?.[0]).toBe('ZF-IDX-01');
    expect(source.total).toBe(2 * ZFILE_SPACE);
    expect(checkLayers([{ file: source }]).violations.map((v) => v.clause)).toEqual(['ZF-IDX-01']);
  });

  it('a ZFile of ten million blocks takes 8 bytes a 1024 of them', () => {
    const count = 10_000_000;
    const stored = 9;
    const index = ZFILE_SPACE + count * stored;
    const size = index + count * 4 + ZFILE_SPACE;
    const source = lazy(size, [
      { at: 0, bytes: header }, { at: size - ZFILE_SPACE, bytes: trailerOf({ index_offset: index, index_size: count, original_file_size: count * 4096 }) },
    ], (target, at) => {
      if (at < index) return;
      const v = new DataView(target.buffer);
      for (let k = 0; k + 4 <= target.length; k += 4) v.setUint32(k, stored, true);
    });
    const before = process.memoryUsage().arrayBuffers;
    const opened = openZFile(source, STRICT);
    expect(opened.size).toBe(count * 4096);
    expect(opened.blockAt(9_999_999)).toEqual({ offset: index - stored, length: stored - 4 });
    expect(source.longest).toBeLessThanOrEqual(1 << 20);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(ROOM);
    expect(refusal(() => opened.read(9_999_999 * 4096, 1))?.[0]).toBe('ZF-BLK-03');
  });

  it('a block of 300 MiB is summed in windows and never held', () => {
    const stored = 300 << 20;
    const index = ZFILE_SPACE + stored;
    const size = index + 4 + ZFILE_SPACE;
    const entry = new Uint8Array(4);
    new DataView(entry.buffer).setUint32(0, stored, true);
    const fields = trailerOf({ index_offset: index, index_size: 1, original_file_size: 4096 });
    const image = (verify: number) => {
      const trailer = fields.slice();
      setInteger(trailer, ZFILE_HEADER, 'verify', verify);
      return lazy(size, [{ at: 0, bytes: header }, { at: index, bytes: entry }, { at: size - ZFILE_SPACE, bytes: trailer }], (target) => target.fill(255));
    };
    const summed = image(1);
    expect(refusal(() => openZFile(summed, STRICT).read(0, 1))?.[0]).toBe('ZF-BLK-03');
    expect(summed.total).toBeGreaterThan(stored);
    expect(summed.longest).toBeLessThanOrEqual(16 << 20);
    const plain = image(0);
    expect(refusal(() => openZFile(plain, STRICT).read(0, 1))?.[0]).toBe('ZF-LZ4-03');
    expect(plain.longest).toBeLessThanOrEqual(16 << 20);
  });
});
