// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Case } from '../model/index.ts';
import { makeContent } from '../generators/content.ts';
import { writeLsmt } from '../generators/lsmt-writer.ts';
import { PLAIN_ZFILE, sealDigest, writeZFile } from '../generators/zfile-writer.ts';
import { LSMT_HEADER, setInteger, ZFILE_HEADER, type LsmtField, type ZFileField } from '../spec/index.ts';
import { examine } from './examine.ts';

const VALUES = [0n, 1n, (1n << 31n) - 1n, (1n << 32n) - 1n, 1n << 32n, (1n << 60n) + 1n, (1n << 63n) - 1n, (1n << 64n) - 16n, (1n << 64n) - 1n];

function caseOf(device: 'zfile' | 'lsmt', bytes: Uint8Array): Case {
  return {
    id: 'hostile', device, layers: [{ wrapping: device === 'zfile' ? ['zfile'] : [], bytes }],
    access: { slack: 'page', deviceBytes: 4096, reads: [{ offset: 0, length: 65536, bufferOffset: 0, mode: 'direct' }] },
    clauses: { exercises: [], violates: [] },
  };
}

it('the oracle leaves the image as it was, whatever kind of array holds it', () => {
  const bytes = Buffer.from(writeZFile(makeContent({ kind: 'text', seed: 1 }, 5000), PLAIN_ZFILE));
  const before = Buffer.from(bytes);
  for (let i = 0; i < 2; i++) expect(examine(caseOf('zfile', bytes)).expectation.strict.outcome).toBe('open');
  expect(bytes.equals(before)).toBe(true);
});

describe('hostile sizes cost the oracle nothing', () => {
  const zfile = writeZFile(makeContent({ kind: 'mixed', seed: 3 }, 20_000), PLAIN_ZFILE);
  const fields: ZFileField[] = ['index_offset', 'index_size', 'original_file_size', 'block_size', 'dict_size', 'index_crc', 'flags', 'size'];
  it.each(fields)('ZFile trailer, %s', (field) => {
    for (const value of VALUES) {
      const bytes = zfile.slice();
      const trailer = bytes.subarray(bytes.length - 512);
      setInteger(trailer, ZFILE_HEADER, field, value);
      sealDigest(trailer);
      const before = process.memoryUsage().arrayBuffers;
      expect(examine(caseOf('zfile', bytes)).expectation.strict.outcome).toMatch(/refuse|open/);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
    }
  });

  const layer = writeLsmt([{ offset: 3, length: 5, content: makeContent({ kind: 'random', seed: 1 }, 5 * 512) }], {
    virtualSize: 65536, form: 'committed', placement: 'packed', invalidBefore: [],
  });
  const names: LsmtField[] = ['index_offset', 'index_size', 'virtual_size', 'flags', 'size'];
  it.each(names)('LSMT trailer, %s', (field) => {
    for (const value of VALUES) {
      const bytes = layer.slice();
      setInteger(bytes.subarray(bytes.length - 4096), LSMT_HEADER, field, value);
      const before = process.memoryUsage().arrayBuffers;
      expect(examine(caseOf('lsmt', bytes)).expectation.strict.outcome).toMatch(/refuse|open/);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
    }
  });
});
