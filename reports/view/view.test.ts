// SPDX-License-Identifier: MIT
import { appendFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { ClauseCounter, UsageError, type Event } from '../../model/index.ts';
import { CLAUSES, LSMT_HEADER, ZFILE_HEADER } from '../../spec/index.ts';
import { sampleFinding } from '../samples.ts';
import { BLOCK_CLAUSES, clausesOfField, ENTRY_CLAUSES, JUMP_CLAUSES, ZEROED_CLAUSES } from './field-clauses.ts';
import { hexOfLayer } from './hex.ts';
import { viewOf } from './index.ts';
import { writeSampleRun } from './testing.ts';

const folders: string[] = [];
function made(change?: Parameters<typeof writeSampleRun>[0]): string {
  folders.push(writeSampleRun(change));
  return folders.at(-1)!;
}
afterEach(() => folders.splice(0).forEach((f) => rmSync(f, { recursive: true })));

const only = (type: Event['type']) => (events: readonly Event[]): Event[] => events.filter((e) => e.type !== type);

describe('the view of a run', () => {
  test('joins the stream with the folders of findings, worst first', async () => {
    const view = await viewOf(made());
    expect(view.findings.map((f) => f.event.kind)).toEqual(['crash', 'corruption']);
    // The sample's crash has no folder.
    expect(view.problems).toEqual(['findings/b: the finding\'s folder is not there']);
    const { evidence } = view.findings[1]!;
    expect(evidence!.manifest.case.layers).toHaveLength(2);
    expect(evidence!.reads).toMatchObject([{ read: 1, firstDifference: 100, different: 1, from: 64, expectedSize: 512 }]);
    expect(evidence!.log).toContain('hello');
  });

  test('takes run.jsonl itself too', async () => {
    const folder = made();
    expect((await viewOf(join(folder, 'run.jsonl'))).findings[1]!.evidence).not.toBeNull();
  });

  test('under embargo has no bytes, no log, no script and no command', async () => {
    const view = await viewOf(made(), { embargo: true });
    const { evidence } = view.findings[1]!;
    expect(evidence).toMatchObject({ images: [], reads: [], log: '' });
    expect(evidence!.repro).toBeUndefined();
    expect(evidence!.manifest.replay).toBe('');
    expect(JSON.stringify(view)).not.toMatch(/ovbd\.mjs replay|base64/);
  });

  test('says that a run without its footer is none', async () => {
    const view = await viewOf(made(only('footer')));
    expect(view.footer).toBeNull();
    expect(view.problems[0]).toMatch(/without its footer/);
    const stopped = await viewOf(made((events) => events.map((e) => (e.type === 'footer' ? { ...e, complete: false } : e))));
    expect(stopped.problems[0]).toMatch(/stopped after 4 of 4 cases/);
  });

  test('keeps what can be read of a damaged stream, and says what is lost', async () => {
    const folder = made();
    const path = join(folder, 'run.jsonl');
    const lines = readFileSync(path, 'utf8').split('\n');
    lines.splice(2, 0, 'no json', '{"type":"case"}', '{"type":"other"}', `{"type":"case","target":"nobody","case":"x","class":"valid","kind":"pass"}`);
    writeFileSync(path, lines.join('\n'));
    const { cases, problems } = await viewOf(folder);
    expect(cases).toHaveLength(5);
    expect(problems.filter((p) => /^line [3456] /.test(p))).toHaveLength(4);
    appendFileSync(path, '{"type":"case","tar');
    expect((await viewOf(folder)).problems.at(-2)).toMatch(/cut off/);
    // Cut anywhere, it is still a view or a usage error.
    for (let size = readFileSync(path).length - 1; size > 0; size -= 97) {
      truncateSync(path, size);
      await viewOf(folder).then((v) => expect(v.problems.length).toBeGreaterThan(0), (error: unknown) => expect(error).toBeInstanceOf(UsageError));
    }
  });

  test('takes nothing from outside of the run\'s folder', async () => {
    const outside = made();
    for (const target of ['../../etc', '/etc', `findings/link`]) {
      const folder = made((events) => events.map((e) => (e.type === 'finding' ? { ...e, folder: target } : e)));
      mkdirSync(join(folder, 'findings'), { recursive: true });
      symlinkSync(join(outside, 'findings'), join(folder, 'findings', 'link'));
      const view = await viewOf(folder);
      expect(view.findings.every((f) => f.evidence === null)).toBe(true);
      expect(view.problems.join('\n')).toMatch(/not a folder of this run|is not there/);
    }
  });

  test('compares with earlier runs, and says where it cannot', async () => {
    const folder = made();
    const earlier = made((events) => only('finding')(only('case')(events)));
    const { trend, problems } = await viewOf(folder, { against: [earlier, join(earlier, 'none')] });
    expect(trend).toMatchObject([{ sameCases: true, findings: 0, columns: [{ target: 'patch', newOnes: ['crash: page-fault in lsmt_bioremap', 'corruption: LS-MAP-01'], still: 0 }, { target: 'oracle' }] }]);
    expect(problems.at(-1)).toMatch(/not compared with .*none/);
  });
});

describe('clauses', () => {
  test('a clause is passed where its cases are, and fails where a verdict names it', async () => {
    const counter = new ClauseCounter();
    counter.case({ exercises: ['LS-MAP-01', 'LS-IDX-04'], violates: [] });
    counter.result('oracle', 'c1', { exercises: ['LS-MAP-01', 'LS-IDX-04'], violates: [] }, 'pass');
    counter.case({ exercises: ['LS-IDX-04'], violates: ['ZF-HDR-02'] });
    counter.result('oracle', 'c2', { exercises: ['LS-IDX-04'], violates: ['ZF-HDR-02'] }, 'pass');
    const { clauses, touched } = await viewOf(made(), { tallyOf: async () => counter.tally() });
    const of = (id: string) => clauses.find((c) => c.clause.id === id)!;
    expect(touched).toBe(true);
    expect(clauses).toHaveLength(CLAUSES.length);
    expect(of('LS-MAP-01').cells).toEqual({ patch: { kind: 'corruption', cases: 1, shownBy: 'c1', signature: 'corruption: LS-MAP-01' }, oracle: { kind: 'pass', cases: 1, shownBy: 'c1' } });
    expect(of('ZF-HDR-02')).toMatchObject({ violated: 1, cells: { oracle: { kind: 'pass', cases: 1, shownBy: 'c2' } } });
    expect(of('LS-IDX-04')).toMatchObject({ exercised: 2, violated: 0, cells: { oracle: { cases: 2 } } });
    const unknown = await viewOf(made(), { tallyOf: async () => 'a reason' });
    expect(unknown.problems.join()).toMatch(/a reason/);
    expect(unknown.clauses.find((c) => c.clause.id === 'LS-IDX-04')!.cells).toEqual({});
  });

  test('fields name only clauses and fields that there are', () => {
    const ids = new Set(CLAUSES.map((c) => c.id));
    const named = (['ZFile header', 'ZFile trailer'] as const).flatMap((s) => ZFILE_HEADER.fields.map((f) => [s, f.name] as const))
      .concat((['LSMT header', 'LSMT trailer'] as const).flatMap((s) => LSMT_HEADER.fields.map((f) => [s, f.name] as never)));
    const clauses = [...named.flatMap(([s, f]) => clausesOfField(s, f)), ...ENTRY_CLAUSES, ...ZEROED_CLAUSES, ...BLOCK_CLAUSES, ...JUMP_CLAUSES];
    for (const id of clauses) expect(ids.has(id), id).toBe(true);
    for (const [s, f] of named) expect(clausesOfField(s, f).length, `${s} ${f}`).toBeGreaterThan(0);
    expect(clausesOfField('pax record', 'constructor')).toEqual([]);
  });
});

describe('bytes with names', () => {
  const level = { kind: 'lsmt' as const, title: 'a layer', space: 'file' as const, offset: 0, differ: [], layout: [], facts: [], marks: [], stops: [] };
  const field = { name: 'flags', offset: 28, size: 4, value: 3, shown: '0x3', text: '', marks: [] };

  test('shows faults and fields first, says what is left out, and stays in bounds', () => {
    const bytes = new Uint8Array(100_000).fill(1, 5000, 90_000);
    const layer = { wrapping: [], bytes };
    const view = { recognised: true, files: [{ role: 'layer' as const, path: 'x', size: bytes.length, levels: [{ ...level, size: bytes.length, structures: [{ structure: 'LSMT header', offset: 0, size: 4096, authoritative: true, fields: [field] }] }] }] };
    const [hex] = hexOfLayer(layer, 0, { view }, [{ layer: 0, at: 28, clause: 'LS-HDR-03', why: 'bit 0 is 0' }, { layer: 0, at: 1e12, clause: 'LS-IDX-02', why: 'far away' }, { layer: 1, at: 0, clause: 'x', why: '' }]);
    expect(hex!.faults).toMatchObject([{ at: 28, size: 4, clause: 'LS-HDR-03', named: true }, { at: 100_000, size: 0 }]);
    expect(hex!.fields[0]).toMatchObject({ clauses: ['LS-HDR-03', 'LS-HDR-04', 'LS-HDR-06', 'LS-FLG-01'] });
    let at = 0;
    for (const piece of hex!.pieces) {
      expect(piece.at).toBe(at);
      at += 'skipped' in piece ? piece.skipped : Buffer.from(piece.base64, 'base64').length;
    }
    expect(at).toBe(bytes.length);
    expect(hex!.pieces.filter((p) => 'skipped' in p).length).toBeGreaterThan(1);
  });

  test('an empty file has no bytes', () => {
    const view = { recognised: false, files: [{ role: 'layer' as const, path: 'x', size: 0, levels: [] }] };
    expect(hexOfLayer({ ...sampleFinding().smallest.layers[1]!, bytes: new Uint8Array(0) }, 0, { view }, [])).toMatchObject([{ pieces: [], size: 0 }]);
  });
});
