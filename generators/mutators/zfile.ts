// SPDX-License-Identifier: MIT
/** Damage to ZFiles. They are ours and sound when they come in, so their fields can be trusted here. */
import {
  BLOCK_CRC_SEED, fieldOf, getBytes, getInteger, hasFlag, JUMP_ENTRY, setInteger, ZFILE_FLAG, ZFILE_HEADER, ZFILE_SPACE, type ZFileField,
} from '../../spec/index.ts';
import { writerCrc } from '../checksum.ts';
import { sealDigest } from '../zfile-writer.ts';
import { append, damageByte, truncate } from './common.ts';
import { boundaryValues, pick, type Mutator } from './mutator.ts';

interface Layout {
  /** Where the header or trailer stands whose fields count. */
  readonly base: number;
  readonly indexOffset: number;
  readonly entries: number;
  readonly verify: boolean;
}

function layoutOf(bytes: Uint8Array): Layout {
  const headerMode = hasFlag(getInteger(bytes, ZFILE_HEADER, 'flags'), ZFILE_FLAG.headerOverwrite);
  const base = headerMode ? 0 : bytes.length - ZFILE_SPACE;
  const field = (name: ZFileField): number => Number(getInteger(bytes, ZFILE_HEADER, name, base));
  return { base, indexOffset: field('index_offset'), entries: field('index_size'), verify: field('verify') !== 0 };
}

function resealHeader(bytes: Uint8Array, base: number): void {
  sealDigest(bytes.subarray(base, base + ZFILE_SPACE));
}

/** Makes index_crc right for the index that the fields name, where that lies in the file. */
function resealIndex(bytes: Uint8Array, base: number): void {
  const start = getInteger(bytes, ZFILE_HEADER, 'index_offset', base);
  const end = start + getInteger(bytes, ZFILE_HEADER, 'index_size', base) * BigInt(JUMP_ENTRY);
  if (end > BigInt(bytes.length)) return;
  setInteger(bytes, ZFILE_HEADER, 'index_crc', writerCrc(bytes.subarray(Number(start), Number(end)), 0), base);
}

/** Gives a field of the header or trailer that does not count a value; nothing may change. */
const otherCopy: Mutator = {
  name: 'zfile.other-copy',
  on: 'zfile',
  violates: [],
  apply(bytes, a, b, reseal) {
    const out = bytes.slice();
    const base = layoutOf(out).base === 0 ? out.length - ZFILE_SPACE : 0;
    const field = pick(['index_offset', 'index_size', 'original_file_size', 'block_size', 'verify', 'dict_size', 'index_crc', 'size'] as const, a);
    setInteger(out, ZFILE_HEADER, field, pick([0n, 1n, 512n, 8192n, (1n << 32n) - 1n], b), base);
    if (reseal) resealHeader(out, base);
    return out;
  },
};

/** Gives one field of the header that counts a value from its borders. */
function fieldMutator(field: ZFileField, violates: readonly string[], values: (l: Layout, bytes: Uint8Array) => readonly bigint[]): Mutator {
  return {
    name: `zfile.${field}`,
    on: 'zfile',
    violates,
    apply(bytes, a, _b, reseal) {
      const out = bytes.slice();
      const layout = layoutOf(out);
      setInteger(out, ZFILE_HEADER, field, pick(values(layout, out), a), layout.base);
      if (reseal) {
        if (field.startsWith('index_') && field !== 'index_crc') resealIndex(out, layout.base);
        resealHeader(out, layout.base);
      }
      return out;
    },
  };
}

function borders(field: ZFileField, around: (l: Layout, bytes: Uint8Array) => readonly number[]) {
  return (l: Layout, bytes: Uint8Array): bigint[] => {
    const width = (fieldOf(ZFILE_HEADER, field).size * 8) as 8 | 32 | 64;
    return boundaryValues(getInteger(bytes, ZFILE_HEADER, field, l.base), width, around(l, bytes));
  };
}

/** Flips a flag bit of the header (`where` 0) or of the trailer. */
function flagMutator(where: 'header' | 'trailer', bits: readonly number[], violates: readonly string[]): Mutator {
  return {
    name: `zfile.${where}.flags`,
    on: 'zfile',
    violates,
    apply(bytes, a, _b, reseal) {
      const out = bytes.slice();
      const base = where === 'header' ? 0 : out.length - ZFILE_SPACE;
      const flags = getInteger(out, ZFILE_HEADER, 'flags', base);
      setInteger(out, ZFILE_HEADER, 'flags', flags ^ (1n << BigInt(pick(bits, a))), base);
      if (reseal) resealHeader(out, base);
      return out;
    },
  };
}

function magicMutator(where: 'header' | 'trailer', violates: readonly string[]): Mutator {
  return {
    name: `zfile.${where}.magic`,
    on: 'zfile',
    violates,
    apply(bytes, a, b, reseal) {
      const base = where === 'header' ? 0 : bytes.length - ZFILE_SPACE;
      const out = damageByte(bytes, base, base + 24, a, b);
      if (reseal && out !== bytes) resealHeader(out, base);
      return out;
    },
  };
}

const jumpEntry: Mutator = {
  name: 'zfile.jump-table',
  on: 'zfile',
  violates: ['ZF-IDX-04', 'ZF-IDX-06', 'ZF-IDX-03', 'ZF-BLK-04'],
  apply(bytes, a, b, reseal) {
    const layout = layoutOf(bytes);
    if (layout.entries === 0) return bytes;
    const out = bytes.slice();
    const at = layout.indexOffset + (a % layout.entries) * JUMP_ENTRY;
    const v = new DataView(out.buffer);
    const values = boundaryValues(BigInt(v.getUint32(at, true)), 32, [3, 5, 4096, 65536, out.length]);
    v.setUint32(at, Number(pick(values, b)), true);
    if (reseal) {
      resealIndex(out, layout.base);
      resealHeader(out, layout.base);
    }
    return out;
  },
};

const blockByte: Mutator = {
  name: 'zfile.block-byte',
  on: 'zfile',
  violates: ['ZF-BLK-03', 'ZF-LZ4-01', 'ZF-LZ4-02', 'ZF-LZ4-03', 'ZF-LZ4-04', 'ZF-BLK-05'],
  apply(bytes, a, b, reseal) {
    const { indexOffset, entries, verify } = layoutOf(bytes);
    if (entries === 0) return bytes;
    const v = new DataView(bytes.buffer, bytes.byteOffset);
    const chosen = a % entries;
    let start = ZFILE_SPACE;
    for (let i = 0; i < chosen; i++) start += v.getUint32(indexOffset + i * JUMP_ENTRY, true);
    const stored = v.getUint32(indexOffset + chosen * JUMP_ENTRY, true) - (verify ? 4 : 0);
    // The first bytes steer the decoder; the rest is mostly literals.
    const reach = b % 3 === 0 ? stored : Math.min(stored, 24);
    const out = damageByte(bytes, start, start + reach, b >>> 3, b);
    if (reseal && verify && out !== bytes) {
      new DataView(out.buffer).setUint32(start + stored, writerCrc(out.subarray(start, start + stored), BLOCK_CRC_SEED), true);
    }
    return out;
  },
};

const reserved: Mutator = {
  name: 'zfile.stale-digest',
  on: 'zfile',
  violates: ['ZF-HDR-04'],
  apply(bytes, a) {
    const out = bytes.slice();
    const spare = getBytes(out, ZFILE_HEADER, 'reserved2', 0);
    spare[a % spare.length]! ^= 1;
    return out;
  },
};

function anywhere(name: string, apply: Mutator['apply']): Mutator {
  return { name, on: 'zfile', violates: [], apply };
}

export const ZFILE_MUTATORS: readonly Mutator[] = [
  magicMutator('header', ['ZF-HDR-02']),
  magicMutator('trailer', ['ZF-TRL-01']),
  flagMutator('header', [0, 1, 2, 3, 4, 5, 63], ['ZF-HDR-03', 'ZF-TRL-06']),
  flagMutator('trailer', [0, 1, 2, 3, 4, 5], ['ZF-TRL-02', 'ZF-TRL-03', 'ZF-TRL-04']),
  reserved,
  otherCopy,
  fieldMutator('size', ['ZF-HDR-05'], () => [0n, 95n, 97n, 512n]),
  fieldMutator('index_offset', ['ZF-IDX-02', 'ZF-IDX-06'], borders('index_offset', (_l, b) => [ZFILE_SPACE, b.length - ZFILE_SPACE, b.length])),
  fieldMutator('index_size', ['ZF-IDX-01', 'ZF-IDX-02', 'ZF-IDX-05'],
    borders('index_size', (_l, b) => [b.length >>> 2, 1 << 28, 1_000_000_000, 1 << 20])),
  fieldMutator('original_file_size', ['ZF-IDX-05', 'ZF-SIZE-02'], borders('original_file_size', () => [4096, 65536])),
  fieldMutator('block_size', ['ZF-OPT-01', 'ZF-BLK-06'], () => [0n, 1n, 511n, 512n, 4095n, 4097n, 8192n, 65536n, 65537n, 131072n, 1n << 31n]),
  fieldMutator('algo', ['ZF-OPT-02', 'ZF-ZST-01'], () => [0n, 2n, 3n, 255n]),
  fieldMutator('use_dict', ['ZF-OPT-03'], () => [1n, 255n]),
  fieldMutator('dict_size', ['ZF-OPT-04'], () => [1n, 4n, 512n, 4096n, (1n << 31n) - 1n, (1n << 32n) - 1n]),
  fieldMutator('verify', ['ZF-BLK-03', 'ZF-IDX-06'], (l) => (l.verify ? [0n, 2n] : [1n, 255n])),
  fieldMutator('index_crc', ['ZF-IDX-03'], () => [0n, 1n, (1n << 32n) - 1n]),
  jumpEntry,
  blockByte,
  anywhere('zfile.truncate', (bytes, a, b) => {
    const { indexOffset } = layoutOf(bytes);
    return truncate(bytes, [ZFILE_SPACE, indexOffset, bytes.length - ZFILE_SPACE, bytes.length, bytes.length >>> 1], a, b);
  }),
  anywhere('zfile.append', (bytes, a) => append(bytes, a)),
  anywhere('zfile.byte', (bytes, a, b) => damageByte(bytes, 0, bytes.length, a, b)),
];
