// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { makeContent } from '../generators/content.ts';
import { writeLsmt, type WrittenSegment } from '../generators/lsmt-writer.ts';
import { PLAIN_ZFILE, writeZFile } from '../generators/zfile-writer.ts';
import type { Case, Layer, Lowered } from '../model/index.ts';
import { lower } from './lower.ts';

/** Sectors of a layer's mapping; zeroed where `zeroed`. */
function mapped(offset: number, length: number, zeroed = false): WrittenSegment {
  return { offset, length, content: zeroed ? null : makeContent({ kind: 'counter', seed: offset }, length * 512) };
}

function lsmt(sectors: number, ...segments: readonly WrittenSegment[]): Uint8Array {
  return writeLsmt(segments, { virtualSize: sectors * 512, form: 'sealed', placement: 'packed', invalidBefore: [] });
}

function caseOf(layers: readonly Layer[], device: Case['device'] = 'lsmt'): Case {
  return { id: 'c', device, layers, access: { slack: 'page', deviceBytes: 0, reads: [] }, clauses: { exercises: [], violates: [] } };
}

function lowered(...images: readonly Uint8Array[]): Lowered | null {
  return lower(caseOf(images.map((bytes) => ({ wrapping: [], bytes }))));
}

/** `start+sectors layer/sector` for each linear piece, `start+sectors 0` for each zero one. */
function table(found: Lowered | null): string | null {
  return found && found.pieces.map((p) => `${p.start}+${p.sectors} ${p.source ? `${p.source.layer}/${p.source.sector}` : 0}`).join(', ');
}

describe('a stack as linear and zero pieces', () => {
  it.each<[string, readonly Uint8Array[], string]>([
    ['one entry that covers all', [lsmt(8, mapped(0, 8))], '0+8 0/8'],
    ['gaps before, between and behind', [lsmt(20, mapped(2, 3), mapped(9, 1))], '0+2 0, 2+3 0/8, 5+4 0, 9+1 0/11, 10+10 0'],
    ['neighbours', [lsmt(8, mapped(0, 3), mapped(3, 5))], '0+3 0/8, 3+5 0/11'],
    ['a zeroed entry', [lsmt(8, mapped(0, 3), mapped(3, 2, true))], '0+3 0/8, 3+2 0, 5+3 0'],
    ['no entry', [lsmt(8)], '0+8 0'],
    ['an upper layer in the middle of a lower one', [lsmt(8, mapped(0, 8)), lsmt(8, mapped(2, 2))], '0+2 0/8, 2+2 1/8, 4+4 0/12'],
    ['a zeroed upper entry', [lsmt(8, mapped(0, 8)), lsmt(8, mapped(2, 2, true))], '0+2 0/8, 2+2 0, 4+4 0/12'],
    ['an entry that ends with the device', [lsmt(8, mapped(4, 4)), lsmt(8)], '0+4 0, 4+4 0/8'],
    ['an entry that crosses its end', [lsmt(9, mapped(4, 5)), lsmt(8)], '0+4 0, 4+4 0/8'],
    ['an entry that starts at its end', [lsmt(9, mapped(2, 2), mapped(8, 1)), lsmt(8)], '0+2 0, 2+2 0/8, 4+4 0'],
    ['entries behind it', [lsmt(20, mapped(9, 1), mapped(12, 1)), lsmt(8)], '0+8 0'],
  ])('%s', (_name, images, expected) => expect(table(lowered(...images))).toBe(expected));

  it('comes with the decoded images', () => {
    const [below, above] = [lsmt(8, mapped(0, 8)), lsmt(8, mapped(2, 2))];
    const found = lower(caseOf([{ wrapping: ['zfile'], bytes: writeZFile(below, PLAIN_ZFILE) }, { wrapping: [], bytes: above }]));
    expect(table(found)).toBe('0+2 0/8, 2+2 1/8, 4+4 0/12');
    expect(found!.images.map((bytes) => Buffer.from(bytes).toString('base64'))).toEqual([below, above].map((bytes) => Buffer.from(bytes).toString('base64')));
  });

  it('has at most as many pieces as a table may have lines', () => {
    const entries = Array.from({ length: 32_768 }, (_, i) => mapped(2 * i + 1, 1, true));
    expect(lowered(lsmt(65_536, ...entries))?.pieces).toHaveLength(65_536);
    expect(lowered(lsmt(65_537, ...entries))).toBeNull();
  });
});

describe('there is none', () => {
  const image = lsmt(8, mapped(0, 8));
  it('of a ZFile device', () => {
    const layers: Layer[] = [{ wrapping: ['zfile'], bytes: writeZFile(image, PLAIN_ZFILE) }];
    expect(lower(caseOf(layers, 'zfile'))).toBeNull();
    expect(lower(caseOf(layers))).not.toBeNull();
  });
  it('of no sectors', () => expect(lowered(lsmt(0, mapped(0, 8)))).toBeNull());
  it('of an image that is refused', () => expect(lowered(image.subarray(512))).toBeNull());
  it('of a warp layer', () => {
    expect(lower(caseOf([{ wrapping: [], bytes: image, remote: new Uint8Array(512) }]))).toBeNull();
    expect(lower(caseOf([{ wrapping: [], bytes: image, remote: new Uint8Array(512) }, { wrapping: [], bytes: image }]))).toBeNull();
  });
  it('of a block that does not decode', () => {
    const bytes = writeZFile(image, PLAIN_ZFILE);
    bytes[600]! ^= 1;
    expect(lower(caseOf([{ wrapping: ['zfile'], bytes }]))).toBeNull();
  });
  it('for a mistake of ours, which is told', () => {
    expect(() => lower(caseOf([{ wrapping: [], bytes: undefined as unknown as Uint8Array }]))).toThrow(TypeError);
  });
});
