// SPDX-License-Identifier: MIT
/** What a stack of laid-out layers shows: its bytes, by painting, and the clauses of merging that it exercises. Sectors. */
import { SECTOR } from '../spec/index.ts';
import type { Emit } from './clause-list.ts';
import { liveSegments } from './commit.ts';
import type { LaidLayer, LaidSegment } from './lsmt-layout.ts';

/** Segments of a stack whose merging is looked at; larger ones exercise nothing that smaller ones do not. */
const LOOKED_AT = 1 << 17;

/** The device's bytes [offset, offset + length): bottom to top, later writes hide earlier ones. */
export function paint(layers: readonly LaidLayer[], offset: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (const { segments } of layers) {
    for (const s of segments) {
      const start = s.offset * SECTOR - offset;
      const from = Math.max(start, 0);
      const to = Math.min(s.end * SECTOR - offset, length);
      if (from >= to) continue;
      if (s.content) out.set(s.content.subarray(from - start, to - start), from);
      else out.fill(0, from, to);
    }
  }
  return out;
}

/** Bytes of the stack's device: those of the topmost layer that says any. */
export function stackBytes(layers: readonly LaidLayer[]): number {
  return layers.findLast((l) => l.virtualSize !== 0)?.virtualSize ?? 0;
}

/** Tells which clauses of sizes and merging the stack exercises inside its virtual size. */
export function emitStack(layers: readonly LaidLayer[], emit: Emit): void {
  const size = stackBytes(layers);
  emit('ST-CNT-01');
  if (size === 0) emit('ST-SIZE-04');
  else if (layers.some((l) => l.virtualSize !== size)) emit('ST-SIZE-01');
  const end = size / SECTOR;
  if (layers.some((l) => l.segments.some((s) => s.end > end))) emit('ST-SIZE-02');
  if (layers.reduce((n, l) => n + l.segments.length, 0) <= LOOKED_AT) emitMerging(layers.map(apart), end, emit);
}

/** The layer's mappings ascending and apart: what is left of those of a log. */
function apart({ segments }: LaidLayer): readonly LaidSegment[] {
  if (segments.every((s, i) => i === 0 || segments[i - 1]!.end <= s.offset)) return segments;
  const log = segments.map((s, tag) => ({ offset: s.offset, length: s.length, moffset: 0, zeroed: s.content === null, tag }));
  return liveSegments(log).map((s) => ({ ...segments[s.tag]!, offset: s.offset, length: s.length, end: s.offset + s.length }));
}

/** Goes over the borders of all mappings: between two of them every layer shows one mapping or a gap. */
function emitMerging(layers: readonly (readonly LaidSegment[])[], end: number, emit: Emit): void {
  const ascending = bordersOf(layers, end);
  const cursors = layers.map(() => 0);
  /** Segments that are seen somewhere, and those that an upper layer hides somewhere: of a layer alone, none. */
  const seen = new Set<LaidSegment>();
  const hidden = new Set<LaidSegment>();
  for (let i = 0; i + 1 < ascending.length; i++) {
    if (ascending[i] === ascending[i + 1]) continue;
    let top: LaidSegment | null = null;
    for (let k = layers.length - 1; k >= 0; k--) {
      const s = segmentAt(layers[k]!, cursors, k, ascending[i]!);
      if (!s) continue;
      if (top) {
        hidden.add(s);
        emit(top.content ? 'ST-MRG-01' : s.content ? 'ST-MRG-03' : 'ST-MRG-01');
      } else {
        top = s;
        if (layers.length > 1) seen.add(s);
        emit(s.content ? 'LS-MAP-01' : 'LS-MAP-02');
        if (k < layers.length - 1) emit('ST-MRG-02');
      }
    }
    if (!top) emit('ST-MRG-04');
  }
  for (const s of seen) if (s.content && hidden.has(s)) emit('ST-MRG-05');
}

/** 0, the end, and all borders before it, ascending; some more than once. */
function bordersOf(layers: readonly (readonly LaidSegment[])[], end: number): Float64Array {
  const borders = new Float64Array(2 + 2 * layers.reduce((n, segments) => n + segments.length, 0));
  let count = 0;
  borders[count++] = 0;
  borders[count++] = end;
  for (const segments of layers) {
    for (const s of segments) {
      if (s.offset < end) borders[count++] = s.offset;
      if (s.end < end) borders[count++] = s.end;
    }
  }
  return borders.subarray(0, count).sort();
}

/** The mapping of layer `k` that has the sector; `cursors` only go forward. */
function segmentAt(segments: readonly LaidSegment[], cursors: number[], k: number, sector: number): LaidSegment | null {
  while (cursors[k]! < segments.length && segments[cursors[k]!]!.end <= sector) cursors[k]!++;
  const s = segments[cursors[k]!];
  return s && s.offset <= sector ? s : null;
}
