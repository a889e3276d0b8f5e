// SPDX-License-Identifier: MIT
/** The mutators of ZFiles for a builder that knows damage as a function of bytes. */
import { damaged } from './damage.ts';
import type { Mutator } from './mutator.ts';
import { resealZFile, ZFILE_MUTATORS, zfileImage } from './zfile.ts';

export const OLD_ZFILE_MUTATORS: readonly Mutator[] = ZFILE_MUTATORS.map((m) => ({
  name: m.name,
  on: 'zfile',
  violates: m.violates === null ? [] : [m.violates],
  apply(bytes, a, b, reseal) {
    // The last one, for any byte, is what a second damage is done with: that needs no layout.
    if (m.name === 'zfile.byte') return damaged(bytes, [{ edits: [{ at: a % bytes.length, bytes: Uint8Array.of(bytes[a % bytes.length]! ^ (1 << (b % 8))) }] }]);
    const image = zfileImage(bytes);
    const damage = m.damage(image, a, b);
    if (!damage) return bytes;
    const out = damaged(bytes, [damage]);
    if (reseal) resealZFile(out, image);
    return out;
  },
}));
