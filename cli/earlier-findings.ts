// SPDX-License-Identifier: MIT
/** Findings that a campaign is to try first: of the folders of campaigns and runs, and of a failure store. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Earlier } from '../engine/campaign/earlier.ts';
import { UsageError } from '../model/index.ts';
import { loadFinding, type FolderStore } from '../reports/index.ts';

/** The findings of these folders, by name. Throws `UsageError` for a folder that is none of a campaign or run, or holds a finding that is damaged. */
export function findingsAfter(folders: readonly string[]): Earlier[] {
  return folders.flatMap((folder) => {
    if (!['run.jsonl', 'campaign.json'].some((name) => existsSync(join(folder, name)))) throw new UsageError(`--after ${folder}: neither a campaign nor a run is kept there`);
    const findings = join(folder, 'findings');
    const names = existsSync(findings) ? readdirSync(findings).filter((name) => !name.startsWith('.')).sort() : [];
    return names.map((name) => {
      const { target: { name: targetName, description, parts, remake }, signature, kind, smallest, before, procedure, confirmation } = loadFinding(join(findings, name));
      return { identity: { name: targetName, description, parts, remake }, signature, kind, smallest, before, procedure, confirmation, from: join(findings, name) };
    }).filter((one) => one.confirmation.blame !== 'unreliable');
  });
}

/** All that the store has, by key. */
export function findingsOf(store: FolderStore): Earlier[] {
  return store.list().flatMap(({ key }) => {
    const stored = store.load(key);
    if (stored === undefined) return [];
    const { identity, signature, kind, smallest, before, procedure, confirmation } = stored;
    return [{ identity, signature, kind, smallest, before, procedure, confirmation, from: join(store.path, key) }];
  });
}
