// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { jsonPieces } from './json-stream.ts';

const text = (value: unknown): string => [...jsonPieces(value)].join('');

it.each([
  [null], [0], [''], ['"\\\n\u2028'], [true], [[]], [{}], [[[]]], [{ a: {} }], [[1, 'a', null]], [{ a: [1, { b: [{}, [], [[0]]] }], c: { d: 'e' } }],
])('%j is what it was after parsing', (value) => {
  expect(JSON.parse(text(value))).toEqual(value);
});

it('iterables are arrays, taken one after the other and only when they are printed', () => {
  let taken = 0;
  const rows = function* () {
    for (let i = 0; i < 3; i++) {
      taken++;
      yield { i };
    }
  };
  const pieces = jsonPieces({ rows: rows(), none: [][Symbol.iterator]() });
  let seen = '';
  while (!seen.includes('"i":0')) seen += pieces.next().value as string;
  expect(taken).toBe(1);
  for (const piece of pieces) seen += piece;
  expect(JSON.parse(seen)).toEqual({ rows: [{ i: 0 }, { i: 1 }, { i: 2 }], none: [] });
});

it('rows stand on one line each, and what is undefined is left out', () => {
  expect(text({ a: undefined, rows: [{ n: 1, marks: [] }, { n: 2, marks: [{ x: 1 }] }] })).toBe([
    '{', '  "rows": [', '    {"n":1,"marks":[]},', '    {', '      "n": 2,', '      "marks": [', '        {"x":1}', '      ]', '    }', '  ]', '}',
  ].join('\n'));
});
