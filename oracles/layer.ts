// SPDX-License-Identifier: MIT
/** What an open LSMT layer is, whatever its form. */
import type { ByteSource } from './source.ts';

/** One live mapping of a layer: [start, end) of the device, both in sectors. */
export interface Mapping {
  readonly start: number;
  readonly end: number;
  /** Sector of the file that holds `start`; meaningless for a zeroed mapping. */
  readonly moffset: number;
  readonly zeroed: boolean;
  /** The file that holds the sectors: 0 the layer's own, 1 the remote file of a warp layer; others are nobody's. */
  readonly file: number;
}

export interface LsmtLayer {
  readonly form: 'sealed' | 'pair' | 'sparse' | 'warp';
  /** Bytes; 0 defers to the layer below. */
  readonly virtualSize: number;
  /** Ascending, without overlap, none of length 0. */
  readonly mappings: readonly Mapping[];
  /** Where the mapped sectors stand. */
  readonly data: ByteSource;
  /** Where those of a warp layer's remote entries stand; null for every other layer. */
  readonly remote: ByteSource | null;
  /** Entries in the table, INVALID ones included; 0 where there is no table. */
  readonly entries: number;
  /** INVALID entries that are followed by a live one: more than padding. */
  readonly invalidInside: number;
}

/** A layer whose mappings are made when they are first asked for: to check one takes no memory for them. */
export function lazyLayer(layer: Omit<LsmtLayer, 'mappings'>, make: () => readonly Mapping[]): LsmtLayer {
  let made: readonly Mapping[] | null = null;
  return {
    ...layer,
    get mappings() {
      return made ??= make();
    },
  };
}
