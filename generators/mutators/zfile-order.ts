// SPDX-License-Identifier: MIT
/** Which of several damages to one ZFile a reader meets first. */
import { CLAUSES } from '../../spec/index.ts';
import type { Damage } from './damage.ts';
import type { ZFileImage } from './zfile-image.ts';

/** One act of damage with the clause that it breaks. */
export interface AimedDamage {
  readonly clause: string;
  readonly damage: Damage;
}

const FIRST_OF_BLOCKS = rank('ZF-BLK-04') + 1;

function rank(clause: string): number {
  return CLAUSES.findIndex((c) => c.id === clause);
}

/**
 * The clauses that the damages break together, first what a reader meets
 * first: what is judged at open in the specification's order, then blocks by
 * their position. What a later damage overwrites is not there any more.
 */
export function meetingOrder(image: ZFileImage, damages: readonly AimedDamage[]): string[] {
  const left = damages.filter((d, i) => !damages.slice(i + 1).some((later) => undoes(later.damage, d.damage)));
  const block = ({ clause, damage }: AimedDamage): number =>
    rank(clause) < FIRST_OF_BLOCKS ? -1 : image.blocks.findLastIndex((b) => b.offset <= (damage.edits[0]?.at ?? 0));
  return left.map((d) => ({ clause: d.clause, block: block(d), rank: rank(d.clause) }))
    .sort((a, b) => a.block - b.block || a.rank - b.rank)
    .map((d) => d.clause);
}

/** Whether the later damage writes over bytes of the earlier one, or gives the file another length. */
function undoes(later: Damage, earlier: Damage): boolean {
  if (later.length !== undefined && earlier.length !== undefined) return true;
  return later.edits.some((x) => earlier.edits.some((y) => x.at < y.at + y.bytes.length && y.at < x.at + x.bytes.length));
}
