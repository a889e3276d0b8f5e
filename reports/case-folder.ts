// SPDX-License-Identifier: MIT
/** The images of a stored case beside the file that describes it: written, and read back with every check that a stranger's need. */
import { lstatSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { isWrongCount, UsageError, type Case, type Layer } from '../model/index.ts';
import { sha256, type StoredCase, type StoredFile, type StoredLayer } from './finding-manifest.ts';

/** Writes each layer's files into the folder, which is made where it is not there. */
export function writeImages(folder: string, c: Case): void {
  mkdirSync(folder, { recursive: true });
  c.layers.forEach((layer, n) => {
    writeFileSync(join(folder, `layer${n}.img`), layer.bytes);
    if (layer.index) writeFileSync(join(folder, `layer${n}.index`), layer.index);
    if (layer.remote) writeFileSync(join(folder, `layer${n}.remote`), layer.remote);
  });
}

/**
 * The case that `manifest`, a file in the folder `path`, describes; its images lie in `sub`. Throws
 * `UsageError` with the file and the field for whatever is not as it must be, reads no file outside
 * the folder, and nothing before its size is known to be in bounds.
 */
export function loadStoredCase(path: string, sub: string, stored: StoredCase, manifest: string): Case {
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
  return { ...rest, layers: layers.map((layer) => loadLayer(path, sub, layer, manifest)) };
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

function loadLayer(path: string, sub: string, layer: StoredLayer, manifest: string): Layer {
  return {
    wrapping: layer.wrapping,
    bytes: readStored(path, sub, manifest, layer),
    ...(layer.exposedBytes !== undefined && { exposedBytes: layer.exposedBytes }),
    ...(layer.index && { index: readStored(path, sub, manifest, layer.index) }),
    ...(layer.extents && { extents: layer.extents }),
    ...(layer.remote && { remote: readStored(path, sub, manifest, layer.remote) }),
  };
}

function readStored(path: string, sub: string, manifest: string, stored: StoredFile): Uint8Array {
  const name = join(sub, stored.file);
  const bytes = readBounded(path, name, stored.size);
  if (bytes.length !== stored.size) {
    throw new UsageError(`${join(path, name)}: ${bytes.length} bytes, but ${manifest} says ${stored.size}`);
  }
  if (sha256(bytes) !== stored.sha256) throw new UsageError(`${join(path, name)}: its SHA-256 is not the one in ${manifest}`);
  // A Buffer's slice() shares memory where a Uint8Array's copies: hand out the latter.
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What a folder is that should have had the file. */
const HINT: Readonly<Record<string, string>> = {
  'finding.json': '; a finding is a folder under a run\'s findings/',
  'case.json': '; a case of the corpus is a folder under its cases/',
};

/** Reads a plain file that lies in the folder itself and not behind a link. */
export function readBounded(folder: string, name: string, limit: number): Buffer {
  const path = join(folder, name);
  try {
    if (!realpathSync(path).startsWith(realpathSync(folder) + sep)) throw new UsageError(`${path}: a link out of its folder`);
    const stat = lstatSync(path);
    if (!stat.isFile()) throw new UsageError(`${path}: not a plain file`);
    if (stat.size > limit) throw new UsageError(`${path}: ${stat.size} bytes where at most ${limit} are expected`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new UsageError(`${path}: no such file${HINT[name] ?? ''}`);
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
}
