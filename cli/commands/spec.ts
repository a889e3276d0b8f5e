// SPDX-License-Identifier: MIT
/** `ovbd spec`: the specification as a document. */
import { EXIT, UsageError } from '../../model/index.ts';
import { jsonPieces, specJson, specMarkdown, writeAtomically, type CasesByClause } from '../../reports/index.ts';
import { print } from '../print.ts';

/** As commander hands them over. */
export interface SpecOptions {
  readonly format: 'md' | 'json';
  readonly output?: string;
}

/** Cases of each clause. None are counted yet: the document then says nothing of them. */
const CASES: CasesByClause = new Map();

/** Writes the clauses whose ids start with `prefix` (all, and the field tables, without one). Throws `UsageError` where there is none. */
export async function spec(prefix: string | undefined, options: SpecOptions, signal: AbortSignal): Promise<number> {
  const text = render(prefix ?? '', options.format);
  if (options.output === undefined || options.output === '-') await print([text], signal);
  else save(options.output, text);
  return EXIT.ok;
}

function render(prefix: string, format: SpecOptions['format']): string {
  if (format === 'json') {
    const document = specJson(CASES, prefix);
    if (document !== undefined) return `${[...jsonPieces(document)].join('')}\n`;
  } else {
    const lines = specMarkdown(CASES, prefix);
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
