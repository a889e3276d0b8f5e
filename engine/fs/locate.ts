// SPDX-License-Identifier: MIT
/** Where in a stack a block of a file lies, which a file system keeps as it is. */
import { createHash } from 'node:crypto';
import { TREE_BLOCK, TREE_BLOCK_DIGITS, type Case, type Expectation, type LoweredPiece, type Observation } from '../../model/index.ts';
import { examine } from '../../oracles/examine.ts';
import { lower } from '../../oracles/lower.ts';
import { SECTOR } from '../../spec/index.ts';

export interface Place {
  /** First byte, of the device. */
  readonly at: number;
  /** The layer that it comes from, 0 = bottom; undefined for what no layer maps. */
  readonly layer: number | undefined;
  /** What says which bytes these are. */
  readonly clause: string;
}

/**
 * The first block of the device, at a multiple of 4096 bytes, with this digest
 * (as a `TreeEntry` has it); undefined where there is none, as in a file system
 * that compresses or packs, or where it is zeros.
 */
export function placeOf(c: Case, digest: string): Place | undefined {
  const lowered = lower(c);
  if (lowered === null) return undefined;
  const device = Buffer.alloc(c.access.deviceBytes);
  for (const { start, sectors, source } of lowered.pieces) {
    if (source !== null) device.set(lowered.images[source.layer]!.subarray(source.sector * SECTOR, (source.sector + sectors) * SECTOR), start * SECTOR);
  }
  for (let at = 0; at + TREE_BLOCK <= device.length; at += TREE_BLOCK) {
    if (createHash('sha256').update(device.subarray(at, at + TREE_BLOCK)).digest('hex').slice(0, TREE_BLOCK_DIGITS) !== digest) continue;
    const layer = layerAt(lowered.pieces, at);
    if (layer === undefined) return undefined;
    const read = { offset: at, length: TREE_BLOCK, bufferOffset: 0, mode: 'buffered' as const };
    const { strict } = examine({ ...c, access: { ...c.access, reads: [read] } }).expectation;
    const first = strict.outcome === 'open' ? strict.reads[0] : undefined;
    if (first?.outcome !== 'bytes') return undefined;
    return { at, layer, clause: first.ranges[0]!.clause };
  }
  return undefined;
}

/** The first byte of the device that a read gave wrongly, and its layer; undefined where none did. */
export function firstWrongByte(c: Case, { strict }: Expectation, { reads }: Observation): Omit<Place, 'clause'> | undefined {
  for (const [i, { bytes, result }] of reads.entries()) {
    const want = strict.outcome === 'open' ? strict.reads[i] : undefined;
    if (want?.outcome !== 'bytes' || bytes === undefined || result < 0) continue;
    const n = want.bytes.findIndex((byte, k) => byte !== bytes[k]);
    if (n < 0) continue;
    const at = c.access.reads[i]!.offset + n;
    return { at, layer: layerAt(lower(c)?.pieces ?? [], at) };
  }
  return undefined;
}

function layerAt(pieces: readonly LoweredPiece[], at: number): number | undefined {
  return pieces.find((p) => p.start * SECTOR <= at && at < (p.start + p.sectors) * SECTOR)?.source?.layer;
}
