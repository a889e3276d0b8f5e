// SPDX-License-Identifier: MIT
/** What a target made of a case, so that it can be held against what another one made of it. */
import { isFindingKind, type DifferenceKind, type Observation, type ReadObservation, type Verdict } from '../../model/index.ts';
import type { Executed, Judged } from '../execute.ts';

/** One target's part in a case. */
export interface Answer {
  /** Bytes to which the size of its devices is rounded down. */
  readonly sizeUnit: 1 | 512;
  readonly executed: Executed;
}

/** Where two answers part. `at`: byte of the read. */
export interface Parting {
  readonly what: DifferenceKind;
  readonly read?: number;
  readonly at?: number;
}

export type Relation = 'same' | 'allowed' | 'differ' | 'not both';

/** Whether a target was asked and answered at all. */
export function wasAsked({ executed: { observation } }: Answer): boolean {
  return observation !== undefined && observation.engineError === undefined;
}

/** How two answers stand to each other. `allowed`: they differ, and the format lets a reader do either. */
export function relate(p: Judged, a: Answer, b: Answer): { readonly relation: Relation; readonly parting: Parting | null } {
  if (!wasAsked(a) || !wasAsked(b)) return { relation: 'not both', parting: null };
  const parting = partingOf(p, a, b);
  if (!parting) return { relation: 'same', parting };
  return { relation: isFine(a.executed.verdict) && isFine(b.executed.verdict) ? 'allowed' : 'differ', parting };
}

function isFine({ kind }: Verdict): boolean {
  return !isFindingKind(kind) && kind !== 'engine-error';
}

/** What `b` does otherwise than `a`, the first of it; null where nobody who uses them could tell. */
function partingOf(p: Judged, a: Answer, b: Answer): Parting | null {
  const one = a.executed.observation!;
  const other = b.executed.observation!;
  if (one.death || other.death) return byDeath(one, other);
  if (one.open !== other.open) return { what: other.open === 'refused' ? 'refuses' : 'opens' };
  if (one.open !== 'opened') return null;
  // A table gave such a device its length: that is no opinion of the reader's.
  const ownSizes = a.sizeUnit === 1 && b.sizeUnit === 1 && one.size !== undefined && other.size !== undefined;
  if (ownSizes && one.size !== other.size) return { what: 'other size' };
  const end = Math.min(endOf(p, a), endOf(p, b));
  for (const read of p.case.access.reads.keys()) {
    const found = byRead(p, read, end, one.reads[read], other.reads[read]);
    if (found) return { read, ...found };
  }
  return null;
}

function byDeath({ death: one }: Observation, { death: other }: Observation): Parting | null {
  if (one && other) return one.kind === other.kind && one.title === other.title ? null : { what: 'other end' };
  const kind = (other ?? one)!.kind;
  if (!other) return { what: 'other end' };
  return { what: kind === 'hang' ? 'hang' : 'crash' };
}

/** Where a target's device ends, and what is nobody's begins, bytes. */
function endOf({ case: c, expectation: { strict } }: Judged, { sizeUnit, executed }: Answer): number {
  const own = sizeUnit === 512 ? c.access.deviceBytes : executed.observation!.size ?? Infinity;
  return strict.outcome === 'open' ? Math.min(own, Math.max(strict.size, 0)) : own;
}

function byRead(p: Judged, read: number, end: number, one: ReadObservation | undefined, other: ReadObservation | undefined): Omit<Parting, 'read'> | null {
  if (!one || !other) return one === other ? null : { what: other ? 'read succeeds' : 'read fails' };
  const visible = Math.max(0, end - p.case.access.reads[read]!.offset);
  if (one.result < 0 || other.result < 0) {
    if (one.result < 0 && other.result < 0) return null;
    // Behind the end of the device there is nothing that could be read or not.
    if (visible === 0) return null;
    return { what: other.result < 0 ? 'read fails' : 'read succeeds' };
  }
  const first = bytesOf(p, read, one)?.subarray(0, visible);
  const second = bytesOf(p, read, other)?.subarray(0, visible);
  if (!first || !second) return one.sha256 === other.sha256 ? null : { what: 'other bytes' };
  const common = Math.min(first.length, second.length);
  if (Buffer.compare(first.subarray(0, common), second.subarray(0, common)) !== 0) {
    return { what: 'other bytes', at: first.findIndex((byte, i) => byte !== second[i]) };
  }
  return first.length === second.length ? null : { what: second.length < first.length ? 'short read' : 'other bytes', at: common };
}

/** The bytes that a read gave; those that were expected where it was answered with their digest. Undefined where there are none. */
export function bytesOf({ case: c, expectation: { strict } }: Judged, read: number, { result, bytes }: ReadObservation): Uint8Array | undefined {
  if (bytes) return bytes.subarray(0, Math.max(0, result));
  const want = strict.outcome === 'open' ? strict.reads[read] : undefined;
  if (want?.outcome !== 'bytes' || result < 0) return undefined;
  return want.bytes.subarray(0, Math.min(result, Math.max(0, c.access.deviceBytes - c.access.reads[read]!.offset)));
}

/** Verdicts that charge what was read or refused; others charge what happened besides. */
const ABOUT_ANSWERS: readonly string[] = ['corruption', 'accepts-invalid', 'refuses-valid', 'docs'];

/** The clause under which two answers part: what the judge charges the second with, or the first, for that; or else what governs the place. */
export function clauseOfParting({ case: c, expectation: { strict, notable } }: Judged, { what, read, at }: Parting, a: Answer, b: Answer): string {
  const death = what === 'crash' || what === 'hang' || what === 'other end';
  for (const { executed: { verdict } } of [b, a]) {
    // An answer that was right may have come with a death, or with damage elsewhere, that is charged instead.
    const fits = death ? isFindingKind(verdict.kind) : ABOUT_ANSWERS.includes(verdict.kind) && (verdict.read === undefined || verdict.read === read);
    if (fits && verdict.clause !== undefined) return verdict.clause;
  }
  if (strict.outcome === 'refuse') return strict.clause;
  const outcome = read === undefined ? undefined : strict.reads[read];
  // Which part of it made a read fail is not told; its end is likelier than what came before.
  if (outcome?.outcome === 'bytes') return (at === undefined ? outcome.ranges.at(-1) : outcome.ranges.find((r) => at < r.to))?.clause ?? 'DM-RD-01';
  if (outcome) return outcome.clause;
  return strict.reads.find((r) => r.outcome === 'error')?.clause ?? notable[0] ?? (c.device === 'zfile' ? 'DM-TBL-01' : 'DM-TBL-02');
}
