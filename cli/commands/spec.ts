// SPDX-License-Identifier: MIT
/** `ovbd spec`: the specification as a document. */
import { EXIT, UsageError } from '../../model/index.ts';
import { jsonPieces, specJson, specMarkdown, writeAtomically, type CasesByClause } from '../../reports/index.ts';
import { CLAUSES } from '../../spec/index.ts';
import { Steps } from '../../targets/kernel/lab/index.ts';
import { print } from '../print.ts';

/** As commander hands them over. */
export interface SpecOptions {
  readonly format: 'md' | 'json';
  readonly output?: string;
  /** Whether cases are drawn and named. */
  readonly cases: boolean;
}

/** Cases that are drawn at the most to find some for every clause. */
const CASES = 6000;
const SEED = 1;

/** Writes the clauses whose ids start with `prefix` (all, and the field tables, without one). Throws `UsageError` where there is none. */
export async function spec(prefix: string | undefined, options: SpecOptions, signal: AbortSignal): Promise<number> {
  render(prefix ?? '', options.format, new Map());
  const text = render(prefix ?? '', options.format, options.cases ? await casesByClause(prefix ?? '', signal) : new Map());
  if (options.output === undefined || options.output === '-') await print([text], signal);
  else save(options.output, text);
  return EXIT.ok;
}

/** The first cases of the default seed that touch and that break each clause, and the reader defects that do. */
async function casesByClause(prefix: string, signal: AbortSignal): Promise<CasesByClause> {
  const { clauseCoverage, isCovered, violators } = await import('../../engine/coverage.ts');
  const steps = new Steps();
  return steps.run('draw cases until every clause has some', async (say) => {
    const coverage = await clauseCoverage(SEED, CASES, { enough: (c) => isCovered(c, prefix), progress: (done) => say(`${done} cases`), signal });
    return new Map(CLAUSES.map((c) => [c.id, { exercisedBy: coverage.clauses.get(c.id)!.exercisedBy, violatedBy: violators(c, coverage) }]));
  });
}

function render(prefix: string, format: SpecOptions['format'], cases: CasesByClause): string {
  if (format === 'json') {
    const document = specJson(cases, prefix);
    if (document !== undefined) return `${[...jsonPieces(document)].join('')}\n`;
  } else {
    const lines = specMarkdown(cases, prefix);
    if (lines !== undefined) return `${lines.join('\n')}\n`;
  }
  throw new UsageError(`no clause starts with ${prefix}: ids look like ZF-IDX-03`);
}

function save(path: string, text: string): void {
  try {
    writeAtomically(path, text);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' || code === 'EACCES' || code === 'EROFS') {
      throw new UsageError(`${path}: cannot be written: ${code === 'ENOENT' ? 'no such folder' : code}`);
    }
    throw error;
  }
}
