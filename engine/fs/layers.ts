// SPDX-License-Identifier: MIT
/** Snapshots of a device as the layers of a stack: each holds the sectors that changed since the one before it. */
import { commitLayer, runScript, type ScriptStep } from '../../generators/commit.ts';
import { PLAIN_ZFILE, writeZFile } from '../../generators/zfile-writer.ts';
import type { Case, Layer, ReadPlan } from '../../model/index.ts';
import { examine } from '../../oracles/examine.ts';
import { SECTOR } from '../../spec/index.ts';

/** What was written between two snapshots, in runs of sectors; a run that became zeros was discarded. Bytes. */
export function changes(before: Uint8Array, after: Uint8Array): ScriptStep[] {
  const zeros = new Uint8Array(SECTOR);
  const sector = (of: Uint8Array, at: number): Uint8Array => (at < of.length ? of.subarray(at, at + SECTOR) : zeros);
  const steps: ScriptStep[] = [];
  let run: { from: number; kind: ScriptStep['kind'] } | null = null;
  const end = (to: number): void => {
    if (run?.kind === 'write') steps.push({ kind: 'write', offset: run.from, content: after.subarray(run.from, to) });
    if (run?.kind === 'discard') steps.push({ kind: 'discard', offset: run.from, length: to - run.from });
    run = null;
  };
  for (let at = 0; at < after.length; at += SECTOR) {
    const now = sector(after, at);
    const kind = Buffer.compare(sector(before, at), now) === 0 ? null : Buffer.compare(now, zeros) === 0 ? 'discard' : 'write';
    if (run !== null && (run as { kind: string }).kind === kind) continue;
    end(at);
    if (kind !== null) run = { from: at, kind };
  }
  end(after.length);
  return steps;
}

/** Bytes of one read of the whole device. */
const READ = 1 << 20;

/** The snapshots, each a multiple of 512 bytes, as a stack of committed layers, raw or in ZFiles; all of the device is read. */
export function stackOfSnapshots(id: string, snapshots: readonly Uint8Array[], zfile: boolean): Case {
  const layers = snapshots.map((after, i): Layer => {
    const options = { virtualSize: after.length };
    const bytes = commitLayer(runScript(changes(snapshots[i - 1] ?? new Uint8Array(0), after), options), options);
    return zfile ? { wrapping: ['zfile'], bytes: writeZFile(bytes, PLAIN_ZFILE), exposedBytes: bytes.length } : { wrapping: [], bytes };
  });
  const deviceBytes = snapshots.at(-1)!.length;
  const reads = Array.from({ length: Math.ceil(deviceBytes / READ) }, (_, i): ReadPlan => (
    { offset: i * READ, length: Math.min(READ, deviceBytes - i * READ), bufferOffset: 0, mode: 'direct' }));
  return examine({
    id, device: 'lsmt', layers, access: { slack: 'page', deviceBytes, reads }, clauses: { exercises: [], violates: [] },
  }).case;
}
