// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { drawCase } from '../../generators/draw.ts';
import { commitLayer, runScript } from '../../generators/commit.ts';
import { PLAIN_ZFILE, writeZFile } from '../../generators/zfile-writer.ts';
import type { ReaderComparison } from '../../model/index.ts';
import { builtinTarget } from '../builtin-targets.ts';
import { prepare } from '../prepare.ts';
import { caseOfImages, MAX_DEVICE_BYTES, TooLarge, type ImageBytes } from './images.ts';
import { compareReaders } from './readers.ts';

const NEVER = new AbortController().signal;

async function onSeed(names: readonly string[], cases: number, jobs = 2): Promise<ReaderComparison> {
  const { document } = await compareReaders({
    suite: 'test', from: { seed: 1 }, cases, prepared: (i) => prepare(drawCase(1, i)), targets: names.map((n) => builtinTarget(n)!), skipped: [], jobs, signal: NEVER,
  });
  return document;
}

async function onImages(names: readonly string[], images: readonly ImageBytes[], as: 'device' | 'zfile' = 'device'): Promise<ReaderComparison> {
  const { document } = await compareReaders({
    suite: 'test', from: { images: [] }, cases: 1, prepared: () => caseOfImages('images', images, as), targets: names.map((n) => builtinTarget(n)!), skipped: [], jobs: 1, signal: NEVER,
  });
  return document;
}

function layer(sector: number, sectors: number, seed: number, virtualSize = 65536): Uint8Array {
  const content = new Uint8Array(sectors * 512).map((_, i) => (seed + i * 7 + (i >> 9)) & 0xff);
  return commitLayer(runScript([{ kind: 'write', offset: sector * 512, content }], { virtualSize }), { virtualSize });
}

describe('readers on drawn cases', () => {
  it('two right readers never differ, and what the format leaves open is counted apart', async () => {
    const { pairs, rows, complete, answers } = await onSeed(['oracle', 'fake-reader'], 75);
    expect(rows).toEqual([]);
    expect(complete).toBe(true);
    const pair = pairs['oracle']!['fake-reader']!;
    expect(pair).toMatchObject({ differ: 0, notBoth: 0 });
    expect(pair.same + pair.allowed).toBe(75);
    expect(pair.allowed).toBeGreaterThan(0);
    expect(answers['oracle']).toMatchObject({ died: 0, notGiven: 0, failed: 0 });
  });

  it('each row names the clause, and counts the cases of each target that show it', async () => {
    const { rows, pairs, answers } = await onSeed(['oracle', 'fake-crashes', 'fake-lies'], 25);
    const sum = (name: string): number => rows.reduce((n, r) => n + (r.cells[name] ?? 0), 0);
    expect(sum('fake-crashes')).toBe(pairs['oracle']!['fake-crashes']!.differ);
    expect(sum('fake-lies')).toBe(pairs['oracle']!['fake-lies']!.differ);
    expect(rows.find((r) => r.what === 'crash')).toMatchObject({ clause: 'DM-SAFE-01', cells: { 'fake-crashes': answers['fake-crashes']!.died } });
    expect(rows.filter((r) => r.cells['fake-lies']).every((r) => r.what === 'other bytes')).toBe(true);
  });

  it('what the first one does not take, the others are compared on', async () => {
    const oracle = builtinTarget('oracle')!;
    const none = { ...oracle, identity: { ...oracle.identity, name: 'none' }, stance: { ...oracle.stance, supports: { ...oracle.stance.supports, devices: [] } } };
    const { document: { rows, pairs, answers } } = await compareReaders({
      suite: 'test', from: { seed: 1 }, cases: 10, prepared: (i) => prepare(drawCase(1, i)), targets: [none, oracle, builtinTarget('canary')!], skipped: [], jobs: 1, signal: NEVER,
    });
    expect(answers['none']).toMatchObject({ notGiven: 10, opened: 0 });
    expect(pairs['none']).toMatchObject({ oracle: { notBoth: 10 }, canary: { notBoth: 10 } });
    expect(rows.reduce((n, r) => n + r.cells['canary']!, 0)).toBe(pairs['oracle']!['canary']!.differ);
    expect(rows.length).toBeGreaterThan(0);
  });

  it('does not depend on how many instances there are', async () => {
    const without = (c: ReaderComparison): unknown => ({ ...c, answers: Object.values(c.answers).map(({ rate: _, ...counts }) => counts) });
    expect(without(await onSeed(['oracle', 'fake-lies'], 30, 1))).toEqual(without(await onSeed(['oracle', 'fake-lies'], 30, 5)));
  });
});

describe('readers on images', () => {
  it('layers in the wrong order: the sector, the layer, the entry, the block, and whose bytes came instead', async () => {
    const images = [layer(8, 8, 1), writeZFile(layer(10, 2, 100), PLAIN_ZFILE)].map((data) => ({ data }));
    const { rows: [row, ...more] } = await onImages(['oracle', 'fake-reader:stack-reversed'], images);
    expect(more).toEqual([]);
    expect(row).toMatchObject({ what: 'other bytes', cells: { 'fake-reader:stack-reversed': 1 } });
    const { smallest: { position, place, sides } } = row!;
    expect(position).toBe(10 * 512);
    expect(place.map((p) => p.layer)).toEqual([1, 1, 1]);
    expect(place[0]).toMatchObject({ entry: { number: 0, offset: 10, length: 2, moffset: 8, zeroed: false } });
    expect(place[1]).toMatchObject({ at: 4096, space: 'decoded' });
    expect(place[2]!.block).toMatchObject({ number: 1, decoded: 4096 });
    expect(sides.map((s) => s.verdict)).toEqual(['pass', 'corruption']);
    expect(sides[0]).not.toHaveProperty('origin');
    expect(sides[1]!.origin).toBe('what layer 0 has there by itself');
  });

  it('a refusal names the field', async () => {
    const bad = layer(0, 4, 1);
    bad[bad.length - 4096 + 8] = 0;
    const { rows } = await onImages(['oracle', 'canary'], [{ data: bad }]);
    expect(rows[0]).toMatchObject({ what: 'opens', smallest: { sides: [{ target: 'oracle', verdict: 'pass' }, { target: 'canary', verdict: 'accepts-invalid' }] } });
    expect(rows[0]!.smallest.place[0]).toMatchObject({ layer: 0, structure: 'LSMT trailer' });
  });

  it('another size is told with the fields that say it', async () => {
    const images = [layer(0, 2, 1, 4096), layer(0, 2, 1, 8192)].map((data) => ({ data }));
    const { rows } = await onImages(['oracle', 'fake-reader:stack-reversed'], images);
    expect(rows[0]).toMatchObject({ what: 'other size', clause: 'ST-SIZE-01' });
    expect(rows[0]!.smallest.place).toMatchObject([{ layer: 1, structure: 'LSMT trailer', field: 'virtual_size' }]);
  });

  it('reads all of a device of more than one piece, its last bytes too', async () => {
    const virtualSize = (2 << 20) + 1536;
    const one = caseOfImages('x', [{ data: layer(virtualSize / 512 - 1, 1, 5, virtualSize) }], 'device');
    expect(one.case.access.reads.map((r) => [r.offset, r.length])).toEqual([[0, 1 << 20], [1 << 20, 1 << 20], [2 << 20, 1536]]);
    expect(one.expectation.class).toBe('valid');
  });

  it('a ZFile is read as what it decodes to where that is asked for', async () => {
    const zfile = writeZFile(new Uint8Array(5000).fill(3), PLAIN_ZFILE);
    const { rows, answers } = await onImages(['oracle', 'fake-reader'], [{ data: zfile }], 'zfile');
    expect([rows, answers['oracle']!.opened]).toEqual([[], 1]);
  });

  it('garbage is refused by all, and is no case that cannot be made', async () => {
    const { pairs } = await onImages(['oracle', 'fake-reader'], [{ data: new Uint8Array(10) }, { data: new Uint8Array(0) }]);
    expect(pairs['oracle']!['fake-reader']).toMatchObject({ same: 1, differ: 0 });
  });

  it('a device that would not fit into memory is not read', () => {
    expect(() => caseOfImages('x', [{ data: layer(0, 1, 1, MAX_DEVICE_BYTES + 512) }], 'device')).toThrow(TooLarge);
  });
});
