// SPDX-License-Identifier: MIT
/** A small run and a small finding for the reporters' tests. */
import type { Event, Finding, TargetIdentity } from '../model/index.ts';

export const IDENTITY: TargetIdentity = {
  name: 'patch',
  description: 'dm-overlaybd on Linux 6.1',
  parts: { kernel: '6.1.0-1', module: 'ab'.repeat(32) },
  remake: { patch: 'v3.patch' },
};

/** A corruption in read 1 of a stack with a writable pair, shown only after another case. */
export function sampleFinding(): Finding {
  const expected = new Uint8Array(512).fill(7);
  const observed = expected.slice();
  observed[100] = 0;
  const layer = { wrapping: ['zfile'] as const, bytes: new Uint8Array([1, 2, 3]), exposedBytes: 8192 };
  const smallest = {
    id: 's1-c7',
    device: 'lsmt' as const,
    layers: [layer, { wrapping: [], bytes: new Uint8Array([4]), index: new Uint8Array([5, 6]) }],
    access: {
      slack: 'page' as const,
      deviceBytes: 4096,
      reads: [
        { offset: 0, length: 512, bufferOffset: 0, mode: 'direct' as const },
        { offset: 512, length: 512, bufferOffset: 512, mode: 'buffered' as const },
      ],
    },
    clauses: { exercises: ['LS-MAP-01'], violates: [] },
  };
  const bytes = { outcome: 'bytes' as const, bytes: expected, ranges: [{ from: 0, to: 512, clause: 'LS-MAP-01' }] };
  return {
    signature: 'corruption: LS-MAP-01',
    kind: 'corruption',
    clause: 'LS-MAP-01',
    target: 'patch',
    count: 3,
    firstCase: 's1-c7',
    smallest,
    before: [{ ...smallest, id: 's1-c6', device: 'zfile', layers: [layer] }],
    expectation: {
      class: 'valid',
      needs: { algorithms: ['lz4'], blockSizes: [4096], layers: 1 },
      notable: ['LS-IDX-01'],
      strict: { outcome: 'open', size: 4096, reads: [bytes, bytes] },
      alternatives: [{ flags: ['x'], outcome: { outcome: 'refuse', clause: 'LS-HDR-01', layer: 0, at: 0, why: 'no magic' } }],
    },
    observation: {
      open: 'opened',
      size: 4096,
      reads: [{ result: 512, sha256: 'c'.repeat(64) }, { result: 512, sha256: '', bytes: observed, spill: { before: 0, after: 2, first: 512 } }],
      complaints: [{ kind: 'leak', title: 'device left' }],
      log: '[1.0] hello\n',
      history: 1,
    },
    verdict: { kind: 'corruption', clause: 'LS-MAP-01', signature: 'corruption: LS-MAP-01', why: 'byte 100 of read 1 is 00, not 07', read: 1 },
    confirmation: { shown: 2, tried: 3, blame: 'sequence' },
    shrinkExecutions: 40,
  };
}

/** A run with each type of event. */
export function sampleEvents(): Event[] {
  return [
    {
      type: 'run', schema: 'ovbd-run/1', suite: 'overlaybd-conformance 0.1.0', seed: 1, cases: 4,
      targets: [IDENTITY, { name: 'oracle', description: 'the reference reader', parts: {}, remake: {} }],
      skipped: [{ target: 'stock', reason: `missing: qemu; ${'install it and then '.repeat(8)}run again` }],
    },
    { type: 'case', target: 'oracle', case: 'c1', class: 'valid', kind: 'pass' },
    { type: 'case', target: 'patch', case: 'c1', class: 'valid', kind: 'corruption', clause: 'LS-MAP-01', signature: 'corruption: LS-MAP-01', why: 'a < b & "c" \u0001\u001b[31m\ud800' },
    { type: 'case', target: 'patch', case: 'c2', class: 'invalid', kind: 'crash', signature: 'crash: page-fault in lsmt_bioremap', why: 'died' },
    { type: 'case', target: 'patch', case: 'c3', class: 'valid', kind: 'unsupported', why: 'zstd' },
    { type: 'case', target: 'patch', case: 'c4', class: 'permissive', kind: 'engine-error', why: 'lost', undeclared: ['x'] },
    {
      type: 'finding', target: 'patch', signature: 'corruption: LS-MAP-01', kind: 'corruption', clause: 'LS-MAP-01', why: 'byte 0 is wrong: '.repeat(12),
      count: 1, firstCase: 'c1', smallest: '1 layer, 1 segment, 512 bytes, 1 read', confirmation: { shown: 3, tried: 3, blame: 'alone' },
      folder: 'findings/a', replay: 'node cli/ovbd.mjs replay out/findings/a',
    },
    {
      type: 'finding', target: 'patch', signature: 'crash: page-fault in lsmt_bioremap', kind: 'crash', why: 'page fault \u001b[2J', count: 1, firstCase: 'c2',
      smallest: '1 layer', confirmation: { shown: 1, tried: 3, blame: 'sequence' }, folder: 'findings/b', replay: 'node cli/ovbd.mjs replay out/findings/b',
    },
    {
      type: 'footer', complete: true, cases: 4, caseStream: 'd'.repeat(64),
      verdicts: { oracle: { pass: 4 }, patch: { 'corruption': 1, 'crash': 1, 'unsupported': 1, 'engine-error': 1 } },
      findings: 2, unreliable: 0, seconds: 83.4, rates: { oracle: 900.25, patch: 31.5 }, exitCode: 1,
    },
  ];
}

/** A run of three columns, one of which does not have the second finding. */
export function sampleMatrixEvents(): Event[] {
  const [run, ...rest] = sampleEvents();
  const columns = ['v1/6.1', 'v2/6.1', 'v2/6.12/sanitize'];
  const cases = rest.flatMap((e): Event[] => (e.type === 'case' && e.target === 'oracle' ? [{ ...e, target: columns[0]! }] : []));
  const finding = (target: string, signature: string, kind: 'crash' | 'corruption', count: number): Event => ({
    type: 'finding', target, signature, kind, clause: 'DM-SAFE-01', why: `why in ${target}`, count, firstCase: 'c1', smallest: '1 layer',
    confirmation: { shown: 2, tried: 2, blame: 'alone' }, folder: 'findings/a', replay: `node cli/ovbd.mjs replay out/findings/${target.replaceAll('/', '-')}`,
  });
  const shown = (count: number) => ({ state: 'shown' as const, count });
  return [
    { ...(run as Extract<Event, { type: 'run' }>), targets: columns.map((name) => ({ ...IDENTITY, name })) },
    ...cases,
    finding('v1/6.1', 'corruption: LS-MAP-01', 'corruption', 3), finding('v1/6.1', 'crash: x', 'crash', 1),
    finding('v2/6.1', 'crash: x', 'crash', 2), finding('v2/6.12/sanitize', 'crash: x', 'crash', 0),
    {
      type: 'matrix', family: 'patch', columns,
      rows: [
        { signature: 'crash: x', kind: 'crash', clause: 'DM-SAFE-01', cells: { 'v1/6.1': shown(1), 'v2/6.1': shown(2), 'v2/6.12/sanitize': shown(0) } },
        {
          signature: 'corruption: LS-MAP-01', kind: 'corruption',
          cells: { 'v1/6.1': shown(3), 'v2/6.1': { state: 'absent', count: 0, instead: 'pass' }, 'v2/6.12/sanitize': { state: 'unknown', count: 0 } },
        },
      ],
    },
    {
      type: 'footer', complete: true, cases: 1, caseStream: 'd'.repeat(64), verdicts: Object.fromEntries(columns.map((name) => [name, { pass: 1 }])),
      findings: 4, unreliable: 0, seconds: 2, rates: {}, exitCode: 1,
    },
  ];
}
