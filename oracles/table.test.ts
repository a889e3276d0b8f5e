// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { makeContent } from '../generators/content.ts';
import { writeLsmt } from '../generators/lsmt-writer.ts';
import { PLAIN_ZFILE, writeZFile } from '../generators/zfile-writer.ts';
import { tableParams, type Case, type Layer, type Slack, type TableFault } from '../model/index.ts';
import { examine } from './examine.ts';

const layer = writeLsmt([{ offset: 0, length: 3, content: makeContent({ kind: 'counter', seed: 1 }, 3 * 512) }], {
  virtualSize: 4096, form: 'committed', placement: 'packed', invalidBefore: [],
});
const RAW: Layer = { wrapping: [], bytes: layer };
const WRAPPED: Layer = { wrapping: ['zfile'], bytes: writeZFile(layer, PLAIN_ZFILE), exposedBytes: layer.length };

function outcome(layers: readonly Layer[], table: TableFault, slack: Slack = 'page', device: Case['device'] = 'lsmt'): string {
  const { strict } = examine({
    id: 'table', device, layers,
    access: { slack, deviceBytes: 4096, reads: [{ offset: 0, length: 4096, bufferOffset: 0, mode: 'direct' }], table },
    clauses: { exercises: [], violates: [] },
  }).expectation;
  return strict.outcome === 'refuse' ? `${strict.clause} in layer ${strict.layer}: ${strict.why}` : `open ${strict.reads.map((r) => r.outcome).join()}`;
}

describe('a wrong table', () => {
  it.each<[TableFault, string]>([
    [{ kind: 'count', delta: -1 }, 'DM-TBL-05 in layer 0: the table has 3 arguments, not 4'],
    [{ kind: 'count', delta: 1 }, 'DM-TBL-05 in layer 0: the table has 5 arguments, not 4'],
    [{ kind: 'count', delta: -9 }, 'DM-TBL-05 in layer 0: the table has 0 arguments, not 4'],
    [{ kind: 'text', layer: 1, text: '0x1000' }, 'DM-TBL-06 in layer 1: "0x1000" is no number of bytes'],
    [{ kind: 'text', layer: 1, text: '' }, 'DM-TBL-06 in layer 1: "" is no number of bytes'],
    [{ kind: 'text', layer: 0, text: '0' }, 'DM-TBL-06 in layer 0: an image cannot have 0 bytes'],
    [{ kind: 'text', layer: 0, text: '9223372036854775808' }, 'DM-TBL-06 in layer 0: an image cannot have 9223372036854775808 bytes'],
    [{ kind: 'text', layer: 0, text: '9223372036854775807' }, 'DM-TBL-08 in layer 0: the table says 9223372036854775807 bytes, the device has 16384'],
    [{ kind: 'device', layer: 1 }, 'DM-TBL-07 in layer 1: the table names a device that is not there'],
    [{ kind: 'bytes', layer: 0, delta: -20_000 }, 'DM-TBL-06 in layer 0: an image cannot have -6176 bytes'],
  ])('%j', (fault, expected) => expect(outcome([RAW, RAW], fault)).toBe(expected));

  it('of fewer bytes cuts the image, of more shows what follows it, of too many is refused', () => {
    expect(layer.length).toBe(13_824);
    expect(outcome([RAW], { kind: 'bytes', layer: 0, delta: -1 })).toMatch(/^LS-TRL-01 /);
    expect(outcome([RAW], { kind: 'bytes', layer: 0, delta: 1 })).toMatch(/^LS-TRL-01 /);
    expect(outcome([RAW], { kind: 'bytes', layer: 0, delta: 1 }, 'exact')).toMatch(/^DM-TBL-08 /);
    expect(outcome([RAW], { kind: 'bytes', layer: 0, delta: 16_384 - 13_824 })).toMatch(/^LS-TRL-01 /);
    expect(outcome([RAW], { kind: 'bytes', layer: 0, delta: 16_384 - 13_824 + 1 })).toMatch(/^DM-TBL-08 /);
    expect(outcome([RAW], { kind: 'bytes', layer: 0, delta: 16_384 }, 'garbage')).toMatch(/^LS-TRL-01 /);
  });

  it('over a ZFile is about the decoded layer', () => {
    expect(outcome([WRAPPED], { kind: 'bytes', layer: 0, delta: 0 })).toBe('open bytes');
    expect(outcome([WRAPPED], { kind: 'bytes', layer: 0, delta: -512 })).toMatch(/^LS-TRL-01 /);
    expect(outcome([WRAPPED], { kind: 'bytes', layer: 0, delta: 1 })).toMatch(/^DM-TBL-08 /);
  });

  it('does not harm a ZFile whose header has the fields', () => {
    const zfile: Layer = { wrapping: ['zfile'], bytes: writeZFile(layer, { ...PLAIN_ZFILE, headerMode: true }) };
    expect(outcome([zfile], { kind: 'bytes', layer: 0, delta: 1 }, 'page', 'zfile')).toBe('open bytes');
    expect(outcome([zfile], { kind: 'bytes', layer: 0, delta: -1 }, 'page', 'zfile')).toBe('open bytes');
    expect(outcome([{ ...zfile, bytes: writeZFile(layer, PLAIN_ZFILE) }], { kind: 'bytes', layer: 0, delta: -1 }, 'page', 'zfile')).toMatch(/^ZF-TRL-01 /);
  });

  it('that is another stack is a mistake of ours', () => {
    expect(() => outcome([RAW, RAW], { kind: 'count', delta: -2 })).toThrow('make no wrong table');
    expect(() => outcome([RAW], { kind: 'count', delta: 0 })).toThrow('make no wrong table');
  });
});

describe('the words of a table', () => {
  const images = [{ device: '@0', bytes: 10 }, { device: '@1', bytes: 20 }];
  it.each<[TableFault | undefined, string]>([
    [undefined, '@0 10 @1 20'],
    [{ kind: 'bytes', layer: 1, delta: -21 }, '@0 10 @1 -1'],
    [{ kind: 'text', layer: 0, text: '' }, '@0  @1 20'],
    [{ kind: 'device', layer: 0 }, '/dev/no-such-device 10 @1 20'],
    [{ kind: 'count', delta: -1 }, '@0 10 @1'],
    [{ kind: 'count', delta: -7 }, ''],
    [{ kind: 'count', delta: 3 }, '@0 10 @1 20 @0 10 @1'],
  ])('%j', (fault, words) => expect(tableParams(images, fault)).toBe(words));
});
