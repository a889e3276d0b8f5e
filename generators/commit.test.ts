// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDevice, type LayerInput } from '../oracles/read.ts';
import { bufferSource } from '../oracles/source.ts';
import { openStack } from '../oracles/stack.ts';
import { STRICT } from '../oracles/violation.ts';
import { getBytes, getInteger, getSegment, INVALID_OFFSET, LSMT_HEADER, LSMT_SPACE, SECTOR, SEGMENT_ENTRY } from '../spec/index.ts';
import { shared } from '../test/shared.ts';
import {
  commitLayer, commitMerged, liveSegments, parseScript, runScript, type LayerOptions, type LayerSegment, type ScriptStep,
} from './commit.ts';
import { randomBytes } from './content.ts';

interface GoldenCase {
  readonly kind: string;
  readonly data?: string;
  readonly index?: string;
  readonly layers_bottom_to_top?: readonly string[];
  readonly scripts_bottom_to_top?: readonly (readonly string[])[];
  readonly merged_index?: readonly string[];
  readonly file_sha256: readonly string[];
}

const folder = shared('golden');
const cases: readonly GoldenCase[] = folder
  ? (JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as { cases: GoldenCase[] }).cases
  : [];
const golden = (name: string): Uint8Array => readFileSync(path.join(folder!, name));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What a golden file's header says of the layer: the only thing that its script does not give. */
function identityOf(file: Uint8Array): LayerOptions {
  const text = (name: 'uuid' | 'parent_uuid' | 'user_tag'): string =>
    Buffer.from(getBytes(file, LSMT_HEADER, name)).toString('utf8').replace(/\0+$/, '');
  return {
    virtualSize: Number(getInteger(file, LSMT_HEADER, 'virtual_size')),
    uuid: text('uuid'), parentUuid: text('parent_uuid'), userTag: text('user_tag'),
  };
}

function committed(name: string, script: readonly string[]): Uint8Array {
  const identity = identityOf(golden(name));
  return commitLayer(runScript(parseScript(script), identity), identity);
}

/** Segments as the manifest lists them: `offset length moffset zZEROED tTAG`, after a line of totals. */
function listedSegments(lines: readonly string[]): LayerSegment[] {
  return lines.slice(1).map((line) => {
    const [offset, length, moffset, zeroed, tag] = line.replace(/[zt]/g, '').split(' ').map(Number);
    return { offset: offset!, length: length!, moffset: moffset!, zeroed: zeroed === 1, tag: tag! };
  });
}

describe.skipIf(!folder)('files of the reference implementation, made again from their scripts', () => {
  const layers = new Map<string, { script: readonly string[]; sha: string }>();
  for (const c of cases) {
    if (c.kind !== 'lsmt' && c.kind !== 'lsmt-stack') continue;
    c.layers_bottom_to_top!.forEach((name, i) => layers.set(name, { script: c.scripts_bottom_to_top![i]!, sha: c.file_sha256[i]! }));
  }

  it('are the layers l0, l1, l2 and empty', () => expect([...layers.keys()].sort()).toEqual(['empty.lsmt', 'l0.lsmt', 'l1.lsmt', 'l2.lsmt']));

  for (const [name, { script, sha }] of layers) {
    it(`${name} is the same, byte for byte`, () => expect(sha256(committed(name, script))).toBe(sha));
  }

  it('rw0.data and rw0.index are the same, byte for byte', () => {
    const c = cases.find((x) => x.kind === 'lsmt-rw-pair')!;
    const { data, index } = runScript(parseScript(c.scripts_bottom_to_top![0]!), identityOf(golden(c.data!)));
    expect([sha256(data), sha256(index)]).toEqual(c.file_sha256);
  });

  it('merged.lsmt is the same, byte for byte, from the merged segments that the reference lists', () => {
    const merged = cases.find((x) => x.kind === 'lsmt-merged')!;
    const scripts = merged.scripts_bottom_to_top!;
    const stack = cases.find((x) => x.kind === 'lsmt-stack' && x.layers_bottom_to_top!.length === scripts.length)!;
    const files = stack.layers_bottom_to_top!.map((name, i) => committed(name, scripts[i]!));
    const segments = listedSegments(stack.merged_index!);
    expect(mergedSegments(files)).toEqual(segments);
    const identity = identityOf(golden(merged.layers_bottom_to_top![0]!));
    expect(sha256(commitMerged(segments, files.reverse(), identity))).toBe(merged.file_sha256[0]);
  });
});

/** The merged segments of layers given bottom to top, by the reader; moffsets of zeroed ones as they stand in their layers. */
function mergedSegments(files: readonly Uint8Array[]): LayerSegment[] {
  const { pieces } = openStack(files.map((f) => ({ wrapping: [], file: bufferSource(f) })), STRICT);
  return pieces.map(({ start, end, moffset, zeroed, layer }) => ({
    offset: start, length: end - start, moffset, zeroed, tag: files.length - 1 - layer,
  }));
}

/** All bytes of a device, by the reader. */
function read(...layers: readonly LayerInput[]): Uint8Array {
  const result = readDevice(layers, 'device');
  if (!result.ok) throw new Error(`${result.clause}: ${result.why}`);
  return new Uint8Array(Buffer.concat([...result.chunks()]));
}

const layerInput = (file: Uint8Array): LayerInput => ({ file: bufferSource(file) });

/** The live entries of a committed layer and the number of all, from its bytes alone. */
function entriesOf(file: Uint8Array): { live: LayerSegment[]; count: number; dataSectors: number } {
  const trailer = file.subarray(file.length - LSMT_SPACE);
  const count = Number(getInteger(trailer, LSMT_HEADER, 'index_size'));
  const indexOffset = Number(getInteger(trailer, LSMT_HEADER, 'index_offset'));
  const live = Array.from({ length: count }, (_, i) => getSegment(file, indexOffset + i * SEGMENT_ENTRY))
    .filter((s) => s.offset !== INVALID_OFFSET)
    .map((s) => ({ ...s, offset: Number(s.offset), moffset: Number(s.moffset) }));
  return { live, count, dataSectors: (indexOffset - LSMT_SPACE) / SECTOR };
}

const write = (sector: number, sectors: number, seed = 1): ScriptStep =>
  ({ kind: 'write', offset: sector * SECTOR, content: randomBytes(seed, sectors * SECTOR) });
const discard = (sector: number, sectors: number): ScriptStep =>
  ({ kind: 'discard', offset: sector * SECTOR, length: sectors * SECTOR });
/** `offset+length@moffset`, zeroed ones with z. */
const brief = (segments: readonly LayerSegment[]): string[] =>
  segments.map((s) => `${s.offset}+${s.length}@${s.moffset}${s.zeroed ? 'z' : ''}`);
const commitSteps = (steps: readonly ScriptStep[], virtualSize = 1 << 30): Uint8Array =>
  commitLayer(runScript(steps, { virtualSize }), { virtualSize });

describe('splitting and joining', () => {
  const entries = (...steps: ScriptStep[]): string[] => brief(runScript(steps, { virtualSize: 1 << 30 }).entries);
  const live = (...steps: ScriptStep[]): string[] => brief(entriesOf(commitSteps(steps)).live);

  it('a write is split after 4 MiB, a discard after 16383 sectors', () => {
    expect(entries(write(0, 8192))).toEqual(['0+8192@8']);
    expect(entries(write(3, 8193))).toEqual(['3+8192@8', '8195+1@8200']);
    expect(entries(write(0, 1), discard(5, 16383))).toEqual(['0+1@8', '5+16383@9z']);
    expect(entries(discard(5, 2 * 16383 + 1))).toEqual(['5+16383@8z', '16388+16383@8z', '32771+1@8z']);
  });

  it('pieces of 64 sectors are joined while their sum is below 16383', () => {
    expect(live(write(0, 16320))).toEqual(['0+16320@8']);
    expect(live(write(0, 16320), write(16320, 62))).toEqual(['0+16382@8']);
    expect(live(write(0, 16320), write(16320, 63))).toEqual(['0+16320@8', '16320+63@16328']);
    // 8192 = 128 · 64, so the pieces after it are 64 long again; one sector first shifts them.
    expect(live(write(0, 1), write(1, 16384))).toEqual(['0+16321@8', '16321+64@16329']);
  });

  it('neighbours are joined across writes in any order, but not across a gap or a discard', () => {
    expect(live(write(4, 4), write(0, 4))).toEqual(['0+8@8']);
    expect(live(write(0, 4), write(5, 4))).toEqual(['0+4@8', '5+4@12']);
    expect(live(write(0, 9), discard(4, 1))).toEqual(['0+4@8', '4+1@12z', '5+4@12']);
  });

  it('neighbouring discards are joined below 16383 sectors', () => {
    expect(live(discard(0, 4), discard(4, 4))).toEqual(['0+8@8z']);
    expect(live(discard(0, 16381), discard(16381, 1))).toEqual(['0+16382@8z']);
    expect(live(discard(0, 16381), discard(16381, 2))).toEqual(['0+16381@8z', '16381+2@8z']);
  });

  it('neighbours with different tags stay apart', () => {
    const files = [write(0, 2), write(2, 2, 2)].map((s) => commitSteps([s]));
    const segments = mergedSegments(files);
    expect(brief(entriesOf(commitMerged(segments, files.toReversed(), { virtualSize: 4096 })).live)).toEqual(['0+2@8', '2+2@10']);
    const untagged = segments.map((s, i) => ({ ...s, tag: 0, moffset: 8 + 2 * i }));
    expect(brief(entriesOf(commitMerged(untagged, [commitSteps([write(0, 4)])], { virtualSize: 4096 })).live)).toEqual(['0+4@8']);
  });

  it('the table is padded to a multiple of 256 entries', () => {
    const spread = (n: number): number => entriesOf(commitSteps(Array.from({ length: n }, (_, i) => discard(2 * i, 1)))).count;
    expect([0, 1, 255, 256, 257].map(spread)).toEqual([0, 256, 256, 256, 512]);
  });

  it('refuses what no writable layer takes', () => {
    expect(() => runScript([discard(0, 0)], { virtualSize: 512 })).toThrow(RangeError);
    expect(() => runScript([{ kind: 'discard', offset: 1, length: 512 }], { virtualSize: 512 })).toThrow(RangeError);
    expect(() => runScript([], { virtualSize: 512, userTag: 'x'.repeat(257) })).toThrow(RangeError);
    expect(() => runScript([], { virtualSize: 512, uuid: 'none' })).toThrow(RangeError);
    expect(() => parseScript(['x 0 512'])).toThrow(SyntaxError);
    const zero = { offset: 1, length: 2, moffset: 8, zeroed: true, tag: 0 };
    expect(() => commitMerged([zero, { ...zero, offset: 2 }], [], { virtualSize: 512 })).toThrow(RangeError);
    expect(() => commitMerged([{ ...zero, zeroed: false }], [], { virtualSize: 512 })).toThrow(RangeError);
  });
});

/** Sectors of the devices with random scripts: several pieces of 64 sectors long. */
const DEVICE_SECTORS = 300;
const VIRTUAL_SIZE = DEVICE_SECTORS * SECTOR;

const anyStep: fc.Arbitrary<ScriptStep> = fc
  .record({
    discards: fc.boolean(),
    at: fc.nat({ max: DEVICE_SECTORS - 1 }),
    length: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: DEVICE_SECTORS })),
    seed: fc.integer({ min: 1, max: 0xffff }),
  })
  .map(({ discards, at, length, seed }) => {
    const sectors = Math.min(length, DEVICE_SECTORS - at);
    return discards ? discard(at, sectors) : write(at, sectors, seed);
  });
const anyScript = fc.array(anyStep, { maxLength: 24 });

/** What the scripts, run one after the other, leave in an array of bytes. */
function model(...scripts: readonly (readonly ScriptStep[])[]): Uint8Array {
  const bytes = new Uint8Array(VIRTUAL_SIZE);
  for (const step of scripts.flat()) {
    if (step.kind === 'write') bytes.set(step.content, step.offset);
    else bytes.fill(0, step.offset, step.offset + step.length);
  }
  return bytes;
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

describe('random scripts', () => {
  it('read back as a plain array of bytes has them: the pair, and the committed layer', () => {
    fc.assert(fc.property(anyScript, (steps) => {
      const layer = runScript(steps, { virtualSize: VIRTUAL_SIZE });
      const wanted = model(steps);
      expect(same(read({ file: bufferSource(layer.data), index: bufferSource(layer.index) }), wanted), 'pair').toBe(true);
      expect(same(read(layerInput(commitLayer(layer, { virtualSize: VIRTUAL_SIZE }))), wanted), 'committed').toBe(true);
    }), { seed: 3, numRuns: 300 });
  });

  it('are committed packed, without a pair of neighbours that one entry could be', () => {
    fc.assert(fc.property(anyScript, (steps) => {
      const { live, count, dataSectors } = entriesOf(commitSteps(steps, VIRTUAL_SIZE));
      expect(count % 256).toBe(0);
      let moffset = 8;
      live.forEach((s, i) => {
        expect(s.moffset).toBe(moffset);
        if (!s.zeroed) moffset += s.length;
        const next = live[i + 1];
        if (next && next.offset === s.offset + s.length) expect(next.zeroed).not.toBe(s.zeroed);
      });
      expect(dataSectors).toBe(moffset - 8);
    }), { seed: 4, numRuns: 300 });
  });

  it('leave the segments that a table of sectors says', () => {
    fc.assert(fc.property(anyScript, (steps) => {
      const { entries } = runScript(steps, { virtualSize: VIRTUAL_SIZE });
      const owner = (segments: readonly LayerSegment[]): string[] => {
        const sectors = new Array<string>(DEVICE_SECTORS).fill('');
        for (const s of segments) for (let i = 0; i < s.length; i++) sectors[s.offset + i] = s.zeroed ? 'z' : `${s.moffset + i}`;
        return sectors;
      };
      const live = liveSegments(entries);
      expect(owner(live)).toEqual(owner(entries));
      expect(live.every((s, i) => s.length > 0 && (i === 0 || live[i - 1]!.offset + live[i - 1]!.length <= s.offset))).toBe(true);
    }), { seed: 5, numRuns: 300 });
  });

  it('stacked, merged and committed again read as the stack does', () => {
    fc.assert(fc.property(fc.array(anyScript, { minLength: 1, maxLength: 4 }), (scripts) => {
      const files = scripts.map((steps) => commitSteps(steps, VIRTUAL_SIZE));
      const wanted = model(...scripts);
      expect(same(read(...files.map(layerInput)), wanted), 'stack').toBe(true);
      const merged = commitMerged(mergedSegments(files), files.toReversed(), { virtualSize: VIRTUAL_SIZE });
      expect(same(read(layerInput(merged)), wanted), 'merged').toBe(true);
    }), { seed: 6, numRuns: 200 });
  });
});
