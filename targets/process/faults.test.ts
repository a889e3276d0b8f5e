// SPDX-License-Identifier: MIT
/** Everything that a process can do wrong, each classified, in bounded time, at the cost of one case. */
import { readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { execute, type Executed } from '../../engine/execute.ts';
import { prepare, type Prepared } from '../../engine/prepare.ts';
import { drawCase } from '../../generators/draw.ts';
import { FAULTS, type Fault } from '../fakes/process/faults.ts';
import type { Target } from '../target.ts';
import { openProcessTarget } from './process-target.ts';
import { NoTarget, ProcessSession, type Deadlines } from './session.ts';

const FAKE = resolve(import.meta.dirname, '../fakes/process/fake.mjs');
// What waits for a busy machine is not wrong.
vi.setConfig({ testTimeout: 300_000 });

/** Milliseconds that nobody misses but by hanging, on a machine however busy; and those of who hangs. */
const LONG = 100_000;
const SHORT = 1_000;
const PATIENT: Deadlines = { describe: LONG, open: LONG, read: LONG, bye: LONG };

/** Sound images of plain stacks, each read in full and with no other's bytes. */
const CASES: readonly Prepared[] = sound(3);

function sound(count: number): Prepared[] {
  const found: Prepared[] = [];
  for (let i = 0; found.length < count; i++) {
    const one = prepare(drawCase(7, i));
    const { access, layers } = one.case;
    const strict = one.expectation.strict;
    const last = strict.outcome === 'open' ? strict.reads.at(-1) : undefined;
    const telling = last?.outcome === 'bytes' && new Set(last.bytes).size > 8;
    if (one.expectation.class === 'valid' && telling && !access.table && !access.fault && !access.crowd && layers.length < 4) found.push(one);
  }
  return found;
}

interface Row {
  readonly deadlines?: Partial<Deadlines>;
  readonly limits?: { memoryBytes?: number; processes?: number; errorBytes?: number };
  /** Which of three cases shows it: of all of them, of the first or, as most, of the second. */
  readonly at?: 0 | 1;
  readonly in?: 'each';
  /** Kind and signature, or kind and what is said. */
  readonly verdict: readonly [kind: string, says: RegExp];
  /** Whether the third case had the same process as the second. */
  readonly goesOn?: true;
}

const PROTOCOL = 'the adapter breaks the protocol: ';
const broken = (what: string): readonly ['engine-error', RegExp] => ['engine-error', new RegExp(`^${PROTOCOL}.*${what}`)];

const ROWS: Readonly<Record<Exclude<Fault, 'mute' | 'describes-nonsense' | 'reports-leak' | 'hangs-at-bye'>, Row>> = {
  'hangs': { deadlines: { open: SHORT }, in: 'each', at: 0, verdict: ['hang', /^hang: open under /] },
  'hangs-reading': { deadlines: { read: SHORT }, in: 'each', at: 0, verdict: ['hang', /^hang: read under /] },
  'spins': { deadlines: { open: SHORT }, in: 'each', at: 0, verdict: ['hang', /^hang: open under /] },
  'ignores-signals': { deadlines: { open: SHORT }, in: 'each', at: 0, verdict: ['hang', /^hang: open under /] },
  'half-and-hangs': { deadlines: { open: SHORT }, in: 'each', at: 0, verdict: ['hang', /^hang: open under /] },
  'leaves-a-stranger': { deadlines: { open: SHORT }, in: 'each', at: 0, verdict: ['hang', /^hang: open under /] },
  'sleeps': { verdict: ['pass', /^$/], goesOn: true },
  'segfaults': { verdict: ['crash', /^crash: SIGSEGV in open$/] },
  'is-killed': { verdict: ['engine-error', /^the target vanished \(killed from outside by SIGKILL\) during open$/] },
  'aborts': { verdict: ['crash', /^crash: SIGABRT in read$/] },
  'exits': { verdict: ['crash', /^crash: exit code 0 in open$/] },
  'exits-with-3': { verdict: ['crash', /^crash: exit code 3 in read$/] },
  'half-a-message': { verdict: ['crash', /^crash: exit code 1 in mid-message in open$/] },
  'leaves-a-child': { verdict: ['crash', /^crash: exit code 0 in open$/] },
  'eats-memory': { limits: { memoryBytes: 400 << 20 }, verdict: ['crash', /^crash: memory over its limit in open$/] },
  'forks': { limits: { processes: 40 }, verdict: ['crash', /^crash: too many processes in open$/] },
  'floods-stderr': { limits: { errorBytes: 4 << 20 }, verdict: ['hang', /^hang: open under /] },
  'much-stderr': { limits: { errorBytes: 16 << 20 }, verdict: ['pass', /^$/], goesOn: true },
  'floods-stdout': { verdict: broken('a line that is longer than any message') },
  'floods-lines': { verdict: broken('a opened message in a case that was opened already') },
  'wrong-id': { verdict: broken('an answer to the request 3, not to 2') },
  'no-json': { verdict: broken('a line that is no JSON: opened the image') },
  'wrong-order': { verdict: broken('a done message after 0 of \\d+ reads') },
  'answers-twice': { verdict: broken('more after the end of the case') },
  'no-output': { verdict: broken('it wrote no bytes to "output"') },
  'output-too-short': { in: 'each', at: 0, verdict: broken('its "result" is \\d+ bytes, but it wrote \\d+') },
  'wrong-bytes': { verdict: ['corruption', /^corruption: /], goesOn: true },
  'repeats-want': { in: 'each', at: 0, verdict: ['corruption', /^corruption: /], goesOn: true },
  'stale-bytes': { verdict: ['corruption', /^corruption: /], goesOn: true },
  'reports-asan': { verdict: ['memory', /^memory: heap-buffer-overflow in decode_entry$/] },
  'reports-ubsan': { verdict: ['memory', /^memory: shift exponent is too large for 64-bit type in decode_entry$/] },
  'panics-go': { verdict: ['crash', /^crash: panic: index out of range with length in main.decodeEntry$/] },
  'reader-crashed': { verdict: ['crash', /^crash: SIGSEGV$/] },
};

/** Runs the cases on the fake with a fault, all in one run. */
async function ran(fault: Fault, args: readonly string[], { deadlines, limits }: Pick<Row, 'deadlines' | 'limits'>, cases: readonly Prepared[]): Promise<Executed[]> {
  const session = new ProcessSession({
    line: { command: process.execPath, args: [FAKE, fault, ...args], ...(limits && { limits }) }, deadlines: { ...PATIENT, ...deadlines }, takes: ['table', 'fault'],
  });
  try {
    return await execute(TARGET, session, cases);
  } finally {
    await session.close();
  }
}

/** What the judge must know of the fake. */
const TARGET: Pick<Target, 'stance' | 'sizeUnit'> & Target = {
  identity: { name: 'fake', description: 'the process fake', parts: {}, remake: {} },
  stance: { supports: { wrappings: ['zfile', 'tar'], devices: ['zfile', 'lsmt'], forms: ['pair', 'sparse', 'warp'], tables: true, algorithms: ['lz4', 'zstd'], blockSizes: [], maxLayers: 255 }, flags: {}, knownFailures: [] },
  sizeUnit: 1, lanes: 1, open: () => Promise.reject(new Error('opened by hand')), close: () => Promise.resolve(),
};

/** Ids of living processes that were started by this one as targets. */
function survivors(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`OVBD_CHILD=${process.pid}.`) && !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    } catch {
      return false;
    }
  });
}

describe('a process that', () => {
  it.concurrent.each(Object.entries(ROWS))('%s', async (fault, row) => {
    const { at = 1, verdict: [kind, says] } = row;
    const each = row.in === 'each';
    const cases = each ? CASES.slice(0, 2) : CASES;
    const results = await ran(fault as Fault, each ? [] : ['--case', '2'], row, cases);
    expect(results.length).toBe(cases.length);
    const { verdict, observation } = results[at]!;
    expect([verdict.kind, verdict.signature ?? verdict.why]).toEqual([kind, expect.stringMatching(says)]);
    if (!each) {
      for (const i of [0, 2]) expect(results[i]!.verdict, `case ${i}`).toMatchObject({ kind: 'pass' });
      expect(observation!.history).toBe(1);
      expect(results[2]!.observation!.history).toBe(row.goesOn ? 2 : 0);
    } else if (!row.goesOn) {
      expect(results[1]!.verdict.signature ?? results[1]!.verdict.why).toMatch(says);
      expect(results[1]!.observation!.history).toBe(0);
    }
  });

  it.concurrent('reports a leak when it ends is charged with its last case', async () => {
    const results = await ran('reports-leak', [], {}, CASES);
    expect(results.map((r) => r.verdict.signature ?? r.verdict.kind)).toEqual(['pass', 'pass', 'leak: leak in read_index']);
    expect(results[2]!.observation!.history).toBe(2);
  });

  it.concurrent('does not end after bye is a hang of its last case', async () => {
    const results = await ran('hangs-at-bye', [], { deadlines: { bye: SHORT } }, CASES.slice(0, 2));
    expect(results.map((r) => r.verdict.signature ?? r.verdict.kind)).toEqual(['pass', expect.stringMatching(/^hang: close under /)]);
  });

  it.concurrent.each<[Fault, RegExp]>([
    ['mute', /^the target does not describe itself: nothing came in 1 s$/],
    ['describes-nonsense', /^the target does not describe itself: a describe: capabilities message whose "devices" must be "lsmt" or "zfile": \["disk"\]$/],
  ])('%s is no target', async (fault, why) => {
    const opening = openProcessTarget({ name: 'x', command: process.execPath, args: [FAKE, fault], deadlines: { describe: fault === 'mute' ? SHORT : LONG } });
    await expect(opening).rejects.toThrow(why);
    await expect(opening).rejects.toBeInstanceOf(NoTarget);
  });

  it.concurrent('reads right says nothing but what the schema has, and is told nothing else', async () => {
    const schema = JSON.parse(readFileSync(resolve(import.meta.dirname, 'schema/protocol.json'), 'utf8')) as object;
    const ajv = new Ajv({ strict: false }).addSchema(schema, 'protocol');
    const check = { runner: ajv.compile({ $ref: 'protocol#/definitions/fromRunner' }), target: ajv.compile({ $ref: 'protocol#/definitions/fromTarget' }) };
    const said: [keyof typeof check, string][] = [];
    const target = await openProcessTarget({ name: 'x', command: process.execPath, args: [FAKE], deadlines: PATIENT, watch: (from, line) => said.push([from, line]) });
    const session = await target.open();
    try {
      const results = await execute(target, session, Array.from({ length: 40 }, (_, i) => prepare(drawCase(11, i))));
      expect(results.filter((r) => r.verdict.kind !== 'pass' && r.verdict.kind !== 'unsupported')).toEqual([]);
    } finally {
      await session.close();
      await target.close();
    }
    for (const [from, line] of said) expect(check[from](JSON.parse(line)), `${from}: ${line}: ${JSON.stringify(check[from].errors)}`).toBe(true);
    const types = said.map(([from, line]) => `${from} ${(JSON.parse(line) as { type: string }).type}`);
    expect([...new Set(types)].sort()).toEqual(['runner bye', 'runner case', 'runner describe', 'target describe', 'target done', 'target opened', 'target read', 'target refused']);
  });

  it.concurrent('stands in the list of faults is in a table here', () => {
    const elsewhere: Fault[] = ['mute', 'describes-nonsense', 'reports-leak', 'hangs-at-bye'];
    expect([...Object.keys(ROWS), ...elsewhere].sort()).toEqual(Object.keys(FAULTS).sort());
  });
});

afterAll(() => expect(survivors()).toEqual([]));
