// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawCase } from '../../generators/draw.ts';
import { prepare } from '../../engine/prepare.ts';
import { jobFor } from '../../engine/prepare.ts';
import { withAllocations } from '../../engine/allocations.ts';
import { builtinTarget } from '../../engine/builtin-targets.ts';
import { CaseFolder } from './folder.ts';
import { Lines } from './lines.ts';
import { ACCESS_FEATURES, BadMessage, decode, encode, type CaseMessage } from './messages.ts';
import { splitWords } from './words.ts';

const schema = JSON.parse(readFileSync(join(import.meta.dirname, 'schema/protocol.json'), 'utf8')) as { definitions: object };
const ajv = new Ajv({ allowUnionTypes: true, strict: false });
ajv.addSchema(schema, 'protocol');
const fromTarget = ajv.compile({ $ref: 'protocol#/definitions/fromTarget' });
const fromRunner = ajv.compile({ $ref: 'protocol#/definitions/fromRunner' });

const SHA = 'a'.repeat(64);
const described = (capabilities: unknown): object => ({ type: 'describe', id: 0, protocol: 1, name: 'r', version: '', capabilities });
const done = (more: object): object => ({ type: 'done', id: 1, ...more });
const read = (more: object): object => ({ type: 'read', id: 1, read: 0, result: 512, sha256: SHA, ...more });

const GOOD: readonly object[] = [
  described({}),
  described({ devices: ['lsmt'], wrappings: [], forms: ['pair'], algorithms: ['zstd'], blockSizes: [4096], maxLayers: 1, sizeUnit: 512, deviceBytes: 1 << 20, whole: true, nested: false, empty: false, access: [...ACCESS_FEATURES], flags: { 'x.y': true } }),
  { type: 'opened', id: 1, size: 0 }, { type: 'opened', id: 2 ** 53 - 1, size: 2 ** 62 }, { type: 'refused', id: 1, reason: '' },
  read({}), read({ result: 0 }), { type: 'read', id: 1, read: 3, result: -5 }, read({ spill: { before: 1, after: 0, first: -1 }, untouched: 64, reader: 8 }),
  done({}), done({ complaints: [{ kind: 'leak', title: 'x' }], changed: { layer: 0, at: 9 }, meanwhile: { times: 3, failed: 'EBUSY' }, log: 'x' }), done({ meanwhile: { times: 0 } }),
  { type: 'crashed', id: 1, title: 'SIGSEGV' }, { type: 'crashed', id: 1, kind: 'hang', title: 'loop', log: 'x' },
];
const BAD: readonly unknown[] = [
  null, 1, [], 'x', {}, { type: 'open' }, { type: 'bye' }, { type: 'toString' },
  { ...described({}), id: 1 }, { ...described({}), protocol: 2 }, { ...described({}), name: '' }, { ...described({}), version: 1 }, { ...described({}), more: 1 },
  described(undefined), described([]), described({ devices: ['disk'] }), described({ devices: 'lsmt' }), described({ devices: null }), described({ maxLayers: 0 }), described({ maxLayers: 65537 }),
  described({ sizeUnit: 4096 }), described({ sizeUnit: null }), described({ blockSizes: [0] }), described({ blockSizes: ['4096'] }), described({ flags: { x: 1 } }), described({ flags: [] }), described({ whole: 1 }), described({ deviceBytes: 0 }), described({ empty: null }), described({ speed: 1 }), described({ access: ['all'] }),
  { type: 'opened', id: 1 }, { type: 'opened', id: 1, size: -1 }, { type: 'opened', id: 1, size: 1.5 }, { type: 'opened', id: -1, size: 1 }, { type: 'opened', id: '1', size: 1 }, { type: 'opened', size: 1 }, { type: 'opened', id: 1, size: 1, x: 1 },
  { type: 'refused', id: 1 }, { type: 'refused', id: 1, reason: 5 }, { type: 'refused', id: 1, reason: 'x'.repeat(4097) },
  read({ sha256: undefined }), read({ sha256: SHA.toUpperCase() }), read({ sha256: '' }), read({ result: -5 }), read({ result: -4096, sha256: undefined }), read({ result: '1' }), read({ read: -1 }),
  read({ spill: { before: 1, after: 0 } }), read({ spill: 5 }), read({ spill: { before: 1, after: 0, first: 0, more: 0 } }), read({ untouched: -1 }), read({ reader: 0 }), read({ reader: 9 }),
  done({ complaints: {} }), done({ complaints: [1] }), done({ complaints: [{ kind: 'bad', title: 'x' }] }), done({ complaints: [{ kind: 'leak' }] }), done({ complaints: Array.from({ length: 101 }, () => ({ kind: 'leak', title: 'x' })) }),
  done({ changed: { layer: 0 } }), done({ changed: 1 }), done({ meanwhile: {} }), done({ meanwhile: { times: 1, x: 1 } }), done({ log: 1 }), done({ size: 1 }),
  { type: 'crashed', id: 1 }, { type: 'crashed', id: 1, title: 'x', kind: 'leak' }, { type: 'crashed', id: 1, title: 5 },
];

describe('what a target sends', () => {
  it.each(GOOD.map((m) => [JSON.stringify(m)]))('is taken, by the schema too: %s', (line) => {
    expect(fromTarget(JSON.parse(line)), JSON.stringify(fromTarget.errors)).toBe(true);
    expect(decode(line)).toMatchObject({ type: (JSON.parse(line) as { type: string }).type });
  });

  it.each(BAD.map((m) => [JSON.stringify(m)]))('is refused, by the schema too: %s', (line) => {
    expect(fromTarget(JSON.parse(line))).toBe(false);
    expect(() => decode(line)).toThrow(BadMessage);
  });

  it.each(['', '{', 'opened', '{"type":"opened","id":1,"size":1}x', '\u001b[2J'])('is no JSON: %j', (line) => {
    expect(() => decode(line)).toThrow(/^a line that is no JSON: [^\p{Cc}]+$/u);
  });

  it('has defaults for what it leaves out', () => {
    expect(decode(JSON.stringify(described({})))).toEqual({
      type: 'describe', id: 0, name: 'r', version: '',
      capabilities: { devices: ['lsmt', 'zfile'], wrappings: ['zfile'], forms: [], algorithms: ['lz4'], blockSizes: [], maxLayers: 255, sizeUnit: 1, deviceBytes: null, whole: false, nested: true, empty: true, access: [], flags: {} },
    });
  });
});

describe('what the runner sends', () => {
  let folder: CaseFolder;
  beforeAll(() => { folder = new CaseFolder(); });
  afterAll(() => folder.close());

  it('is as the schema says, for hundreds of drawn cases', () => {
    const target = builtinTarget('oracle')!;
    const features = new Set<string>();
    for (let i = 0; i < 300; i++) {
      // What fails to allocate is a drawn case again.
      const prepared = prepare(i < 10 ? withAllocations(3, 0, i) : drawCase(3, i));
      const { message, remove } = folder.deploy(jobFor(prepared, target)!, i + 1, ACCESS_FEATURES);
      const line = encode(message);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      const parsed = JSON.parse(line) as CaseMessage;
      expect(fromRunner(parsed), JSON.stringify(fromRunner.errors)).toBe(true);
      expect(parsed).toEqual(JSON.parse(JSON.stringify(message)));
      for (const [k, layer] of parsed.layers.entries()) {
        const bytes = readFileSync(layer.path);
        expect(bytes.length).toBe(layer.bytes);
        if (!layer.extents) expect(Buffer.compare(bytes, prepared.case.layers[k]!.bytes), prepared.case.id).toBe(0);
      }
      for (const feature of ACCESS_FEATURES) if (parsed[feature] !== undefined) features.add(feature);
      remove();
    }
    expect([...features].sort()).toEqual([...ACCESS_FEATURES].sort());
  }, 120_000);

  it('has offsets past 2^53 digit by digit', () => {
    const offset = 2 ** 63 - 2 ** 20;
    const line = encode({ type: 'case', id: 1, case: 'x', device: 'lsmt', layers: [], deviceBytes: 512, slack: 'page', reads: [{ offset, length: 512, bufferOffset: 0, mode: 'direct', want: null, output: '/x' }] });
    expect(line).toContain('"offset":9223372036853727232,');
    expect(JSON.parse(line)).toMatchObject({ reads: [{ offset }] });
  });

  it('leaves out what the target does not take', () => {
    const target = builtinTarget('oracle')!;
    for (let i = 0; i < 60; i++) {
      const { message, remove } = folder.deploy(jobFor(prepare(drawCase(3, i)), target)!, 1, []);
      expect(Object.keys(message).filter((key) => (ACCESS_FEATURES as readonly string[]).includes(key))).toEqual([]);
      remove();
    }
  });
});

describe('lines', () => {
  it.each<[string, readonly string[], readonly (string | null)[], string]>([
    ['whole ones', ['a\nbc\n'], ['a', 'bc'], ''],
    ['in pieces', ['a', 'b', '\nc', '\n\n'], ['ab', 'c', ''], ''],
    ['one that has not ended', ['ab\ncd'], ['ab'], 'cd'],
    ['one of eight bytes', ['12345678\n'], ['12345678'], ''],
    ['one too long', ['1\n12345', '6789\nx\n'], ['1', null], ''],
    ['one too long that never ends', ['12345678', '9', '0'.repeat(100)], [null], ''],
  ])('%s', (_name, pieces, expected, rest) => {
    const lines = new Lines(8);
    expect(pieces.flatMap((p) => lines.add(Buffer.from(p)))).toEqual(expected);
    expect(lines.rest).toBe(rest);
  });
});

describe('a command line', () => {
  it.each([
    ['a b  c', ['a', 'b', 'c']], [' "a b" \'c "d\' e\\ f ', ['a b', 'c "d', 'e f']], ['a "" \'\'', ['a', '', '']], ['a"b"c', ['abc']], ['$HOME *', ['$HOME', '*']], ['"a\\"b"', ['a"b']],
  ])('%s', (text, words) => expect(splitWords(text)).toEqual(words));
  it.each(['', '  ', 'a "b', 'a \'b'])('%j is none', (text) => expect(() => splitWords(text)).toThrow());
});
