// SPDX-License-Identifier: MIT
/** Reading files as a tool does: what is read, in which pieces, and how a refusal is told. */
import { describe, expect, it } from 'vitest';
import { makeContent } from '../generators/content.ts';
import { writeTar } from '../generators/tar-writer.ts';
import { edited, layer, refusal, sectors, withLsmt, zfile } from '../test/oracle-images.ts';
import { readDevice, type ReadResult } from './read.ts';
import { bufferSource, type ByteSource } from './source.ts';

const CONTENT = makeContent({ kind: 'counter', seed: 1 }, (1 << 20) + 5000);
const PACKED = zfile(CONTENT, { blockSize: 65536 });
const files = (...bytes: readonly Uint8Array[]): { file: ByteSource }[] => bytes.map((b) => ({ file: bufferSource(b) }));

function pieces(result: ReadResult): Uint8Array[] {
  if (!result.ok) throw new Error(result.why);
  return [...result.chunks()];
}

describe('a ZFile', () => {
  it.each([['as it is', PACKED], ['in a tar', writeTar(PACKED, false)], ['behind a pax header', writeTar(PACKED, true)]])('%s gives its content, a MiB at a time', (_name, bytes) => {
    const result = readDevice(files(bytes), 'zfile');
    expect(result).toMatchObject({ ok: true, size: CONTENT.length });
    const read = pieces(result);
    expect(read.map((p) => p.length)).toEqual([1 << 20, 5000]);
    expect(Buffer.compare(Buffer.concat(read), CONTENT)).toBe(0);
  });

  it('of nothing gives no piece', () => expect(pieces(readDevice(files(zfile(new Uint8Array(0))), 'zfile'))).toEqual([]));

  it('of a whole MiB gives one', () => expect(pieces(readDevice(files(zfile(CONTENT.subarray(0, 1 << 20))), 'zfile')).map((p) => p.length)).toEqual([1 << 20]));

  it('that is none is refused', () => {
    expect(readDevice(files(layer()), 'zfile')).toEqual({ ok: false, clause: 'ZF-HDR-02', layer: 0, at: 0, why: 'the header lacks the magic values' });
  });

  it('in a tar that breaks its rules is refused', () => {
    const bad = edited(writeTar(PACKED, false), (b) => { b[0] = 1; });
    expect(readDevice(files(bad), 'zfile')).toMatchObject({ ok: false, clause: 'TR-TAR-03', at: 148 });
  });

  it('with a bad block fails when it is read', () => {
    const result = readDevice(files(edited(PACKED, (b) => { b[600]! ^= 1; })), 'zfile');
    expect(result.ok).toBe(true);
    expect(refusal(() => pieces(result))?.slice(0, 2)).toEqual(['ZF-BLK-03', 512]);
  });
});

describe('a device', () => {
  const bottom = layer({ entries: [{ offset: 0, length: 4, moffset: 8 }], virtualSize: 4096 });
  const top = zfile(layer({ entries: [{ offset: 1, length: 1, moffset: 15 }], virtualSize: 2048 }));

  it('is the stack of its layers, each with the envelopes it shows', () => {
    const result = readDevice(files(bottom, top), 'device');
    expect(result).toMatchObject({ ok: true, size: 2048 });
    const [bytes, ...none] = pieces(result);
    expect([0, 512, 1024, 1536].map((i) => bytes![i])).toEqual([9, 16, 11, 12]);
    expect(none).toEqual([]);
  });

  it('is refused with the layer that is at fault', () => {
    expect(readDevice(files(bottom, withLsmt(bottom, 'trailer', 'flags', 4)), 'device'))
      .toEqual({ ok: false, clause: 'LS-TRL-03', layer: 1, at: bottom.length - 4096 + 28, why: 'flag bit 1 of the trailer is 0, not 1' });
    expect(readDevice(files(sectors(32)), 'device')).toMatchObject({ ok: false, clause: 'LS-HDR-02', layer: 0 });
    expect(readDevice([], 'device')).toMatchObject({ ok: false, clause: 'ST-CNT-01' });
  });

  it('what is no violation is passed on', () => {
    const file: ByteSource = { size: 99_999, read: () => { throw new RangeError('ours'); } };
    expect(() => readDevice([{ file }], 'zfile')).toThrow(RangeError);
  });
});
