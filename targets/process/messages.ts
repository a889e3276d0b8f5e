// SPDX-License-Identifier: MIT
/** The messages of the target protocol (PROTOCOL.md): as types, checked as they come, and written exactly. */
import type { AccessPlan, Case, Complaint, ReadPlan, Spill } from '../../model/index.ts';

/** Keys of a case that are only sent to targets that take them. */
export const ACCESS_FEATURES = ['table', 'fault', 'attempts', 'shared', 'crowd', 'replaces', 'failsAfter'] as const;
export type AccessFeature = (typeof ACCESS_FEATURES)[number];

/** A file beside a layer's own. */
export interface FileMessage {
  readonly path: string;
  readonly bytes: number;
}

export interface LayerMessage extends FileMessage {
  readonly wrapping: readonly ('zfile' | 'tar')[];
  readonly exposedBytes?: number;
  readonly index?: FileMessage;
  readonly remote?: FileMessage;
  readonly extents?: readonly { readonly from: number; readonly to: number }[];
}

export interface ReadMessage extends ReadPlan {
  readonly want: string | null;
  readonly output: string;
}

export interface CaseMessage extends Pick<AccessPlan, AccessFeature | 'slack' | 'deviceBytes'> {
  readonly type: 'case';
  readonly id: number;
  readonly case: string;
  readonly device: Case['device'];
  readonly layers: readonly LayerMessage[];
  readonly reads: readonly ReadMessage[];
}

export type RunnerMessage = { readonly type: 'describe'; readonly protocol: 1; readonly id: 0 } | CaseMessage | { readonly type: 'bye' };

/** What a target says of itself, with what it left out filled in. */
export interface Capabilities {
  readonly devices: readonly ('lsmt' | 'zfile')[];
  readonly wrappings: readonly ('zfile' | 'tar')[];
  readonly forms: readonly ('pair' | 'sparse' | 'warp')[];
  readonly algorithms: readonly ('lz4' | 'zstd')[];
  readonly blockSizes: readonly number[];
  readonly maxLayers: number;
  readonly sizeUnit: 1 | 512;
  /** Bytes of the largest device; null: any. */
  readonly deviceBytes: number | null;
  readonly whole: boolean;
  readonly nested: boolean;
  readonly empty: boolean;
  readonly access: readonly AccessFeature[];
  readonly flags: Readonly<Record<string, boolean>>;
}

export interface Description {
  readonly type: 'describe';
  readonly id: number;
  readonly name: string;
  readonly version: string;
  readonly capabilities: Capabilities;
}

export interface ReadAnswer {
  readonly type: 'read';
  readonly id: number;
  readonly read: number;
  readonly result: number;
  /** '' where the read failed. */
  readonly sha256: string;
  readonly spill?: Spill;
  readonly untouched?: number;
  readonly reader?: number;
}

export interface DoneAnswer {
  readonly type: 'done';
  readonly id: number;
  readonly complaints: readonly Complaint[];
  readonly changed?: { readonly layer: number; readonly at: number };
  readonly meanwhile?: { readonly times: number; readonly failed?: string };
  readonly log: string;
}

export type TargetMessage =
  | Description
  | { readonly type: 'opened'; readonly id: number; readonly size: number }
  | { readonly type: 'refused'; readonly id: number; readonly reason: string }
  | ReadAnswer
  | DoneAnswer
  | { readonly type: 'crashed'; readonly id: number; readonly kind: 'crash' | 'hang'; readonly title: string; readonly complaints: readonly Complaint[]; readonly log: string };

/** A line that is no message of a target; the message says what is wrong with it, for whoever writes adapters. */
export class BadMessage extends Error {
  override readonly name = 'BadMessage';
}

/** Bytes of a target's line at the most. */
export const LINE_BYTES = 256 << 10;
const TEXT = 4096;
const NAME = 200;
/** The highest stack that a target may say it takes. */
const MAX_LAYERS = 65536;

/** Integers past 2^53 are written digit by digit: JSON.stringify rounds them to what reads back as the same double. */
export function encode(message: RunnerMessage): string {
  const text = JSON.stringify(message, (_, value: unknown) => (typeof value === 'number' && !Number.isSafeInteger(value) ? `\u0001${BigInt(value)}` : value));
  return `${text.replaceAll(/"\\u0001(\d+)"/g, '$1')}\n`;
}

type Fields = Readonly<Record<string, unknown>>;

/** Takes one line of a target; throws `BadMessage`. */
export function decode(line: string): TargetMessage {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new BadMessage(`a line that is no JSON: ${shown(line)}`);
  }
  if (!isObject(value)) throw new BadMessage(`a line that is no JSON object: ${shown(line)}`);
  const { type } = value;
  switch (type) {
    case 'describe': return description(value);
    case 'opened': return only(value, ['size']) && { type, id: idOf(value), size: integer(value, 'size', 0, Infinity) };
    case 'refused': return only(value, ['reason']) && { type, id: idOf(value), reason: string(value, 'reason', TEXT) };
    case 'read': return readAnswer(value);
    case 'done': return doneAnswer(value);
    case 'crashed':
      only(value, ['kind', 'title', 'complaints', 'log']);
      return {
        type, complaints: complaintsOf(value), id: idOf(value), title: string(value, 'title', TEXT), log: value['log'] === undefined ? '' : string(value, 'log', LINE_BYTES),
        kind: value['kind'] === undefined ? 'crash' : choice(value, 'kind', value['kind'], ['crash', 'hang']),
      };
    default:
      throw new BadMessage(`a message of type ${shown(JSON.stringify(type) ?? 'none')}; there are describe, opened, refused, read, done and crashed`);
  }
}

function description(value: Fields): Description {
  only(value, ['protocol', 'name', 'version', 'capabilities']);
  if (value['id'] !== 0) throw wrong(value, 'id', 'must be 0');
  if (value['protocol'] !== 1) throw wrong(value, 'protocol', 'must be 1');
  const name = string(value, 'name', NAME);
  if (name === '') throw wrong(value, 'name', 'is empty');
  const given = value['capabilities'];
  if (!isObject(given)) throw wrong(value, 'capabilities', 'must be an object, {} at the least');
  const c = { ...given, type: 'describe: capabilities' };
  only(c, ['devices', 'wrappings', 'forms', 'algorithms', 'blockSizes', 'maxLayers', 'sizeUnit', 'deviceBytes', 'whole', 'nested', 'empty', 'access', 'flags'], false);
  const { flags = {}, sizeUnit = 1, maxLayers = 255 }: Fields = c;
  if (!isObject(flags) || !Object.values(flags).every((f) => typeof f === 'boolean')) throw wrong(c, 'flags', 'must be an object of true and false');
  return {
    type: 'describe', id: 0, name, version: string(value, 'version', NAME),
    capabilities: {
      devices: choices(c, 'devices', ['lsmt', 'zfile'], ['lsmt', 'zfile']),
      wrappings: choices(c, 'wrappings', ['zfile', 'tar'], ['zfile']),
      forms: choices(c, 'forms', ['pair', 'sparse', 'warp'], []),
      algorithms: choices(c, 'algorithms', ['lz4', 'zstd'], ['lz4']),
      blockSizes: list(c, 'blockSizes').map((n) => integer({ ...c, blockSizes: n }, 'blockSizes', 1, 2 ** 32 - 1)),
      maxLayers: integer({ ...c, maxLayers }, 'maxLayers', 1, MAX_LAYERS),
      sizeUnit: choice({ ...c, sizeUnit }, 'sizeUnit', sizeUnit, [1, 512]),
      deviceBytes: (c as Fields)['deviceBytes'] === undefined ? null : integer(c, 'deviceBytes', 1, Number.MAX_SAFE_INTEGER),
      whole: truth(c, 'whole', false),
      nested: truth(c, 'nested', true),
      empty: truth(c, 'empty', true),
      access: choices(c, 'access', ACCESS_FEATURES, []),
      flags: flags as Record<string, boolean>,
    },
  };
}

function readAnswer(value: Fields): ReadAnswer {
  only(value, ['read', 'result', 'sha256', 'spill', 'untouched', 'reader']);
  const result = integer(value, 'result', -4095, Number.MAX_SAFE_INTEGER);
  const { sha256, spill } = value;
  if (result < 0 && sha256 !== undefined) throw wrong(value, 'sha256', 'must be left out of a read that failed');
  if (result >= 0 && !(typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256))) throw wrong(value, 'sha256', 'must be 64 lower-case hex digits');
  if (spill !== undefined && !isObject(spill)) throw wrong(value, 'spill', 'must be an object');
  const within = spill && { ...spill, type: 'read: spill' };
  if (within) only(within, ['before', 'after', 'first'], false);
  return {
    type: 'read', id: idOf(value), read: count(value, 'read'), result, sha256: (sha256 as string | undefined) ?? '',
    ...(within ? { spill: { before: count(within, 'before'), after: count(within, 'after'), first: integer(within, 'first', -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) } } : {}),
    ...(value['untouched'] === undefined ? {} : { untouched: count(value, 'untouched') }),
    ...(value['reader'] === undefined ? {} : { reader: integer(value, 'reader', 1, 8) }),
  };
}

function doneAnswer(value: Fields): DoneAnswer {
  only(value, ['complaints', 'changed', 'meanwhile', 'log']);
  const part = (key: string): Fields | undefined => {
    if (value[key] === undefined) return undefined;
    if (!isObject(value[key])) throw wrong(value, key, 'must be an object');
    return { ...value[key], type: `done: ${key}` };
  };
  const changed = part('changed');
  const meanwhile = part('meanwhile');
  if (changed) only(changed, ['layer', 'at'], false);
  if (meanwhile) only(meanwhile, ['times', 'failed'], false);
  return {
    type: 'done', id: idOf(value),
    complaints: complaintsOf(value),
    ...(changed ? { changed: { layer: count(changed, 'layer'), at: count(changed, 'at') } } : {}),
    ...(meanwhile ? { meanwhile: { times: count(meanwhile, 'times'), ...(meanwhile['failed'] === undefined ? {} : { failed: string(meanwhile, 'failed', TEXT) }) } } : {}),
    log: value['log'] === undefined ? '' : string(value, 'log', LINE_BYTES),
  };
}

function complaintsOf(value: Fields): Complaint[] {
  const complaints = list(value, 'complaints');
  if (complaints.length > 100) throw wrong(value, 'complaints', 'are more than 100');
  return complaints.map((one) => {
    if (!isObject(one)) throw wrong(value, 'complaints', 'must be objects');
    const c = { ...one, type: `${String(value['type'])}: complaints` };
    only(c, ['kind', 'title'], false);
    return { kind: choice(c, 'kind', (c as Fields)['kind'], ['crash', 'memory', 'leak']), title: plainTitle(string(c, 'title', TEXT)) };
  });
}

/** One printable line, as titles and reasons are shown. */
export function plainTitle(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
  return line.length > NAME ? `${line.slice(0, NAME)}…` : line || 'without a name';
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(value: Fields, key: string, why: string): BadMessage {
  return new BadMessage(`a ${String(value['type'])} message whose "${key}" ${why}: ${shown(JSON.stringify(value[key]) ?? 'it is missing')}`);
}

/** The beginning of a text, with what a terminal would obey made plain. */
export function shown(text: string): string {
  const plain = JSON.stringify(text.slice(0, 80)).slice(1, -1).replaceAll('\\"', '"');
  return text.length > 80 ? `${plain}…` : plain === '' ? 'an empty line' : plain;
}

/** True; throws where there are other keys. */
function only(value: Fields, keys: readonly string[], answer = true): true {
  const other = Object.keys(value).find((key) => key !== 'type' && !(answer && key === 'id') && !keys.includes(key));
  if (other !== undefined) throw new BadMessage(`a ${String(value['type'])} message with a key "${shown(other)}" that it does not have`);
  return true;
}

function integer(value: Fields, key: string, least: number, most: number): number {
  const n = value[key];
  if (typeof n === 'number' && Number.isInteger(n) && n >= least && n <= most) return n;
  throw wrong(value, key, most === Infinity ? `must be a whole number from ${least} on` : `must be a whole number from ${least} to ${most}`);
}

function count(value: Fields, key: string): number {
  return integer(value, key, 0, Number.MAX_SAFE_INTEGER);
}

function idOf(value: Fields): number {
  return count(value, 'id');
}

function string(value: Fields, key: string, most: number): string {
  const s = value[key];
  if (typeof s === 'string' && s.length <= most) return s;
  throw wrong(value, key, `must be a text of at most ${most} characters`);
}

function list(value: Fields, key: string): readonly unknown[] {
  const l = value[key] === undefined ? [] : value[key];
  if (!Array.isArray(l)) throw wrong(value, key, 'must be a list');
  return l;
}

function truth(value: Fields, key: string, absent: boolean): boolean {
  return value[key] === undefined ? absent : choice(value, key, value[key], [true, false]);
}

function choice<T>(value: Fields, key: string, one: unknown, of: readonly T[]): T {
  if ((of as readonly unknown[]).includes(one)) return one as T;
  throw wrong(value, key, `must be ${of.map((c) => JSON.stringify(c)).join(' or ')}`);
}

function choices<T>(value: Fields, key: string, of: readonly T[], absent: readonly T[]): readonly T[] {
  if (value[key] === undefined) return absent;
  return [...new Set(list(value, key).map((one) => choice(value, key, one, of)))];
}
