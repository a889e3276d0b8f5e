// SPDX-License-Identifier: MIT
/** A stack as stock device-mapper can show it. */

/** A plain table of linear and zero pieces that equals a stack: what stock device-mapper can show. */
export interface LoweredPiece {
  /** Sectors of 512 bytes from the start of the device. */
  readonly start: number;
  readonly sectors: number;
  /** Where the bytes are: layer and sector in its decoded image; null for zeros. */
  readonly source: { readonly layer: number; readonly sector: number } | null;
}

export interface Lowered {
  readonly pieces: readonly LoweredPiece[];
  /** Each layer's innermost LSMT file, decoded. */
  readonly images: readonly Uint8Array[];
}
