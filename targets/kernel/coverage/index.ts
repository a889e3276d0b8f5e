// SPDX-License-Identifier: MIT
/** Coverage of a module's sources by the virtual machines that run it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError, type SourceCoverage } from '../../../model/index.ts';
import type { BuiltModule } from '../lab/module.ts';
import { Collector } from './collector.ts';
import { sourceCounts } from './gcov.ts';

export { countReload } from './reload.ts';

/** What collects the counters of a module; undefined where it was built without them. */
export async function collectorFor({ coverageNotes: notes }: BuiltModule): Promise<Collector | undefined> {
  if (notes === undefined) return undefined;
  const path = (await readFile(join(notes, 'folder'), 'utf8')).trim();
  if (!path.startsWith('/') || path.split('/').includes('..')) throw new EngineError(`${join(notes, 'folder')} names no folder`);
  const known = (await readdir(notes)).filter((name) => name.endsWith('.gcno')).map((name) => name.replace(/gcno$/, 'gcda'));
  return new Collector(path, known);
}

/** What has been collected until now, by source file. Throws `EngineError` as `sourceCounts` does. */
export async function coverageOf(collector: Collector, { coverageNotes, sourceFolder }: BuiltModule, signal?: AbortSignal): Promise<SourceCoverage> {
  return {
    files: await sourceCounts(collector.sum, coverageNotes!, sourceFolder!, collector.path, signal),
    instances: collector.instances,
    lost: collector.lost,
    problems: collector.problems,
  };
}
