// SPDX-License-Identifier: MIT
/**
 * Opinions on one case that must not differ: the generator's own byte array,
 * the strict reader, and a second reader made from the Kaitai descriptions
 * with library decoders.
 */
import type { Built } from '../generators/build.ts';
import type { Case, Expectation } from '../model/index.ts';
import type { CrossReading } from '../oracles/cross/read.ts';
import { disagreementOf } from './prepare.ts';

/** Where the opinions on a case differ, in one line; null where all of them agree or have none. */
export function opinionsDiffer(built: Built, c: Case, expectation: Expectation, cross: CrossReading | null): string | null {
  const { strict } = expectation;
  if (built.readModel) {
    const difference = disagreementOf(c, expectation, built.size, built.readModel);
    if (difference !== null) return difference;
  }
  const [meant] = built.case.clauses.violates;
  if (strict.outcome === 'refuse') {
    return meant === undefined && isSound(built) ? `a case without damage is refused by ${strict.clause}: ${strict.why}` : null;
  }
  if (!cross || !strict.reads.every((r) => r.outcome === 'bytes')) return null;
  if (cross.outcome === 'refuse') return `the second reader refuses what the first one opens: ${cross.why}`;
  if (cross.size !== strict.size) return `the second reader says ${cross.size} bytes, the first ${strict.size}`;
  for (const [i, read] of strict.reads.entries()) {
    const other = cross.reads[i]!;
    if (!(other instanceof Uint8Array)) return `the second reader cannot do read ${i}: ${other.why}`;
    if (read.outcome === 'bytes' && Buffer.compare(read.bytes, other) !== 0) return `the two readers differ on read ${i}`;
  }
  return null;
}

/** Whether the generator meant no damage at all. */
function isSound(built: Built): boolean {
  return built.readModel !== null;
}
