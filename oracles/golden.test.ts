// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { shared } from '../test/shared.ts';
import { readDevice, type LayerInput } from './read.ts';
import { bufferSource } from './source.ts';

interface GoldenCase {
  readonly kind: string;
  readonly file?: string;
  readonly data?: string;
  readonly index?: string;
  readonly layers_bottom_to_top?: readonly string[];
  readonly expect_sha256: string;
  readonly expect_size: number;
}

const folder = shared('golden');
const cases: readonly GoldenCase[] = folder
  ? (JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as { cases: GoldenCase[] }).cases
  : [];
const source = (name: string) => bufferSource(readFileSync(path.join(folder!, name)));

function layersOf(c: GoldenCase): LayerInput[] {
  if (c.data && c.index) return [{ file: source(c.data), index: source(c.index) }];
  return (c.file ? [c.file] : c.layers_bottom_to_top!).map((name) => ({ file: source(name) }));
}

describe.skipIf(!folder)('images written by the reference implementation', () => {
  it('are all 17 there', () => expect(cases).toHaveLength(17));

  for (const c of cases) {
    it(`${c.kind} ${c.file ?? c.data ?? c.layers_bottom_to_top!.join(' + ')} decodes to its SHA-256`, () => {
      const result = readDevice(layersOf(c), c.kind.startsWith('zfile') ? 'zfile' : 'device');
      if (!result.ok) throw new Error(`${result.clause}: ${result.why}`);
      const hash = createHash('sha256');
      for (const chunk of result.chunks()) hash.update(chunk);
      expect(result.size).toBe(c.expect_size);
      expect(hash.digest('hex')).toBe(c.expect_sha256);
    });
  }
});
