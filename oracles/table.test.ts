// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { makeContent } from '../generators/content.ts';
import { writeLsmt } from '../generators/lsmt-writer.ts';
import { PLAIN_ZFILE, writeZFile } from '../generators/zfile-writer.ts';
import { tableParams, type Case, type Layer, type Slack, type TableFault } from '../model/index.ts';
import { examine } from './examine.ts';
import { bufferSource } from './source.ts';
import { overZFile, resizedSource, tableBytes, tableExtra } from './table.ts';
import { Violation } from './violation.ts';

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

/** A layer of `length` bytes that nobody looks into. */
function blank(length: number, change: Partial<Layer> = {}): Layer {
  return { wrapping: [], bytes: new Uint8Array(length), ...change };
}

/** What the table makes of the layers: `layer: bytes`, the clause and layer by which it is refused, or null where it is right. */
function bytesSaid(layers: readonly Layer[], table: TableFault | undefined, slack: Slack = 'page', device: Case['device'] = 'lsmt'): string | null {
  try {
    const said = tableBytes({
      id: 'table', device, layers, access: { slack, deviceBytes: 0, reads: [], ...(table ? { table } : {}) }, clauses: { exercises: [], violates: [] },
    });
    return said && `${said.layer}: ${said.bytes}`;
  } catch (e) {
    if (!(e instanceof Violation)) throw e;
    return `${e.clause} in layer ${e.layer} at ${e.at}: ${e.message}`;
  }
}

describe('the bytes that a table says an image has', () => {
  it('are right where the table is', () => expect(bytesSaid([blank(600)], undefined)).toBeNull());

  it.each<[string, Layer, Slack, number]>([
    ['its sectors, exactly', blank(600), 'exact', 1024],
    ['one sector, exactly', blank(512), 'exact', 512],
    ['one sector for an empty file', blank(0), 'exact', 512],
    ['pages', blank(600), 'page', 4096],
    ['a full page', blank(4096), 'page', 4096],
    ['a page and a byte', blank(4097), 'page', 8192],
    ['pages and garbage', blank(600), 'garbage', 4096 + 16_384],
    ['the whole sectors of a ZFile', blank(300, { wrapping: ['zfile'], exposedBytes: 1535 }), 'garbage', 1024],
    ['the sectors of a ZFile', blank(300, { wrapping: ['tar', 'zfile'], exposedBytes: 1024 }), 'exact', 1024],
    ['pages for a tar', blank(600, { wrapping: ['tar'] }), 'page', 4096],
  ])('may reach the end of the device, which has %s', (_name, image, slack, end) => {
    const right = image.exposedBytes ?? image.bytes.length;
    const say = (bytes: number): string | null => bytesSaid([blank(0), image], { kind: 'bytes', layer: 1, delta: bytes - right }, slack);
    expect(say(end)).toBe(`1: ${end}`);
    expect(say(end + 1)).toBe(`DM-TBL-08 in layer 1 at 0: the table says ${end + 1} bytes, the device has ${end}`);
    expect(say(1)).toBe('1: 1');
    expect(say(0)).toBe('DM-TBL-06 in layer 1 at 0: an image cannot have 0 bytes');
  });

  it('of a ZFile that is unknown are none', () => {
    const unknown = blank(300, { wrapping: ['zfile'] });
    expect(bytesSaid([unknown], { kind: 'bytes', layer: 0, delta: 1 })).toBe('DM-TBL-08 in layer 0 at 0: the table says 1 bytes, the device has 0');
    expect(bytesSaid([unknown], { kind: 'bytes', layer: 0, delta: 1 }, 'page', 'zfile')).toBe('0: 301');
  });

  it.each<[text: string, string]>([
    ['513', '1: 513'],
    ['000000000000000000000000000513', '1: 513'],
    ['0000000000000000000000000000513', 'DM-TBL-06 in layer 1 at 0: "0000000000000000000000000000513" is no number of bytes'],
    ['513 ', 'DM-TBL-06 in layer 1 at 0: "513 " is no number of bytes'],
    ['+513', 'DM-TBL-06 in layer 1 at 0: "+513" is no number of bytes'],
    [`513${'x'.repeat(60)}`, `DM-TBL-06 in layer 1 at 0: "513${'x'.repeat(37)}" is no number of bytes`],
    ['9223372036854775807', 'DM-TBL-08 in layer 1 at 0: the table says 9223372036854775807 bytes, the device has 4096'],
    ['9223372036854775808', 'DM-TBL-06 in layer 1 at 0: an image cannot have 9223372036854775808 bytes'],
  ])('as the text %j', (text, said) => expect(bytesSaid([blank(0), blank(600)], { kind: 'text', layer: 1, text })).toBe(said));

  it('are nobody’s where the number of arguments or a device is wrong', () => {
    expect(bytesSaid([blank(0), blank(0)], { kind: 'count', delta: 3 })).toBe('DM-TBL-05 in layer 0 at 0: the table has 7 arguments, not 4');
    expect(bytesSaid([blank(0), blank(0)], { kind: 'device', layer: 1 })).toBe('DM-TBL-07 in layer 1 at 0: the table names a device that is not there');
    expect(() => bytesSaid([blank(0)], { kind: 'count', delta: 2 })).toThrow('2 arguments more make no wrong table');
  });

  it('are nobody’s where the device is held by another', () => {
    expect(bytesSaid([blank(600), blank(600)], { kind: 'busy', layer: 1 })).toBe('DM-TBL-10 in layer 1 at 0: somebody else holds the device');
  });

  it.each<[string, Layer, Slack, sectors: number, end: number]>([
    ['a sector', blank(600), 'page', 1, 512],
    ['two of three sectors', blank(1536), 'garbage', 2, 512],
    ['a sector of a ZFile', blank(300, { wrapping: ['zfile'], exposedBytes: 1535 }), 'exact', 1, 1024],
  ])('are more than there are on a device that is short of %s', (_name, image, slack, sectors, end) => {
    const right = image.exposedBytes ?? image.bytes.length;
    expect(bytesSaid([blank(0), image], { kind: 'short', layer: 1, sectors }, slack)).toBe(`DM-TBL-08 in layer 1 at 0: the table says ${right} bytes, the device has ${end}`);
  });

  it('are right in a table of another length', () => expect(bytesSaid([blank(600)], { kind: 'length', sectors: 3 })).toBeNull());
});

it.each<[device: Case['device'], wrapping: Layer['wrapping'], boolean]>([
  ['lsmt', [], false], ['lsmt', ['tar'], false], ['lsmt', ['zfile'], true], ['lsmt', ['tar', 'zfile'], true], ['zfile', ['zfile'], false],
])('a table of %s over a layer in %j is about a ZFile’s device: %s', (device, wrapping, over) => {
  expect(overZFile({ id: 'c', device, layers: [], access: { slack: 'page', deviceBytes: 0, reads: [] }, clauses: { exercises: [], violates: [] } }, blank(0, { wrapping }))).toBe(over);
});

it.each<[TableFault | undefined, number]>([
  [undefined, 0], [{ kind: 'length', sectors: 3 }, 3], [{ kind: 'length', sectors: -8 }, -8], [{ kind: 'short', layer: 0, sectors: 3 }, 0],
])('a table with the fault %j is %i sectors longer', (table, sectors) => {
  const access = { slack: 'page', deviceBytes: 0, reads: [], ...(table ? { table } : {}) } as const;
  expect(tableExtra({ id: 'c', device: 'lsmt', layers: [], access, clauses: { exercises: [], violates: [] } })).toBe(sectors);
});

describe('a source of another size', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  it.each<[size: number, offset: number, length: number, readonly number[]]>([
    [3, 0, 3, [1, 2, 3]], [3, 3, 0, []], [3, 1, 1, [2]],
    [6, 0, 6, [1, 2, 3, 4, 0, 0]], [6, 0, 4, [1, 2, 3, 4]], [6, 3, 2, [4, 0]], [6, 4, 2, [0, 0]], [6, 5, 1, [0]], [6, 6, 0, []],
  ])('%i: %i + %i', (size, offset, length, expected) => {
    const source = resizedSource(bufferSource(bytes), size);
    expect(source.size).toBe(size);
    expect([...source.read(offset, length)]).toEqual(expected);
  });
  it('has nothing behind it', () => {
    expect(() => resizedSource(bufferSource(bytes), 3).read(0, 4)).toThrow('read of 4 bytes at 0 outside a source of 3');
    expect(() => resizedSource(bufferSource(bytes), 6).read(5, 2)).toThrow(RangeError);
  });
  it('copies nothing that the source has as it is', () => {
    const source = { size: 4, read: () => bytes };
    expect(resizedSource(source, 6).read(0, 4)).toBe(bytes);
    expect(resizedSource(source, 6).read(0, 5)).not.toBe(bytes);
  });
  it('asks the source for nothing behind its end', () => {
    const asked: string[] = [];
    const strict = { size: 4, read: (offset: number, length: number) => (asked.push(`${offset}+${length}`), bytes.subarray(offset, offset + length)) };
    const source = resizedSource(strict, 8);
    source.read(0, 8);
    source.read(2, 2);
    source.read(4, 4);
    source.read(5, 3);
    expect(asked).toEqual(['0+4', '2+2']);
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
