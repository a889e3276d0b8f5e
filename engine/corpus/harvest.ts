// SPDX-License-Identifier: MIT
/** Draws cases of a seed and makes of them the smallest that touch, and that break, each clause. */
import { setImmediate } from 'node:timers/promises';
import { drawCase } from '../../generators/draw.ts';
import type { Case } from '../../model/index.ts';
import { CLAUSES, SECTOR } from '../../spec/index.ts';
import { VIOLATED_ELSEWHERE } from '../coverage.ts';
import { coversOf, firstBroken } from '../covers.ts';
import { prepare, storedOrigin, type Origin, type Prepared } from '../prepare.ts';

/** What a case is looked for to do to a clause. */
export interface Want {
  readonly clause: string;
  readonly does: 'exercises' | 'violates';
}

export interface Harvested {
  readonly want: Want;
  /** As it is to be stored: from its bytes. */
  readonly prepared: Prepared;
}

export interface HarvestOptions {
  /** Cases that are drawn. */
  readonly cases: number;
  /** Smaller cases that are looked at for each want. */
  readonly shrinks: number;
  readonly progress: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Every clause of which images and tables must be right: to be touched, and to be broken where an image or a table can and a drawn case does. */
export function allWants(): Want[] {
  return CLAUSES.filter((c) => c.level === 'MUST').flatMap(({ id: clause, binds }): Want[] => [
    { clause, does: 'exercises' },
    ...(binds === 'reader' || VIOLATED_ELSEWHERE.has(clause) ? [] : [{ clause, does: 'violates' as const }]),
  ]);
}

/** A drawn case that does what is wanted, and how good it is at it: less is better. */
interface Candidate {
  readonly origin: Origin;
  readonly rank: number;
  readonly weight: number;
}

/** Throws the signal's reason where it aborts. `missing`: what no drawn case does. */
export async function harvest(seed: number, wants: readonly Want[], options: HarvestOptions): Promise<{ found: Harvested[]; missing: Want[] }> {
  const best = new Map<Want, Candidate>();
  for (let i = 0; i < options.cases; i++) {
    const origin = drawCase(seed, i);
    const prepared = prepare(origin);
    const weight = weightOf(prepared);
    for (const want of wants) {
      const rank = rankOf(prepared, want);
      if (rank === null) continue;
      const before = best.get(want);
      if (!before || rank < before.rank || (rank === before.rank && weight < before.weight)) best.set(want, { origin, rank, weight });
    }
    if (i % 64 !== 63) continue;
    options.progress(`${i + 1} cases drawn, ${best.size} of ${wants.length} found`);
    await setImmediate();
    options.signal.throwIfAborted();
  }
  const found: Harvested[] = [];
  for (const want of wants) {
    const candidate = best.get(want);
    if (!candidate) continue;
    options.progress(`${found.length} of ${best.size} shrunk: ${want.clause}`);
    await setImmediate();
    options.signal.throwIfAborted();
    found.push({ want, prepared: toBeStored(shrinkToward(prepare(candidate.origin), want, candidate.rank, options.shrinks), want, candidate.rank) });
  }
  return { found, missing: wants.filter((w) => !best.has(w)) };
}

/** How well the case does what is wanted, 0 best; null where it does not. */
export function rankOf(prepared: Prepared, { clause, does }: Want): number | null {
  const { case: c, expectation, disagreement } = prepared;
  if (disagreement !== undefined || !coversOf(prepared)[does].includes(clause)) return null;
  // What is too small to be a device shows nothing to readers that are devices.
  const small = c.access.deviceBytes < SECTOR || c.layers.some((l) => (l.exposedBytes ?? SECTOR) < SECTOR) ? 4 : 0;
  const otherSide = does === 'exercises' ? expectation.class !== 'valid' : firstBroken(expectation) !== clause;
  // One mistake at a time is told apart from others more easily.
  const more = does === 'violates' && coversOf(prepared).violates.length > 1 ? 1 : 0;
  return small + (otherSide ? 2 : 0) + more;
}

/** What a case costs to keep and to look at: bytes of its files, and its reads. */
export function weightOf({ case: c }: Prepared): number {
  const bytes = c.layers.reduce((sum, l) => sum + l.bytes.length + (l.index?.length ?? 0) + (l.remote?.length ?? 0), 0);
  return bytes + 64 * c.layers.length + c.access.reads.reduce((sum, r) => sum + 64 + r.length / 64, 0);
}

function shrinkToward(start: Prepared, want: Want, rank: number, budget: number): Prepared {
  const seen = new Set([start.digest]);
  let current = start;
  let left = budget;
  for (let candidates = current.drawn.shrinks()[Symbol.iterator](); left > 0;) {
    const { value, done } = candidates.next() as IteratorResult<Origin>;
    if (done) break;
    left--;
    const candidate = prepare(value);
    if (seen.has(candidate.digest)) continue;
    seen.add(candidate.digest);
    const found = rankOf(candidate, want);
    if (found === null || found > rank || weightOf(candidate) > weightOf(current)) continue;
    current = candidate;
    candidates = current.drawn.shrinks()[Symbol.iterator]();
  }
  return current;
}

/** Bytes that are read of a device that a case leaves unread. */
const MOST_READ = 1 << 20;
const PAGE = 4096;
/** Layers of a stack that is tall. */
const TALL = 16;

/**
 * The case from its bytes. Where shrinking left it without a read, the device is read as a whole: who is wrong about
 * it must show it. A tall stack is of one file, where that does as well, and no taller than it must be: then it is stored once.
 */
function toBeStored(prepared: Prepared, want: Want, rank: number): Prepared {
  const still = (c: Case): Prepared | null => {
    const stored = prepare(storedOrigin(c, 0));
    const found = rankOf(stored, want);
    return found !== null && found <= rank ? stored : null;
  };
  let { case: c } = prepared;
  const [bottom] = c.layers;
  if (c.layers.length > TALL) {
    c = still({ ...c, layers: c.layers.map(() => bottom!) })?.case ?? c;
    for (let lower: Prepared | null; c.layers.length > 1 && (lower = still({ ...c, layers: c.layers.slice(1) }));) c = lower.case;
  }
  const length = Math.min(MOST_READ, Math.ceil(c.access.deviceBytes / PAGE) * PAGE);
  const read = { offset: 0, length, bufferOffset: 0, mode: 'direct' } as const;
  const whole = c.access.reads.length === 0 && length > 0 ? still({ ...c, access: { ...c.access, reads: [read] } }) : null;
  return whole ?? prepare(storedOrigin(c, 0));
}
