// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { UsageError, type Event, type FindingEvent, type FooterEvent, type RunEvent } from '../model/index.ts';
import { diffRuns, type RunDiff } from './run-diff.ts';
import { diffJson, diffLines } from './run-diff-text.ts';
import { loadRun } from './run-file.ts';
import { IDENTITY, sampleEvents, sampleMatrixEvents } from './samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'ovbd-diff-'));
afterAll(() => rmSync(folder, { recursive: true }));

let saved = 0;
function save(events: readonly unknown[] | string): string {
  const out = join(folder, String(saved++));
  mkdirSync(out);
  writeFileSync(join(out, 'run.jsonl'), typeof events === 'string' ? events : events.map((e) => `${JSON.stringify(e)}\n`).join(''));
  return out;
}

interface Target { readonly name?: string; readonly role?: string; readonly module?: string; readonly found?: readonly string[]; readonly unreliable?: readonly string[]; readonly seen?: readonly string[] }

/** A run whose targets found these signatures. */
function run(targets: readonly Target[], change: { run?: Partial<RunEvent>; footer?: Partial<FooterEvent> } = {}): Event[] {
  const named = targets.map((t) => ({ name: 'patch', role: 'patch', module: 'aa', ...t }));
  const finding = (target: string, signature: string, blame: 'alone' | 'unreliable'): FindingEvent => ({
    type: 'finding', target, signature, kind: signature.split(':')[0] as 'crash', why: '', count: 2, firstCase: 'c', smallest: '', folder: '',
    confirmation: { shown: 2, tried: 2, blame }, replay: `ovbd replay ${signature}`,
  });
  return [
    {
      type: 'run', schema: 'ovbd-run/1', suite: 's', seed: 1, cases: 9, skipped: [],
      targets: named.map((t) => ({ ...IDENTITY, name: t.name, parts: { kernel: '6.1', module: t.module }, remake: { role: t.role } })), ...change.run,
    },
    ...named.flatMap((t) => (t.seen ?? []).map((signature): Event => ({ type: 'case', target: t.name, case: 'c', class: 'valid', kind: 'crash', signature }))),
    ...named.flatMap((t) => [...(t.found ?? []).map((s) => finding(t.name, s, 'alone')), ...(t.unreliable ?? []).map((s) => finding(t.name, s, 'unreliable'))]),
    {
      type: 'footer', complete: true, cases: 9, caseStream: 'a'.repeat(64), verdicts: {}, findings: 0, unreliable: 0, seconds: 1, rates: {}, exitCode: 0, ...change.footer,
    },
  ];
}

async function diff(a: readonly Event[], b: readonly Event[], pairs?: readonly string[]): Promise<RunDiff> {
  return diffRuns(await loadRun(save(a)), await loadRun(join(save(b), 'run.jsonl')), pairs);
}

const states = (d: RunDiff): string[] => d.columns.flatMap((c) => c.findings.map((f) => `${c.a}→${c.b} ${f.state} ${f.signature} ${f.cases.a}→${f.cases.b}${f.note && '!'}`));

describe('findings of two runs', () => {
  test('come with how much of the sources was reached, where both say so', async () => {
    const reached = (lines: number, allLines: number): Partial<FooterEvent> => ({ coverage: { patch: { lines, allLines, branches: 3, allBranches: 9 } } });
    const lines = async (a: Partial<FooterEvent>, b: Partial<FooterEvent>): Promise<string[]> =>
      diffLines(await diff(run([{}], { footer: a }), run([{}], { footer: b }))).filter((l) => l.startsWith('coverage'));
    expect(await lines(reached(659, 786), reached(661, 786))).toEqual(['coverage: 659 → 661 of 786 lines, 3 → 3 of 9 branches']);
    expect(await lines(reached(659, 786), reached(670, 801))).toEqual(['coverage: 659 of 786 → 670 of 801 lines, 3 → 3 of 9 branches']);
    expect(await lines({}, reached(1, 2))).toEqual([]);
    await expect(diff(run([{}], { footer: { coverage: { patch: { lines: -1 } } } as never }), run([{}]))).rejects.toThrow(UsageError);
  });

  test('are new, fixed or still there, by signature', async () => {
    const d = await diff(run([{ found: ['crash: x', 'corruption: y'] }]), run([{ found: ['corruption: y', 'memory: z', 'hang: w'], module: 'bb' }]));
    expect(d).toMatchObject({ sameCases: true, why: [], onlyA: [], onlyB: [] });
    expect(states(d)).toEqual(['patch→patch new hang: w 0→2', 'patch→patch new memory: z 0→2', 'patch→patch fixed crash: x 2→0', 'patch→patch still corruption: y 2→2']);
    expect(diffLines(d).slice(2)).toEqual([
      '', 'patch', 'new          hang: w (cases: 0 → 2)', '    ovbd replay hang: w', 'new          memory: z (cases: 0 → 2)', '    ovbd replay memory: z',
      'fixed        crash: x (cases: 2 → 0)', 'still there  corruption: y (cases: 2 → 2)', '', '2 new, 1 fixed, 1 still there',
    ]);
    expect(diffJson(d)).toMatchObject({ schema: 'ovbd-diff/1', sameCases: true, counts: { new: 2, fixed: 1, still: 1 }, a: { seed: 1 } });
  });

  test('that a run saw but could not show again are neither new nor fixed', async () => {
    const d = await diff(
      run([{ unreliable: ['crash: a', 'crash: b'], seen: ['crash: c'], found: ['crash: d', 'crash: e'] }]),
      run([{ unreliable: ['crash: b', 'crash: d'], seen: ['crash: e'], found: ['crash: a', 'crash: c'] }]),
    );
    expect(states(d)).toEqual(['a 2→2!', 'c 1→2!', 'd 2→2!', 'e 2→1!'].map((x) => `patch→patch still crash: ${x}`));
  });

  test('are only "not seen" where the runs saw other cases, or one was stopped', async () => {
    const other = await diff(run([{ found: ['crash: x'] }]), run([{ found: ['crash: y'] }], { run: { seed: 2 }, footer: { caseStream: 'b'.repeat(64) } }));
    expect(other).toMatchObject({ sameCases: false, why: ['they ran different cases: seed 1 and 2'] });
    const text = diffLines(other).join('\n');
    expect(text).toContain('cannot prove that something is new or fixed: they ran different cases: seed 1 and 2');
    expect(text).toContain('not seen in A  crash: y');
    expect(text).toContain('1 not seen in A, 1 not seen in B, 0 still there');
    const stopped = await diff(run([{}]), run([{}], { footer: { complete: false } }));
    expect(stopped.why).toEqual([expect.stringContaining('was stopped before its end')]);
  });
});

describe('targets of two runs', () => {
  test('go by name, and by kind where one is left in each', async () => {
    const oracle = { name: 'oracle', role: 'x' };
    const renamed = await diff(run([oracle, { name: 'v2', found: ['crash: x'] }]), run([oracle, { name: 'v3' }]));
    expect(states(renamed)).toEqual(['v2→v3 fixed crash: x 2→0']);
    const stock = await diff(run([oracle, { name: 'stock', role: 'stock' }]), run([oracle, { name: 'patch' }]));
    expect(stock).toMatchObject({ columns: [{ a: 'oracle' }], onlyA: ['stock'], onlyB: ['patch'] });
    expect(diffLines(stock)).toContain('only in A, not compared: stock');
    const several = await diff(run([{ name: 'v1' }, { name: 'v2' }]), run([{ name: 'v2' }, { name: 'v3' }, { name: 'v4' }]));
    expect(several).toMatchObject({ columns: [{ a: 'v2', b: 'v2' }], onlyA: ['v1'], onlyB: ['v3', 'v4'] });
  });

  test('go as they are told', async () => {
    const one = run([{ name: 'v1', found: ['crash: x'] }, { name: 'v2' }]);
    expect(states(await diff(one, one, ['v1=v2']))).toEqual(['v1→v2 fixed crash: x 2→0']);
    await expect(diff(one, one, ['v1=v3'])).rejects.toThrow(/has no target v3: it has v1, v2/);
    await expect(diff(one, one, ['v1'])).rejects.toThrow(/must be the names of two targets/);
    await expect(diff(one, run([{ name: 'a' }, { name: 'b' }]))).rejects.toThrow(/no target in common.*--column A=B/);
  });

  test('that ran on other kernels are said to', async () => {
    const elsewhere = run([{}]);
    (elsewhere[0] as unknown as { targets: { parts: Record<string, string> }[] }).targets[0]!.parts['kernel'] = '6.12';
    const d = await diff(run([{ module: 'x' }]), elsewhere);
    expect(d.columns[0]!.differ).toEqual([{ part: 'kernel', a: '6.1', b: '6.12' }]);
    expect(diffLines(d)).toContain('note: kernel is 6.1 in A, 6.12 in B');
  });
});

describe('a run from a stranger', () => {
  test('real streams are taken', async () => {
    for (const events of [sampleEvents(), sampleMatrixEvents()]) expect((await loadRun(save(events))).targets.length).toBeGreaterThan(1);
  });

  test.each<[string, readonly unknown[] | string, RegExp]>([
    ['no footer', run([{}]).slice(0, -1), /ends without its footer, so it is not a report/],
    ['nothing', '', /empty, so it is no run/],
    ['half a line', `${JSON.stringify(run([{}])[0])}\n{"type":"ca`, /line 2: /],
    ['something after the footer', [...run([{}]), run([{}])[0]], /line 3: a second run begins here/],
    ['a case after the footer', [...run([{}]), { type: 'case', target: 'patch', kind: 'pass' }], /line 3: nothing may follow the footer/],
    ['no run', run([{}]).slice(1), /line 1: the first event must be the run/],
    ['another schema', run([{}], { run: { schema: 'ovbd-run/9' as 'ovbd-run/1' } }), /line 1: schema: expected "ovbd-run\/1"/],
    ['an unknown target', [run([{}])[0], { type: 'case', target: '__proto__', kind: 'pass' }, run([{}]).at(-1)], /line 2: the run has no target "__proto__"/],
    ['an unknown event', [run([{}])[0], { type: 'constructor' }], /line 2: \.type: expected one of run, case/],
    ['a line without end', `${JSON.stringify(run([{}])[0])}\n${' '.repeat((16 << 20) + 70_000)}`, /a line of more than 16777216 characters/],
  ])('%s', async (_, events, message) => {
    const path = save(events);
    await expect(loadRun(path)).rejects.toThrow(message);
    await expect(loadRun(path)).rejects.toThrow(UsageError);
  });

  test('no file, a folder without one, a device', async () => {
    await expect(loadRun(join(folder, 'absent'))).rejects.toThrow(/no such file; give a run's folder/);
    await expect(loadRun(folder)).rejects.toThrow(/run\.jsonl: no such file/);
    await expect(loadRun('/dev/null')).rejects.toThrow(/not a plain file/);
  });
});
