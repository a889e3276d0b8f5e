// SPDX-License-Identifier: MIT
/** The findings of a folder that has no run.jsonl, such as a campaign's or a night's, by their own manifests. */
import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UsageError } from '../model/index.ts';
import { summaryOf, namesIn } from './failure-folder.ts';
import { loadManifest } from './finding-folder.ts';
import { loadRun, type LoadedFinding, type LoadedRun, type LoadedTarget } from './run-file.ts';
import { count } from './text.ts';

/** What `triage` needs of a run. */
export type FoundRun = Pick<LoadedRun, 'path' | 'targets'>;

/**
 * A run by its run.jsonl, or, where the folder has none, by its `findings/`. Throws `UsageError` for a folder that has
 * neither, and for a manifest that is not as it must be.
 */
export async function loadFound(given: string): Promise<FoundRun> {
  const findings = join(given, 'findings');
  const isFolder = statSync(given, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder || existsSync(join(given, 'run.jsonl')) || !existsSync(findings)) return loadRun(given);
  const targets = new Map<string, LoadedTarget & { readonly findings: Map<string, LoadedFinding> }>();
  for (const name of namesIn(findings).filter((one) => !one.startsWith('.')).sort()) {
    const manifest = loadManifest(join(findings, name));
    const { target, signature, kind, clause, why, firstCase, confirmation, replay, case: smallest } = manifest;
    const entry = targets.get(target.name) ?? { name: target.name, role: target.remake['role'], parts: target.parts, remake: target.remake, findings: new Map(), seen: new Map() };
    targets.set(target.name, entry);
    const { layers, bytes } = summaryOf(manifest, 0);
    entry.findings.set(signature, {
      signature, kind, clause, why, firstCase: firstCase.slice(0, 160), count: manifest.count, reliable: confirmation.blame !== 'unreliable', replay,
      smallest: [count(layers, 'layer'), count(bytes, 'byte'), count(smallest.access.reads.length, 'read')].join(', '),
    });
  }
  if (targets.size === 0) throw new UsageError(`${findings}: no finding in it, so there is nothing that ${basename(given)} could make known`);
  return { path: given, targets: [...targets.values()] };
}
