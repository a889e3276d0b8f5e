// SPDX-License-Identifier: MIT
/** Is a `targets.json` as it must be? Every problem with its place, in words for whoever writes the file. */
import { CLAUSES } from '../../spec/index.ts';
import { TARGETS_SCHEMA, type TargetsFile } from './entry.ts';
import { placeholdersIn } from './expand.ts';

/** `readers[0].device[0].command[2]: there is no placeholder {foo}; there are …`. */
export interface Problem {
  readonly at: string;
  readonly what: string;
}

/** Entries of a file, steps of a list, arguments of a command, characters of a text: more is a mistake. */
const MOST = { entries: 64, steps: 16, arguments: 512, text: 65536 };
const NAME = /^[a-z][a-z0-9-]{0,39}$/;
const FILE_NAME = /^[\w-][\w.-]{0,63}$/;

const COMMON = ['dir', 'program', 'here', 'node', 'socket', 'log', 'ovbd'] as const;
const READER = [...COMMON, 'parameter', 'device', 'count', 'deviceBytes', 'deviceSectors', 'bottom', 'top', 'bottomData', 'bottomIndex', 'sealed', 'tar', 'layers', 'words'] as const;
const LAYER = ['layer', 'index', 'number'] as const;
const RANGE = ['offset', 'length', 'end', 'sector', 'sectors'] as const;
const WRITER = {
  lsmt: [...COMMON, 'data', 'index', 'virtualSize', 'uuid', 'parentUuid', 'userTag'],
  zfile: [...COMMON, 'in', 'algorithm', 'blockSize', 'blockKiB'],
} as const;
/** Placeholders that stand for several arguments. */
const SEVERAL = ['layers', 'ovbd', 'words'];

type Check = (value: unknown, at: string) => void;
type Fields = Readonly<Record<string, Check>>;

/** All problems of a file's content; none where it is sound. */
export function lintTargets(json: unknown): Problem[] {
  const problems: Problem[] = [];
  const bad = (at: string, what: string): void => void problems.push({ at: at === '' ? 'the file' : at, what });

  const object = (fields: Fields, required: readonly string[]): Check => (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return bad(at, `must be an object, is ${kindOf(value)}`);
    for (const name of required) if (!(name in value)) bad(at, `"${name}" is missing`);
    for (const [name, one] of Object.entries(value)) {
      if (!Object.hasOwn(fields, name)) bad(join(at, name), `there is no such key; there are ${Object.keys(fields).join(', ')}`);
      else fields[name]!(one, join(at, name));
    }
  };
  const list = (each: Check, least: number, most: number): Check => (value, at) => {
    if (!Array.isArray(value)) return bad(at, `must be a list, is ${kindOf(value)}`);
    if (value.length < least || value.length > most) bad(at, `must have ${least} to ${most} items, has ${value.length}`);
    else value.forEach((one, i) => each(one, `${at}[${i}]`));
  };
  const text = (least = 1, fits?: RegExp, how?: string): Check => (value, at) => {
    if (typeof value !== 'string') return bad(at, `must be text, is ${kindOf(value)}`);
    if (value.length < least || value.length > MOST.text) return bad(at, value === '' ? 'is empty' : `must have ${least} to ${MOST.text} characters`);
    if (value.includes('\0')) return bad(at, 'holds a NUL');
    if (fits && !fits.test(value)) bad(at, `"${value}" is none: ${how!}`);
  };
  const oneOf = (...values: readonly unknown[]): Check => (value, at) => {
    if (!values.includes(value)) bad(at, `must be ${values.map((v) => JSON.stringify(v)).join(' or ')}, is ${shown(value)}`);
  };
  const number = (least: number, most: number): Check => (value, at) => {
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) bad(at, `must be a whole number from ${least} to ${most}, is ${shown(value)}`);
  };
  const pattern: Check = (value, at) => {
    text()(value, at);
    if (typeof value !== 'string') return;
    try {
      new RegExp(value);
    } catch (error) {
      bad(at, `is no regular expression: ${(error as Error).message}`);
    }
  };
  const map = (check: Check): Check => (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return bad(at, `must be an object, is ${kindOf(value)}`);
    for (const [name, one] of Object.entries(value)) check(one, join(at, name));
  };
  const anything: Check = () => undefined;

  /** A text in which only these placeholders may stand. */
  const filled = (names: readonly string[], where: 'argument' | 'text' = 'text'): Check => (value, at) => {
    text(0)(value, at);
    if (typeof value !== 'string') return;
    for (const name of placeholdersIn(value)) {
      if (!names.includes(name)) bad(at, `there is no placeholder {${name}} here; there are ${names.map((n) => `{${n}}`).join(' ')}`);
      else if (SEVERAL.includes(name) && (where === 'text' || value !== `{${name}}`)) bad(at, `{${name}} stands for several arguments: it can only be one by itself${name === 'layers' ? ', or use {"each": ["{layer}"]}' : ''}`);
    }
  };
  const command = (names: readonly string[], layers: boolean): Check => (value, at) => {
    const single = names.filter((n) => !SEVERAL.includes(n));
    list((one, where) => {
      if (typeof one === 'string') return filled(names, 'argument')(one, where);
      if (typeof one !== 'object' || one === null) return bad(where, `must be text, {"each": […]} or {"when": …, "args": […]}, is ${kindOf(one)}`);
      if ('each' in one) {
        if (!layers) bad(where, 'there are no layers here');
        return object({ each: list(filled([...single, ...LAYER]), 1, MOST.arguments), order: oneOf('bottom', 'top') }, ['each'])(one, where);
      }
      object({ when: oneOf(...single), is: text(0), args: list(filled(single), 1, MOST.arguments) }, ['when', 'args'])(one, where);
    }, 1, MOST.arguments)(value, at);
  };
  const stepFields = (names: readonly string[], layers: boolean, shell: boolean): Fields => ({
    command: (value, at) => {
      if (!shell) return command(names, layers)(value, at);
      text()(value, at);
      if (typeof value !== 'string') return;
      for (const name of placeholdersIn(value)) if (!names.includes(name)) bad(at, `there is no placeholder {${name}} here; there are ${names.map((n) => `{${n}}`).join(' ')}`);
    },
    shell: oneOf(true), stdout: oneOf('out'), input: filled(names.filter((n) => !SEVERAL.includes(n))), env: map(filled(names.filter((n) => !SEVERAL.includes(n)))),
  });
  const isShell = (value: unknown): boolean => typeof value === 'object' && value !== null && 'shell' in value;
  const step = (names: readonly string[], layers = true): Check => (value, at) => object(stepFields(names, layers, isShell(value)), ['command'])(value, at);
  const steps = (names: readonly string[], layers = true): Check => list(step(names, layers), 1, MOST.steps);

  const common: Fields = {
    name: text(1, NAME, 'small letters, digits and dashes, a letter first, at most 40'), description: text(), install: text(),
    tried: object({ with: oneOf('real', 'stand-in', 'untested'), note: text() }, ['with', 'note']),
    programs: list(text(1, /^(?:\.{1,2}\/|\/)?[^{}]+$/, 'a program, without placeholders'), 1, 16),
    probe: object({ command: list(filled(['program', 'here', 'node']), 1, MOST.arguments), stdout: pattern, otherwise: text() }, ['command', 'otherwise']),
    rules: list(object({ exit: list(number(0, 255), 1, 256), stderr: pattern, is: oneOf('ok', 'refused', 'error', 'crash') }, ['is']), 1, 64),
    limits: object({ seconds: number(1, 3600), memoryMiB: number(1, 1 << 20), addressSpaceMiB: number(1, 1 << 22), fileMiB: number(1, 1 << 14), processes: number(1, 4096) }, []),
  };
  const commonRequired = ['name', 'description', 'install', 'tried', 'programs'];
  const known = CLAUSES.flatMap((c) => (c.flag === undefined ? [] : [c.flag]));

  const filesOf = (value: unknown): string[] => {
    const files = typeof value === 'object' && value !== null && 'files' in value && Array.isArray(value.files) ? value.files as unknown[] : [];
    return files.flatMap((f) => (typeof f === 'object' && f !== null && 'name' in f && typeof f.name === 'string' ? [`file:${f.name}`] : []));
  };
  const madeFiles = (names: readonly string[]): Check => list(object({
    name: text(1, FILE_NAME, 'a plain name of a file'),
    text: (value, at) => {
      text(0)(value, at);
      if (typeof value === 'string') for (const name of placeholdersIn(value)) if (name !== 'layers' && !names.includes(name)) bad(at, `there is no placeholder {${name}} here; there are {layers} ${names.map((n) => `{${n}}`).join(' ')}`);
    },
    layer: filled([...names, ...LAYER]), between: text(0),
  }, ['name', 'text']), 1, MOST.steps);

  const reader: Check = (value, at) => {
    const names = [...READER, ...filesOf(value)];
    const single = names.filter((n) => !SEVERAL.includes(n));
    const before = problems.length;
    object({
      ...common, files: madeFiles(single),
      parameter: object({ what: text(), example: text() }, ['what', 'example']), fixed: oneOf(true), pair: filled(['data', 'index']),
      supports: object({
        devices: list(oneOf('zfile', 'lsmt'), 1, 2), wrappings: list(oneOf('zfile', 'tar'), 0, 2), forms: list(oneOf('pair', 'sparse', 'warp'), 0, 3),
        algorithms: list(oneOf('lz4', 'zstd'), 1, 2), blockSizes: list(number(512, 1 << 26), 0, 64), maxLayers: number(1, 65536), sizeUnit: oneOf(1, 512),
        deviceMiB: number(1, 1 << 14), nested: oneOf(true, false), empty: oneOf(true, false),
      }, ['devices']),
      flags: (flags, where) => {
        map(oneOf(true, false))(flags, where);
        for (const flag of Object.keys(Object(flags))) if (!known.includes(flag) && flag !== 'suite.late-refusal') bad(join(where, flag), 'there is no such flag: ovbd spec names them');
      },
      knownFailures: list(object({ signature: text(), reason: text(), link: text() }, ['signature', 'reason']), 0, 1000),
      serve: (serve, where) => object({
        ...stepFields(names, true, isShell(serve)), stdout: () => bad(join(where, 'stdout'), 'what a server writes there is nobody\'s'),
        ready: (ready, place) => (typeof ready === 'object' && ready !== null && 'exists' in ready
          ? object({ exists: filled(single) }, ['exists']) : object({ command: command(names, true) }, ['command']))(ready, place),
        end: steps(names),
      }, ['command', 'ready'])(serve, where),
      open: object({ steps: steps(names), size: pattern }, ['steps']),
      device: steps([...names, 'out']),
      read: steps([...names, 'out', ...RANGE]),
      reads: oneOf('inside', 'any'),
    }, [...commonRequired, 'supports'])(value, at);
    if (problems.length > before) return;
    const entry = value as Record<string, unknown>;
    if (('device' in entry) === ('read' in entry)) bad(at, 'must have either "device", which writes all of it, or "read", which writes a range');
    if ('reads' in entry && !('read' in entry)) bad(join(at, 'reads'), 'goes with "read"');
    if (entry['reads'] === 'inside' && (entry['open'] as { size?: string } | undefined)?.size === undefined) bad(join(at, 'reads'), '"inside" needs "open" with "size": else nobody knows where the device ends');
    if ('fixed' in entry && !('parameter' in entry)) bad(join(at, 'fixed'), 'needs "parameter", which says what to read');
    const flat = JSON.stringify(entry);
    if (!('parameter' in entry) && placeholdersIn(flat).some((n) => n === 'parameter' || n === 'words')) bad(at, '{parameter} is used, but there is no "parameter"');
    const last = (entry['device'] ?? entry['read']) as readonly Record<string, unknown>[];
    if (!last.some((s) => s['stdout'] === 'out' || placeholdersIn(JSON.stringify(s['command'])).includes('out'))) bad(at, 'no step makes {out}: name it in a command, or set "stdout": "out"');
  };
  const writer: Check = (value, at) => {
    const makes = typeof value === 'object' && value !== null && 'makes' in value && value.makes === 'zfile' ? 'zfile' : 'lsmt';
    const names = [...WRITER[makes], ...filesOf(value)];
    const before = problems.length;
    object({
      ...common, files: madeFiles(names.filter((n) => !SEVERAL.includes(n))), makes: oneOf('lsmt', 'zfile'),
      write: steps([...names, 'out'], false), algorithms: list(oneOf('lz4', 'zstd'), 1, 2),
    }, [...commonRequired, 'makes', 'write'])(value, at);
    if (problems.length > before) return;
    const { write } = value as { write: readonly Record<string, unknown>[] };
    if (!write.some((s) => s['stdout'] === 'out' || placeholdersIn(JSON.stringify(s['command'])).includes('out'))) bad(at, 'no step makes {out}: name it in a command, or set "stdout": "out"');
  };

  object({ $schema: anything, schema: oneOf(TARGETS_SCHEMA), readers: list(reader, 0, MOST.entries), writers: list(writer, 0, MOST.entries) }, ['schema'])(json, '');
  if (problems.length === 0) {
    const { readers = [], writers = [] } = json as TargetsFile;
    for (const [key, entries] of [['readers', readers], ['writers', writers]] as const) {
      entries.forEach((e, i) => {
        if (entries.findIndex((other) => other.name === e.name) < i) bad(`${key}[${i}].name`, `"${e.name}" is there twice`);
      });
    }
  }
  return problems;
}

function join(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : typeof value === 'string' ? 'text' : shown(value);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
