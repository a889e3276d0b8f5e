// SPDX-License-Identifier: MIT
/**
 * A batch with the folders of its findings as one archive, between a worker and the coordinator of its
 * campaign: `record.json`, and `findings/<n>/` in the order of the record. What comes back is a stranger's.
 */
import { existsSync, mkdirSync, openSync, closeSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { UsageError, type BatchRecord, type Finding, type Observation } from '../model/index.ts';
import { batchCheck } from './campaign-check.ts';
import { readBounded } from './case-folder.ts';
import { Mismatch } from './check.ts';
import { tarHeader } from './corpus-export.ts';
import { findingFiles, loadFinding, loadManifest, type StoredFinding } from './finding-folder.ts';
import { sha256 } from './finding-manifest.ts';
import { readTar } from './tar-reader.ts';

const BLOCK = 512;
const RECORD = 'record.json';
/** Bytes of the record, of any file, and of all of them unpacked. */
const LIMITS = { record: 64 << 20, file: 256 << 20, all: 1 << 30, files: 50_000, findings: 10_000 } as const;
const PATH = /^(?:record\.json|findings\/\d{1,5}\/(?:before\/\d{2,5}\/)?[a-z][a-z0-9.-]{1,40})$/;
/** The bytes of a read that was wrong. */
const observed = (n: number): string => `observed-read${n}.bin`;
/** The coordinator writes the script itself: what a stranger sends is not to be run. */
const SCRIPT = 'repro.sh';

/** The record with what lies in the folders that it names, below `out`. Throws `UsageError` where one is not whole, or all is too much. */
export function packBatch(record: BatchRecord, out: string): Buffer {
  const blocks: Buffer[] = [];
  let size = 0;
  const add = (path: string, bytes: Buffer): void => {
    size += bytes.length + BLOCK;
    if (size > LIMITS.all) throw new UsageError(`batch ${record.plan.number}: its findings are more than ${LIMITS.all} bytes`);
    blocks.push(tarHeader(path, bytes.length), bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK));
  };
  add(RECORD, Buffer.from(JSON.stringify(record)));
  record.findings.forEach(({ folder }, n) => {
    const path = join(out, folder);
    const reads = readdirSync(path).filter((name) => /^observed-read\d{1,6}\.bin$/.test(name));
    for (const file of new Set([...findingFiles(path, loadManifest(path)), ...reads])) if (file !== SCRIPT) add(`findings/${n}/${file}`, readFileSync(join(path, file)));
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]), { level: 6 });
}

/** A finding as it came, with all that a finding has but what the oracle says of its case. */
export type ReceivedFinding = Omit<Finding, 'expectation'> & { readonly identity: StoredFinding['target'] };

/** A batch as it came: of the right form, and nothing else is known of it. */
export interface ReceivedBatch {
  readonly record: BatchRecord;
  /** In the order of the record. */
  readonly findings: readonly ReceivedFinding[];
}

/** Unpacks into an empty folder of the caller's. Throws `UsageError` for whatever is not as it must be; nothing is written outside the folder. */
export async function unpackBatch(bytes: Uint8Array, folder: string): Promise<ReceivedBatch> {
  const archive = join(folder, 'archive');
  const place = join(folder, 'unpacked');
  writeFileSync(archive, bytes);
  mkdirSync(place);
  await readTar(archive, LIMITS, (path) => {
    if (!PATH.test(path)) throw new UsageError(`${JSON.stringify(path)} is no file of a batch`);
    const at = join(place, path);
    mkdirSync(dirname(at), { recursive: true });
    const file = openSync(at, 'wx');
    return {
      write(part) {
        for (let done = 0; done < part.length;) done += writeSync(file, part, done);
      },
      end: () => closeSync(file),
    };
  });
  const record = recordOf(readBounded(place, RECORD, LIMITS.record));
  if (record.findings.length > LIMITS.findings) throw new UsageError(`${record.findings.length} findings in one batch`);
  return { record, findings: record.findings.map((_, n) => received(join(place, 'findings', String(n)))) };
}

function recordOf(bytes: Buffer): BatchRecord {
  try {
    return batchCheck(JSON.parse(bytes.toString()), '');
  } catch (error) {
    if (error instanceof Mismatch || error instanceof SyntaxError) throw new UsageError(`${RECORD}: ${error.message}`);
    throw error;
  }
}

function received(folder: string): ReceivedFinding {
  const { path, target: identity, expectation: _, observation, where, log, replay: __, why, ...rest } = loadFinding(folder);
  const reads = observation.reads.map((read, n): Observation['reads'][number] => {
    if (read.result < 0 || !existsSync(join(path, observed(n)))) return read;
    const bytes = readBounded(path, observed(n), LIMITS.file);
    if (sha256(bytes) !== read.sha256) throw new UsageError(`${join(path, observed(n))}: its SHA-256 is not the one of the read`);
    return { ...read, bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) };
  });
  const report = join(path, 'report.txt');
  return {
    ...rest, identity, target: identity.name, observation: { ...observation, log, reads },
    verdict: { kind: rest.kind, signature: rest.signature, why, ...(rest.clause !== undefined && { clause: rest.clause }) },
    ...(where && existsSync(report) && { explanation: { where, report: readBounded(path, 'report.txt', 8 << 20).toString().trimEnd() } }),
  };
}
