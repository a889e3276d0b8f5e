// SPDX-License-Identifier: MIT
/** Which clauses a written layer exercises, whatever stands above or below it. */
import { SECTOR } from '../spec/index.ts';
import type { Emit } from './clause-list.ts';
import type { LaidLayer, LaidSegment } from './lsmt-layout.ts';
import type { LayerRecipe } from './recipe.ts';

/** Entries of a read-only layer's index at the most. */
export const MAX_ENTRIES = 1_000_000;
/** Entries of a page of the index. */
const INDEX_PAGE_ENTRIES = 256;

/** Entries of the layer's index, INVALID ones included. */
export function entryCount(r: LayerRecipe, { segments }: LaidLayer): number {
  const between = r.invalidBefore.length + r.emptyBefore.length;
  const count = Math.max(segments.length + between, r.many?.kind === 'invalid' && r.form !== 'pair' ? r.many.count : 0);
  return r.form === 'committed' ? Math.ceil(count / INDEX_PAGE_ENTRIES) * INDEX_PAGE_ENTRIES : count;
}

/** Tells what the layer exercises: every clause of its form that something in it leans on. */
export function emitLayer(r: LayerRecipe, laid: LaidLayer, emit: Emit): void {
  const all = (...ids: string[]): void => ids.forEach(emit);
  all('LS-HDR-05', 'LS-VER-01', 'LS-SIZE-01');
  if (r.marks.flags !== 0) emit('LS-FLG-01');
  if (r.marks.identity !== 0) emit('LS-RSV-01');
  switch (r.form) {
    case 'sparse': return emitSparse(laid, emit);
    case 'pair': return emitPair(r, laid, emit);
    default: return emitSealed(r, laid, emit);
  }
}

function emitSparse({ segments, virtualSize }: LaidLayer, emit: Emit): void {
  emit('LS-SPR-01');
  const covered = segments.reduce((n, s) => n + s.length, 0);
  if (covered > 0) emit('LS-SPR-02');
  if (covered * SECTOR < virtualSize) emit('LS-SPR-03');
}

function emitPair(r: LayerRecipe, { segments }: LaidLayer, emit: Emit): void {
  ['LS-RW-01', 'LS-RW-02', 'LS-RW-05'].forEach(emit);
  if (r.padding % 16 !== 0) emit('LS-RW-06');
  if (r.marks.header !== 0) emit('LS-RW-07');
  if (segments.some((s) => s.content)) emit('LS-RW-04');
  if (segments.some((s) => !s.content)) emit('LS-IDX-06');
  const seen: LaidSegment[] = [];
  for (const s of segments) {
    if (seen.some((t) => t.offset < s.end && s.offset < t.end)) emit('LS-RW-03');
    seen.push(s);
  }
  emitEntries(r, segments, emit);
}

function emitSealed(r: LayerRecipe, laid: LaidLayer, emit: Emit): void {
  const { segments } = laid;
  const all = (...ids: string[]): void => ids.forEach(emit);
  all('LS-HDR-01', 'LS-HDR-02', 'LS-HDR-03', 'LS-HDR-04', 'LS-HDR-06', 'LS-HDR-07', 'LS-TRL-01', 'LS-TRL-02', 'LS-TRL-03', 'LS-TRL-04', 'LS-IDX-01', 'LS-IDX-02', 'LS-IDX-08');
  const count = entryCount(r, laid);
  if (count > 0) all('LS-IDX-09', 'LS-PAD-02');
  else emit('LS-IDX-07');
  if (count % (SECTOR / 16) !== 0 && r.padding !== 0) emit('LS-PAD-01');
  if (count > segments.length + r.emptyBefore.length) emit('LS-IDX-03');
  if (segments.length > 1) emit('LS-IDX-04');
  if (r.form !== 'warp' && segments.some((s) => s.content)) emit('LS-IDX-05');
  if (r.form !== 'warp' && segments.some((s) => !s.content)) emit('LS-IDX-06');
  const data = segments.filter((s) => s.content);
  if (data.some((s) => s.shares) || (r.placement === 'reversed' && data.length > 1)) emit('LS-MAP-03');
  emitEntries(r, segments, emit);
  if (r.form !== 'warp') return;
  if (data.length > 0) all('LS-WRP-01', 'LS-WRP-03', 'LS-WRP-04');
  if (data.length > 0 && segments.every((s) => s.remote)) emit('LS-WRP-02');
}

/** What entries of a table and of a log have in common. */
function emitEntries(r: LayerRecipe, segments: readonly LaidSegment[], emit: Emit): void {
  if (r.invalidBefore.length > 0) emit('LS-IDX-03');
  if (r.emptyBefore.length > 0) emit('LS-IDX-10');
  if (segments.length > 0 && r.marks.tags !== 0 && r.form !== 'warp') emit('LS-TAG-01');
}
