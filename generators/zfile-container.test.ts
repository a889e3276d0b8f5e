// SPDX-License-Identifier: MIT
/** The ZFile container around given compressed blocks; compressors differ in their output, containers must not. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { bufferSource } from '../oracles/source.ts';
import { STRICT } from '../oracles/violation.ts';
import { openZFile } from '../oracles/zfile.ts';
import { getBytes, getInteger, LSMT_HEADER, LSMT_SPACE } from '../spec/index.ts';
import { shared } from '../test/shared.ts';
import { commitLayer, parseScript, runScript } from './commit.ts';
import { writeZFile } from './zfile-writer.ts';

/** Blocks that the encoders below hand out, in order, in place of compressing. */
const given = vi.hoisted((): Uint8Array[] => []);
const next = vi.hoisted(() => (): Uint8Array => {
  const block = given.shift();
  if (!block) throw new Error('the writer asks for more blocks than there are');
  return block;
});
vi.mock('./lz4-block.ts', () => ({ encodeLz4Block: next }));
vi.mock('./zstd-block.ts', () => ({ encodeZstdBlock: next }));

interface GoldenLayer {
  readonly kind: 'lsmt-in-zfile';
  readonly scripts_bottom_to_top: readonly (readonly string[])[];
  readonly file_sha256: readonly string[];
}

interface GoldenZFile {
  readonly kind: 'zfile';
  readonly file: string;
  readonly input: string;
  readonly file_sha256: string;
  readonly algo: 'lz4' | 'zstd';
  readonly block_size: number;
  readonly verify: number;
  readonly header_overwrite: number;
}

const folder = shared('golden');
const all: readonly (GoldenZFile | GoldenLayer)[] = folder
  ? (JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as { cases: (GoldenZFile | GoldenLayer)[] }).cases
  : [];
const cases = all.filter((c) => c.kind === 'zfile');
const layerCase = all.find((c) => c.kind === 'lsmt-in-zfile');
/** A copy that is no Buffer: `slice` of a Buffer is a view, so a reader that means to copy would write into the file. */
const golden = (name: string): Uint8Array => new Uint8Array(readFileSync(path.join(folder!, name)));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Writes `content` anew with the compressed blocks of a golden file. */
function rewritten(file: Uint8Array, content: Uint8Array, c: Pick<GoldenZFile, 'algo' | 'block_size' | 'verify' | 'header_overwrite'>): Uint8Array {
  const reader = openZFile(bufferSource(file), STRICT);
  for (let i = 0; i < reader.blocks; i++) {
    const { offset, length } = reader.blockAt(i);
    given.push(file.subarray(offset, offset + length));
  }
  return writeZFile(content, {
    algo: c.algo, encoder: 'library', blockSize: c.block_size, verify: c.verify === 1, headerMode: c.header_overwrite === 1, digest: true,
  });
}

describe.skipIf(!folder)('ZFiles of the reference implementation, made again from their compressed blocks', () => {
  beforeEach(() => void given.splice(0));

  it('are all nine there', () => expect(cases).toHaveLength(9));

  for (const c of cases) {
    it(`${c.file} is the same, byte for byte`, () => {
      expect(sha256(rewritten(golden(c.file), golden(c.input), c))).toBe(c.file_sha256);
      expect(given, 'blocks left over').toHaveLength(0);
    });
  }

  it('l0.lz4-4k.ozf, a ZFile around a committed layer, is the same from the script, byte for byte', () => {
    const file = golden('l0.lz4-4k.ozf');
    const header = openZFile(bufferSource(file), STRICT).read(0, LSMT_SPACE);
    const options = {
      virtualSize: Number(getInteger(header, LSMT_HEADER, 'virtual_size')),
      uuid: Buffer.from(getBytes(header, LSMT_HEADER, 'uuid')).toString('latin1').replace(/\0+$/, ''),
    };
    const { scripts_bottom_to_top: [script], file_sha256: [sha] } = layerCase!;
    const layer = commitLayer(runScript(parseScript(script!), options), options);
    expect(sha256(rewritten(file, layer, { algo: 'lz4', block_size: 4096, verify: 1, header_overwrite: 1 }))).toBe(sha);
  });
});
