// SPDX-License-Identifier: MIT
/**
 * A finding on disk: `findings/<target>-<kind>-<slug>-<8 hex>/` with
 * finding.json, the images, what was read and the log. It is made under a
 * temporary name outside `findings/` and renamed, so each folder there is whole.
 */
import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { isWrongCount, UsageError, type Case, type Finding, type Layer, type TargetIdentity } from '../model/index.ts';
import { Mismatch } from './check.ts';
import { temporaryName } from './atomic.ts';
import { reproScript } from './repro.ts';
import {
  LIMITS, manifestCheck, manifestOf, sha256, type FindingManifest, type StoredCase, type StoredFile, type StoredLayer,
} from './finding-manifest.ts';

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
  mkdirSync(temporary, { recursive: true });
  try {
    writeFileSync(join(temporary, 'finding.json'), `${JSON.stringify(manifestOf(finding, identity, replay), null, 2)}\n`);
    writeFileSync(join(temporary, 'kernel.log'), finding.observation.log);
    if (finding.explanation) writeFileSync(join(temporary, 'report.txt'), `${finding.explanation.report}\n`);
    // A script makes devices and reads them, once.
    const script = identity.parts['module'] === undefined || finding.procedure !== undefined ? undefined : reproScript(finding, identity);
    if (script !== undefined) writeFileSync(join(temporary, REPRO), script, { mode: 0o755 });
    writeImages(temporary, finding.smallest);
    finding.before.forEach((c, n) => writeImages(join(temporary, beforeFolder(n)), c));
    writeReads(temporary, finding);
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

function beforeFolder(n: number): string {
  return join('before', String(n).padStart(2, '0'));
}

function writeImages(folder: string, c: Case): void {
  mkdirSync(folder, { recursive: true });
  c.layers.forEach((layer, n) => {
    writeFileSync(join(folder, `layer${n}.img`), layer.bytes);
    if (layer.index) writeFileSync(join(folder, `layer${n}.index`), layer.index);
    if (layer.remote) writeFileSync(join(folder, `layer${n}.remote`), layer.remote);
  });
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
  const manifestPath = join(path, 'finding.json');
  const { schema: _, case: stored, before, ...rest } = parseManifest(manifestPath, readBounded(path, 'finding.json', LIMITS.manifest));
  return {
    ...rest,
    path,
    smallest: loadCase(path, '', stored),
    before: before.map((c, n) => loadCase(path, beforeFolder(n), c)),
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

function loadCase(path: string, sub: string, stored: StoredCase): Case {
  if (stored.device === 'zfile' && stored.layers.length !== 1) {
    throw new UsageError(`${path}: case ${stored.id}: a zfile device has one layer, not ${stored.layers.length}`);
  }
  const fault = stored.access.table;
  if (fault && 'layer' in fault && fault.layer >= stored.layers.length) {
    throw new UsageError(`${path}: case ${stored.id}: access.table.layer: there is no layer ${fault.layer}`);
  }
  if (fault?.kind === 'count' && !isWrongCount(stored.device, stored.layers.length, fault.delta)) {
    throw new UsageError(`${path}: case ${stored.id}: access.table.delta: ${fault.delta} arguments more or less are no fault`);
  }
  checkTrouble(path, stored);
  const { table: _, layers, ...rest } = stored;
  return { ...rest, layers: layers.map((layer) => loadLayer(path, sub, layer)) };
}

/** What names layers and reads names some that are there. */
function checkTrouble(path: string, { id, layers, access: { table, fault, reads } }: StoredCase): void {
  const wrong = (what: string): never => { throw new UsageError(`${path}: case ${id}: access.${what}`); };
  if (table?.kind === 'short' && table.sectors * 512 >= Math.max(layers[table.layer]!.size, layers[table.layer]!.exposedBytes ?? 0)) wrong('table.sectors: no sector is left');
  if (table?.kind === 'length' && !Number.isSafeInteger(table.sectors * 512)) wrong('table.sectors: no such device');
  if (!fault) return;
  if (fault.layer >= layers.length) wrong(`fault.layer: there is no layer ${fault.layer}`);
  if (fault.since > reads.length || (fault.until ?? 0) > reads.length) wrong(`fault: there is no read ${Math.max(fault.since, fault.until ?? 0)}`);
}

function loadLayer(path: string, sub: string, layer: StoredLayer): Layer {
  return {
    wrapping: layer.wrapping,
    bytes: readStored(path, sub, layer),
    ...(layer.exposedBytes !== undefined && { exposedBytes: layer.exposedBytes }),
    ...(layer.index && { index: readStored(path, sub, layer.index) }),
    ...(layer.extents && { extents: layer.extents }),
    ...(layer.remote && { remote: readStored(path, sub, layer.remote) }),
  };
}

function readStored(path: string, sub: string, stored: StoredFile): Uint8Array {
  const name = join(sub, stored.file);
  const bytes = readBounded(path, name, stored.size);
  if (bytes.length !== stored.size) {
    throw new UsageError(`${join(path, name)}: ${bytes.length} bytes, but finding.json says ${stored.size}`);
  }
  if (sha256(bytes) !== stored.sha256) throw new UsageError(`${join(path, name)}: its SHA-256 is not the one in finding.json`);
  // A Buffer's slice() shares memory where a Uint8Array's copies: hand out the latter.
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Reads a plain file that lies in the folder itself and not behind a link. */
function readBounded(folder: string, name: string, limit: number): Buffer {
  const path = join(folder, name);
  try {
    if (!realpathSync(path).startsWith(realpathSync(folder) + sep)) throw new UsageError(`${path}: a link out of the finding's folder`);
    const stat = lstatSync(path);
    if (!stat.isFile()) throw new UsageError(`${path}: not a plain file`);
    if (stat.size > limit) throw new UsageError(`${path}: ${stat.size} bytes where at most ${limit} are expected`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new UsageError(`${path}: no such file; a finding is a folder under a run's findings/`);
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
}
