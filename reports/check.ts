// SPDX-License-Identifier: MIT
/**
 * Reads untrusted JSON into types: each check returns the value or throws
 * `Mismatch` with the field's path. Fields that nobody asked for are dropped.
 */

/** What is wrong and where. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch';
  constructor(at: string, expected: string, found: unknown) {
    const shown = JSON.stringify(found) ?? 'nothing';
    super(`${at || 'the file'}: expected ${expected}, found ${shown.length > 60 ? `${shown.slice(0, 60)}…` : shown}`);
  }
}

export type Check<T> = (value: unknown, at: string) => T;
type Value<C> = C extends Check<infer T> ? T : never;

/** A field that may be absent. */
interface Optional<T> { readonly optional: Check<T> }
type Shape = Readonly<Record<string, Check<unknown> | Optional<unknown>>>;
type Fields<S extends Shape> =
  & { readonly [K in keyof S as S[K] extends Check<unknown> ? K : never]: Value<S[K]> }
  & { readonly [K in keyof S as S[K] extends Optional<unknown> ? K : never]?: S[K] extends Optional<infer T> ? T : never };

export function optional<T>(check: Check<T>): Optional<T> {
  return { optional: check };
}

export function text(maximum: number, pattern?: RegExp): Check<string> {
  return (value, at) => {
    if (typeof value === 'string' && value.length <= maximum && (pattern?.test(value) ?? true)) return value;
    throw new Mismatch(at, pattern ? `text that matches ${pattern}` : `text of at most ${maximum} characters`, value);
  };
}

export function integer(minimum: number, maximum: number, multiple = 1): Check<number> {
  return (value, at) => {
    if (Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum
      && (value as number) % multiple === 0) return value as number;
    throw new Mismatch(at, `a whole number from ${minimum} to ${maximum}${multiple > 1 ? `, a multiple of ${multiple}` : ''}`, value);
  };
}

/** Bytes of a device: a whole number below 2^63, which a double may hold past 2^53 where it is round enough. */
export function deviceSize(multiple = 1): Check<number> {
  return (value, at) => {
    if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 63 && (value as number) % multiple === 0) return value as number;
    throw new Mismatch(at, `a whole number from 0 to 2^63 - 1${multiple > 1 ? `, a multiple of ${multiple}` : ''}`, value);
  };
}

export function oneOf<const T extends string>(...words: readonly T[]): Check<T> {
  return (value, at) => {
    if ((words as readonly unknown[]).includes(value)) return value as T;
    throw new Mismatch(at, words.length === 1 ? JSON.stringify(words[0]) : `one of ${words.join(', ')}`, value);
  };
}

/** True; a flag that is not set is absent. */
export const flag: Check<true> = (value, at) => {
  if (value === true) return value;
  throw new Mismatch(at, 'true', value);
};

export function boolean(): Check<boolean> {
  return (value, at) => {
    if (typeof value === 'boolean') return value;
    throw new Mismatch(at, 'true or false', value);
  };
}

export function list<T>(item: Check<T>, maximum: number, minimum = 0): Check<readonly T[]> {
  return (value, at) => {
    if (Array.isArray(value) && value.length >= minimum && value.length <= maximum) return value.map((v, i) => item(v, `${at}[${i}]`));
    throw new Mismatch(at, `a list of ${minimum} to ${maximum}`, value);
  };
}

/** An object with any keys, as in `parts`. */
export function map<T>(maximum: number, item: Check<T>): Check<Readonly<Record<string, T>>> {
  return (value, at) => {
    const entries = Object.entries(plainObject(value, at));
    if (entries.length > maximum) throw new Mismatch(at, `at most ${maximum} fields`, entries.length);
    return Object.fromEntries(entries.map(([key, v]) => [key, item(v, `${at}.${key}`)]));
  };
}

export function record<const S extends Shape>(shape: S): Check<Fields<S>> {
  return (value, at) => {
    const from = plainObject(value, at);
    const fields: Record<string, unknown> = {};
    for (const [key, check] of Object.entries(shape)) {
      const path = at === '' ? key : `${at}.${key}`;
      const own = Object.hasOwn(from, key) ? from[key] : undefined;
      if (typeof check === 'function') fields[key] = check(own, path);
      else if (own !== undefined) fields[key] = check.optional(own, path);
    }
    return fields as Fields<S>;
  };
}

/** Chooses the check by the value of one field. */
export function either<const C extends Readonly<Record<string, Check<unknown>>>>(key: string, checks: C): Check<Value<C[keyof C]>> {
  return (value, at) => {
    const word = oneOf(...Object.keys(checks))(plainObject(value, at)[key], `${at}.${key}`);
    return checks[word]!(value, at) as Value<C[keyof C]>;
  };
}

function plainObject(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Mismatch(at, 'an object', value);
}
