// SPDX-License-Identifier: MIT
/** What must be the same where a batch is planned and where it runs: the suite, to the last source file, and the targets. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { differenceOf, PASSING } from '../engine/campaign/ledger.ts';
import { CAMPAIGN_SCHEMA, type CampaignHeader } from '../model/index.ts';
import type { Target } from '../targets/target.ts';
import { suiteVersion } from './version.ts';

/** Folders of the suite that decide what a batch gives. */
const FOLDERS = ['spec', 'model', 'generators', 'oracles', 'judge', 'targets', 'engine'];

export interface BatchIdentity {
  /** Version, and a digest of its sources. */
  readonly suite: string;
  /** name → its parts. */
  readonly targets: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export function identityOf(targets: readonly Pick<Target, 'identity'>[]): BatchIdentity {
  return {
    suite: `${suiteVersion()}, sources ${sourcesDigest()}`,
    targets: Object.fromEntries(targets.map(({ identity: { name, parts } }) => [name, Object.fromEntries(Object.entries(parts).filter(([key]) => !PASSING.includes(key)))])),
  };
}

/** The name of the queue: those that can run each other's batches have the same one. */
export function queueOf({ suite, targets }: BatchIdentity): string {
  const sorted = Object.entries(targets).map(([name, parts]) => [name, Object.entries(parts).sort()] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  return `batches-${createHash('sha256').update(JSON.stringify([suite, sorted])).digest('hex').slice(0, 24)}`;
}

/** Why a worker cannot run batches of a campaign; undefined where it can. */
export function mismatch(campaign: BatchIdentity, worker: BatchIdentity): string | undefined {
  if (campaign.suite !== worker.suite) return `the campaign's suite is ${campaign.suite}, this worker's ${worker.suite}`;
  return differenceOf(headerOf(campaign), headerOf(worker))?.replace(/ was (.*), and is /, ' of the campaign: $1; of this worker: ').replace(/ were (.*), and are /, ' of the campaign: $1; of this worker: ').replaceAll(' (0 cases of a batch)', '');
}

function headerOf({ suite, targets }: BatchIdentity): CampaignHeader {
  return {
    schema: CAMPAIGN_SCHEMA, suite, seed: 0, feedback: false, batchCases: 1, shrinkExecutions: 0, shares: Object.fromEntries(Object.keys(targets).map((name) => [name, 0])),
    targets: Object.entries(targets).map(([name, parts]) => ({ name, description: '', parts, remake: {} })), request: {},
  };
}

function sourcesDigest(): string {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const hash = createHash('sha256');
  for (const folder of FOLDERS) {
    const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).filter((e) => e.isFile() && !/\.test\.ts$|testing[^/]*\.ts$/.test(e.name));
    for (const path of files.map((e) => join(e.parentPath, e.name)).sort()) hash.update(`${path.slice(root.length)}\0`).update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex').slice(0, 12);
}
