// SPDX-License-Identifier: MIT
/** Which bytes of a read depend on a device that fails: what a reader gives for them is governed by its own clause. Units are bytes. */
import { isFaulty, mayFail, type BackingFault, type Case, type GovernedRange, type Outcome } from '../model/index.ts';
import { SECTOR } from '../spec/index.ts';
import type { ByteSource } from './source.ts';
import type { Device, LayerSource } from './stack.ts';
import { Violation } from './violation.ts';

const CLAUSE = 'DM-FLT-01';

/** The outcome with DM-FLT-01 as the clause of every byte that cannot be had while the device of the case's fault fails. */
export function governFaults(c: Case, outcome: Outcome, sources: () => LayerSource[], open: (sources: LayerSource[]) => Device): Outcome {
  const { fault } = c.access;
  if (!fault || !mayFail(c.access) || outcome.outcome !== 'open') return outcome;
  let fails = false;
  const device = open(sources().map((source, i) => (i === fault.layer ? { ...source, file: failing(source.file, fault, () => fails) } : source)));
  fails = true;
  return {
    ...outcome,
    reads: outcome.reads.map((read, i) => {
      if (read.outcome !== 'bytes' || !isFaulty(c.access, i)) return read;
      const lost = dependent(device, c.access.reads[i]!.offset, 0, read.bytes.length);
      return { ...read, ranges: lost.reduce<readonly GovernedRange[]>(overlay, read.ranges) };
    }),
  };
}

function failing(source: ByteSource, { from, to }: BackingFault, fails: () => boolean): ByteSource {
  return {
    size: source.size,
    read(offset, length) {
      if (fails() && offset < to && offset + length > from) throw new Violation(CLAUSE, Math.max(offset, from), 'the device under the image fails');
      return source.read(offset, length);
    },
  };
}

/** The parts [from, to) of a read at `base` that cannot be had, found by halving. */
function dependent(device: Device, base: number, from: number, to: number): GovernedRange[] {
  if (to <= from) return [];
  try {
    device.read(base + from, to - from);
    return [];
  } catch (e) {
    if (!(e instanceof Violation) || e.clause !== CLAUSE) throw e;
    if (to - from <= SECTOR) return [{ from, to, clause: CLAUSE }];
    const middle = from + Math.ceil((to - from) / 2 / SECTOR) * SECTOR;
    return [...dependent(device, base, from, middle), ...dependent(device, base, middle, to)];
  }
}

/** The ranges with one of them on top of the others. */
function overlay(ranges: readonly GovernedRange[], top: GovernedRange): GovernedRange[] {
  const below = ranges.flatMap((r) => [{ ...r, to: Math.min(r.to, top.from) }, { ...r, from: Math.max(r.from, top.to) }]).filter((r) => r.to > r.from);
  return [...below, top].sort((a, b) => a.from - b.from);
}
