// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawCase } from '../../../generators/draw.ts';
import { prepare } from '../../../engine/prepare.ts';
import { readProblem, type Case } from '../../../model/index.ts';
import { run } from '../../kernel/lab/child.ts';
import { Cache, Steps } from '../../kernel/lab/index.ts';
import { ensurePackages } from '../../kernel/lab/packages.ts';
import { buildProgram } from '../build.ts';
import { FUZZER } from '../flags.ts';
import { decodeCase, encodeCase } from './case-bytes.ts';
import { fieldsHeader } from './fields-header.ts';
import { runGuided } from './guided.ts';

const SAMPLE = join(dirname(fileURLToPath(import.meta.url)), '..', 'sample', 'dm-sample.c');
const sources = { files: new Map([['dm-sample.c', readFileSync(SAMPLE, 'utf8')]]), name: 'sample' };
// Installed where we may; a machine that cannot have them skips, and says why.
const why = await ensurePackages('build', new Steps()).then(() => ensurePackages('clang', new Steps())).then(() => '', (error: Error) => ` (skipped: ${error.message})`);

const drawn = (seed: number, n: number): Case[] => Array.from({ length: n }, (_, i) => prepare(drawCase(seed, i)).case);

describe('a case as bytes', () => {
  test('is the same case again, where the bytes can say it', () => {
    let said = 0;
    for (const c of drawn(7, 300)) {
      const bytes = encodeCase(c);
      if (!bytes) continue;
      said++;
      const again = decodeCase(bytes, c.id)!;
      // A buffered read of less than a sector becomes one of a sector, an empty slot of `clauses` the oracle fills.
      const reads = c.access.reads.map((r) => ({ ...r, length: Math.max(512, r.length) }));
      expect(again.access.reads.map((r) => ({ ...r, pieces: undefined })), c.id).toEqual(reads.map((r) => ({ ...r, pieces: undefined })));
      expect({ ...again.access, reads: [] }, c.id).toEqual({ ...c.access, reads: [] });
      expect(again.layers.map((l) => [l.wrapping, l.exposedBytes, Buffer.from(l.bytes)]), c.id).toEqual(c.layers.map((l) => [l.wrapping, l.exposedBytes, Buffer.from(l.bytes)]));
      expect(again.device).toBe(c.device);
    }
    expect(said).toBeGreaterThan(60);
  });

  test('is null for bytes that are none', () => {
    expect(decodeCase(new Uint8Array(31), 'x')).toBeNull();
    expect(decodeCase(Uint8Array.from({ length: 40 }, () => 255), 'x')).toBeNull();
  });
});

describe.skipIf(why !== '')(`the fuzzer${why}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'ovbd-guided-'));
  const tools = { cache: new Cache(), steps: new Steps() };
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let show = '';
  beforeAll(async () => {
    show = (await buildProgram(sources.files, 'sample', tools.cache, tools.steps, {
      main: ['fuzz/show.c', 'fuzz/case-bytes.c', 'fuzz/mutate.c', 'fuzz/reseal.c'], headers: new Map([['fields.h', fieldsHeader()]]), toolchain: { ...FUZZER, link: ['-fsanitize=address'] },
    })).path;
  }, 300_000);

  test('changes cases within their bounds, and both readers of the bytes agree on each', async () => {
    let different = 0;
    for (const [n, c] of drawn(3, 60).entries()) {
      const bytes = encodeCase(c);
      if (!bytes || bytes.length > 40_000) continue;
      const [input, out] = [join(folder, `in${n}`), join(folder, `out${n}`)];
      writeFileSync(input, bytes);
      mkdirSync(out);
      const result = await run(show, [input, '60', out], { seconds: 120 });
      expect(result.code, result.stderr).toBe(0);
      for (const [i, line] of result.stdout.trim().split('\n').entries()) {
        const changed = readFileSync(join(out, String(i)));
        if (Buffer.compare(changed, bytes) !== 0) different++;
        const again = decodeCase(changed, 'x');
        expect(again && planOf(again), `${c.id}, change ${i}`).toEqual(withoutShort(JSON.parse(line) as Plan | null, again));
        for (const read of again?.access.reads ?? []) expect(readProblem(read)).toBeNull();
      }
    }
    expect(different).toBeGreaterThan(500);
  }, 300_000);

  test('finds what is wrong with a module, and says by which input', async () => {
    const at = join(folder, 'run');
    mkdirSync(at);
    const result = await runGuided({ ...tools, sources, seeds: drawn(3, 60), seed: 1, limit: { executions: 3000 }, folder: at, structured: true });
    expect(result.executions).toBeGreaterThanOrEqual(3000);
    expect(result.edges).toBeGreaterThan(10);
    const titles = result.found.filter((f) => f.first).map((f) => f.title);
    expect(titles.length, titles.join('; ')).toBeGreaterThan(0);
    expect(result.cases.length).toBeGreaterThan(titles.length);
    for (const f of result.found) expect(decodeCase(readFileSync(join(at, 'found', f.input)), 'x')).not.toBeNull();
  }, 600_000);
});

interface Plan {
  readonly zfile: number;
  readonly deviceBytes: number;
  readonly slack: number;
  readonly twin: number;
  readonly replaces: number;
  readonly table: [number, number, number];
  readonly layers: unknown[];
  readonly reads: number[][];
}

const KINDS = ['right', 'bytes', 'text', 'count', 'device', 'busy', 'short', 'length'];

function planOf({ device, layers, access }: Case): Plan {
  const { table } = access;
  return {
    zfile: device === 'zfile' ? 1 : 0, deviceBytes: access.deviceBytes, slack: ['exact', 'page', 'garbage'].indexOf(access.slack), twin: access.shared === 'twin' ? 1 : 0, replaces: access.replaces ?? 0,
    table: table ? [KINDS.indexOf(table.kind), 'layer' in table ? table.layer : 0, 'delta' in table ? table.delta : 'sectors' in table ? table.sectors : 0] : [0, 0, 0],
    layers: layers.map((l) => [l.bytes.length, l.wrapping.length, l.exposedBytes ?? 0, l.bytes.reduce((sum, b, n) => sum + (((n + 1) * b) % 65521), 0)]),
    reads: access.reads.map((r) => [r.offset, r.length, r.bufferOffset, ['direct', 'buffered', 'mmap'].indexOf(r.mode), ...(r.pieces ?? [])]),
  };
}

/** What C keeps and the case does not need: numbers of a fault that has none, bytes around a layer that is in no ZFile. */
function withoutShort(plan: Plan | null, c: Case | null): Plan | null {
  if (plan === null || c === null) return plan;
  const { table } = c.access;
  const numbered = table && ('delta' in table || 'sectors' in table);
  // A device shorter than its only sector cannot be made: no fault there, and never more than all sectors but one.
  const short = table?.kind === 'short' || (plan.table[0] === KINDS.indexOf('short') && !table);
  return {
    ...plan,
    table: short ? planOf(c).table : table ? [plan.table[0], 'layer' in table ? plan.table[1] : 0, numbered ? plan.table[2] : 0] : [0, 0, 0],
    layers: plan.layers.map((l, i) => (c.layers[i]!.wrapping.length > 0 ? l : [(l as number[])[0], 0, 0, (l as number[])[3]])),
  };
}
