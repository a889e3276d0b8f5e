// SPDX-License-Identifier: MIT
/** From a run's folder to its view. */
import { dirname } from 'node:path';
import { statSync } from 'node:fs';
import { UsageError, VERDICT_KINDS, type FindingEvent } from '../../model/index.ts';
import { reachedOf } from '../coverage-text.ts';
import { loadCoverage } from '../coverage-file.ts';
import { diffRuns } from '../run-diff.ts';
import { loadRun } from '../run-file.ts';
import { clauseViews } from './clauses.ts';
import { readEvents } from './events.ts';
import { evidenceOf } from './evidence.ts';
import type { CoverageView, FindingView, TrendView, View, ViewOptions } from './view.ts';

/**
 * Reads a run's folder, or its run.jsonl, into a view. Throws `UsageError` only where nothing of a run can be read;
 * what is damaged or missing beyond that stands in `problems`.
 */
export async function viewOf(given: string, options: ViewOptions = {}): Promise<View> {
  const stored = await readEvents(given);
  const folder = statSync(given).isDirectory() ? given : dirname(given);
  const problems = [...stored.problems];
  const tried = <T>(work: () => T, otherwise: T): T => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      problems.push(error.message);
      return otherwise;
    }
  };
  const findings = stored.findings.map((event): FindingView => ({
    event: options.embargo ? { ...event, replay: '' } : event, evidence: tried(() => evidenceOf(folder, event, options), null),
  }));
  const { run, footer, cases, matrices } = stored;
  const told = footer?.clauses ?? (await options.tallyOf?.(run, footer, cases)) ?? '';
  if (typeof told === 'string' && told !== '') problems.push(`Which clauses the cases touch is not known: ${told}. The matrix of clauses shows only what went wrong.`);
  const tally = typeof told === 'string' ? null : told;
  return {
    folder, run, footer, cases, matrices,
    findings: findings.sort((a, b) => worstFirst(a.event, b.event)),
    clauses: clauseViews(run, cases, tally), touched: tally !== null,
    coverage: tried(() => coverageOf(folder), []),
    trend: await trendOf(stored.path, options.against ?? [], problems),
    problems, embargo: options.embargo ?? false,
  };
}

/** What could not be shown again is last; then the worse kind, then what more cases show. */
export function worstFirst(a: FindingEvent, b: FindingEvent): number {
  const rank = (f: FindingEvent): number => (f.confirmation.blame === 'unreliable' ? VERDICT_KINDS.length : VERDICT_KINDS.indexOf(f.kind));
  return rank(a) - rank(b) || b.count - a.count || (a.signature < b.signature ? -1 : a.signature > b.signature ? 1 : 0);
}

function coverageOf(folder: string): CoverageView[] {
  if (!statSync(`${folder}/coverage`, { throwIfNoEntry: false })?.isDirectory()) return [];
  return loadCoverage(folder).map(({ name, coverage: { files } }) => ({
    target: name.includes(' ') ? name.slice(name.indexOf(' ') + 1) : 'the run', total: reachedOf(files),
    files: files.map((f) => ({ file: f.file, reached: reachedOf([f]), uncalled: f.functions.filter((x) => x.count === 0).map((x) => x.name) })),
  }));
}

/** Both runs must have their footers: what was cut off cannot be called fixed. */
async function trendOf(path: string, against: readonly string[], problems: string[]): Promise<TrendView[]> {
  const trend: TrendView[] = [];
  for (const run of against) {
    try {
      const earlier = await loadRun(run);
      const { sameCases, why, columns } = diffRuns(earlier, await loadRun(path));
      trend.push({
        run, cases: earlier.cases, sameCases, why,
        findings: earlier.targets.reduce((n, t) => n + [...t.findings.values()].filter((f) => f.reliable).length, 0),
        columns: columns.map(({ a, b, findings }) => ({
          earlier: a, target: b, newOnes: findings.filter((f) => f.state === 'new').map((f) => f.signature),
          fixed: findings.filter((f) => f.state === 'fixed').map((f) => f.signature), still: findings.filter((f) => f.state === 'still').length,
        })),
      });
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      problems.push(`not compared with ${run}: ${error.message}`);
    }
  }
  return trend;
}
