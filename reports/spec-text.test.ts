// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { CLAUSES, LSMT_HEADER, SEGMENT_BITS, USTAR_HEADER, ZFILE_HEADER, type Structure } from '../spec/index.ts';
import { specJson, specMarkdown, type CasesByClause } from './spec-text.ts';

const NONE: CasesByClause = new Map();
const SOME: CasesByClause = new Map([['ZF-IDX-03', { exercisedBy: ['s1-c12', 's1-c13'], violatedBy: ['index-crc'] }]]);

/** Cells of the rows of all tables, by the heads of their table. */
function rowsOf(lines: readonly string[]): Record<string, string>[] {
  const rows: Record<string, string>[] = [];
  let heads: string[] | null = null;
  for (const line of lines) {
    if (!line.startsWith('|')) heads = null;
    else if (!line.startsWith('|---')) {
      const cells = line.slice(2, -2).split(/(?<!\\) \| /);
      if (heads === null) heads = cells;
      else {
        expect(cells, line).toHaveLength(heads.length);
        rows.push(Object.fromEntries(heads.map((h, i) => [h, cells[i]!.trim()])));
      }
    }
  }
  return rows;
}

interface Document {
  readonly schema: string;
  readonly families: readonly { id: string; area: string; title: string; clauses: readonly { id: string; cases?: object }[] }[];
  readonly structures?: readonly { name: string }[];
  readonly indexEntry?: { bits: readonly { name: string; doc: string }[] };
}

/** As a reader of the file gets it. */
function parsed(cases: CasesByClause, prefix = ''): Document {
  return JSON.parse(JSON.stringify(specJson(cases, prefix))) as Document;
}

describe('Markdown', () => {
  it('has every clause once, as it stands in the specification', () => {
    const rows = rowsOf(specMarkdown(NONE, '')!).filter((r) => 'Clause' in r);
    expect(rows.map((r) => r['Clause']).sort()).toEqual(CLAUSES.map((c) => c.id).sort());
    for (const c of CLAUSES) {
      const row = rows.find((r) => r['Clause'] === c.id)!;
      expect(row).toMatchObject({ 'Level': c.level, 'Broken by': c.binds, 'Statement': c.text.replaceAll('|', '\\|'), 'Source': c.source.join(', ') });
      const contested = row['Contested']!;
      expect(contested !== '', c.id).toBe(c.contested);
      if (c.contested) {
        expect(contested).toContain(`\`${c.flag}\`: ${c.why}`);
        expect(contested).toContain(c.undeclared === 'strict' ? 'as stated only' : 'either side');
      }
      expect(Object.keys(row)).not.toContain('Exercised by');
    }
  });

  it('has the cases where there are any', () => {
    const rows = rowsOf(specMarkdown(SOME, '')!).filter((r) => 'Clause' in r);
    expect(rows.find((r) => r['Clause'] === 'ZF-IDX-03')).toMatchObject({ 'Exercised by': 's1-c12, s1-c13', 'Violated by': 'index-crc' });
    expect(rows.find((r) => r['Clause'] === 'ZF-IDX-04')).toMatchObject({ 'Exercised by': '', 'Violated by': '' });
  });

  it('has every field of the tables, and the bits of an entry', () => {
    const rows = rowsOf(specMarkdown(NONE, '')!);
    const structures: readonly Structure[] = [ZFILE_HEADER, LSMT_HEADER, USTAR_HEADER];
    const fields = structures.flatMap((s) => s.fields);
    expect(rows.filter((r) => 'Offset' in r).map((r) => [r['Offset'], r['Size'], r['Type'], r['Field'], r['Meaning']]))
      .toEqual(fields.map((f) => [`${f.offset}`, `${f.size}`, f.type, f.name, f.doc]));
    expect(rows.filter((r) => 'Bits' in r).map((r) => [r['Field'], r['Word'], r['Bits']])).toEqual([
      ['offset', '0', '0–49'], ['length', '0', '50–63'], ['moffset', '1', '0–54'], ['zeroed', '1', '55'], ['tag', '1', '56–63'],
    ]);
  });

  it('has the clauses of one prefix only where it is asked for them', () => {
    const lines = specMarkdown(NONE, 'zf-idx')!;
    expect(rowsOf(lines).map((r) => r['Clause'])).toEqual(CLAUSES.filter((c) => c.id.startsWith('ZF-IDX-')).map((c) => c.id));
    expect(specMarkdown(NONE, 'ZF-IDX-03')!.filter((l) => l.includes('ZF-IDX-03'))).toHaveLength(1);
    expect(specMarkdown(NONE, 'XX')).toBeUndefined();
  });
});

describe('JSON', () => {
  it('has every clause once, complete', () => {
    const { schema, families } = parsed(NONE);
    expect(schema).toBe('ovbd-spec/1');
    const clauses = families.flatMap((f) => f.clauses);
    expect(clauses).toHaveLength(CLAUSES.length);
    for (const c of CLAUSES) expect(clauses.find((x) => x.id === c.id)).toEqual(c);
  });

  it('keeps the order in which a reader meets the clauses of a family', () => {
    for (const f of parsed(NONE).families) {
      expect(f.clauses.map((c) => c.id)).toEqual(CLAUSES.filter((c) => c.id.startsWith(`${f.id}-`)).map((c) => c.id));
    }
  });

  it('names every family and area in words', () => {
    for (const f of parsed(NONE).families) expect([f.title, f.area].filter((t) => /^[A-Z]{2}(-[A-Z0-9]+)?$/.test(t) && t !== 'LSMT'), f.id).toEqual([]);
  });

  it('has structures and bits, and cases where there are any', () => {
    const all = parsed(SOME);
    expect(all.structures).toEqual([ZFILE_HEADER, LSMT_HEADER, USTAR_HEADER]);
    expect(all.indexEntry!.bits.map((b) => b.name)).toEqual(Object.keys(SEGMENT_BITS));
    const clauses = all.families.flatMap((f) => f.clauses);
    expect(clauses.find((c) => c.id === 'ZF-IDX-03')!.cases).toEqual(SOME.get('ZF-IDX-03'));
    expect(clauses.find((c) => c.id === 'LS-IDX-03')!.cases).toEqual({ exercisedBy: [], violatedBy: [] });
    const some = parsed(NONE, 'LS-');
    expect(some.structures).toBeUndefined();
    expect(some.families.every((f) => f.area === 'LSMT')).toBe(true);
    expect(specJson(NONE, 'XX')).toBeUndefined();
  });
});
