// SPDX-License-Identifier: MIT
/** What the folder of a finding holds, as a view: images with names on their bytes, wrong reads beside right ones, the log. */
import { existsSync, realpathSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { UsageError, type FindingEvent } from '../../model/index.ts';
import { readBounded } from '../case-folder.ts';
import { loadFinding, loadRepro, type StoredFinding } from '../finding-folder.ts';
import { LIMITS, storedCase, type OutcomeSummary } from '../finding-manifest.ts';
import { hexOfLayer, type Named } from './hex.ts';
import type { EvidenceView, ReadDiffView, ViewOptions } from './view.ts';

/** Characters of a log and of a script, layers that are shown, reads that are compared, and bytes around a difference. */
const LOG = 16_384;
const SCRIPT = 262_144;
const MAX_LAYERS = 16;
const MAX_READS = 8;
const WINDOW = 256;

/** Loads the finding's folder below the run's; throws `UsageError` where that is none, or lies elsewhere. */
export function evidenceOf(run: string, event: FindingEvent, options: ViewOptions): EvidenceView {
  const folder = insideOf(run, event.folder);
  const { path, smallest, before, log: kernelLog, ...manifest } = loadFinding(folder);
  const shown = { ...manifest, case: storedCase(smallest), before: before.map(storedCase) };
  if (options.embargo) return { manifest: { ...shown, replay: '' }, images: [], reads: [], log: '' };
  const named = namedPlaces(manifest.expectation.strict);
  const { examine } = options;
  const images = examine === undefined ? [] : smallest.layers.slice(0, MAX_LAYERS).flatMap((layer, n) => hexOfLayer(layer, n, examine(layer), named));
  const repro = loadRepro(path);
  return {
    manifest: shown, images, reads: readDiffs(path, manifest, smallest.access.reads), log: logOf(path, kernelLog),
    ...(repro !== undefined && repro.length <= SCRIPT && { repro }),
  };
}

/** A folder below another one, also after its links are followed. Throws `UsageError`. */
function insideOf(parent: string, child: string): string {
  const path = resolve(parent, child);
  const outside = new UsageError(`${child}: not a folder of this run`);
  if (!path.startsWith(resolve(parent) + sep)) throw outside;
  if (!existsSync(path)) throw new UsageError(`${child}: the finding's folder is not there`);
  if (!realpathSync(path).startsWith(realpathSync(parent) + sep)) throw outside;
  return path;
}

/** The places that the strict outcome names: of the refusal, or of the reads that must fail. */
function namedPlaces(strict: OutcomeSummary): Named[] {
  if (strict.outcome === 'refuse') return [strict];
  const errors = strict.reads.filter((r) => r.outcome === 'error').map(({ layer, at, clause, why }) => ({ layer, at, clause, why }));
  return [...new Map(errors.map((e) => [`${e.layer} ${e.at} ${e.clause}`, e])).values()];
}

function logOf(path: string, kernelLog: string): string {
  const explained = existsSync(join(path, 'report.txt')) ? readBounded(path, 'report.txt', LIMITS.manifest).toString() : kernelLog;
  return explained.length <= LOG ? explained : `${explained.slice(0, LOG)}\n… (${explained.length - LOG} characters more in the finding's folder)`;
}

/** The reads whose bytes were kept, which is done for those that differ. */
function readDiffs(path: string, { observation, expectation }: Pick<StoredFinding, 'observation' | 'expectation'>, plans: EvidenceView['manifest']['case']['access']['reads']): ReadDiffView[] {
  const diffs: ReadDiffView[] = [];
  for (let read = 0; read < observation.reads.length && diffs.length < MAX_READS; read++) {
    const [observed, expected] = ['observed', 'expected'].map((what) => {
      const name = `${what}-read${read}.bin`;
      return existsSync(join(path, name)) ? readBounded(path, name, LIMITS.file) : undefined;
    });
    const plan = plans[read];
    if (observed === undefined || expected === undefined || plan === undefined) continue;
    diffs.push({ read, plan, ...compared(expected, observed) });
  }
  return expectation.strict.outcome === 'open' ? diffs : [];
}

function compared(expected: Buffer, observed: Buffer): Omit<ReadDiffView, 'read' | 'plan'> {
  const both = Math.min(expected.length, observed.length);
  let first = both;
  let different = 0;
  for (let i = 0; i < both; i++) {
    if (expected[i] === observed[i]) continue;
    if (first === both) first = i;
    different++;
  }
  const from = Math.max(0, Math.floor(first / 16) * 16 - 32);
  return {
    expectedSize: expected.length, observedSize: observed.length, firstDifference: first, different, from,
    expected: expected.subarray(from, from + WINDOW).toString('base64'), observed: observed.subarray(from, from + WINDOW).toString('base64'),
  };
}
