// SPDX-License-Identifier: MIT
/** How large a case is, for people: layers and entries before bytes. */
import { build } from '../generators/draw.ts';
import type { Case } from '../model/index.ts';
import { layerSources } from '../oracles/examine.ts';
import type { ByteSource } from '../oracles/source.ts';
import { unwrap, type LayerSource } from '../oracles/stack.ts';
import { STRICT, Violation } from '../oracles/violation.ts';
import { getInteger, getSegment, INVALID_OFFSET, LSMT_HEADER, LSMT_SPACE, SEGMENT_ENTRY, type LsmtField } from '../spec/index.ts';
import type { Prepared } from './prepare.ts';

/** How large a case is, in what people must look at. */
export interface CaseSize {
  readonly layers: number;
  /** Live index entries of all layers whose index can be read. */
  readonly segments: number;
  /** Index entries of a ZFile that is a device of its own; 0 for a stack. */
  readonly blocks: number;
}

/** Whether a person sees at one glance what a case is about. */
export function isTiny(s: CaseSize): boolean {
  return s.layers <= 3 && s.segments <= 3 && s.blocks <= 3;
}

/** The size of a case; its damage, which may make an index unreadable, is left out of the count. */
export function sizeOf({ drawn }: Prepared): CaseSize {
  const c = 'stored' in drawn ? drawn.stored : build({ ...drawn, recipe: { ...drawn.recipe, damage: [] } }).case;
  const sources = layerSources(c);
  if (c.device === 'zfile') return { layers: 1, segments: 0, blocks: unwrap(sources[0]!, STRICT).zfile?.blocks ?? 0 };
  const segments = sources.map((source, i) => c.layers[i]!.extents?.length ?? countEntries(source));
  return { layers: c.layers.length, segments: segments.reduce((a, b) => a + b, 0), blocks: 0 };
}

/** Entries of a sound layer that are not INVALID. */
function countEntries(source: LayerSource): number {
  const { inner } = unwrap(source, STRICT);
  const read = (file: ByteSource, from: number, bytes: number): number => {
    const index = file.read(from, bytes);
    let live = 0;
    for (let at = 0; at + SEGMENT_ENTRY <= bytes; at += SEGMENT_ENTRY) if (getSegment(index, at).offset !== INVALID_OFFSET) live++;
    return live;
  };
  if (source.index) return read(source.index, LSMT_SPACE, source.index.size - LSMT_SPACE);
  const trailer = inner.read(inner.size - LSMT_SPACE, LSMT_SPACE);
  const field = (name: LsmtField): number => Number(getInteger(trailer, LSMT_HEADER, name));
  return read(inner, field('index_offset'), field('index_size') * SEGMENT_ENTRY);
}

/** `1 layer, 2 entries` or `3 blocks`. */
export function sizeText({ layers, segments, blocks }: CaseSize, device: 'zfile' | 'lsmt'): string {
  const some = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;
  return device === 'zfile' ? some(blocks, 'block', 'blocks') : `${some(layers, 'layer', 'layers')}, ${some(segments, 'entry', 'entries')}`;
}

/** Bytes of all files of a case. */
export function imageBytes(c: Case): number {
  return c.layers.reduce((sum, l) => sum + l.bytes.length + (l.index?.length ?? 0) + (l.remote?.length ?? 0), 0);
}

/** Whether `a` is more to look at than `b`: more layers, else more entries, else more envelopes (a ZFile may be shorter than what is in it), else more bytes. */
export function isLarger(a: Prepared, b: Prepared): boolean {
  const size = ({ case: c }: Prepared, entries: number): number[] => [c.layers.length, entries, c.layers.reduce((sum, l) => sum + l.wrapping.length, 0), imageBytes(c)];
  const counts = [a, b].map(entriesOf);
  // Entries of damaged bytes cannot be counted; then the rest decides.
  const counted = counts.every((n) => n !== undefined);
  const [one, other] = [size(a, counted ? counts[0]! : 0), size(b, counted ? counts[1]! : 0)] as const;
  const differs = one.findIndex((n, i) => n !== other[i]);
  return differs >= 0 && one[differs]! > other[differs]!;
}

function entriesOf(p: Prepared): number | undefined {
  if ('stored' in p.drawn) return undefined;
  try {
    const { segments, blocks } = sizeOf(p);
    return segments + blocks;
  } catch (error) {
    if (error instanceof Violation || error instanceof RangeError) return undefined;
    throw error;
  }
}
