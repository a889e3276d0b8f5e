// SPDX-License-Identifier: MIT
/**
 * A finding on disk: `findings/<target>-<kind>-<slug>-<8 hex>/` with
 * finding.json, the images, what was read and the log. It is made under a
 * temporary name outside `findings/` and renamed, so each folder there is whole.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UsageError, type Case, type Finding, type TargetIdentity } from '../model/index.ts';
import { Mismatch } from './check.ts';
import { syncFolder, temporaryName, writeAtomically } from './atomic.ts';
import { loadStoredCase, readBounded, writeImages } from './case-folder.ts';
import { reproScript } from './repro.ts';
import { LIMITS, manifestCheck, manifestOf, sha256, type FindingManifest } from './finding-manifest.ts';

/** A finding as it was loaded: its manifest, with the cases' bytes. */
export interface StoredFinding extends Omit<FindingManifest, 'schema' | 'case' | 'before'> {
  /** Absolute path of its folder. */
  readonly path: string;
  readonly smallest: Case;
  /** Cases that must run before it, oldest first. */
  readonly before: readonly Case[];
  /** The target's log when it was found. */
  readonly log: string;
}

const MANIFEST = 'finding.json';
/** The finding as a shell script, where there is one. */
const REPRO = 'repro.sh';

/** The name of a finding's folder: the same in every run for one signature of one target. */
export function findingName(target: string, finding: Pick<Finding, 'kind' | 'signature'>): string {
  const rest = finding.signature.startsWith(finding.kind) ? finding.signature.slice(finding.kind.length) : finding.signature;
  const slug = rest.toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, 24).replace(/^-+|-+$/g, '');
  return [target.replace(/[^a-z0-9._+-]+/g, '-'), finding.kind, ...(slug ? [slug] : []), sha256(Buffer.from(finding.signature)).slice(0, 8)].join('-');
}

/**
 * Saves a finding under the run's folder `out` and returns its folder (from
 * `out`) and the command that `replayCommand` makes of its path. A folder of the same
 * finding is replaced. Synchronous, so that no signal handler of ours can run half-way.
 */
export function saveFinding(
  out: string, finding: Finding, identity: TargetIdentity, replayCommand: (path: string) => string,
): { folder: string; replay: string } {
  const folder = join('findings', findingName(identity.name, finding));
  const path = join(out, folder);
  const replay = replayCommand(path);
  const temporary = temporaryName(out, 'finding');
  try {
    writeFinding(temporary, finding, identity, replay);
    syncFolder(temporary);
    mkdirSync(join(out, 'findings'), { recursive: true });
    if (existsSync(path)) {
      const old = temporaryName(out, 'old');
      renameSync(path, old);
      renameSync(temporary, path);
      rmSync(old, { recursive: true });
    } else {
      renameSync(temporary, path);
    }
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
  return { folder, replay };
}

/** Writes the files of a finding into the folder, which is made. */
export function writeFinding(folder: string, finding: Finding, identity: TargetIdentity, replay: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, MANIFEST), `${JSON.stringify(manifestOf(finding, identity, replay), null, 2)}\n`);
  writeFileSync(join(folder, 'kernel.log'), finding.observation.log);
  if (finding.explanation) writeFileSync(join(folder, 'report.txt'), `${finding.explanation.report}\n`);
  // A script makes devices and reads them, once.
  const script = identity.parts['module'] === undefined || finding.procedure !== undefined ? undefined : reproScript(finding, identity);
  if (script !== undefined) writeFileSync(join(folder, REPRO), script, { mode: 0o755 });
  writeImages(folder, finding.smallest);
  finding.before.forEach((c, n) => writeImages(join(folder, beforeFolder(n)), c));
  writeReads(folder, finding);
}

/** The manifest alone, with every check that `loadFinding` makes of it; the images may be anything. */
export function loadManifest(folder: string): FindingManifest {
  const path = resolve(folder);
  return parseManifest(join(path, MANIFEST), readBounded(path, MANIFEST, LIMITS.manifest));
}

/** Files of a whole finding, from its folder: the manifest, every image that it names, the log and what was made of it. Not the bytes of reads. */
export function findingFiles(folder: string, { case: smallest, before }: FindingManifest): string[] {
  const images = (sub: string, { layers }: FindingManifest['case']): string[] =>
    layers.flatMap(({ file, index, remote }) => [file, index?.file, remote?.file]).filter((f) => f !== undefined).map((f) => join(sub, f));
  const others = ['kernel.log', 'report.txt', REPRO].filter((name) => existsSync(join(folder, name)));
  return [MANIFEST, ...others, ...images('', smallest), ...before.flatMap((c, n) => images(beforeFolder(n), c))];
}

/** Takes the label from a kept finding that a virtual machine has shown since. Nothing where it is not there, or is damaged. */
export function confirmFinding(out: string, folder: string): void {
  const path = join(out, folder, MANIFEST);
  if (!existsSync(path)) return;
  try {
    const { label: _, ...rest } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    writeAtomically(path, `${JSON.stringify(rest, null, 2)}\n`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
}

function beforeFolder(n: number): string {
  return join('before', String(n).padStart(2, '0'));
}

/** The bytes of each read that came back wrong, beside those that should have come. */
function writeReads(folder: string, finding: Finding): void {
  const strict = finding.expectation.strict;
  finding.observation.reads.forEach((read, n) => {
    if (!read.bytes) return;
    const expected = strict.outcome === 'open' ? strict.reads[n] : undefined;
    const right = expected?.outcome === 'bytes' ? expected.bytes : expected?.outcome === 'error' ? expected.goodBytes : undefined;
    if (right && sha256(right) === sha256(read.bytes)) return;
    writeFileSync(join(folder, `observed-read${n}.bin`), read.bytes);
    if (right) writeFileSync(join(folder, `expected-read${n}.bin`), right);
  });
}

/**
 * Loads a finding's folder, which may come from a stranger: throws `UsageError`
 * with the file and the field for whatever is not as it must be, reads no file
 * outside the folder, and nothing before its size is known to be in bounds.
 */
export function loadFinding(folder: string): StoredFinding {
  const path = resolve(folder);
  const manifestPath = join(path, MANIFEST);
  const { schema: _, case: stored, before, ...rest } = parseManifest(manifestPath, readBounded(path, MANIFEST, LIMITS.manifest));
  return {
    ...rest,
    path,
    smallest: loadStoredCase(path, '', stored, MANIFEST),
    before: before.map((c, n) => loadStoredCase(path, beforeFolder(n), c, MANIFEST)),
    log: existsSync(join(path, 'kernel.log')) ? readBounded(path, 'kernel.log', LIMITS.manifest).toString() : '',
  };
}

/** The finding's shell script, which may come from a stranger; undefined where there is none. Throws `UsageError` as `loadFinding` does. */
export function loadRepro(folder: string): string | undefined {
  const path = resolve(folder);
  return existsSync(join(path, REPRO)) ? readBounded(path, REPRO, LIMITS.script).toString() : undefined;
}

function parseManifest(path: string, bytes: Buffer): FindingManifest {
  try {
    return manifestCheck(JSON.parse(bytes.toString()), '');
  } catch (error) {
    if (error instanceof Mismatch) throw new UsageError(`${path}: ${error.message}`);
    if (error instanceof SyntaxError) throw new UsageError(`${path}: not JSON: ${error.message}`);
    throw error;
  }
}
