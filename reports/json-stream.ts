// SPDX-License-Identifier: MIT
/** JSON of values whose lists may be too long to hold: any iterable that is no string becomes an array, taken as it is written. */

/**
 * The value as JSON text, in pieces. Objects and arrays of plain values stand
 * on one line, others with two spaces of indentation. A property that is
 * undefined is left out.
 */
export function* jsonPieces(value: unknown, indent = ''): Generator<string> {
  if (!isComposite(value) || isPlain(value)) {
    yield JSON.stringify(value);
    return;
  }
  const inner = `${indent}  `;
  const isList = isIterable(value);
  let separator = '';
  yield isList ? '[' : '{';
  for (const [key, item] of isList ? listed(value) : Object.entries(value)) {
    if (item === undefined) continue;
    yield `${separator}\n${inner}${key === null ? '' : `${JSON.stringify(key)}: `}`;
    yield* jsonPieces(item, inner);
    separator = ',';
  }
  yield separator === '' ? (isList ? ']' : '}') : `\n${indent}${isList ? ']' : '}'}`;
}

function* listed(list: Iterable<unknown>): Generator<readonly [null, unknown]> {
  for (const item of list) yield [null, item];
}

function isComposite(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value;
}

/** Whether it holds values only, or empty arrays. */
function isPlain(value: object): boolean {
  if (isIterable(value)) return Array.isArray(value) && value.every((item) => !isComposite(item));
  return Object.values(value).every((item) => !isComposite(item) || (Array.isArray(item) && item.length === 0));
}
