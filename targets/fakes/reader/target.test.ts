// SPDX-License-Identifier: MIT
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtinTarget } from '../../../engine/builtin-targets.ts';
import { execute, type Executed } from '../../../engine/execute.ts';
import { prepare } from '../../../engine/prepare.ts';
import { drawCase } from '../../../generators/draw.ts';
import { CLAUSES } from '../../../spec/index.ts';
import { DEFECTS } from './defects.ts';
import { readerTarget } from './target.ts';

describe('the reader apart from the oracle', () => {
  it('does what the suite expects, and declares the strict side of everything', async () => {
    const target = readerTarget();
    const session = await target.open();
    for (let i = 0; i < 250; i++) {
      const prepared = prepare(drawCase(20_261, i));
      const [{ verdict }] = await execute(target, session, [prepared]) as [Executed];
      expect(verdict, prepared.case.id).toEqual({ kind: 'pass', why: '' });
    }
    expect(CLAUSES.every((c) => c.flag === undefined || target.stance.flags[c.flag] === false)).toBe(true);
  });

  it('is a target by name, with a defect or without', () => {
    expect(builtinTarget('fake-reader')?.identity.name).toBe('fake-reader');
    expect(builtinTarget('fake-reader:stack-reversed')?.identity.name).toBe('fake-reader:stack-reversed');
    expect(builtinTarget('fake-reader:none-such')).toBeUndefined();
    expect(builtinTarget('oracle:stack-reversed')).toBeUndefined();
  });
});

describe('the list of defects', () => {
  it('has each name once, a clause of the specification for each, and a place in the reader for each', () => {
    expect(new Set(DEFECTS.map((d) => d.name)).size).toBe(DEFECTS.length);
    const clauses = new Set(CLAUSES.map((c) => c.id));
    const sources = readdirSync(import.meta.dirname).filter((f) => f.endsWith('.ts') && !f.endsWith('.test.ts') && f !== 'defects.ts')
      .map((f) => readFileSync(path.join(import.meta.dirname, f), 'utf8')).join('');
    for (const { name, clause } of DEFECTS) {
      expect(clauses, name).toContain(clause);
      expect(sources, name).toContain(`'${name}'`);
    }
  });
});
