// SPDX-License-Identifier: MIT
/** A batch's cases made ready once for all the targets that are given them in turn: to draw and examine a case costs as much as to run it. */
import { drawCase } from '../generators/draw.ts';
import { prepare, type Prepared } from './prepare.ts';

/** Bytes of images and expected reads that are kept; cases beyond that are made again. */
const MAX_BYTES = 64 << 20;

/** The cases of the batch that begins with case `first` of the seed, by their number in it. Those of another batch are forgotten. */
export type ReadyCases = (first: number) => (index: number, declared: ReadonlySet<string>) => Prepared;

export function readyCases(seed: number): ReadyCases {
  const kept = new Map<string, Prepared>();
  let of = 0;
  let bytes = 0;
  return (first) => {
    if (first !== of) {
      kept.clear();
      bytes = 0;
      of = first;
    }
    return (index, declared) => {
      // What is expected of a case may depend on what the target declares.
      const key = `${index} ${[...declared].sort().join(' ')}`;
      const before = kept.get(key);
      if (before !== undefined) return before;
      const made = prepare(drawCase(seed, first + index), declared);
      const more = bytesOf(made);
      if (bytes + more <= MAX_BYTES) {
        kept.set(key, made);
        bytes += more;
      }
      return made;
    };
  };
}

function bytesOf({ case: c, expectation: { strict } }: Prepared): number {
  const images = c.layers.reduce((sum, l) => sum + l.bytes.length + (l.index?.length ?? 0) + (l.remote?.length ?? 0), 0);
  return images + (strict.outcome === 'open' ? strict.reads.reduce((sum, r) => sum + (r.outcome === 'bytes' ? r.bytes.length : 0), 0) : 0);
}
