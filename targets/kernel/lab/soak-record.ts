// SPDX-License-Identifier: MIT
/** What soaks found of a pair of kernel and emulator, kept in the cache beside what it is about. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cache } from './cache.ts';
import { withLock } from './lock.ts';

/** A kernel, by release and the exact versions or hashes of what it is made of. */
export interface SoakedKernel {
  readonly release: string;
  readonly packages: Readonly<Record<string, string>>;
}

export interface SoakRecord {
  readonly kernel: string;
  readonly qemu: string;
  /** Boots tried, of which `failures` failed by themselves. */
  readonly boots: number;
  readonly failures: number;
  /** Cases of the stock target that were run. */
  readonly cases: number;
  /** What the first failure was, in one line. */
  readonly first?: string;
}

const FOLDER = 'soak';

function keyOf(kernel: SoakedKernel, qemu: { readonly version: string }): string {
  const packages = Object.entries(kernel.packages).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify([kernel.release, packages, qemu.version])).digest('hex').slice(0, 32);
}

/** The record of a pair; undefined where it was never soaked. */
export async function soakOf(cache: Cache, kernel: SoakedKernel, qemu: { readonly version: string }): Promise<SoakRecord | undefined> {
  return read(join(cache.root, FOLDER, `${keyOf(kernel, qemu)}.json`));
}

/** All records, in no order that matters. */
export function soakRecords(cache: Cache): SoakRecord[] {
  let names: string[] = [];
  try {
    names = readdirSync(join(cache.root, FOLDER)).filter((name) => name.endsWith('.json')).sort();
  } catch {
    // Nothing was soaked yet.
  }
  return names.map((name) => read(join(cache.root, FOLDER, name))).filter((record) => record !== undefined);
}

/** A record in words, for people and for the identity of a run. */
export function soakText(record: SoakRecord | undefined): string {
  return record === undefined ? 'never soaked' : `${record.failures} failures in ${record.boots} boots and ${record.cases} stock cases`;
}

/** Adds boots and cases to the record of a pair, and gives the sum. */
export async function addSoak(
  cache: Cache, kernel: SoakedKernel, qemu: { readonly version: string }, more: Pick<SoakRecord, 'boots' | 'failures' | 'cases' | 'first'>,
): Promise<SoakRecord> {
  const path = join(cache.root, FOLDER, `${keyOf(kernel, qemu)}.json`);
  return withLock(path, async () => {
    const old = read(path);
    const first = old?.first ?? more.first;
    const record: SoakRecord = {
      kernel: kernel.release,
      qemu: qemu.version,
      boots: (old?.boots ?? 0) + more.boots,
      failures: (old?.failures ?? 0) + more.failures,
      cases: (old?.cases ?? 0) + more.cases,
      ...(first === undefined ? {} : { first }),
    };
    mkdirSync(join(cache.root, FOLDER), { recursive: true });
    writeFileSync(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`);
    renameSync(`${path}.new`, path);
    return record;
  });
}

/** Forgets the record of a pair, so that it may be soaked anew. */
export async function forgetSoak(cache: Cache, kernel: SoakedKernel, qemu: { readonly version: string }): Promise<void> {
  rmSync(join(cache.root, FOLDER, `${keyOf(kernel, qemu)}.json`), { force: true });
}

function read(path: string): SoakRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as SoakRecord;
    return [record.boots, record.failures, record.cases].every(Number.isInteger) ? record : undefined;
  } catch {
    return undefined;
  }
}
