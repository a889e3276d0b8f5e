// SPDX-License-Identifier: MIT
/** One numbered normative statement. Ids are never reused. */

export type Level = 'MUST' | 'SHOULD' | 'MAY';

/**
 * Where a statement comes from: `doc` the public format documents, `ref` the
 * reference implementation's behaviour, `rfc` the dm-overlaybd patches,
 * `lz4` the LZ4 block format, `ustar` POSIX tar, `kernel` the block layer,
 * `suite` ours, where all of them are silent.
 */
export type Source = 'doc' | 'ref' | 'rfc' | 'lz4' | 'ustar' | 'kernel' | 'suite';

export interface Clause {
  readonly id: string;
  readonly level: Level;
  readonly text: string;
  readonly source: readonly Source[];
  /** True where documents and implementations differ. */
  readonly contested: boolean;
  /** For a contested clause: the flag by which a stance declares the other reading, and why this one is ours. */
  readonly flag?: string;
  readonly why?: string;
}

/** A clause that all sources agree on. */
export function clause(id: string, level: Level, source: Source | readonly Source[], text: string): Clause {
  return { id, level, text, source: typeof source === 'string' ? [source] : source, contested: false };
}

/** A clause whose reading is ours among several; `flag` names the other one. */
export function contested(
  id: string, level: Level, source: Source | readonly Source[], text: string, flag: string, why: string,
): Clause {
  return { ...clause(id, level, source, text), contested: true, flag, why };
}
