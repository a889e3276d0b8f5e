// SPDX-License-Identifier: MIT
/** The blocks of an open ZFile: checksums, decoding, reads at any byte. */
import { BLOCK_CRC_SEED } from '../spec/index.ts';
import { emptyBlock, type BlockTable } from './block-table.ts';
import { Checksum } from './checksum.ts';
import { decodeLz4Into } from './lz4.ts';
import { checkRange, piecesOf, slidingWindow, type ByteSource } from './source.ts';
import { Violation, type Leniency } from './violation.ts';
import { decodeZstdBlock } from './zstd.ts';

export interface ZFileReader extends ByteSource {
  readonly blockSize: number;
  readonly algo: 'lz4' | 'zstd';
  /** Whether the fields came from the header (flag bit 3). */
  readonly headerMode: boolean;
  readonly dictBytes: number;
  /** Where block `i` stands in the file, its CRC excluded from `length`. */
  blockAt(i: number): { readonly offset: number; readonly length: number };
  readonly blocks: number;
  /**
   * Decodes every block in turn, and hands what is wrong with each to the
   * leniency it was opened with. Yields, now and then, the bytes of the file
   * that are behind it.
   */
  verify(): Iterable<number>;
}

export interface BlockLayout {
  readonly source: ByteSource;
  readonly table: BlockTable;
  /** Decoded bytes. */
  readonly size: number;
  readonly blockSize: number;
  readonly algo: 'lz4' | 'zstd';
  /** 4 where blocks carry a CRC, else 0. */
  readonly crcBytes: number;
  readonly headerMode: boolean;
  readonly dictBytes: number;
  readonly indexOffset: number;
  readonly lenient: Leniency;
  /** Why no block can be decoded, where a collecting reader went on all the same. */
  readonly undecodable: Violation | null;
}

/** Bytes that are read from the file at a time. */
const WINDOW = 1 << 20;
/** Between two yields of `verify`: blocks at the most, and bytes of the file before a block ends it. */
const STEP = 1024;
const STEP_BYTES = 8 << 20;
/**
 * Stored bytes of one block that are handed to a decoder. No LZ4 block of 64
 * KiB takes in a hundredth of that before it ends or is wrong; a ZSTD frame could, by
 * millions of empty blocks, and is then taken for one that does not decode.
 */
const MAX_DECODER_INPUT = 16 << 20;

export function zfileReader(layout: BlockLayout): ZFileReader {
  const { source, size, blockSize, table, crcBytes, lenient } = layout;
  const decoder = makeDecoder(layout);
  let cachedIndex = -1;
  let cached = new Uint8Array(0);

  /** Block `i`, through a buffer that lives until the next call. */
  const block = (i: number): Uint8Array => {
    if (i === cachedIndex) return cached;
    if (cached.length === 0) cached = new Uint8Array(blockSize);
    cachedIndex = -1;
    decoder(i, cached, (offset, length) => source.read(offset, length));
    cachedIndex = i;
    return cached;
  };

  return {
    size, blockSize,
    blocks: table.count,
    algo: layout.algo,
    headerMode: layout.headerMode,
    dictBytes: layout.dictBytes,
    blockAt(i) {
      const offset = table.startOf(i);
      return { offset, length: table.endOf(i) - offset - crcBytes };
    },
    read(offset, length) {
      checkRange(size, offset, length);
      if (layout.undecodable) throw layout.undecodable;
      const out = new Uint8Array(length);
      const fetch = slidingWindow(source, Math.min(length, WINDOW));
      for (let done = 0; done < length;) {
        const i = Math.floor((offset + done) / blockSize);
        const inBlock = offset + done - i * blockSize;
        const wanted = Math.min(blockSize - inBlock, length - done);
        if (wanted === blockSize) decoder(i, out.subarray(done, done + blockSize), fetch);
        else out.set(block(i).subarray(inBlock, inBlock + wanted), done);
        done += wanted;
      }
      return out;
    },
    * verify() {
      const fetch = slidingWindow(source, WINDOW);
      const out = new Uint8Array(layout.undecodable ? 0 : blockSize);
      let told = 0;
      for (let i = 0; i < table.count; i++) {
        try {
          decoder(i, out, fetch);
        } catch (e) {
          if (!(e instanceof Violation)) throw e;
          // Opening has told of empty entries, and of what keeps all blocks from being decoded.
          if (e.clause !== 'ZF-IDX-04' && e !== layout.undecodable) lenient.found(e);
        }
        const end = table.endOf(i);
        if (i % STEP !== STEP - 1 && end - told < STEP_BYTES) continue;
        told = end;
        yield end;
      }
    },
  };
}

type Fetch = (offset: number, length: number) => Uint8Array;

/** Decodes block `i` into the first bytes of `out`. Throws Violation. */
function makeDecoder({ source, size, blockSize, algo, table, crcBytes, indexOffset, lenient, undecodable }: BlockLayout) {
  return (i: number, out: Uint8Array, fetch: Fetch): void => {
    if (i >= table.count) throw new Violation('ZF-IDX-05', table.end, `block ${i} is not in the index, which has ${table.count} entries`);
    const offset = table.startOf(i);
    const end = table.endOf(i);
    const length = end - offset - crcBytes;
    if (length <= 0) throw emptyBlock(i, indexOffset, end - offset, crcBytes);
    if (end > source.size) throw new Violation('ZF-BLK-04', offset, `block ${i} ends at byte ${end}, the file at byte ${source.size}`);
    const whole = length <= MAX_DECODER_INPUT;
    const bytes = fetch(offset, whole ? length + crcBytes : MAX_DECODER_INPUT);
    const stored = whole ? bytes.subarray(0, length) : bytes;
    if (crcBytes > 0) {
      const sum = new Checksum(lenient, lenient.has('zf.block-seed-0') ? 0 : BLOCK_CRC_SEED);
      if (whole) sum.add(stored);
      else for (const piece of piecesOf(source, offset, length, WINDOW)) sum.add(piece.bytes);
      const trailer = whole ? bytes.subarray(length) : source.read(offset + length, crcBytes);
      const recorded = (trailer[0]! | trailer[1]! << 8 | trailer[2]! << 16 | trailer[3]! << 24) >>> 0;
      if (recorded !== sum.value) {
        throw new Violation('ZF-BLK-03', offset, `the CRC of block ${i} is ${hex(recorded)}, its bytes give ${hex(sum.value)}`);
      }
    }
    if (undecodable) throw undecodable;
    const decodedBytes = Math.min(blockSize, size - i * blockSize);
    // An index with more entries than there are blocks: opening has told of it.
    if (decodedBytes <= 0) return;
    if (algo === 'lz4') decodeLz4Into(stored, out, decodedBytes, offset, lenient);
    else out.set(decodeZstdBlock(stored, decodedBytes, offset, lenient));
  };
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
