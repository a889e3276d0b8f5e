// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { lintTargets } from './lint.ts';
import { READY_FILE, readTargetsFile } from './load.ts';

const ENTRY = {
  name: 'mine', description: 'd', install: 'i', tried: { with: 'untested', note: 'n' }, programs: ['mine'],
  supports: { devices: ['lsmt'] }, device: [{ command: ['{program}', '{layers}', '{out}'] }],
};

function problems(change: Record<string, unknown>): string[] {
  return lintTargets({ schema: 'ovbd-targets/1', readers: [{ ...ENTRY, ...change }] }).map((p) => `${p.at}: ${p.what}`);
}

const schema = JSON.parse(readFileSync(new URL('targets.schema.json', import.meta.url), 'utf8')) as object;
const validate = new Ajv2020({ strict: true, strictRequired: false }).compile(schema);

describe('the lint', () => {
  it('finds nothing in a sound entry, nor in those that come with the suite', () => {
    expect(problems({})).toEqual([]);
    expect(lintTargets(readTargetsFile(READY_FILE))).toEqual([]);
  });

  it.each<[Record<string, unknown>, RegExp]>([
    [{ name: 'My Reader' }, /readers\[0\]\.name: "My Reader" is none: small letters/],
    [{ programs: [] }, /readers\[0\]\.programs: must have 1 to 16 items, has 0/],
    [{ comand: [] }, /readers\[0\]\.comand: there is no such key; there are .*device/],
    [{ device: [{ command: ['{program}', '{layer}', '{out}'] }] }, /device\[0\]\.command\[1\]: there is no placeholder \{layer\} here; there are .*\{layers\}/],
    [{ device: [{ command: ['{program}', '--in={layers}', '{out}'] }] }, /command\[1\]: \{layers\} stands for several arguments.*"each"/],
    [{ device: [{ command: ['{program}', '{layers}'] }] }, /no step makes \{out\}/],
    [{ device: [{ command: 'cat {layers} > {out}' }] }, /device\[0\]\.command: must be a list, is text/],
    [{ read: [{ command: ['x', '{offset}', '{out}'] }] }, /must have either "device".* or "read"/],
    [{ rules: [{ stderr: '(', is: 'refused' }] }, /rules\[0\]\.stderr: is no regular expression/],
    [{ rules: [{ exit: [256], is: 'refused' }] }, /rules\[0\]\.exit\[0\]: must be a whole number from 0 to 255, is 256/],
    [{ rules: [{ is: 'fine' }] }, /rules\[0\]\.is: must be "ok" or "refused" or "error" or "crash", is "fine"/],
    [{ files: [{ name: '../x', text: '' }] }, /files\[0\]\.name: "\.\.\/x" is none: a plain name/],
    [{ device: [{ command: ['cat', '{file:none.json}', '{out}'] }] }, /no placeholder \{file:none\.json\}/],
    [{ device: [{ command: ['{parameter}', '{out}'] }] }, /\{parameter\} is used, but there is no "parameter"/],
    [{ fixed: true }, /fixed: needs "parameter"/],
    [{ flags: { 'no.such': true } }, /flags\.no\.such: there is no such flag/],
    [{ limits: { seconds: 0 } }, /limits\.seconds: must be a whole number from 1 to 3600, is 0/],
    [{ supports: {} }, /supports: "devices" is missing/],
    [{ tried: 'yes' }, /tried: must be an object, is text/],
  ])('%j', (change, message) => {
    expect(problems(change).join('\n')).toMatch(message);
  });

  it('says of files that are no lists of targets what they are', () => {
    expect(lintTargets([])).toEqual([{ at: 'the file', what: 'must be an object, is a list' }]);
    expect(lintTargets({ schema: 'x' })[0]!.what).toContain('ovbd-targets/1');
    expect(lintTargets({ schema: 'ovbd-targets/1', readers: [ENTRY, ENTRY] })).toEqual([{ at: 'readers[1].name', what: '"mine" is there twice' }]);
  });

  it('the JSON Schema takes what the lint takes, and not what breaks its shape', () => {
    expect(validate(readTargetsFile(READY_FILE)), JSON.stringify(validate.errors)).toBe(true);
    const valid = (change: object): boolean => validate({ schema: 'ovbd-targets/1', readers: [{ ...ENTRY, ...change }] });
    expect(valid({})).toBe(true);
    for (const change of [{ name: 'My Reader' }, { programs: [] }, { comand: [] }, { rules: [{ is: 'fine' }] }, { limits: { seconds: 0 } }, { supports: {} }, { tried: 'yes' }, { device: [{ command: 'x' }] }]) {
      expect(valid(change), JSON.stringify(change)).toBe(false);
      expect(problems(change)).not.toEqual([]);
    }
  });
});
