// SPDX-License-Identifier: MIT
/** From relative places in layer recipes to absolute mappings. Offsets and lengths are sectors. */
import { MAX_SEGMENT_SECTORS, SECTOR } from '../spec/index.ts';
import { makeContent } from './content.ts';
import type { AimPoint, LayerRecipe, PlaceRecipe, SegmentRecipe } from './recipe.ts';

/** One mapping of a layer. */
export interface LaidSegment {
  readonly offset: number;
  readonly length: number;
  /** One past the last sector. */
  readonly end: number;
  /** `length` sectors; null for a zeroed mapping. */
  readonly content: Uint8Array | null;
  /** Where its data stands in the file: the sectors of segment `of` from its sector `skip` on. Absent: a place of its own. */
  readonly shares?: { readonly of: number; readonly skip: number };
  /** It maps the remote file of a warp layer. */
  readonly remote?: boolean;
}

/** A layer with absolute places. */
export interface LaidLayer {
  /** In the order of the index: ascending and apart, but of a pair in write order. */
  readonly segments: readonly LaidSegment[];
  /** Bytes; 0 defers to the layer below. */
  readonly virtualSize: number;
}

/** Sectors of the largest device: virtual sizes reach 2^59 bytes. */
const MAX_SECTORS = 2 ** 50;
/** One past the last sector that an entry may start at: 2^50 - 1 marks an INVALID one. */
const MAX_OFFSET = 2 ** 50 - 2;
/** Longest data of a segment whose length another segment decides. */
const AIMED_DATA_SECTORS = 257;
/** Sectors of the largest sparse layer: its file is as long as the device. */
const SPARSE_SECTORS = 4096;
/** Sectors of a page: the smallest hole that a file system keeps. */
const PAGE_SECTORS = 8;
/** How many of the next lower segments one may aim at. */
const AIM_CHOICES = 4;

/** The layer's mappings; `lower` are those of the layers below, in any order. */
export function layOut(r: LayerRecipe, lower: readonly LaidSegment[]): LaidLayer {
  if (r.form === 'sparse') return sparse(r, lower);
  const log = r.form === 'pair';
  const out: LaidSegment[] = [];
  let at = 0;
  for (const s of r.segments) {
    const { offset, length } = placed(s, at, log ? [...lower, ...out] : lower, log);
    if (offset > MAX_OFFSET) continue;
    at = offset + length;
    out.push({ offset, length, end: at, content: s.zeroed ? null : makeContent(s.content, length * SECTOR) });
  }
  if (!log) addMany(r, out);
  const segments = withSources(r, out);
  return { segments, virtualSize: virtualBytes(r, segments) };
}

/** Where a segment goes that may not start before `at` (of a log: anywhere). */
function placed(s: SegmentRecipe, at: number, lower: readonly LaidSegment[], log: boolean): { offset: number; length: number } {
  const behind = { offset: at + s.gap, length: s.length };
  if (!s.place) return behind;
  if (s.place.to === 'edge') return s.place.sector >= at || log ? { offset: s.place.sector, length: s.length } : behind;
  const within = log ? lower : lower.filter((l) => l.end >= at);
  const target = within[s.place.choice % Math.min(AIM_CHOICES, within.length)];
  if (!target) return behind;
  const [from, until] = aimedAt(target, s.place);
  const offset = log ? from : Math.max(at, from);
  const length = Math.min(until - offset, s.zeroed ? MAX_SEGMENT_SECTORS : AIMED_DATA_SECTORS);
  return length > 0 ? { offset, length } : behind;
}

/** The two points around `s`, in sectors, the first one first. */
function aimedAt(s: LaidSegment, place: Extract<PlaceRecipe, { to: 'segment' }>): [number, number] {
  const points: Record<AimPoint, number> = {
    'before': s.offset - 5, 'start-1': s.offset - 1, 'start': s.offset, 'start+1': s.offset + 1, 'middle': s.offset + (s.length >> 1),
    'end-1': s.end - 1, 'end': s.end, 'end+1': s.end + 1, 'behind': s.end + 6,
  };
  const [a, b] = [points[place.from], points[place.until]].map((p) => Math.max(0, p)) as [number, number];
  return a <= b ? [a, b] : [b, a];
}

function addMany(r: LayerRecipe, out: LaidSegment[]): void {
  if (!r.many || r.many.kind === 'invalid') return;
  const { count, gap, kind } = r.many;
  const others = r.invalidBefore.length + r.emptyBefore.length;
  let at = out.at(-1)?.end ?? 0;
  const first = out.length;
  const one = kind === 'shared' ? makeContent({ kind: 'counter', seed: 7000 }, SECTOR) : null;
  const shares = { of: first, skip: 0 };
  for (let i = first + others; i < count && at + gap <= MAX_OFFSET; i++) {
    const offset = at + gap;
    at = offset + 1;
    const content = kind === 'own' ? makeContent({ kind: 'counter', seed: 7000 + i }, SECTOR) : one;
    out.push(one && out.length > first ? { offset, length: 1, end: at, content, shares } : { offset, length: 1, end: at, content });
  }
}

/** The segments with what the placement and a warp layer say of where their data are. */
function withSources(r: LayerRecipe, segments: LaidSegment[]): LaidSegment[] {
  let out = segments;
  if (r.form === 'warp') {
    let data = -1;
    out = out.map((s) => {
      // A table of remote entries only has no other tag on its zeroed ones either.
      if (!s.content) return r.remote === -1 ? { ...s, remote: true } : s;
      if (s.shares) return s;
      data++;
      return r.remote === -1 || (r.remote >>> (data % 31)) & 1 ? { ...s, remote: true } : s;
    });
    out = out.map((s) => (s.shares && out[s.shares.of]!.remote ? { ...s, remote: true } : s));
  }
  if (r.placement === 'shared' && r.form !== 'pair') out = withShares(out);
  return out;
}

/** Every second data entry maps sectors of the data entry before it. */
function withShares(segments: readonly LaidSegment[]): LaidSegment[] {
  const sources = new Set(segments.flatMap((s) => (s.shares ? [s.shares.of] : [])));
  let before = -1;
  return segments.map((s, i) => {
    if (!s.content || s.shares || sources.has(i)) return s;
    const source = before;
    before = before < 0 ? i : -1;
    if (source < 0) return s;
    const of = segments[source]!;
    if (of.length < s.length || of.remote !== s.remote) return s;
    const skip = of.length - s.length;
    return { ...s, content: of.content!.subarray(skip * SECTOR), shares: { of: source, skip } };
  });
}

function virtualBytes(r: LayerRecipe, segments: readonly LaidSegment[]): number {
  const covered = segments.reduce((end, s) => Math.max(end, s.end), 0);
  const sectors = (n: number): number => Math.min(MAX_SECTORS, Math.max(1, n)) * SECTOR;
  switch (r.virtualSize) {
    case 'zero': return 0;
    case 'short': return sectors(covered - 1);
    case 'half': return sectors(Math.floor(covered / 2));
    case 'cover': return sectors(covered + r.tail);
  }
}

/** A sparse layer maps whole pages; what it does not write in them is zeros, and what lies behind its size is not there. */
function sparse(r: LayerRecipe, lower: readonly LaidSegment[]): LaidLayer {
  if (r.virtualSize === 'zero') return { segments: [], virtualSize: 0 };
  const plain = layOut({ ...r, form: 'sealed', many: null, placement: 'packed' }, lower).segments.filter((s) => s.content && s.end <= SPARSE_SECTORS);
  const pages = new Map<number, Uint8Array>();
  for (const s of plain) {
    for (let i = 0; i < s.length; i++) {
      const page = Math.floor((s.offset + i) / PAGE_SECTORS);
      const bytes = pages.get(page) ?? new Uint8Array(PAGE_SECTORS * SECTOR);
      bytes.set(s.content!.subarray(i * SECTOR, (i + 1) * SECTOR), ((s.offset + i) % PAGE_SECTORS) * SECTOR);
      pages.set(page, bytes);
    }
  }
  const segments: LaidSegment[] = [];
  for (const page of [...pages.keys()].sort((a, b) => a - b)) {
    const offset = page * PAGE_SECTORS;
    const last = segments.at(-1);
    if (last?.end === offset) segments[segments.length - 1] = joined(last, pages.get(page)!);
    else segments.push({ offset, length: PAGE_SECTORS, end: offset + PAGE_SECTORS, content: pages.get(page)! });
  }
  const covered = segments.at(-1)?.end ?? 0;
  return { segments, virtualSize: Math.max(1, covered + Math.min(r.tail, SPARSE_SECTORS)) * SECTOR };
}

function joined(a: LaidSegment, content: Uint8Array): LaidSegment {
  const end = a.end + PAGE_SECTORS;
  return { offset: a.offset, length: end - a.offset, end, content: new Uint8Array(Buffer.concat([a.content!, content])) };
}

/** The same layers with every place as a plain gap, so that a layer can go without moving those above it. */
export function withoutPlaces(layers: readonly LayerRecipe[], laid: readonly LaidLayer[]): LayerRecipe[] {
  return layers.map((r, i) => {
    const apart = r.form !== 'pair' && r.form !== 'sparse' && r.segments.length <= laid[i]!.segments.length;
    if (!apart || r.segments.every((s) => !s.place)) return r;
    let at = 0;
    const segments = r.segments.map((s, k): SegmentRecipe => {
      const { offset, length, end } = laid[i]!.segments[k]!;
      const gap = offset - at;
      at = end;
      return { ...s, gap, length, place: null };
    });
    return { ...r, segments };
  });
}
