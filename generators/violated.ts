// SPDX-License-Identifier: MIT
/** What damage violates, in the order in which a reader meets it. */
import { getInteger, LSMT_HEADER, LSMT_SPACE } from '../spec/index.ts';
import { rankOf } from './clause-list.ts';
import type { LayerRecipe } from './recipe.ts';
import { TAR_BLOCK } from './tar-writer.ts';

export interface Violated {
  readonly clause: string;
  /** 0 = bottom; -1: met before any layer is. */
  readonly layer: number;
  /** Among those of its layer. */
  readonly rank: number;
}

/** Met, if ever, when sectors are read, after all layers are open. */
const LATE = 1e6;

/** A pair's files are opened one after the other, each in its own order. */
const PAIR_ORDER: Readonly<Record<string, readonly string[]>> = {
  data: ['LS-RW-01', 'LS-HDR-05', 'LS-VER-01'],
  index: ['LS-RW-02', 'LS-HDR-05', 'LS-VER-01', 'LS-SIZE-01', 'LS-IDX-06', 'LS-RW-04'],
};

/** Where a clause that damage at byte `at` of a layer's file breaks stands among those that its reader looks at. */
export function meetingRank(form: LayerRecipe['form'], file: 'data' | 'index', clause: string, at: number): number {
  if (form === 'pair') return rankOf('LS-RW-01') + (file === 'index' ? 0.5 : 0) + PAIR_ORDER[file]!.indexOf(clause) / 100;
  if (form === 'sparse') return clause === 'LS-SPR-01' ? rankOf('LS-HDR-01') : rankOf(clause);
  // The trailer's own size field comes after what makes it a trailer.
  if (clause === 'LS-HDR-05' && at >= LSMT_SPACE) return rankOf('LS-TRL-04') + 0.5;
  return rankOf(clause);
}

/** As `meetingRank`, for a tar whose layer’s header stands at byte `header`: what stands first in the file is met first. */
export function tarRank(clause: string, at: number, header: number): number {
  const part = at < Math.min(TAR_BLOCK, header || Infinity) ? 0 : at < header ? 1 : 2;
  return rankOf('TR-TAR-01') + part / 10 + (rankOf(clause) - rankOf('TR-TAR-01')) / 100;
}

/** As `meetingRank`, for damage to the ZFile around a sealed layer: what is wrong with a block is met when it is needed. */
export function blockRank(v: { readonly clause: string; readonly content: { readonly from: number; readonly to: number } | null }, inner: Uint8Array): number {
  const { content } = v;
  if (!content || content.from < LSMT_SPACE) return rankOf('ZF-HDR-01');
  const trailer = inner.length - LSMT_SPACE;
  if (content.to > trailer) return rankOf('LS-TRL-01') - 0.5;
  // The index is looked at after all fields are.
  return content.to > Number(getInteger(inner, LSMT_HEADER, 'index_offset', trailer)) ? rankOf('LS-SIZE-01') + 0.5 : LATE;
}

/**
 * Clause ids: first what concerns no layer, then layer by layer from the
 * bottom. What only a read may meet is left out: other layers may hide it.
 */
export function inOrderMet(violated: readonly Violated[]): string[] {
  return [...new Set(violated.filter((v) => v.rank < LATE).sort((a, b) => a.layer - b.layer || a.rank - b.rank).map((v) => v.clause))];
}
