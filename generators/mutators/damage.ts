// SPDX-License-Identifier: MIT
/** Damage to a sound image, one concern each; several can be composed, since each is worked out on the sound image. */

/** Bytes to put over what stands at a byte position of the file. */
export interface Edit {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** What one mutator does to a sound file. */
export interface Damage {
  readonly edits: readonly Edit[];
  /** New length of the file in bytes, cut or grown by zeros after the edits; absent: as before. */
  readonly length?: number;
}

/** `Image`: a sound image with what its mutators must know of its layout. */
export interface Mutator<Image> {
  /** `zfile.block_size`: the format and what is damaged. */
  readonly name: string;
  /**
   * The clause it violates, wherever it gives a damage at all; null for damage
   * that aims at no clause (any byte, a copy of a field that nobody reads).
   */
  readonly violates: string | null;
  /**
   * The damage, or null where this image has nothing to damage in that way.
   * `a` and `b` are any non-negative integers: they choose place and value.
   */
  damage(image: Image, a: number, b: number): Damage | null;
}

/** The file with the damages done to it, in their order. The file itself stays as it is. */
export function damaged(bytes: Uint8Array, damages: readonly Damage[]): Uint8Array {
  const out = Uint8Array.from(bytes);
  for (const { edits } of damages) for (const e of edits) out.set(e.bytes.subarray(0, Math.max(0, out.length - e.at)), Math.min(e.at, out.length));
  const length = damages.reduce<number | undefined>((n, d) => d.length ?? n, undefined);
  if (length === undefined || length === out.length) return out;
  const resized = new Uint8Array(length);
  resized.set(out.subarray(0, length));
  return resized;
}

