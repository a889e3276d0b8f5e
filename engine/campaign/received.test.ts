// SPDX-License-Identifier: MIT
/** A batch that ran elsewhere is taken as if it had run here; what is no batch, or another one, is not. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PLAN_SCHEMA, type BatchPlan, type BatchRecord, type Finding, type TargetIdentity } from '../../model/index.ts';
import { packBatch, saveFinding, unpackBatch, type ReceivedBatch } from '../../reports/index.ts';
import { builtinTarget } from '../builtin-targets.ts';
import { runBatch } from './batch.ts';
import { takeReceived } from './received.ts';
import { USUAL_SWARM } from './swarm.ts';
import { decided } from './testing.ts';

const place = mkdtempSync(join(tmpdir(), 'ovbd-received-'));
afterAll(() => rmSync(place, { recursive: true }));
let folders = 0;
const folder = (): string => {
  const path = join(place, String(++folders));
  mkdirSync(path);
  return path;
};
const keep = (out: string) => async (finding: Finding, identity: TargetIdentity) => saveFinding(out, finding, identity, (path) => `replay ${path.slice(out.length)}`);

const targets = [builtinTarget('oracle')!, builtinTarget('fake-lies')!, builtinTarget('fake-crashes')!];
const plan: BatchPlan = {
  schema: PLAN_SCHEMA, suite: 'test', seed: 3, number: 5, swarm: USUAL_SWARM, cases: 16, shares: { oracle: 16, 'fake-lies': 16, 'fake-crashes': 8 }, shrinkExecutions: 8, known: {},
};
const here = folder();
let record: BatchRecord;
let archive: Buffer;
let received: ReceivedBatch;
beforeAll(async () => {
  record = (await runBatch(plan, { targets, jobs: 1, signal: new AbortController().signal, saveFinding: keep(here) }))!;
  archive = packBatch(record, here);
  received = await unpackBatch(archive, folder());
});

/** By path; JSON as what it says, whatever the order of its fields. */
const files = (out: string): Record<string, unknown> => Object.fromEntries(readdirSync(join(out, 'findings'), { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => {
  const bytes = readFileSync(join(e.parentPath, e.name), 'latin1');
  return [join(e.parentPath, e.name).slice(out.length), e.name.endsWith('.json') ? JSON.parse(bytes) : bytes];
}));

it('is the same as if it had run here, to the last byte of its findings', async () => {
  expect(record.findings.length).toBeGreaterThan(1);
  const there = folder();
  const taken = await takeReceived(plan, received, targets, keep(there));
  expect(decided(taken)).toEqual(decided(record));
  expect(files(there)).toEqual(files(here));
});

const change = (of: Partial<BatchRecord>): ReceivedBatch => ({ ...received, record: { ...received.record, ...of } });
it.each<[string, () => ReceivedBatch]>([
  ['it is not of the plan', () => change({ plan: { ...plan, number: 6 } })],
  ['other targets', () => change({ targets: { ...record.targets, stock: record.targets['oracle']! } })],
  ['was given 3 cases of 16, where its share is 16', () => change({ targets: { ...record.targets, oracle: { ...record.targets['oracle']!, cases: 3 } } })],
  ['points of code', () => change({ points: { stock: [1] } })],
  ['twice', () => change({ findings: [record.findings[0]!, ...record.findings.slice(1), record.findings[0]!] })],
  ['none of its targets', () => change({ findings: record.findings.map((f) => ({ ...f, target: 'stock' })) })],
  ['differ in "signature"', () => change({ findings: record.findings.map((f) => ({ ...f, signature: `${f.signature} too` })) })],
  ['differ in "confirmation"', () => change({ findings: record.findings.map((f) => ({ ...f, confirmation: { ...f.confirmation, shown: 77 } })) })],
])('is not taken, and nothing is saved: %s', async (why, make) => {
  const there = folder();
  await expect(takeReceived(plan, make(), targets, keep(there))).rejects.toThrow(why);
  expect(readdirSync(there)).toEqual([]);
});

it('is not taken where the archive is damaged anywhere', async () => {
  const tar = gunzipSync(archive);
  const changed = (from: string, to: string): Buffer => {
    const text = tar.toString('latin1');
    expect(text).toContain(from);
    return gzipSync(Buffer.from(text.replace(from, to), 'latin1'));
  };
  const bad: [string, Buffer][] = [
    ['no gzip', Buffer.from('nothing of a tar')], ['cut off', archive.subarray(0, archive.length - 30)], ['half', gzipSync(tar.subarray(0, tar.length >> 1))],
    ['not JSON', changed('{"schema"', '["schema"')], ['another schema', changed('ovbd-batch/1', 'ovbd-batch/2')], ['an image', changed(images(tar), '\u0001')], ['empty', Buffer.alloc(0)],
  ];
  for (const [what, bytes] of bad) await expect(unpackBatch(bytes, folder()).then((one) => takeReceived(plan, one, targets, keep(folder()))), what).rejects.toThrow();
});

/** The first byte of the first image behind its header. */
function images(tar: Buffer): string {
  const at = tar.indexOf('/layer0.img');
  const block = at - (at % 512);
  return tar.toString('latin1', block + 512, block + 544);
}

it('writes no file but those of a batch', async () => {
  const tar = gunzipSync(archive);
  // The name of the record's entry is another; its checksum with it.
  for (const name of ['../../evil', '/etc/evil', 'findings/0/repro.sh/x', 'findings/../x', 'record.js0n']) {
    const header = Buffer.from(tar.subarray(0, 512));
    header.fill(0, 0, 100).write(name, 0);
    header.write('        ', 148);
    header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148);
    const into = folder();
    await expect(unpackBatch(gzipSync(Buffer.concat([header, tar.subarray(512)])), into)).rejects.toThrow();
    expect(readdirSync(into, { recursive: true }).toSorted()).toEqual(['archive', 'unpacked']);
  }
});
