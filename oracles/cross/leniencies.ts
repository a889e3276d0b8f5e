// SPDX-License-Identifier: MIT
/**
 * Where libraries take blocks that our decoders refuse. The surveys beside
 * this file measure it over generated, damaged and random blocks: a leniency
 * that is not listed here fails them, and so does a listed one of a pinned
 * library that is never met.
 * Whatever our decoders take, all of these libraries take, with the same bytes.
 */

/** lz4-napi 2.10.0 (lz4_flex), the machine's liblz4 (measured with 1.9.4), @hpcc-js/wasm-zstd 1.12.5. */
export type Library = 'lz4-napi' | 'liblz4' | 'zstd';

/** A library's answer to one block: as many bytes as the block must have, fewer, or more. */
export type Gives = 'whole' | 'short' | 'long';

export interface KnownLeniency {
  readonly name: string;
  readonly library: Library;
  /** The clause by which our decoder refuses the block; its flag, where it has one, is how a target declares to be as lenient. */
  readonly clause: string;
  readonly gives: readonly Gives[];
  readonly why: string;
}

const leniency = (name: string, library: Library, clause: string, gives: readonly Gives[], why: string): KnownLeniency =>
  ({ name, library, clause, gives, why });

export const LENIENCIES: readonly KnownLeniency[] = [
  leniency('end rules not enforced', 'lz4-napi', 'ZF-LZ4-05', ['whole', 'short'],
    'Any number of last literals and any distance of the last match will do; only a block without a last sequence of literals is refused.'),
  leniency('short output', 'lz4-napi', 'ZF-BLK-05', ['short'],
    'The size that it wants before a block is the room that it has, not what it must fill.'),
  leniency('end rules not enforced in the fast path', 'liblz4', 'ZF-LZ4-05', ['whole', 'short'],
    'The end of a match is compared with the last 5 bytes of the room, but not for matches of up to 18 bytes at an offset of 8 or more '
    + 'that begin far enough from its end; and all is relative to the room, so that a block that is short as well is not held to its own end.'),
  leniency('short output', 'liblz4', 'ZF-BLK-05', ['short'],
    'It returns how much it decoded; that this is less than the room, the caller must see.'),
  leniency('offset 0', 'liblz4', 'ZF-LZ4-01', ['whole', 'short'],
    'Not compared with 0: such a match copies what happened to stand in the output.'),
  leniency('many frames', 'zstd', 'ZF-ZST-05', ['whole', 'short', 'long'],
    'Skippable frames are passed over and frames in a row decoded one behind the other; bytes that begin no frame are refused.'),
  leniency('large windows', 'zstd', 'ZF-ZST-06', ['whole', 'short'],
    'Decoding a whole frame at once needs no window, and none is too large for it.'),
  leniency('short output', 'zstd', 'ZF-BLK-05', ['short'],
    'How long a block must be, it is never told.'),
  leniency('long output', 'zstd', 'ZF-ZST-01', ['long'],
    'As above: a frame without a content size may decode to any length that its allocation holds.'),
];

/** The listed leniency that explains why `library` takes what `clause` refuses; undefined where none does. */
export function leniencyOf(library: Library, clause: string, gives: Gives): KnownLeniency | undefined {
  return LENIENCIES.find((l) => l.library === library && l.clause === clause && l.gives.includes(gives));
}
