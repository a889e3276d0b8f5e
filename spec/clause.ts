// SPDX-License-Identifier: MIT
/** One numbered normative statement. Ids are never reused. */

export type Level = 'MUST' | 'SHOULD' | 'MAY';

/**
 * Where a statement comes from: `doc` the public format documents, `ref` the
 * reference implementation's behaviour, `rfc` the dm-overlaybd patches,
 * `lz4` the LZ4 block format, `zstd` RFC 8878, `ustar` POSIX tar, `kernel` the
 * block layer, `suite` ours, where all of them are silent.
 */
export type Source = 'doc' | 'ref' | 'rfc' | 'lz4' | 'zstd' | 'ustar' | 'kernel' | 'suite';

/**
 * Who can break a clause: an `image` by its bytes (a mutator does), a `table`
 * by its arguments, or a `reader` only, by what it does with sound bytes.
 */
export type Binds = 'image' | 'table' | 'reader';

export interface Clause {
  readonly id: string;
  readonly level: Level;
  readonly text: string;
  readonly source: readonly Source[];
  readonly binds: Binds;
  /** True where documents and implementations differ. */
  readonly contested: boolean;
  /** For a contested clause: the flag by which a stance declares the other reading, and why this one is ours. */
  readonly flag?: string;
  readonly why?: string;
  /**
   * What a target that declares nothing may do: `either` side, where nothing
   * settles the point, or `strict`, where the reference's own files do: then
   * the other reading must be declared to be a reading and not a mistake.
   */
  readonly undeclared?: 'either' | 'strict';
}

/** A clause that all sources agree on. */
export function clause(id: string, level: Level, source: Source | readonly Source[], binds: Binds, text: string): Clause {
  return { id, level, text, source: typeof source === 'string' ? [source] : source, binds, contested: false };
}

/** A clause whose reading is ours among several; `flag` names the other one, which may be taken without declaring it. */
export function contested(
  id: string, level: Level, source: Source | readonly Source[], binds: Binds, text: string, flag: string, why: string,
): Clause {
  return { ...clause(id, level, source, binds, text), contested: true, flag, why, undeclared: 'either' };
}

/** A clause that a document contradicts and the reference's own files settle; who reads it the other way must declare `flag`. */
export function settled(
  id: string, level: Level, source: Source | readonly Source[], binds: Binds, text: string, flag: string, why: string,
): Clause {
  return { ...contested(id, level, source, binds, text, flag, why), undeclared: 'strict' };
}
